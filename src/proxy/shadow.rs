//! The shadow strategy, as a file describes it.

use super::{
    ExperimentFile, round_robin,
    target::{header_name, names},
    unit_key::{KeySource, UnitSettings},
    visitor::SetCookie,
};
use crate::{
    BoxError,
    assign::NoKey,
    compare::NoComparison,
    config::{ConfigError, SecretKeys, units},
    http::{CompareRules, Forked, IdempotencyKey, RequestMatch, Rule},
    shadow::{self, BreakerSettings, GenericShadowLayer, OnCancel},
};
use http::{HeaderValue, Method};
use serde::{
    Deserialize, Deserializer,
    de::{self, value::MapAccessDeserializer},
};
use std::{collections::BTreeMap, fmt, marker::PhantomData, time::Duration};

/// What stands under `shadow`.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct ShadowSettings {
    /// Whether shadows run at all [default: true].
    enabled: Option<bool>,
    /// The methods that are shadowed [default: GET, HEAD, OPTIONS]. A shadow of any other may do a second time what the primary did.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<crate::config::schema::written::Method>>")
    )]
    methods: Option<Vec<String>>,
    /// Which requests are shadowed.
    only: Only,
    /// The share of requests that are shadowed, from 0 to 1 [default: 1].
    #[serde(deserialize_with = "units::share")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Share"))]
    sample: Option<f64>,
    /// Draw by unit instead of by request.
    sample_by: Option<UnitSettings>,
    /// Which requests may be shadowed.
    eligible: Option<Rule>,
    /// How long a shadow may take, from its start to the end of its response [default: 30s].
    #[serde(deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    timeout: Option<Duration>,
    /// How many shadows of a config may run at once [default: 256].
    max_in_flight: Option<usize>,
    /// Leave a shadow alone for a while when most of its runs fail [default: never].
    breaker: Option<BreakerSettings>,
    /// What becomes of the shadows when the caller leaves.
    on_cancel: OnCancel,
    /// A second run of the primary's own config, which shows the noise: true, false, or settings [default: false].
    control: Switch<shadow::ShadowSettings>,
    /// The methods, of those that are shadowed, that the control may repeat [default: GET, HEAD, OPTIONS].
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<crate::config::schema::written::Method>>")
    )]
    control_methods: Option<Vec<String>>,
    /// How answers are compared: true, false, or rules [default: true].
    compare: Switch<CompareRules>,
    /// What becomes of the `idempotency-key` of a request.
    idempotency_key: IdempotencyKey,
    /// Credentials that a shadow may have after all.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::config::schema::written::HeaderName>")
    )]
    forward_headers: Vec<String>,
    /// Headers that a shadow does not get.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::config::schema::written::HeaderName>")
    )]
    withhold_headers: Vec<String>,
    /// How much of a request body may wait for one shadow.
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    body_buffer: Option<usize>,
    /// How much of request bodies may wait for all shadows.
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    body_buffer_total: Option<usize>,
    /// How much of a shadow's response is read [default: 8MiB].
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    max_response_bytes: Option<usize>,
    /// How much of a response is kept to be compared.
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    capture_bytes: Option<usize>,
    /// How much of all responses is kept to be compared.
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    capture_bytes_total: Option<usize>,
}

/// Which requests are shadowed.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
struct Only {
    /// Paths; `*` at the end stands for anything, as in `/v2/*`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::config::schema::written::RequestPath>")
    )]
    paths: Vec<String>,
    /// A value, or whether the header is there at all.
    headers: BTreeMap<String, Wanted>,
}

#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "write the header's value, or true or false for whether it is there")]
enum Wanted {
    There(bool),
    Is(String),
}

/// Off, on as it comes, or on with settings.
#[derive(Debug, Clone, Default)]
enum Switch<T> {
    #[default]
    Unset,
    Off,
    On(T),
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Switch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Default> de::Visitor<'de> for Visitor<T> {
            type Value = Switch<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, or a map of settings")
            }

            fn visit_bool<E>(self, is_on: bool) -> Result<Switch<T>, E> {
                Ok(if is_on { Switch::On(T::default()) } else { Switch::Off })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Switch<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Switch::On)
            }
        }

        deserializer.deserialize_any(Visitor(PhantomData))
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Switch<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Switch_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let settings = generator.subschema_for::<T>();
        schemars::json_schema!({ "anyOf": [{ "type": "boolean" }, settings] })
    }
}

impl ShadowSettings {
    pub(super) fn reads_json(&self) -> bool {
        self.sample_by.as_ref().is_some_and(|unit| unit.key.reads_json())
            || self.eligible.as_ref().is_some_and(Rule::reads_json)
    }

    pub(super) fn set_cookie(&self) -> Option<SetCookie> {
        self.sample_by.as_ref()?.key.set_cookie()
    }
}

/// The layer of the proxy's shadows.
pub(super) type Layer = GenericShadowLayer<Forked, Option<KeySource>, Option<CompareRules>>;

pub(super) fn layer(file: &ExperimentFile) -> Result<Layer, BoxError> {
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
        if rule.needs_unit() && settings.sample_by.is_none() {
            let message = "a percentage is one of units; say what a unit is, as in \
                           `sample_by: { key: { header: x-user-id } }`";
            return Err(file.error("shadow.eligible", message).into());
        }
        layer = layer.eligible(rule.clone());
    }
    let deciding = ["shadow.sample_by.key", "shadow.eligible", "shadow.methods", "shadow.only"];
    if let Some(version) = round_robin::version(file, &deciding) {
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
    for (at, path) in only.paths.iter().enumerate() {
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
            Wanted::There(true) => requests.has_header(name),
            Wanted::There(false) => requests.lacks_header(name),
            Wanted::Is(text) => match HeaderValue::from_str(text) {
                Ok(value) => requests.header(name, value),
                Err(_) => return Err(file.error(&path, format!("`{text}` cannot be in a header"))),
            },
        };
    }
    Ok(requests)
}
