//! The flags of an experiment file.

use super::{ExperimentFile, round_robin};
use crate::{
    assign::{Eligible, NoTesters},
    config::ConfigError,
    http::{InExtensions, Rule},
    open_feature::TargetingKey,
    round_robin::GenericRoundRobinLayer,
};
use http::Request;
use open_feature::EvaluationContext;

/// The experiment of a file as flags are answered by it.
pub type FlagLayer = GenericRoundRobinLayer<InExtensions, TargetingKey, UnitRule, NoTesters>;

/// Which units may take part: what a file's `eligible` says of units alone.
#[derive(Debug, Clone)]
pub struct UnitRule(Option<Rule>);

impl Eligible<EvaluationContext> for UnitRule {
    fn is_eligible(&self, _: &EvaluationContext, unit: Option<&[u8]>) -> bool {
        // That there is no unit is not for the rule to say: it is the caller's mistake.
        let Some((rule, unit)) = self.0.as_ref().zip(unit) else { return true };
        rule.is_eligible(&Request::new(()), Some(unit))
    }
}

impl ExperimentFile {
    /// The same experiment for an OpenFeature provider: the same configs, weights, salt and rules in
    /// the same epoch, so that a unit gets by a flag what its requests get. The unit is the
    /// targeting key; the file's `testers` are not asked.
    ///
    /// ```
    /// use tower_spearmint::{open_feature::SpearmintProvider, proxy::ExperimentFile};
    ///
    /// let file = |model: &str| ExperimentFile::from_yaml_str(&format!("
    /// experiment: ranker
    /// strategy: round_robin
    /// round_robin: {{ sticky: {{ key: {{ header: x-user-id }} }} }}
    /// configs:
    ///   - {{ config_id: stable, upstream: 'http://127.0.0.1:9001', model: small-v1 }}
    ///   - {{ config_id: candidate, upstream: 'http://127.0.0.1:9002', model: {model} }}
    /// "));
    /// let provider = SpearmintProvider::new().experiment(file("small-v2")?.flags()?)?;
    /// let handle = provider.handle();
    /// // When the file has changed:
    /// handle.set(file("small-v3")?.flags()?);
    /// # Ok::<(), tower_spearmint::BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the strategy is not `round_robin`, `eligible` looks at requests (a percentage of units is
    /// fine), or something is wrong that is seen only when a layer is made.
    pub fn flags(&self) -> Result<FlagLayer, ConfigError> {
        if self.strategy() != "round_robin" {
            let message = format!(
                "`{}` answers no flags; only `round_robin` decides who gets what",
                self.strategy()
            );
            return Err(self.error("strategy", message));
        }
        let rule = self.settings.round_robin.eligible();
        if rule.is_some_and(Rule::reads_request) {
            let message = "looks at requests, and a flag is asked for without one; for flags write \
                           rules of units alone, as in `percentage: { salt: beta, percent: 10 }`";
            return Err(self.error("round_robin.eligible", message));
        }
        let layer = round_robin::asking(self)?.for_flags();
        Ok(layer.everyone(UnitRule(rule.cloned())))
    }
}
