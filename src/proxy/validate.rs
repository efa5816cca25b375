//! Everything that is wrong with an experiment file, at once.

use super::{
    file::{ExperimentFile, secrets, take_custom},
    settings::Settings,
    stack::{ProxyRequest, ProxyResponse},
};
use crate::{
    config::{
        ConfigError, Document, SecretKeys, Sources, interpolate::Noted, path, schema::Options,
    },
    strategy::{BUILT_IN, StrategyRegistry},
};
use http::Method;
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::Path};

/// What there is to say about an experiment file. Nothing was connected to.
#[derive(Debug, Default)]
pub struct Validation {
    /// What is wrong: with any of it the experiment does not run. In the order of the file.
    pub mistakes: Vec<ConfigError>,
    /// What may not be meant.
    pub warnings: Vec<ConfigError>,
}

impl ExperimentFile {
    /// Reads a file as [`load`](Self::load) does, and gathers everything that is wrong with it instead
    /// of the first thing.
    ///
    /// Names of strategies of one's own are taken as they are: which there are is known only where
    /// they are registered.
    pub fn validate(sources: &Sources) -> Validation {
        let mut found = Validation::default();
        match sources.load() {
            Ok(document) => {
                check(document, &sources.directory(), &mut found);
            }
            Err(error) => found.mistakes.push(error),
        }
        found.in_order()
    }

    /// As [`validate`](Self::validate), with the strategies that are known, and with what
    /// [`check_start`](Self::check_start) finds: a file without mistakes can be served.
    pub fn validate_start(
        sources: &Sources,
        registry: &StrategyRegistry<ProxyRequest, ProxyResponse>,
    ) -> Validation {
        let mut found = Validation::default();
        match sources.load() {
            Ok(document) => {
                if let Some(file) = check(document, &sources.directory(), &mut found) {
                    file.start_mistakes(registry, &mut found.mistakes);
                }
            }
            Err(error) => found.mistakes.push(error),
        }
        found.in_order()
    }

    /// As [`validate`](Self::validate), of a text. Paths in it are relative to the current directory.
    pub fn validate_str(text: &str, place: &str) -> Validation {
        let mut found = Validation::default();
        match Self::document(text, place) {
            Ok(document) => {
                check(document, Path::new(""), &mut found);
            }
            Err(error) => found.mistakes.push(error),
        }
        found.in_order()
    }
}

impl Validation {
    /// Each once, in the order of the file.
    fn in_order(self) -> Self {
        let mut said = BTreeSet::new();
        let mut sorted = |errors: Vec<ConfigError>| match ConfigError::many(errors) {
            Ok(()) => Vec::new(),
            Err(error) => {
                error.into_each().filter(|error| said.insert(error.to_string())).collect()
            }
        };
        Self { mistakes: sorted(self.mistakes), warnings: sorted(self.warnings) }
    }
}

/// Gathers what is wrong with a document; what could be read of it all the same.
fn check(document: Document, directory: &Path, found: &mut Validation) -> Option<ExperimentFile> {
    let read = ExperimentFile::resolved(document, directory, &Noted::default()).and_then(
        |mut document| {
            let custom = take_custom(&mut document)?;
            let schema = ExperimentFile::strict_schema()?;
            let violations = document.violations(schema, &Options::default());
            Ok((document, custom, violations))
        },
    );
    let (document, custom, violations) = read.map_err(|error| found.mistakes.push(error)).ok()?;
    // The reader says more of these.
    let violations: Vec<_> = violations
        .into_iter()
        .filter(|(path, message)| !path.ends_with(".upstream") && !message.ends_with("`upstream`"))
        .collect();
    found.mistakes.extend(violations.iter().map(|(path, message)| document.error(path, message)));
    warn(&document, found);
    // What was left out is not missing.
    let known: Vec<_> =
        violations.iter().map(|(path, _)| document.written(path).into_owned()).collect();
    // Not a copy: it may be a large part of the memory that there is.
    let mut rest = document;
    for (path, _) in &violations {
        leave_out(rest.value_mut(), path);
    }
    let (mut mistakes, mut file) = (Vec::new(), None);
    if is_readable(rest.value_mut()) {
        // What a type alone says is said one at a time: each is left out, and the next one shows.
        for _ in 0..MAX_ROUNDS {
            let Err(error) = rest.bind::<Settings>("") else { break };
            let path = path_of(&error).to_owned();
            mistakes.push(error);
            if path.is_empty() {
                break;
            }
            leave_out(rest.value_mut(), &path);
        }
        file = ExperimentFile::read_document(rest, custom, directory.to_owned(), &mut mistakes);
    }
    let is_known = |error: &ConfigError| {
        let said = path_of(error);
        known.iter().any(|path| {
            let is_in_it = !path.is_empty() && path::within(said, path).is_some();
            // What is around it is read without it.
            let is_around_it = !said.is_empty() && path::within(path, said).is_some();
            is_in_it || is_around_it
        })
    };
    let mistakes = mistakes.into_iter().flat_map(ConfigError::into_each);
    found.mistakes.extend(mistakes.filter(|error| !is_known(error)));
    file
}

/// More mistakes of one kind than anyone reads at once.
const MAX_ROUNDS: usize = 100;

/// Takes what does not fit out, so that the rest can be read. Of a list that is all of it: the others
/// would be counted anew.
fn leave_out(value: &mut Value, path: &str) {
    let last = path.rfind(['.', '[']).unwrap_or(0);
    let (parent, key) = path.split_at(last);
    let key = key.trim_start_matches('.');
    match path::find_mut(value, parent) {
        Some(Value::Object(map)) => {
            map.remove(key);
        }
        Some(Value::Array(_)) if !parent.is_empty() => leave_out(value, parent),
        _ => {}
    }
}

/// Whether what is left says enough to go on; an experiment without a name may.
fn is_readable(value: &mut Value) -> bool {
    let Value::Object(map) = value else { return false };
    map.entry("experiment").or_insert_with(|| json!("experiment"));
    map.contains_key("strategy") && map.contains_key("configs")
}

/// The path that an error speaks of; it stands at the beginning.
fn path_of(error: &ConfigError) -> &str {
    let message = match error {
        ConfigError::Syntax { message, .. }
        | ConfigError::Override { message, .. }
        | ConfigError::Environment { message, .. } => message,
        _ => return "",
    };
    message.strip_prefix('`').and_then(|rest| rest.split_once("`: ")).map_or("", |(path, _)| path)
}

/// The methods that change something (RFC 9110, RFC 5789).
const KNOWN_UNSAFE: [Method; 4] = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// The methods that a control repeats, unless `control_methods` says others.
const REPEATED: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// What may not be meant.
fn warn(document: &Document, found: &mut Validation) {
    let mut warn = |path: &str, message: String| found.warnings.push(document.error(path, message));
    let strategy = document.get("strategy").and_then(Value::as_str).unwrap_or_default();
    for other in BUILT_IN.into_iter().filter(|name| *name != strategy) {
        if document.get(other).is_some() {
            warn(other, format!("not used: these are settings of `strategy: {other}`"));
        }
    }
    if strategy == "shadow" {
        let methods = document.get("shadow.methods").and_then(Value::as_array);
        for (at, method) in methods.into_iter().flatten().enumerate() {
            let method = method.as_str().and_then(|name| Method::from_bytes(name.as_bytes()).ok());
            let is_known = |method: &Method| KNOWN_UNSAFE.contains(method);
            if let Some(method) = method.filter(is_known) {
                warn(
                    &format!("shadow.methods[{at}]"),
                    format!(
                        "a shadow of {method} may do a second time what the primary did; be sure that \
                         the shadows' services have a state of their own"
                    ),
                );
            }
        }
        let controlled = document.get("shadow.control_methods").and_then(Value::as_array);
        let is_controlled = |method: &&Value| {
            controlled.map_or_else(
                || REPEATED.iter().any(|repeated| method.as_str() == Some(repeated)),
                |controlled| controlled.contains(method),
            )
        };
        let has_control =
            document.get("shadow.control").is_some_and(|on| on.is_object() || *on == json!(true));
        let without: Vec<_> = methods
            .into_iter()
            .flatten()
            .filter(|method| has_control && !is_controlled(method))
            .collect();
        if !without.is_empty() {
            let without: Vec<_> = without.into_iter().filter_map(Value::as_str).collect();
            warn(
                "shadow.control",
                format!(
                    "none for {}, as a control does once more what the primary did; if that is harmless, name the \
                     methods under `control_methods`",
                    without.join(", ")
                ),
            );
        }
        if document.get("configs").and_then(Value::as_array).is_some_and(|all| all.len() == 1)
            && document.get("shadow.control").is_none()
        {
            warn("configs", "only one config; there is nothing to shadow it with".to_owned());
        }
    }
    // What the primary answered is right by definition, so it is not judged.
    if document.get("evaluation.expected").and_then(Value::as_str) == Some("primary") {
        let metrics = document.get("metrics").and_then(Value::as_object);
        for (name, metric) in metrics.into_iter().flatten() {
            let kind = document.get(&format!("evaluate.{name}.kind"));
            let decides = metric.get("role").and_then(Value::as_str) != Some("quality");
            if decides && kind.and_then(Value::as_str) == Some("exact_match") {
                warn(
                    &format!("metrics.{name}"),
                    "never decided: what is expected is the primary's answer, which is not judged itself; give it the \
                     role `quality`, or have `evaluation.expected` come from elsewhere"
                        .to_owned(),
                );
            }
        }
    }
    let secrets = secrets(document);
    let configs = document.get("configs").and_then(Value::as_array);
    for (at, config) in configs.into_iter().flatten().enumerate() {
        let base = format!("configs[{at}]");
        for id in ["config_id", "$expand.name"].map(|id| format!("{base}.{id}")) {
            let sources = document.drawn().at(&document.written(&id));
            if sources.varies() && !sources.is_secret() {
                warn(
                    &id,
                    format!(
                        "drawn from `{sources}`, this id differs from time to time or place to \
                         place; replicas do not agree on it"
                    ),
                );
            }
        }
        leaves(config, &base, false, &secrets, &mut |path, value, is_secret| {
            let sources = document.drawn().at(&document.written(path));
            if value.is_string() && is_secret && !sources.is_env() && !sources.is_file() {
                warn(
                    path,
                    "a secret in plain text: whoever reads this file has it; take it from the \
                     environment or a mounted file"
                        .to_owned(),
                );
            }
            let is_in_id = config.get("config_id").is_none() && !is_secret && !sources.is_secret();
            if is_in_id && sources.varies() {
                warn(
                    path,
                    format!(
                        "drawn from `{sources}`, it differs from time to time or place to place, and \
                         with it the id of this config; give it a `config_id`"
                    ),
                );
            }
        });
    }
}

/// Every text, number and switch below `value`, with its path and whether it is a secret.
fn leaves(
    value: &Value,
    at: &str,
    is_secret: bool,
    secrets: &SecretKeys,
    say: &mut dyn FnMut(&str, &Value, bool),
) {
    match value {
        Value::String(text) if text.is_empty() => {}
        Value::Null => {}
        Value::Object(map) => {
            for (key, value) in map {
                let is_secret = is_secret || secrets.matches(key);
                leaves(value, &path::child(at, key), is_secret, secrets, say);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                leaves(value, &path::item(at, index), is_secret, secrets, say);
            }
        }
        leaf => say(at, leaf, is_secret),
    }
}
