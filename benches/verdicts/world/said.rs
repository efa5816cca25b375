//! Numbers that a service says of its requests.

use super::{Load, World};
use crate::scenario::{Arm, Numbers, Scenario};
use std::{collections::BTreeMap, sync::Arc};
use tower_spearmint::{
    report::{Measure, Metric},
    store::Rollup,
};

/// What they are called, and outcomes, too.
pub(super) const NAME: &str = "number";

/// What is asked of their mean.
pub(super) fn metric(scenario: &Scenario) -> Option<Metric> {
    let mean = Measure::Mean(NAME.into());
    let metric = match scenario.margin {
        Some(margin) => Metric::guardrail(mean, margin),
        None => Metric::success(mean, 0.0),
    };
    match scenario.numbers {
        Numbers::Nothing => None,
        Numbers::OfRequests(_) => Some(metric),
        Numbers::OfUnits(..) => Some(metric.increasing()),
    }
}

impl World<'_> {
    /// Of a request to this arm, whose unit has this need.
    pub(super) fn number(&mut self, arm: Arm, load: Load, need: f64) -> Option<f64> {
        let Numbers::OfRequests(law) = self.scenario.numbers else { return None };
        let need = (need + self.random.normal()) / std::f64::consts::SQRT_2;
        let rare = arm.rarely > 0.0 && self.random.happens(arm.rarely);
        let more = if rare { 100.0 } else { 0.0 };
        Some(load.slower * (arm.more * law.draw(need, &mut self.random) + more))
    }

    /// Of a primary and its shadow.
    pub(super) fn pair(&mut self, load: Load) -> Option<[f64; 2]> {
        if !matches!(self.scenario.numbers, Numbers::OfRequests(_)) {
            return None;
        }
        let need = self.random.normal();
        let [one, other] = self.scenario.arms.map(|arm| self.number(arm, load, need));
        one.zip(other).map(Into::into)
    }
}

pub(super) fn add(rollup: &mut Rollup, number: Option<f64>) {
    if let Some(number) = number {
        of(&mut rollup.metrics).add(number);
    }
}

pub(super) fn add_pair(primary: &mut Rollup, shadow: &mut Rollup, numbers: Option<[f64; 2]>) {
    let Some([one, other]) = numbers else { return };
    add(primary, Some(one));
    add(shadow, Some(other));
    of(&mut shadow.metric_pairs).add(one, other);
}

/// What there is under the name.
pub(super) fn of<T: Default>(named: &mut BTreeMap<Arc<str>, T>) -> &mut T {
    if !named.contains_key(NAME) {
        named.insert(NAME.into(), T::default());
    }
    named.get_mut(NAME).expect("it was put there")
}
