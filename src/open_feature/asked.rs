//! An experiment that can be asked, whatever it decides by.

use super::details::Details;
use crate::{
    assign::{Eligible, Epoch, Testers, UnitKey},
    config::Config,
    round_robin::{Decided, GenericRoundRobinLayer},
};
use open_feature::EvaluationContext;

/// One experiment, as flags see it.
pub(super) trait Asked: Send + Sync {
    /// What the context's unit gets; `None` where it has none and needs one.
    fn ask(&self, context: &EvaluationContext) -> Option<(Config, Details)>;

    fn epoch(&self) -> Epoch;
}

impl<C, K, E, T> Asked for GenericRoundRobinLayer<C, K, E, T>
where
    C: Send + Sync,
    K: UnitKey<EvaluationContext> + Send + Sync,
    E: Eligible<EvaluationContext> + Send + Sync,
    T: Testers<EvaluationContext> + Send + Sync,
{
    fn ask(&self, context: &EvaluationContext) -> Option<(Config, Details)> {
        let Decided { config, chosen, lacks_unit } = self.decide(context);
        let details = || Details {
            experiment: self.name().to_owned(),
            chosen,
            epoch: self.epoch(),
            is_only: self.count() == 1,
        };
        (!lacks_unit).then(|| (config.clone(), details()))
    }

    fn epoch(&self) -> Epoch {
        Self::epoch(self)
    }
}
