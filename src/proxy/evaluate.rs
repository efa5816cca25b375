//! What a file says of measuring answers: `measure`, `prices`, `evaluate`, `evaluation`.

use super::ExperimentFile;
use crate::{
    BoxError,
    config::{ConfigError, units},
    evaluate::{
        Evaluating, EvaluatorError, Evaluators, ExactMatch, Expected, Length, Price, Prices, Unit,
    },
};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// The request header that says what should be answered, where the file lets it.
pub(super) const EXPECTED_HEADER: http::HeaderName =
    http::HeaderName::from_static("x-spearmint-expected");

/// What a million tokens of a model cost.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct PriceSettings {
    /// Of a million tokens read.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Price"))]
    input: f64,
    /// Of a million tokens written.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Price"))]
    output: f64,
    /// Of a million tokens read from a cache [default: as `input`].
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::config::schema::written::Price>")
    )]
    cached_input: Option<f64>,
    /// Of a million tokens read and written to a cache [default: as `input`].
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::config::schema::written::Price>")
    )]
    cache_write: Option<f64>,
}

/// What judges answers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct EvaluatorSettings {
    /// How it judges.
    kind: Kind,
    /// A JSON pointer to what it looks at [default: the whole answer].
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::config::schema::written::Pointer>")
    )]
    at: Option<String>,
    /// The regular expression, for `regex`.
    #[serde(default)]
    pattern: Option<String>,
    /// The JSON Schema, for `json_schema`: a JSON or YAML file, relative to this one.
    #[serde(default)]
    schema: Option<PathBuf>,
    /// What is counted, for `length` [default: characters].
    #[serde(default)]
    unit: Option<UnitSetting>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// 1 if it is what was expected, else 0.
    ExactMatch,
    /// 1 if it fits a JSON Schema, else 0.
    JsonSchema,
    /// 1 if it matches a regular expression, else 0.
    Regex,
    /// How long it is.
    Length,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum UnitSetting {
    Characters,
    Words,
    Bytes,
}

/// How answers are measured and judged.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct EvaluationSettings {
    /// Where it stands what should have been answered: `primary` (what the primary answered), `header` (the request's
    /// `x-spearmint-expected`), or a JSON pointer into the request [default: primary, for shadows].
    expected: Option<String>,
    /// How many branches are judged at once [default: 16].
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::config::schema::written::Count>")
    )]
    at_once: Option<usize>,
    /// How long each evaluator may take [default: 5s].
    #[serde(deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    timeout: Option<Duration>,
    /// How many branches wait at most [default: 1024].
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::config::schema::written::Count>")
    )]
    waiting: Option<usize>,
    /// How long a shadow waits for its primary's answer to end [default: 10s].
    #[serde(deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    patience: Option<Duration>,
    /// How much of a body is kept [default: 256KiB].
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    max_body: Option<usize>,
    /// How much of all bodies is kept at one time [default: 32MiB].
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    max_bytes: Option<usize>,
}

/// What is wrong, and under which key of what is read.
type Wrong = (Option<&'static str>, BoxError);

impl PriceSettings {
    fn price(self) -> Price {
        let price = Price::new(self.input, self.output);
        let price = self.cached_input.map_or(price, |cached| price.cached_input(cached));
        self.cache_write.map_or(price, |write| price.cache_write(write))
    }
}

impl EvaluatorSettings {
    fn add(&self, name: &str, to: Evaluators, file: &ExperimentFile) -> Result<Evaluators, Wrong> {
        let at = self.at.as_deref().unwrap_or("");
        let wrong_at = |error: EvaluatorError| (Some("at"), error.into());
        for (key, is_set, kind) in [
            ("pattern", self.pattern.is_some(), Kind::Regex),
            ("schema", self.schema.is_some(), Kind::JsonSchema),
            ("unit", self.unit.is_some(), Kind::Length),
        ] {
            if is_set && self.kind != kind {
                return Err((
                    Some(key),
                    "means nothing to this kind of evaluator: leave it out".into(),
                ));
            }
        }
        Ok(match self.kind {
            Kind::ExactMatch => to.with(ExactMatch::new(name).at(at).map_err(wrong_at)?),
            Kind::Length => {
                let unit = match self.unit {
                    None | Some(UnitSetting::Characters) => Unit::Characters,
                    Some(UnitSetting::Words) => Unit::Words,
                    Some(UnitSetting::Bytes) => Unit::Bytes,
                };
                to.with(Length::new(name).unit(unit).at(at).map_err(wrong_at)?)
            }
            Kind::Regex => self.add_pattern(name, at, to)?,
            Kind::JsonSchema => self.add_schema(name, at, to, file)?,
        })
    }

    #[cfg(feature = "regex")]
    fn add_pattern(&self, name: &str, at: &str, to: Evaluators) -> Result<Evaluators, Wrong> {
        let Some(pattern) = &self.pattern else {
            return Err((Some("pattern"), "not set; write the regular expression".into()));
        };
        let pattern = crate::evaluate::Pattern::new(name, pattern);
        let pattern = pattern.map_err(|error| (Some("pattern"), error.into()))?;
        Ok(to.with(pattern.at(at).map_err(|error| (Some("at"), error.into()))?))
    }

    #[cfg(not(feature = "regex"))]
    fn add_pattern(&self, _: &str, _: &str, _: Evaluators) -> Result<Evaluators, Wrong> {
        Err((Some("kind"), "this program was built without the feature `regex`".into()))
    }

    #[cfg(feature = "schema")]
    fn add_schema(
        &self,
        name: &str,
        at: &str,
        to: Evaluators,
        file: &ExperimentFile,
    ) -> Result<Evaluators, Wrong> {
        let Some(path) = &self.schema else {
            return Err((Some("schema"), "not set; name a file with the JSON Schema".into()));
        };
        let schema = crate::config::schema::Schema::from_file(file.resolve(path));
        let schema = schema.map_err(|error| (Some("schema"), error.into()))?;
        let fits = crate::evaluate::FitsSchema::new(name, schema).at(at);
        Ok(to.with(fits.map_err(|error| (Some("at"), error.into()))?))
    }

    #[cfg(not(feature = "schema"))]
    fn add_schema(
        &self,
        _: &str,
        _: &str,
        _: Evaluators,
        _: &ExperimentFile,
    ) -> Result<Evaluators, Wrong> {
        Err((Some("kind"), "this program was built without the feature `schema`".into()))
    }

    /// The schema that it reads.
    pub(super) fn schema(&self) -> Option<&PathBuf> {
        self.schema.as_ref()
    }
}

impl EvaluationSettings {
    fn apply(&self, mut to: Evaluators, is_shadow: bool) -> Result<Evaluators, Wrong> {
        match self.expected.as_deref() {
            None if is_shadow => to = to.expected(Expected::Primary),
            None | Some("header") => {}
            Some("primary") if is_shadow => to = to.expected(Expected::Primary),
            Some("primary") => {
                return Err((
                    Some("expected"),
                    "`primary` is for shadows: only they have one to be held against".into(),
                ));
            }
            Some(pointer) if pointer.starts_with('/') => {
                to = to.expected(Expected::Request(pointer.to_owned()));
            }
            Some(other) => {
                let message = format!(
                    "`{other}` is none of `primary`, `header`, and a JSON pointer into the request, as in /expected"
                );
                return Err((Some("expected"), message.into()));
            }
        }
        for (key, count) in [("at_once", self.at_once), ("waiting", self.waiting)] {
            if count == Some(0) {
                return Err((Some(key), "0; nothing could be judged".into()));
            }
        }
        to = self.at_once.into_iter().fold(to, Evaluators::at_once);
        to = self.timeout.into_iter().fold(to, Evaluators::timeout);
        to = self.waiting.into_iter().fold(to, Evaluators::waiting);
        to = self.patience.into_iter().fold(to, Evaluators::patience);
        to = self.max_body.into_iter().fold(to, Evaluators::max_body);
        Ok(self.max_bytes.into_iter().fold(to, Evaluators::max_bytes))
    }
}

impl ExperimentFile {
    /// Whether a request says what should be answered in a header.
    pub(super) fn takes_expected_header(&self) -> bool {
        self.settings.evaluation.expected.as_deref() == Some("header")
    }

    /// What measures answers, if something does.
    pub(super) fn evaluating(&self) -> Result<Option<Evaluating>, ConfigError> {
        let settings = &self.settings;
        let wrong = |under: &str, (key, error): Wrong| {
            let key = key.map(|key| format!(".{key}")).unwrap_or_default();
            self.error(&format!("{under}{key}"), error)
        };
        let is_shadow = self.strategy() == "shadow";
        let mut all = settings
            .evaluation
            .apply(Evaluators::new(), is_shadow)
            .map_err(|error| wrong("evaluation", error))?;
        for (name, pointer) in &settings.measure {
            // What is wrong with it alone, at its own place.
            let alone = Evaluators::new().measure(name, pointer).build();
            alone.map_err(|error| self.error(&format!("measure.{name}"), error))?;
            all = all.measure(name, pointer);
        }
        let mut prices = Prices::new();
        for (model, price) in &settings.prices {
            prices = prices
                .model(model, price.price())
                .map_err(|error| self.error(&format!("prices.{model}"), error))?;
        }
        all = all.prices(prices);
        for (name, evaluator) in &settings.evaluate {
            let under = format!("evaluate.{name}");
            all = evaluator.add(name, all, self).map_err(|error| wrong(&under, error))?;
        }
        if settings.measure.is_empty() && settings.prices.is_empty() && settings.evaluate.is_empty()
        {
            return Ok(None);
        }
        all.build().map(Some).map_err(|error| {
            let path = match &error {
                EvaluatorError::Name(name) | EvaluatorError::Twice(name)
                    if settings.evaluate.contains_key(name) =>
                {
                    format!("evaluate.{name}")
                }
                EvaluatorError::Name(name) | EvaluatorError::Twice(name) => {
                    format!("measure.{name}")
                }
                _ => "evaluate".to_owned(),
            };
            self.error(&path, error)
        })
    }

    pub(super) fn check_evaluation(&self, wrong: &mut Vec<ConfigError>) {
        wrong.extend(self.evaluating().err());
    }

    /// The schemas that answers are held against.
    pub(super) fn evaluation_schemas(&self) -> Vec<PathBuf> {
        let all = self.settings.evaluate.values();
        all.filter_map(EvaluatorSettings::schema).map(|path| self.resolve(path)).collect()
    }
}

/// Names of metrics, and where they stand in responses.
pub(super) type Measures = BTreeMap<String, String>;
