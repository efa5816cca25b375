//! Where the artifacts of a run, or of a model, stand.

use super::names;
use crate::server::{call::Context, error::ApiError, logged_models, registry, runs};

/// What the URI of an artifact on this server has before its path, seen from outside.
const ANCHOR: &str = "/api/2.0/mlflow-artifacts/artifacts/";

/// Where the artifacts of a run stand: its `artifact_uri`.
pub(super) struct Root {
    pub(super) uri: String,
}

impl Root {
    /// # Errors
    ///
    /// When there is no such run.
    pub(super) fn of_run(context: &Context<'_>, run_id: &str) -> Result<Self, ApiError> {
        let uri = runs::artifact_uri(context, run_id)?;
        Ok(Self { uri })
    }

    /// # Errors
    ///
    /// When there is no such logged model.
    pub(super) fn of_logged_model(context: &Context<'_>, id: &str) -> Result<Self, ApiError> {
        Ok(Self { uri: logged_models::find(context, id)?.artifact_uri })
    }

    /// # Errors
    ///
    /// When there is no such version.
    pub(super) fn of_model_version(
        context: &Context<'_>,
        name: &str,
        version: &str,
    ) -> Result<Self, ApiError> {
        let uri = registry::location_of(context, name, version)?;
        let Some((run, path)) = uri.strip_prefix("runs:/").and_then(|of| of.split_once('/')) else {
            return Ok(Self { uri });
        };
        Ok(Self { uri: format!("{}/{path}", runs::artifact_uri(context, run)?) })
    }

    /// The place on this server of a path below it.
    ///
    /// # Errors
    ///
    /// When the path is not allowed, or the artifacts are kept elsewhere.
    pub(super) fn place(&self, path: &str) -> Result<String, ApiError> {
        let root = self.on_this_server().ok_or_else(|| {
            // (Not the whole URI: there may be credentials in it.)
            ApiError::invalid(format!(
                "the artifacts of this run are kept elsewhere ({}:), not on this server; use a \
                 client that can read and write there",
                self.scheme()
            ))
        })?;
        Ok(names::join(&names::plain(root)?, &names::plain(path)?))
    }

    /// Its scheme, as `mlflow-artifacts`.
    pub(super) fn scheme(&self) -> &str {
        self.uri.split_once(':').map_or("", |(scheme, _)| scheme)
    }

    fn on_this_server(&self) -> Option<&str> {
        let path = self.uri.split(['?', '#']).next()?;
        let (scheme, rest) = path.split_once(':')?;
        let root = match scheme {
            "mlflow-artifacts" => match rest.strip_prefix("//") {
                Some(with_host) => with_host.split_once('/').map_or("", |(_, path)| path),
                None => rest,
            },
            "http" | "https" => rest.split_once(ANCHOR)?.1,
            _ => return None,
        };
        Some(root.trim_start_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_this_server_is_found_in_the_uri() {
        for (uri, place) in [
            ("mlflow-artifacts:/0/ab/artifacts", "0/ab/artifacts/x"),
            ("mlflow-artifacts://host:5000/0/ab/artifacts", "0/ab/artifacts/x"),
            ("mlflow-artifacts:/", "x"),
            ("mlflow-artifacts:/0/ab/artifacts?key=secret", "0/ab/artifacts/x"),
            ("http://host/api/2.0/mlflow-artifacts/artifacts/0/ab", "0/ab/x"),
        ] {
            let root = Root { uri: uri.to_owned() };
            assert_eq!(root.place("x").unwrap(), place, "{uri}");
        }
        for uri in ["s3://bucket/0/ab", "file:///tmp/x", "/tmp/x", "mlflow-artifacts:/../x"] {
            assert!(Root { uri: uri.to_owned() }.place("x").is_err(), "{uri}");
        }
    }
}
