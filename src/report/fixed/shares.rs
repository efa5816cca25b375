//! How often something is true: failures, and answers that are equal.

use super::{
    ALPHA, POWER,
    collect::{Both, Pairs, Side},
    means::{self, of_units},
    quantiles,
    test::{By, FixedTest, Method},
};
use crate::{
    report::{Metric, finding::mirrored},
    stats::{
        delta,
        fixed::{
            Design, Discordant, Proportion, detectable_increase, fisher_exact, mcnemar, newcombe,
            paired_t, pooled_z, wilson,
        },
    },
};

/// Below so many that are to be expected, the normal approximation is not trusted (Cochran, Biometrics 10, 1954).
const FEW: f64 = 5.0;

/// Failures of branches that had requests of their own.
pub(super) fn error_rate(metric: &Metric, sides: [&Side; 2]) -> FixedTest {
    if sides.iter().any(|side| side.failures.units.are_known()) {
        let units = sides.map(|side| &side.failures.units);
        return of_units(metric, units);
    }
    let [control, treatment] =
        sides.map(|side| Proportion { successes: side.failed, trials: side.failures.count() });
    let (trials, others) = (treatment.trials as f64, control.trials as f64);
    let failed = (treatment.successes + control.successes) as f64 / (trials + others);
    let few = trials.min(others) * failed.min(1.0 - failed) < FEW;
    let method = if few { Method::FisherExact } else { Method::TwoProportions };
    let mut test = FixedTest::new(metric, method, By::Requests);
    test.baseline_count = control.trials;
    test.candidate_count = treatment.trials;
    test.baseline = control.share();
    test.candidate = treatment.share();
    if let Some(found) = newcombe(treatment, control, ALPHA) {
        test.difference = Some(found.difference);
        test.interval = found.interval;
    }
    test.p = if few {
        fisher_exact(treatment, control).map(|p| p.two_sided)
    } else {
        pooled_z(treatment, control).map(|test| test.p.two_sided)
    };
    let design = Design { ratio: others / trials, ..Design::default() };
    test.detectable =
        control.share().and_then(|share| detectable_increase(design, share, trials, POWER));
    means::explained(test)
}

/// Failures of pairs that had the same request.
pub(super) fn paired_error_rate(metric: &Metric, pairs: &Pairs) -> FixedTest {
    paired(metric, &pairs.failures)
}

/// How often answers equal the primary's: beside the control's of the same request, or alone.
pub(super) fn agreement(metric: &Metric, pairs: &Pairs) -> FixedTest {
    if pairs.differing.differences.count() == 0 {
        return alone(metric, pairs);
    }
    // Counted are those that differ: more of them is less agreement.
    let mut test = paired(metric, &pairs.differing);
    let agreeing = |differing: f64| 1.0 - differing;
    test.baseline = test.baseline.map(agreeing);
    test.candidate = test.candidate.map(agreeing);
    test.difference = test.difference.map(|more| -more);
    test.interval = mirrored(test.interval);
    test
}

/// Without a control all answers should be equal, and the first that is not refutes that: there is nothing to
/// test, and how many differ is all there is to say.
fn alone(metric: &Metric, pairs: &Pairs) -> FixedTest {
    let mut test = FixedTest::new(metric, Method::Wilson, By::Pairs);
    let differing = Proportion { successes: pairs.different, trials: pairs.compared };
    (test.baseline_count, test.candidate_count) = (pairs.compared, pairs.compared);
    if let (Some(share), Some(interval)) = (differing.share(), wilson(differing, ALPHA)) {
        test.baseline = Some(1.0);
        test.candidate = Some(1.0 - share);
        test.difference = Some(-share);
        test.interval = mirrored(interval);
        return test.noted("without a control there is no p: all should be equal");
    }
    test.noted("no answers were compared")
}

fn paired(metric: &Metric, both: &Both) -> FixedTest {
    let units = &both.differences.units;
    let by_unit = units.are_known();
    let (method, by) =
        if by_unit { (Method::PairedByUnit, By::Units) } else { (Method::McNemar, By::Pairs) };
    let mut test = FixedTest::new(metric, method, by);
    let pairs = both.differences.count();
    let share = |only: u64| Proportion { successes: both.both + only, trials: pairs }.share();
    test.baseline = share(both.only_baseline);
    test.candidate = share(both.only_candidate);
    if by_unit {
        let joint = units.joint();
        let found = delta::ratio(&joint).and_then(|differences| paired_t(differences, ALPHA));
        (test.baseline_count, test.candidate_count) = (joint.count, joint.count);
        return means::explained(means::with(test, found));
    }
    (test.baseline_count, test.candidate_count) = (pairs, pairs);
    let discordant =
        Discordant { only_treatment: both.only_candidate, only_control: both.only_baseline, pairs };
    if let Some(found) = mcnemar(discordant, ALPHA) {
        test.difference = Some(found.difference);
        test.interval = found.interval;
        test.p = Some(found.p.two_sided);
        test.detectable = quantiles::detectable(found.interval.width());
    }
    means::explained(test)
}
