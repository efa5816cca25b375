//! The config of a request as an argument of an axum handler.

use super::place;
use crate::{config::ConfigError, trial::Place};
use axum_core::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use serde::de::DeserializeOwned;
use std::fmt;

/// The config assigned to this request, bound to a type: an axum extractor.
///
/// ```
/// use serde::Deserialize;
/// use tower_spearmint::http::Variant;
///
/// #[derive(Deserialize)]
/// struct RankerConfig { model: String }
///
/// async fn rank(Variant(ranker): Variant<RankerConfig>) -> String {
///     ranker.model
/// }
/// ```
///
/// It is rejected (500, with the path and the reason) when the handler is under no strategy or
/// the config does not fit the type. The [`Place`] itself is an extractor, too.
#[derive(Debug, Clone, Copy)]
pub struct Variant<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Variant<T> {
    type Rejection = VariantRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, VariantRejection> {
        let place = place(&parts.extensions).ok_or(VariantRejection(None))?;
        place.config().bind("").map(Self).map_err(|error| VariantRejection(Some(error)))
    }
}

impl<S: Sync> FromRequestParts<S> for Place {
    type Rejection = VariantRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, VariantRejection> {
        place(&parts.extensions).cloned().ok_or(VariantRejection(None))
    }
}

/// Why a [`Variant`] could not be had.
#[derive(Debug)]
pub struct VariantRejection(Option<ConfigError>);

impl fmt::Display for VariantRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            None => "no config: put a strategy (ShadowLayer, RoundRobinLayer, …) around this route",
            Some(_) => "the config does not fit the handler's type",
        })
    }
}

impl std::error::Error for VariantRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_ref().map(|error| error as _)
    }
}

impl IntoResponse for VariantRejection {
    fn into_response(self) -> Response {
        // The caller need not learn what the config holds; the operator must.
        tracing::error!(error = %self, cause = self.0.as_ref().map(tracing::field::display));
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}
