//! Metrics as an experiment file has them.

use super::{Measure, Metric, MetricRole, Unit};
use crate::config::units;
use serde::Deserialize;

/// What a metric is for, and how much of it matters.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricSettings {
    /// What it is for: `success`, `guardrail` or `quality`.
    role: RoleSetting,
    /// Whether more of it is better. Said of what the service or somebody else measures; for what is measured
    /// of every branch it goes without saying.
    #[serde(default)]
    increase: Option<bool>,
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

/// Of a share, or of what can only become less.
const BEYOND: &str = "100% or more: so far apart no two can be";

impl MetricSettings {
    /// The metric of this name.
    ///
    /// # Errors
    ///
    /// The key that is wrong (none: the name) and what would be right.
    pub(crate) fn metric(&self, name: &str) -> Result<Metric, (Option<&'static str>, String)> {
        let metric = self.role(Measure::named(name))?;
        let built_in = !matches!(metric.measure, Measure::Mean(_));
        match self.increase {
            None if built_in => Ok(metric),
            Some(increase) if !built_in => Ok(Metric { increase, ..metric }),
            None => {
                let known = Measure::BUILT_IN.map(|measure| measure.to_string()).join(", ");
                Err((
                    None,
                    format!(
                        "is none of those that are measured of every branch ({known}); if it is one of your own, \
                         say whether more of it is better, as in `increase: true`"
                    ),
                ))
            }
            Some(_) => {
                let message =
                    "it goes without saying for what is measured of every branch: leave it out";
                Err((Some("increase"), message.to_owned()))
            }
        }
    }

    fn role(&self, measure: Measure) -> Result<Metric, (Option<&'static str>, String)> {
        match (self.role, self.margin, self.mde) {
            (RoleSetting::Guardrail, None, _) => {
                let message = "not set; say how much worse it may be, as in 5%";
                Err((Some("margin"), message.to_owned()))
            }
            (RoleSetting::Guardrail, Some(0.0), None) => {
                let message = "nothing; to show that it is no worse at all takes for ever: say how much does not matter, \
                               as in 1%";
                Err((Some("margin"), message.to_owned()))
            }
            (RoleSetting::Guardrail, Some(margin), None) => {
                if measure.unit() == Unit::Points && margin >= 1.0 {
                    return Err((Some("margin"), BEYOND.to_owned()));
                }
                Ok(Metric::guardrail(measure, margin))
            }
            (RoleSetting::Success, None, Some(mde))
                if mde >= 1.0 && self.increase != Some(true) =>
            {
                Err((Some("mde"), BEYOND.to_owned()))
            }
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
