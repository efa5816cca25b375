//! The shadow strategy, as a file describes it.

mod settings;

use self::settings::Only;
pub(super) use self::settings::ShadowSettings;
use super::{
    ExperimentFile,
    switch::Switch,
    target::{header_name, names},
    unit_key::KeySource,
    version::version,
};
use crate::{
    assign::NoKey,
    compare::NoComparison,
    config::{ConfigError, SecretKeys},
    http::{CompareRules, Forked, RequestMatch, Rule, wanted::WantedText},
    shadow::GenericShadowLayer,
};
use http::{HeaderValue, Method};

/// The layer of the proxy's shadows.
pub(super) type Layer = GenericShadowLayer<Forked, Option<KeySource>, Option<CompareRules>>;

pub(super) fn layer(file: &ExperimentFile) -> Result<Layer, ConfigError> {
    let settings = &file.settings.shadow;
    let primary = file.settings.primary.as_deref().unwrap_or_default();
    // What the proxy's own shadows say goes to the records, not to memory.
    let layer =
        GenericShadowLayer::<Forked, NoKey, NoComparison>::new(file.pool().primary(primary)?)
            .experiment(file.experiment())
            .keep_results(0)
            .on_cancel(settings.on_cancel)
            .idempotency_key(settings.idempotency_key)
            .failures(file.settings.failures.clone())
            .only(only(file, &settings.only)?);
    let compare = match &settings.compare {
        Switch::Off => None,
        Switch::Unset => Some(CompareRules::default()),
        Switch::On(rules) => Some(rules.clone()),
    };
    let secrets = SecretKeys::default().and(file.settings.secrets.iter().map(String::as_str));
    let layer = layer.compare(compare.map(|rules| rules.secrets(secrets)));
    let mut layer = match &settings.sample_by {
        None => layer.sample_by("", None),
        Some(unit) => {
            let salt = unit.salt.as_deref().unwrap_or(file.experiment());
            let key = KeySource::new(&file.document, "shadow.sample_by.key", &unit.key)?;
            layer.sample_by(salt, Some(key))
        }
    };
    macro_rules! set {
        ($($name:ident),* $(,)?) => {
            $(if let Some(value) = settings.$name.clone() {
                layer = layer.$name(value);
            })*
        };
    }
    set!(
        sample,
        timeout,
        max_in_flight,
        breaker,
        body_buffer,
        body_buffer_total,
        max_response_bytes,
        capture_bytes,
        capture_bytes_total,
    );
    if let Some(methods) = &settings.methods {
        layer = layer.methods(read_methods(file, "shadow.methods", methods)?);
    }
    if let Some(methods) = &settings.control_methods {
        layer = layer.control_methods(read_methods(file, "shadow.control_methods", methods)?);
    }
    if let Switch::On(control) = &settings.control {
        layer = layer.control(control.clone());
    }
    if let Some(rule) = &settings.eligible {
        layer = layer.eligible(rule.clone());
    }
    let deciding = ["shadow.sample_by.key", "shadow.eligible", "shadow.methods", "shadow.only"];
    if let Some(version) = version(file, &deciding) {
        layer = layer.version(&version);
    }
    let document = &file.document;
    let withhold = names(document, "shadow.withhold_headers", &settings.withhold_headers)?;
    let allow = names(document, "shadow.forward_headers", &settings.forward_headers)?;
    let layer = layer.withhold_headers(withhold).forward_headers(allow).settings_from_configs()?;
    Ok(layer.enabled(settings.enabled.unwrap_or(true)))
}

/// What would be wrong with the layer, found without making it.
pub(super) fn check(file: &ExperimentFile, wrong: &mut Vec<ConfigError>) {
    let settings = &file.settings.shadow;
    let document = &file.document;
    if let Some(unit) = &settings.sample_by {
        wrong.extend(KeySource::new(document, "shadow.sample_by.key", &unit.key).err());
    }
    for (path, methods) in [
        ("shadow.methods", &settings.methods),
        ("shadow.control_methods", &settings.control_methods),
    ] {
        let methods = methods.as_deref().unwrap_or_default();
        wrong.extend(read_methods(file, path, methods).err());
    }
    for (path, headers) in [
        ("shadow.withhold_headers", &settings.withhold_headers),
        ("shadow.forward_headers", &settings.forward_headers),
    ] {
        wrong.extend(names(document, path, headers).err());
    }
    wrong.extend(only(file, &settings.only).err());
    if settings.sample_by.is_none() && settings.eligible.as_ref().is_some_and(Rule::needs_unit) {
        let message = "a percentage is one of units; say what a unit is, as in \
                       `sample_by: { key: { header: x-user-id } }`";
        wrong.push(file.error("shadow.eligible", message));
    }
}

fn read_methods(
    file: &ExperimentFile,
    path: &str,
    methods: &[String],
) -> Result<Vec<Method>, ConfigError> {
    methods
        .iter()
        .enumerate()
        .map(|(at, text)| {
            let upper = text.to_ascii_uppercase();
            match Method::from_bytes(text.as_bytes()) {
                Ok(method) if *text == upper => Ok(method),
                _ => Err(file.error(
                    &format!("{path}[{at}]"),
                    format!("`{text}` is not a method; write it as in GET, POST"),
                )),
            }
        })
        .collect()
}

fn only(file: &ExperimentFile, only: &Only) -> Result<RequestMatch, ConfigError> {
    let mut requests = RequestMatch::new();
    if only.paths.as_ref().is_some_and(Vec::is_empty) {
        let message = "empty; no request would fit. Leave it out to shadow whatever the path";
        return Err(file.error("shadow.only.paths", message));
    }
    for (at, path) in only.paths.iter().flatten().enumerate() {
        if !path.starts_with('/') && path != "*" {
            return Err(file.error(
                &format!("shadow.only.paths[{at}]"),
                format!("`{path}` does not begin with a slash; write it as in /rank or /v2/*"),
            ));
        }
        requests = requests.path(path.clone());
    }
    for (key, wanted) in &only.headers {
        let path = format!("shadow.only.headers.{key}");
        let name = header_name(&file.document, &path, key)?;
        requests = match wanted {
            WantedText::There(true) => requests.has_header(name),
            WantedText::There(false) => requests.lacks_header(name),
            WantedText::Is(text) => match HeaderValue::from_str(text) {
                Ok(value) => requests.header(name, value),
                Err(_) => return Err(file.error(&path, format!("`{text}` cannot be in a header"))),
            },
        };
    }
    Ok(requests)
}
