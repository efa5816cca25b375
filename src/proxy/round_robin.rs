//! The round-robin strategy, as a file describes it.

use super::{
    ExperimentFile,
    target::header_name,
    unit_key::{KeySource, UnitSettings},
    version::version,
    visitor::SetCookie,
};
use crate::{
    assign::{Holdout, Namespace, Ramp},
    config::ConfigError,
    http::{Asked, InExtensions, RoundRobinLayer, Rule},
    round_robin::GenericRoundRobinLayer,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What stands under `round_robin`.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RoundRobinSettings {
    /// Shares by config, as in `{ stable: 9, candidate: 1 }`; every config has one.
    weights: Option<BTreeMap<String, f64>>,
    /// The seed of the weighted draws.
    seed: Option<u64>,
    /// The same unit always gets the same config.
    sticky: Option<UnitSettings>,
    /// The share that takes part; the rest gets the default.
    ramp: Option<Ramp>,
    /// Experiments that share no unit.
    namespace: Option<Namespace>,
    /// Units that take part in nothing.
    holdout: Option<Holdout>,
    /// Which requests may take part; the others get the default.
    eligible: Option<Rule>,
    /// Who may ask for a config by its id.
    testers: Option<AskedText>,
    /// The config of those who do not take part [default: the first].
    default: Option<String>,
}

/// Where a tester says which config.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AskedText {
    /// In this header.
    Header(String),
    /// In this cookie.
    Cookie(String),
}

/// Where no request is asked anything.
pub(super) type Plain = RoundRobinLayer;

/// With everything a file may ask for.
pub(super) type Asking =
    GenericRoundRobinLayer<InExtensions, Option<KeySource>, Option<Rule>, Option<Asked>>;

/// Both kinds of layers: the plain one costs nothing that it does not use.
pub(super) enum Layer {
    Plain(Plain),
    Asking(Box<Asking>),
}

impl RoundRobinSettings {
    pub(super) fn set_cookie(&self) -> Option<SetCookie> {
        self.sticky.as_ref()?.key.set_cookie()
    }

    pub(super) fn reads_json(&self) -> bool {
        self.sticky.as_ref().is_some_and(|sticky| sticky.key.reads_json())
            || self.eligible.as_ref().is_some_and(Rule::reads_json)
    }

    #[cfg(feature = "open-feature")]
    pub(super) const fn eligible(&self) -> Option<&Rule> {
        self.eligible.as_ref()
    }

    /// What a unit is.
    #[cfg(feature = "store")]
    pub(super) const fn unit(&self) -> Option<&UnitSettings> {
        self.sticky.as_ref()
    }

    const fn is_plain(&self) -> bool {
        self.sticky.is_none() && self.eligible.is_none() && self.testers.is_none()
    }
}

/// What would be wrong with the layer.
pub(super) fn check(file: &ExperimentFile, wrong: &mut Vec<ConfigError>) {
    wrong.extend(plain(file).err());
    wrong.extend(asking_from(file, RoundRobinLayer::new(file.pool().clone())).err());
}

pub(super) fn layer(file: &ExperimentFile) -> Result<Layer, ConfigError> {
    let layer = plain(file)?;
    let settings = &file.settings.round_robin;
    if settings.is_plain() {
        return Ok(Layer::Plain(layer));
    }
    asking_from(file, layer).map(|layer| Layer::Asking(Box::new(layer)))
}

/// The same as one type.
pub(super) fn asking(file: &ExperimentFile) -> Result<Asking, ConfigError> {
    asking_from(file, plain(file)?)
}

fn plain(file: &ExperimentFile) -> Result<Plain, ConfigError> {
    let settings = &file.settings.round_robin;
    let mut layer = RoundRobinLayer::new(file.pool().clone()).experiment(file.experiment());
    if let Some(weights) = &settings.weights {
        let weights = weights.iter().map(|(id, weight)| (id.as_str(), *weight));
        layer = layer.weighted(weights).map_err(|e| file.error("round_robin.weights", e))?;
    }
    if let Some(seed) = settings.seed {
        layer = layer.seed(seed);
    }
    if let Some(id) = &settings.default {
        layer = layer.default(id).map_err(|e| file.error("round_robin.default", e))?;
    }
    if let Some(ramp) = &settings.ramp {
        layer = layer.ramp(ramp.clone());
    }
    for (key, is_set) in
        [("holdout", settings.holdout.is_some()), ("namespace", settings.namespace.is_some())]
    {
        if is_set && settings.sticky.is_none() {
            let message = "takes units only; say what a unit is, as in \
                           `sticky: { key: { header: x-user-id } }`";
            return Err(file.error(&format!("round_robin.{key}"), message));
        }
    }
    if let Some(holdout) = &settings.holdout {
        layer = layer.holdout(holdout.clone());
    }
    if let Some(namespace) = &settings.namespace {
        layer = layer
            .namespace(namespace)
            .map_err(|error| file.error("round_robin.namespace.ranges", error))?;
    }
    Ok(layer)
}

fn asking_from(file: &ExperimentFile, layer: Plain) -> Result<Asking, ConfigError> {
    let settings = &file.settings.round_robin;
    let testers = match &settings.testers {
        None => None,
        Some(AskedText::Cookie(name)) => Some(Asked::cookie(name)),
        Some(AskedText::Header(name)) => {
            let at = "round_robin.testers.header";
            Some(Asked::header(header_name(&file.document, at, name)?))
        }
    };
    if settings.sticky.is_none() && settings.eligible.as_ref().is_some_and(Rule::needs_unit) {
        let message = "a percentage is one of units; say what a unit is, as in \
                       `sticky: { key: { header: x-user-id } }`";
        return Err(file.error("round_robin.eligible", message));
    }
    let layer = match &settings.sticky {
        None => layer.known_as(None),
        Some(sticky) => {
            let salt = sticky.salt.as_deref().unwrap_or(file.experiment());
            let at = "round_robin.sticky.key";
            layer.sticky(salt, Some(KeySource::new(&file.document, at, &sticky.key)?))
        }
    };
    let layer = match &settings.eligible {
        None => layer.everyone(None),
        Some(rule) => layer.eligible(Some(rule.clone())),
    };
    let layer = layer.testers(testers);
    Ok(match version(file, &["round_robin.sticky.key", "round_robin.eligible"]) {
        None => layer,
        Some(version) => layer.version(&version),
    })
}
