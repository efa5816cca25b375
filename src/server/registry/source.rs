//! What may be the source of a version.
//!
//! Whoever reads a version reads its source, so a source must not lead elsewhere than it says:
//! artifacts on this server belong to the run or the logged model that is named with them, paths
//! do not go up, and a file of the machine is none unless it is an artifact of the run.

use super::{
    super::{call::Context, error::ApiError, logged_models, runs},
    aliases,
    find::{self, VersionKey},
    names, stages, versions,
};
use percent_encoding::percent_decode_str;

/// The longest source, in bytes.
const MAX_BYTES: usize = 4_096;
/// The sources of prompts, which have no artifacts.
const OF_PROMPTS: [&str; 2] = ["dummy-source", "prompt-template"];
/// Schemes that name the machine to ask.
const WITH_HOST: [&str; 10] =
    ["ftp", "sftp", "hdfs", "viewfs", "http", "https", "mlflow-artifacts", "r2", "b2", "abfss"];

/// What a client says about a new version.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) uri: String,
    /// `None` where the client says nothing, which is not the same as an empty id.
    pub(super) run_id: Option<String>,
    pub(super) model_id: Option<String>,
}

/// A source that was checked.
pub(super) struct Resolved {
    pub(super) uri: String,
    /// Where its artifacts are.
    pub(super) location: String,
    /// Empty where it is of no run.
    pub(super) run_id: String,
    /// The logged model that it is.
    pub(super) model_id: Option<String>,
}

impl Source {
    /// # Errors
    ///
    /// When it is none that MLflow takes.
    pub(super) fn resolve(self, context: &Context<'_>, prompt: bool) -> Result<Resolved, ApiError> {
        let uri = &self.uri;
        if uri.len() > MAX_BYTES {
            return Err(ApiError::invalid(format!("'source' exceeds {MAX_BYTES} bytes")));
        }
        if prompt {
            return self.of_prompt();
        }
        let parts = Uri::new(uri);
        if WITH_HOST.contains(&&*parts.scheme)
            && (parts.scheme != "mlflow-artifacts" || !parts.host.is_empty())
        {
            return Err(ApiError::invalid(format!(
                "'source' cannot use the '{0}' scheme: the '{0}' scheme addresses a host other \
                 than the tracking server's configured artifact storage, so the server would \
                 connect to the host named in the URI.",
                parts.scheme
            )));
        }
        match ModelUri::new(uri, &parts)? {
            Some(ModelUri::Logged(id)) => self.of_logged_model(context, id),
            Some(ModelUri::Registered { name, which }) => {
                self.of_version(context, &parts, name, which)
            }
            None => self.of_artifacts(context, &parts),
        }
    }

    fn of_prompt(self) -> Result<Resolved, ApiError> {
        if !OF_PROMPTS.contains(&&*self.uri) {
            return Err(ApiError::invalid(format!(
                "Invalid prompt source: '{}'. Prompt sources must use an MLflow placeholder.",
                self.uri
            )));
        }
        Ok(Resolved {
            location: self.uri.clone(),
            uri: self.uri,
            run_id: self.run_id.unwrap_or_default(),
            model_id: None,
        })
    }

    /// `models:/m-…`: the client must say so twice.
    fn of_logged_model(&self, context: &Context<'_>, id: &str) -> Result<Resolved, ApiError> {
        plain_path(&self.uri, &Uri::new(&self.uri).path)?;
        if self.model_id.as_deref() != Some(id) {
            return Err(self.refused("model_id"));
        }
        let model = logged_models::find(context, id).map_err(|error| {
            ApiError::new(
                error.code,
                format!(
                    "Unable to fetch model from model URI source artifact location '{}'.Error: {}",
                    self.uri, error.message
                ),
            )
        })?;
        let run_id = self.run_id.clone().filter(|id| !id.is_empty());
        Ok(Resolved {
            uri: self.uri.clone(),
            location: model.artifact_uri,
            run_id: run_id.unwrap_or(model.source_run_id),
            model_id: Some(id.to_owned()),
        })
    }

    /// `models:/name/…`: a version that is there already. What it is of, this one is of as well.
    fn of_version(
        &self,
        context: &Context<'_>,
        parts: &Uri,
        name: &str,
        which: Which<'_>,
    ) -> Result<Resolved, ApiError> {
        if !parts.host.is_empty() {
            return Err(ApiError::invalid(format!(
                "Invalid model version source: '{}'. Registered model sources must use the active \
                 model registry.",
                self.uri
            )));
        }
        let model = find::model(context, name)?;
        if find::is_prompt(context, model)? {
            return Err(ApiError::invalid(format!(
                "Invalid model version source: '{}'. Prompt versions cannot be used as model \
                 version sources.",
                self.uri
            )));
        }
        let key = which.find(context, name, model)?;
        let run_id: String = context
            .connection
            .prepare_cached(
                "SELECT run_id FROM mlflow_model_version WHERE model = ?1 AND version = ?2",
            )?
            .query_row([key.model, key.version], |row| row.get(0))?;
        // (A version does not know its logged model, as MLflow's does not.)
        let other_run = self.run_id.as_deref().is_some_and(|sent| sent != run_id);
        if other_run || self.model_id.as_deref().is_some_and(|sent| !sent.is_empty()) {
            return Err(ApiError::invalid(format!(
                "Invalid model version source: '{}'. The run_id and model_id request parameters \
                 must match the referenced model version.",
                self.uri
            )));
        }
        Ok(Resolved {
            uri: format!("models:/{name}/{}", key.version),
            location: versions::location(context, key)?,
            run_id,
            model_id: None,
        })
    }

    /// Anything else is a place of artifacts: of a run, of a logged model, or in a store elsewhere.
    fn of_artifacts(&self, context: &Context<'_>, parts: &Uri) -> Result<Resolved, ApiError> {
        let model_id = self.model_id.as_deref().filter(|id| !id.is_empty());
        let run_id = self.run_id.as_deref().filter(|id| !id.is_empty());
        let owner = if model_id.is_some() { "model_id" } else { "run_id" };
        let local = matches!(&*parts.scheme, "" | "file");
        if !local {
            plain_path(&self.uri, &parts.path)?;
        }
        if parts.scheme == "runs" {
            let run = parts.path.trim_start_matches('/').split('/').next();
            let named = run.filter(|run| !run.is_empty());
            let ours = parts.host.is_empty() && model_id.is_none();
            if !ours || named.is_none() || named != run_id {
                return Err(self.refused(owner));
            }
        }
        let logged = match model_id {
            Some(id) => logged_models::find(context, id).optional()?,
            None => None,
        };
        if local || parts.scheme == "mlflow-artifacts" {
            let root = match (model_id, run_id) {
                (Some(_), _) => logged.as_ref().map(|model| model.artifact_uri.clone()),
                (None, Some(run)) => runs::artifact_uri(context, run).optional()?,
                (None, None) => None,
            };
            let inside = root.is_some_and(|root| parts.is_within(&Uri::new(&root)));
            if local && (!inside || plain_path(&self.uri, &parts.path).is_err()) {
                return Err(ApiError::invalid(format!(
                    "Invalid model version source: '{}'. To use a local path as a model version \
                     source, the {owner} request parameter has to be specified and the local path \
                     has to be contained within the artifact directory of the run specified by \
                     the {owner}.",
                    self.uri
                )));
            }
            if !inside {
                return Err(self.refused(owner));
            }
        }
        let source_run = logged.map(|model| model.source_run_id).unwrap_or_default();
        Ok(Resolved {
            uri: self.uri.clone(),
            location: self.uri.clone(),
            run_id: run_id.map_or(source_run, str::to_owned),
            model_id: model_id.map(str::to_owned),
        })
    }

    fn refused(&self, owner: &str) -> ApiError {
        ApiError::invalid(format!(
            "Invalid model version source: '{}'. The {owner} request parameter must identify the \
             resource that contains the source.",
            self.uri
        ))
    }
}

/// Nothing instead of "there is none".
trait Optional<T> {
    fn optional(self) -> Result<Option<T>, ApiError>;
}

impl<T> Optional<T> for Result<T, ApiError> {
    fn optional(self) -> Result<Option<T>, ApiError> {
        match self {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_none() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A `models:/` URI.
enum ModelUri<'a> {
    Logged(&'a str),
    Registered { name: &'a str, which: Which<'a> },
}

/// Which version.
#[derive(Clone, Copy)]
enum Which<'a> {
    Number(&'a str),
    Latest,
    Stage(&'a str),
    Alias(&'a str),
}

impl<'a> ModelUri<'a> {
    /// `None` where the scheme is another.
    fn new(uri: &'a str, parts: &Uri) -> Result<Option<Self>, ApiError> {
        if parts.scheme != "models" {
            return Ok(None);
        }
        let refused = || {
            ApiError::invalid(format!(
                "Invalid model version source: '{uri}'. The model_id request parameter must \
                 identify the resource that contains the source."
            ))
        };
        let path = uri.split_once(':').map_or("", |(_, rest)| rest);
        let path = match path.strip_prefix("//") {
            Some(with_host) => with_host.find('/').map_or("", |at| &with_host[at..]),
            None => path,
        };
        let path = path.strip_prefix('/').ok_or_else(refused)?.trim_start_matches('/');
        let (name, suffix) = match path.split_once('/') {
            Some((name, suffix)) => (name, Some(suffix)),
            None => (path, None),
        };
        if name.trim().is_empty() {
            return Err(refused());
        }
        let (name, which) = match suffix {
            Some(suffix) if suffix.contains('/') || suffix.trim().is_empty() => {
                return Err(refused());
            }
            Some(suffix) if suffix.bytes().all(|digit| digit.is_ascii_digit()) => {
                (name, Which::Number(suffix))
            }
            Some(suffix) if names::is_latest(suffix) => (name, Which::Latest),
            Some(suffix) => (name, Which::Stage(suffix)),
            None => match name.rsplit_once('@') {
                Some((_, alias)) if alias.trim().is_empty() => return Err(refused()),
                Some((name, alias)) => (name, Which::Alias(alias)),
                None => return Ok(Some(Self::Logged(name))),
            },
        };
        Ok(Some(Self::Registered { name, which }))
    }
}

impl Which<'_> {
    fn find(self, context: &Context<'_>, name: &str, model: i64) -> Result<VersionKey, ApiError> {
        let (of, found) = match self {
            Self::Number(number) => return find::version(context, name, number),
            Self::Alias(alias) => return aliases::version(context, name, alias),
            Self::Latest => (String::new(), stages::highest(context, model, &stages::ALL)?),
            Self::Stage(stage) => {
                let canonical = stages::canonical(stage)?;
                let found = stages::highest(context, model, &[canonical])?;
                (format!(" and stage '{stage}'"), found)
            }
        };
        found.ok_or_else(|| {
            ApiError::none(format!("No versions of model with name '{name}'{of} found"))
        })
    }
}

/// The parts of a URI that matter here.
#[derive(Debug, PartialEq, Eq)]
struct Uri {
    /// In lower case; empty where there is none.
    scheme: String,
    host: String,
    /// Without query and fragment.
    path: String,
}

impl Uri {
    fn new(uri: &str) -> Self {
        let is_scheme = |scheme: &str| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        };
        let (scheme, rest) = match uri.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
            _ => (String::new(), uri),
        };
        let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
        let (host, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => ("", rest),
        };
        Self { scheme, host: host.to_ascii_lowercase(), path: path.to_owned() }
    }

    /// Whether it is `root`, or below it.
    fn is_within(&self, root: &Self) -> bool {
        let scheme =
            |uri: &Self| if uri.scheme == "file" { String::new() } else { uri.scheme.clone() };
        let (own, of_root) = (self.steps(), root.steps());
        scheme(self) == scheme(root)
            && self.host == root.host
            && !of_root.is_empty()
            && own.starts_with(&of_root)
    }

    fn steps(&self) -> Vec<String> {
        self.path.split('/').filter(|step| !step.is_empty()).map(decoded).collect()
    }
}

/// Without percent-encoding, however often it was encoded. It gets shorter each time.
fn decoded(text: &str) -> String {
    let mut text = text.to_owned();
    loop {
        let next = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if next == text || next.len() >= text.len() {
            return next;
        }
        text = next;
    }
}

/// # Errors
///
/// When the path is not absolute, or has steps that lead up or nowhere.
fn plain_path(uri: &str, path: &str) -> Result<(), ApiError> {
    let whole = decoded(uri);
    let path = decoded(path);
    let plain = path.starts_with('/')
        && !whole.contains('\0')
        && whole.split('/').all(|step| step != "..")
        && path.split('/').all(|step| step != ".");
    if plain {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "Invalid model version source: '{uri}'. If supplying a source as an http, https, local \
         file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided \
         without relative path references present. Please provide an absolute path."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_read_as_its_parts() {
        for (uri, scheme, host, path) in [
            ("S3://Bucket/a/b?x#y", "s3", "bucket", "/a/b"),
            ("runs:/1/model", "runs", "", "/1/model"),
            ("/tmp/a:b", "", "", "/tmp/a:b"),
            ("dbfs:", "dbfs", "", ""),
            ("s3://bucket", "s3", "bucket", ""),
        ] {
            let (host, path) = (host.to_owned(), path.to_owned());
            assert_eq!(Uri::new(uri), Uri { scheme: scheme.to_owned(), host, path }, "{uri}");
        }
    }

    #[test]
    fn a_path_does_not_lead_up_however_it_is_written() {
        for good in ["s3://b/x/y", "mlflow-artifacts:/0/a", "s3://b//x..y/", "runs:/1/a..b"] {
            plain_path(good, &Uri::new(good).path).unwrap();
        }
        for bad in [
            "s3://b/../x",
            "s3://b/%2e%2e/x",
            "s3://b/%252e%252e%252fx",
            "s3://b/x%00",
            "s3://b/./x",
            "s3://b",
            "s3:b/x",
        ] {
            assert!(plain_path(bad, &Uri::new(bad).path).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_within_a_root_has_all_its_steps() {
        let within = |uri: &str, root: &str| Uri::new(uri).is_within(&Uri::new(root));
        assert!(within("mlflow-artifacts:/0/a/b", "mlflow-artifacts:/0/a"));
        assert!(within("mlflow-artifacts:/0/%61", "mlflow-artifacts:/0/a"));
        assert!(within("file:///tmp/x/y", "/tmp/x"));
        assert!(!within("mlflow-artifacts:/0/ab", "mlflow-artifacts:/0/a"));
        assert!(!within("s3://one/0/a", "s3://two/0/a"));
        assert!(!within("/0/a", "mlflow-artifacts:/0/a"));
        assert!(!within("/a", "/"));
    }

    #[test]
    fn a_uri_of_a_model_says_which() {
        let read = |uri| {
            ModelUri::new(uri, &Uri::new(uri)).map(|found| match found {
                None => "none".to_owned(),
                Some(ModelUri::Logged(id)) => format!("logged {id}"),
                Some(ModelUri::Registered { name, which }) => match which {
                    Which::Number(number) => format!("{name} {number}"),
                    Which::Latest => format!("{name} latest"),
                    Which::Stage(stage) => format!("{name} stage {stage}"),
                    Which::Alias(alias) => format!("{name} alias {alias}"),
                },
            })
        };
        for (uri, found) in [
            ("s3://b/x", "none"),
            ("models:/m-1", "logged m-1"),
            ("models:/a/12", "a 12"),
            ("models:/a/Latest", "a latest"),
            ("models:/a/Staging", "a stage Staging"),
            ("models:/a@b@c", "a@b alias c"),
            ("models://host/a/1", "a 1"),
        ] {
            assert_eq!(read(uri).unwrap(), found, "{uri}");
        }
        for bad in
            ["models:", "models:/", "models:a/1", "models:/a/", "models:/a/1/2", "models:/a@"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
