//! Metrics as an experiment file has them.

use super::{Measure, Metric, MetricRole};
use crate::config::units;
use serde::Deserialize;

/// What a metric is for, and how much of it matters.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricSettings {
    /// What it is for: `success`, `guardrail` or `quality`.
    role: RoleSetting,
    /// How much worse a guardrail may be: `5%`, or 0.05; of the baseline's value, and points of percent
    /// for `error_rate` and `agreement`.
    #[serde(default, deserialize_with = "units::margin")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Margin"))]
    margin: Option<f64>,
    /// The minimum effect: by how much success must be better to be worth it [default: 0].
    #[serde(default, deserialize_with = "units::margin")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Margin"))]
    mde: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum RoleSetting {
    /// The candidate is to be better here.
    Success,
    /// The candidate may be worse by its margin and no more.
    Guardrail,
    /// It is shown, and decides nothing.
    Quality,
}

impl MetricSettings {
    /// The metric of this name.
    ///
    /// # Errors
    ///
    /// The key that is wrong (none: the name) and what would be right.
    pub(crate) fn metric(&self, name: &str) -> Result<Metric, (Option<&'static str>, String)> {
        let measure: Measure = name
            .parse()
            .map_err(|error: crate::branch::UnknownName| (None, format!("no metric: {error}")))?;
        match (self.role, self.margin, self.mde) {
            (RoleSetting::Guardrail, None, _) => {
                let message = "not set; say how much worse it may be, as in 5%";
                Err((Some("margin"), message.to_owned()))
            }
            (RoleSetting::Guardrail, Some(margin), None) => Ok(Metric::guardrail(measure, margin)),
            (RoleSetting::Success, None, mde) => Ok(Metric::success(measure, mde.unwrap_or(0.0))),
            (RoleSetting::Quality, None, None) => Ok(Metric::quality(measure)),
            (RoleSetting::Guardrail, _, Some(_)) => Err(misplaced("mde", MetricRole::Success)),
            (_, Some(_), _) => Err(misplaced("margin", MetricRole::Guardrail)),
            (RoleSetting::Quality, None, Some(_)) => Err(misplaced("mde", MetricRole::Success)),
        }
    }
}

fn misplaced(key: &'static str, role: MetricRole) -> (Option<&'static str>, String) {
    (Some(key), format!("only a metric with the role `{role}` has it"))
}
