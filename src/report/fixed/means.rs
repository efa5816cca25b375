//! Means.

use super::{
    ALPHA, POWER,
    collect::PairedValues,
    column::{Column, Units},
    test::{AlsoTested, By, FixedTest, Method},
};
use crate::{
    report::Metric,
    stats::{
        Interval, Summary, delta,
        fixed::{
            Resampling, TTest, TwoSamples, bootstrap_two, hodges_lehmann, mann_whitney, paired_t,
            permutation, welch,
        },
        special::t_upper_inverse,
    },
};

/// Of more values on a side, means are as normal as they get, and drawing them again would take long.
pub(super) const FEW: usize = 2_000;

/// The mean of what was measured of branches that had requests of their own.
pub(super) fn mean(metric: &Metric, columns: [&Column<f64>; 2]) -> FixedTest {
    if columns.iter().any(|column| column.units.are_known()) {
        return of_units(metric, columns.map(|column| &column.units));
    }
    let mut test = of_summaries(metric, Method::Welch, By::Requests, columns.map(|c| c.sums));
    test.sampled = sampled(columns);
    let [control, treatment] = columns.map(Column::values);
    test.also.extend(by_ranks(treatment, control));
    test.also.extend(resampled(treatment, control));
    test
}

/// Of each unit the sum, over how many values it is of: a ratio of two means of units.
pub(super) fn of_units(metric: &Metric, units: [&Units; 2]) -> FixedTest {
    let joint = units.map(Units::joint);
    let ratios = joint.map(|joint| {
        delta::ratio(&joint).unwrap_or(Summary { count: joint.count, ..Summary::default() })
    });
    let mut test = of_summaries(metric, Method::WelchByUnit, By::Units, ratios);
    for (value, joint) in [&mut test.baseline, &mut test.candidate].into_iter().zip(&joint) {
        *value = (joint.count > 0).then_some(joint.x_mean / joint.y_mean);
    }
    let one_of = units.map(Units::one_of);
    if one_of != [1; 2] {
        let [one, other] = one_of;
        return test.noted(format!(
            "of one of {one} units of the baseline and one of {other} of the candidate"
        ));
    }
    test
}

/// The mean of what was measured of both sides of pairs.
pub(super) fn paired(metric: &Metric, values: &PairedValues) -> FixedTest {
    let column = &values.both;
    let by_unit = column.units.are_known();
    let (method, by) =
        if by_unit { (Method::PairedByUnit, By::Units) } else { (Method::PairedT, By::Pairs) };
    let mut test = FixedTest::new(metric, method, by);
    let differences =
        if by_unit { delta::ratio(&column.units.joint()).unwrap_or_default() } else { column.sums };
    (test.baseline_count, test.candidate_count) = (differences.count, differences.count);
    if values.baseline.count > 0 {
        test.baseline = Some(values.baseline.mean);
        test.candidate = Some(values.baseline.mean + column.sums.mean);
    }
    explained(with(test, paired_t(differences, ALPHA)))
}

pub(super) fn of_summaries(
    metric: &Metric,
    method: Method,
    by: By,
    [control, treatment]: [Summary; 2],
) -> FixedTest {
    let mut test = FixedTest::new(metric, method, by);
    (test.baseline_count, test.candidate_count) = (control.count, treatment.count);
    let value = |side: Summary| (side.count > 0).then_some(side.mean);
    (test.baseline, test.candidate) = (value(control), value(treatment));
    explained(with(test, welch(treatment, control, ALPHA)))
}

/// What a t test says; without one, the difference of both values alone.
pub(super) fn with(mut test: FixedTest, found: Option<TTest>) -> FixedTest {
    test.difference = test.baseline.zip(test.candidate).map(|(one, other)| other - one);
    if let Some(found) = found {
        test.difference = Some(found.difference);
        test.interval = found.interval;
        test.p = Some(found.p.two_sided);
        test.detectable = detectable(&found);
    }
    test
}

/// The effect that so many find with a power of 80 %: (t(2.5 %) + t(20 %)) standard errors (Bloom, "Minimum detectable
/// effects", Evaluation Review 19(5), 1995).
fn detectable(found: &TTest) -> Option<f64> {
    let at = |chance| t_upper_inverse(chance, found.df);
    let error = 0.5 * found.interval.width() / at(ALPHA / 2.0);
    let effect = (at(ALPHA / 2.0) + at(1.0 - POWER)) * error;
    effect.is_finite().then_some(effect)
}

/// Why there is no answer, where there is none.
pub(super) fn explained(test: FixedTest) -> FixedTest {
    if test.p.is_some() || test.note.is_some() {
        return test;
    }
    let (one, other) = (test.baseline_count, test.candidate_count);
    let counted = test.by;
    let because = match (one, other) {
        (0, 0) => format!("no {counted} with it"),
        (0, _) => format!("the baseline has no {counted} with it"),
        (_, 0) => format!("the candidate has no {counted} with it"),
        (1, _) | (_, 1) => "one value does not tell how far values scatter".to_owned(),
        _ => "nothing scatters: all are alike".to_owned(),
    };
    test.noted(because)
}

/// How many of each side are looked at, where that is fewer than there are.
pub(super) fn sampled<T>(columns: [&Column<T>; 2]) -> Option<[u64; 2]> {
    let fewer = columns.iter().any(|column| column.sampled().is_some());
    fewer.then(|| columns.map(|column| column.sampled().unwrap_or(column.count())))
}

/// What timed out is longer than all that ended: far beyond them, so that shifts can be counted.
const BEYOND: f64 = 1e200;

/// Whether values of one side are larger, and by how much.
pub(super) fn by_ranks(treatment: &[f64], control: &[f64]) -> Option<AlsoTested> {
    let placed = |values: &[f64]| values.iter().map(|value| value.min(BEYOND)).collect::<Vec<_>>();
    let samples = TwoSamples::of(&placed(treatment), &placed(control))?;
    let test = mann_whitney(&samples)?;
    let shift = hodges_lehmann(&samples, ALPHA);
    let known = |value: f64| {
        if value.abs() > BEYOND / 2.0 { value.signum() * f64::INFINITY } else { value }
    };
    let interval = shift.map_or(Interval::EVERYTHING, |found| Interval {
        low: known(found.interval.low),
        high: known(found.interval.high),
    });
    let difference = shift.map(|found| known(found.shift));
    Some(AlsoTested {
        method: Method::MannWhitney,
        difference,
        interval,
        p: Some(test.p.two_sided),
    })
}

/// What the data themselves say of chance, where they are few.
fn resampled(treatment: &[f64], control: &[f64]) -> Vec<AlsoTested> {
    if treatment.len().max(control.len()) > FEW {
        return Vec::new();
    }
    let resampling = Resampling::default();
    let dealt = permutation(treatment, control, resampling).map(|found| AlsoTested {
        method: Method::Permutation,
        difference: Some(found.difference),
        interval: Interval::EVERYTHING,
        p: Some(found.p.two_sided),
    });
    let of = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let means = |treatment: &[f64], control: &[f64]| of(treatment) - of(control);
    let drawn = bootstrap_two(treatment, control, means, ALPHA, resampling);
    let drawn = drawn.map(|found| AlsoTested {
        method: Method::Means,
        difference: Some(found.estimate),
        interval: found.bca.unwrap_or(found.percentile),
        p: None,
    });
    dealt.into_iter().chain(drawn).collect()
}
