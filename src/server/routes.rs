//! Which call a path means.

use super::{
    artifacts,
    call::Route,
    error::{ApiError, ErrorCode},
    experiments, logged_models, outcomes, registry, runs, server_info, traces,
};
use http::Method;
use matchit::Router;

/// The rooms of the API, each with its calls.
const ROOMS: &[&[Route]] = &[
    artifacts::ROUTES,
    experiments::ROUTES,
    logged_models::ROUTES,
    outcomes::ROUTES,
    registry::ROUTES,
    runs::ROUTES,
    server_info::ROUTES,
    traces::ROUTES,
];

/// Calls by path, then by method.
pub(super) struct Routes(Router<Vec<Route>>);

/// A call that was found, and the parts of its path.
pub(super) struct Found {
    pub(super) route: Route,
    pub(super) parts: Vec<(String, String)>,
}

impl Routes {
    /// # Errors
    ///
    /// When two paths contradict each other, which a test sees.
    pub(super) fn new() -> Result<Self, matchit::InsertError> {
        let mut by_path: Vec<(&str, Vec<Route>)> = Vec::new();
        for route @ (_, path, _) in ROOMS.iter().copied().flatten() {
            match by_path.iter_mut().find(|(known, _)| known == path) {
                Some((_, routes)) => routes.push(*route),
                None => by_path.push((path, vec![*route])),
            }
        }
        let mut router = Router::new();
        for (path, routes) in by_path {
            let prefixes: &[_] =
                if path.starts_with('/') { &[""] } else { &["/api/", "/ajax-api/"] };
            for prefix in prefixes {
                router.insert(format!("{prefix}{path}"), routes.clone())?;
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
        let Some(route) = found.value.iter().find(|(known, ..)| method == known) else {
            let known: Vec<_> = found.value.iter().map(|(method, ..)| *method).collect();
            return Err(ApiError::new(
                ErrorCode::EndpointNotFound,
                format!("{path} takes {}, not {method}", known.join(" and ")),
            ));
        };
        let parts =
            found.params.iter().map(|(name, part)| (name.to_owned(), decoded(part))).collect();
        Ok(Found { route: *route, parts })
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
