//! What is said beside a value: the variant, the reason, the metadata.

use crate::{
    assign::{Chosen, Epoch, Reason},
    config::ConfigId,
};
use open_feature::{EvaluationReason, FlagMetadata, provider::ResolutionDetails};

/// How a config was come to.
pub(super) struct Details {
    pub(super) experiment: String,
    pub(super) chosen: Chosen,
    pub(super) epoch: Epoch,
    /// There is no other config.
    pub(super) is_only: bool,
}

impl Details {
    pub(super) fn of<T>(self, value: T, config: &ConfigId) -> ResolutionDetails<T> {
        ResolutionDetails {
            value,
            variant: Some(config.as_str().to_owned()),
            reason: Some(self.reason()),
            flag_metadata: Some(self.metadata()),
        }
    }

    fn reason(&self) -> EvaluationReason {
        match self.chosen.reason {
            Reason::Override => EvaluationReason::TargetingMatch,
            _ if self.is_only => EvaluationReason::Static,
            Reason::Sticky | Reason::Weight | Reason::Cycle | Reason::Sample => {
                EvaluationReason::Split
            }
            Reason::Primary | Reason::All => EvaluationReason::Static,
            Reason::Ineligible
            | Reason::NotInNamespace
            | Reason::Holdout
            | Reason::Ramp
            | Reason::NoUnit
            | Reason::Fallback => EvaluationReason::Default,
        }
    }

    /// Under the names that records have, and those that OpenFeature's telemetry looks for.
    fn metadata(self) -> FlagMetadata {
        let Chosen { probability, reason, unit, .. } = self.chosen;
        let fingerprint = hex(self.epoch.fingerprint());
        let metadata = FlagMetadata::default()
            .with_value("probability", probability)
            .with_value("reason", reason.as_str())
            .with_value("exposure", reason.is_exposure())
            .with_value("epoch", i64::try_from(self.epoch.number()).unwrap_or(i64::MAX))
            .with_value("version", fingerprint.as_str())
            .with_value("fingerprint", fingerprint)
            .with_value("flagSetId", self.experiment.as_str())
            .with_value("experiment", self.experiment);
        match unit.map(hex) {
            None => metadata,
            Some(unit) => metadata.with_value("contextId", unit.as_str()).with_value("unit", unit),
        }
    }
}

fn hex(word: u64) -> String {
    format!("{word:016x}")
}
