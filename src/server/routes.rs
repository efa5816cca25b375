//! Which call a path means.

use super::{
    artifacts,
    call::{Call, Route},
    error::{ApiError, ErrorCode},
    experiments, logged_models, registry, runs, server_info, traces,
};
use http::Method;
use matchit::Router;

/// The rooms of the API, each with its calls.
const ROOMS: &[&[Route]] = &[
    artifacts::ROUTES,
    experiments::ROUTES,
    logged_models::ROUTES,
    registry::ROUTES,
    runs::ROUTES,
    server_info::ROUTES,
    traces::ROUTES,
];

/// Calls by path, then by method.
pub(super) struct Routes(Router<Vec<(&'static str, Call)>>);

/// A call that was found, and the parts of its path.
pub(super) struct Found {
    pub(super) call: Call,
    pub(super) parts: Vec<(String, String)>,
}

impl Routes {
    /// # Errors
    ///
    /// When two paths contradict each other, which a test sees.
    pub(super) fn new() -> Result<Self, matchit::InsertError> {
        let mut by_path: Vec<(&str, Vec<(&str, Call)>)> = Vec::new();
        for &(method, path, call) in ROOMS.iter().copied().flatten() {
            match by_path.iter_mut().find(|(known, _)| *known == path) {
                Some((_, calls)) => calls.push((method, call)),
                None => by_path.push((path, vec![(method, call)])),
            }
        }
        let mut router = Router::new();
        for (path, calls) in by_path {
            let prefixes: &[_] =
                if path.starts_with('/') { &[""] } else { &["/api/", "/ajax-api/"] };
            for prefix in prefixes {
                router.insert(format!("{prefix}{path}"), calls.clone())?;
            }
        }
        Ok(Self(router))
    }

    pub(super) fn find(&self, method: &Method, path: &str) -> Result<Found, ApiError> {
        let Ok(found) = self.0.at(path) else {
            return Err(ApiError::new(
                ErrorCode::EndpointNotFound,
                format!("there is no call {method} {path} here"),
            ));
        };
        let Some(call) = found.value.iter().find(|(known, _)| method == known) else {
            let known: Vec<_> = found.value.iter().map(|(method, _)| *method).collect();
            return Err(ApiError::new(
                ErrorCode::EndpointNotFound,
                format!("{path} takes {}, not {method}", known.join(" and ")),
            ));
        };
        let parts =
            found.params.iter().map(|(name, part)| (name.to_owned(), decoded(part))).collect();
        Ok(Found { call: call.1, parts })
    }
}

/// A part of a path, without its percent-encoding.
fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_paths_contradict_each_other() {
        Routes::new().unwrap();
    }
}
