//! The decision alone, for those who ask what a unit gets and send no request.

use super::GenericRoundRobinLayer;
use crate::{
    assign::{Chosen, Eligible, Reason, Testers, UnitKey},
    config::Config,
};

/// What was decided.
pub(crate) struct Decided<'a> {
    pub(crate) config: &'a Config,
    pub(crate) chosen: Chosen,
    /// Units are told apart here, and this was none.
    pub(crate) lacks_unit: bool,
}

impl<C, K, E, T> GenericRoundRobinLayer<C, K, E, T> {
    /// The name of the experiment.
    pub(crate) fn name(&self) -> &str {
        &self.arms[0].experiment.name
    }

    /// The config that a request like this gets: what the service does, without a branch.
    pub(crate) fn decide<R>(&self, request: &R) -> Decided<'_>
    where
        K: UnitKey<R>,
        E: Eligible<R>,
        T: Testers<R>,
    {
        let chosen = self.choose(request);
        let by_unit = match chosen.reason {
            // Decided before the unit was looked at.
            Reason::Override | Reason::Ineligible => false,
            Reason::NoUnit => true,
            _ => self.setup.plan.salt.is_some(),
        };
        let lacks_unit = by_unit && chosen.unit.is_none() && self.key.unit_key(request).is_none();
        Decided { config: &self.arms[chosen.position].config, chosen, lacks_unit }
    }

    /// How many configs there are.
    pub(crate) fn count(&self) -> usize {
        self.arms.len()
    }
}
