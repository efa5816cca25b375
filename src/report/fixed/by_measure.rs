//! Which test a metric gets, by what is measured and what is independent.

use super::{
    FixedTest, bets,
    collect::{Collected, PairedValues, Pairs, Quantity, Side},
    column::Column,
    means, quantiles, shares,
    test::By,
};
use crate::{
    branch::Role,
    report::{
        Measure, Metric,
        arms::{Arm, Arms},
    },
};

/// Betting asks of each score anew, given those before.
const NOT_BETTED: &str = "not betted on: the scores of a unit are like one another";

/// What the branches of a candidate say; of the first quantile of a time with what is the same of all.
pub(super) fn tested(
    metric: &Metric,
    collected: &Collected<'_>,
    arms: &Arms,
    candidate: &Arm,
    is_first: bool,
) -> FixedTest {
    if candidate.role == Role::Primary {
        let empty = Side::default();
        let sides = collected.sides(arms, candidate).unwrap_or([&empty; 2]);
        return of_sides(metric, sides, is_first);
    }
    let empty = Pairs::default();
    of_pairs(metric, collected.pairs(candidate).unwrap_or(&empty))
}

/// Of requests that went to one config each.
fn of_sides(metric: &Metric, sides: [&Side; 2], is_first: bool) -> FixedTest {
    let nothing = Column::default();
    let columns = |quantity| sides.map(|side| side.values.get(&quantity).unwrap_or(&nothing));
    match &metric.measure {
        Measure::ErrorRate => shares::error_rate(metric, sides),
        Measure::Agreement => shares::agreement(metric, &Pairs::default()),
        Measure::Mean(name) => {
            let mut test = means::mean(metric, columns(Quantity::Named(name.clone())));
            let betted = bets::difference(name, sides.map(|side| &side.bets));
            if test.by == By::Requests {
                test.also.extend(betted);
            } else if betted.is_some() {
                test.note.get_or_insert_with(|| NOT_BETTED.to_owned());
            }
            test
        }
        measure => {
            let share = measure.quantile().unwrap_or(0.5);
            quantiles::quantile(metric, share, columns(of_times(measure)), is_first)
        }
    }
}

/// Of requests that both configs had.
fn of_pairs(metric: &Metric, pairs: &Pairs) -> FixedTest {
    let nothing = PairedValues::default();
    let column = |quantity| pairs.values.get(&quantity).unwrap_or(&nothing);
    match &metric.measure {
        Measure::ErrorRate => shares::paired_error_rate(metric, pairs),
        Measure::Agreement => shares::agreement(metric, pairs),
        Measure::Mean(name) => {
            let mut test = means::paired(metric, column(Quantity::Named(name.clone())));
            let betted = bets::difference(name, pairs.bets.each_ref());
            if test.by == By::Pairs {
                test.also.extend(betted);
            } else if betted.is_some() {
                test.note.get_or_insert_with(|| NOT_BETTED.to_owned());
            }
            test
        }
        measure => {
            let share = measure.quantile().unwrap_or(0.5);
            quantiles::paired(metric, share, column(of_times(measure)))
        }
    }
}

const fn of_times(measure: &Measure) -> Quantity {
    if measure.is_first_byte() { Quantity::FirstByte } else { Quantity::Duration }
}
