//! Requests that have a shadow.

use super::{Load, World, add, said};

/// So many answers are of a kind that is not the same twice (a time, a draw): half of their copies differ.
const VOLATILE: f64 = 0.1;

impl World<'_> {
    /// A request with its shadow, and beside a control with a second answer of the primary's config.
    pub(super) fn shadowed(&mut self, load: Load, control: bool) {
        // What a request needs, it needs on both sides.
        let need = self.random.normal() * 0.5;
        let ends = self.scenario.arms.map(|arm| self.end(arm, load, need));
        let volatile = control && self.random.happens(VOLATILE);
        let wrong = self.random.happens(self.scenario.arms[1].wrong);
        let differs = [(); 2].map(|()| volatile && self.random.happens(0.5));
        let numbers = self.pair(load);
        let [primary, shadow, second] = &mut self.epochs[0];
        said::add_pair(primary, shadow, numbers);
        add(primary, ends[0]);
        add(shadow, ends[1]);
        shadow.primary_duration.add(ends[0].1);
        let pairs = &mut shadow.pairs;
        *match (ends[0].0, ends[1].0) {
            (false, false) => &mut pairs.both_succeeded,
            (true, false) => &mut pairs.primary_failed,
            (false, true) => &mut pairs.other_failed,
            (true, true) => &mut pairs.both_failed,
        } += 1;
        *if differs[0] || wrong { &mut pairs.different } else { &mut pairs.equal } += 1;
        if control {
            add(second, ends[0]);
            let pairs = &mut second.pairs;
            *if differs[1] { &mut pairs.different } else { &mut pairs.equal } += 1;
        }
    }
}
