//! Quantiles of times.

use super::{
    ALPHA, POWER,
    collect::PairedValues,
    column::Column,
    means::{self, by_ranks, sampled},
    placed::{self, Placed},
    test::{AlsoTested, By, FixedTest, Method},
};
use crate::{
    report::Metric,
    stats::{
        Interval,
        fixed::{Resampling, bootstrap_quantiles},
        special::{normal_upper, normal_upper_inverse},
    },
};

/// A quantile of the times of branches that had requests of their own. Ranks and means are the same for all
/// quantiles of a time: they are said of the first.
pub(super) fn quantile(
    metric: &Metric,
    share: f64,
    columns: [&Column<f64>; 2],
    is_first: bool,
) -> FixedTest {
    if columns.iter().any(|column| column.units.are_known()) {
        return by_unit(metric, share, columns);
    }
    let mut test = FixedTest::new(metric, Method::Quantiles, By::Requests);
    (test.baseline_count, test.candidate_count) = (columns[0].count(), columns[1].count());
    test.sampled = sampled(columns);
    let [control, treatment] = columns.map(Column::values);
    (test.baseline, test.candidate) = (quantile_of(control, share), quantile_of(treatment, share));
    test.difference = test.baseline.zip(test.candidate).map(|(one, other)| other - one);
    if let Some(found) =
        bootstrap_quantiles(treatment, control, share, ALPHA, Resampling::default())
    {
        test.difference = Some(found.difference);
        test.interval = found.interval;
        test.p = Some(found.p.two_sided);
        test.detectable = detectable(found.interval.width());
    }
    if is_first {
        test.also.extend(by_ranks(treatment, control));
        test.also.extend(of_means(metric, columns));
    }
    let is_beyond = columns.iter().all(|column| column.count() > 1)
        && (test.baseline.is_none() || test.candidate.is_none());
    if is_beyond {
        return test.noted("so many timed out that it is not known");
    }
    means::explained(test)
}

/// A quantile of the times of requests that belong to units; the mean, where too few units lie beyond it.
fn by_unit(metric: &Metric, share: f64, columns: [&Column<f64>; 2]) -> FixedTest {
    if let [Some(control), Some(treatment)] = columns.map(|column| placed::of_units(column, share))
    {
        let sides = [control, treatment];
        let mut test = means::of_summaries(metric, Method::QuantilesByUnit, By::Units, sides);
        test.sampled = sampled(columns);
        return test;
    }
    let mut test = means::of_units(metric, columns.map(|column| &column.units));
    test.note.get_or_insert_with(|| {
        "of the mean: fewer than ten units lie beyond the quantile, or time-outs do".to_owned()
    });
    test
}

/// What is said where the mean stands for the quantile of pairs.
const OF_UNITS: &str = "of the mean of the differences within pairs, summed up by unit";
const OF_FEW: &str = "of the mean of the differences within pairs: fewer than ten lie beyond the quantile, or \
    time-outs do";

/// A quantile of the times of pairs; under units, the mean of the differences. How far both sides go together is taken
/// from the pairs in which both are below.
pub(super) fn paired(metric: &Metric, share: f64, values: &PairedValues) -> FixedTest {
    let column = &values.both;
    if column.units.are_known() {
        return means::paired(metric, values).noted(OF_UNITS);
    }
    let mut test = FixedTest::new(metric, Method::PairedQuantiles, By::Pairs);
    (test.baseline_count, test.candidate_count) = (column.count(), column.count());
    test.sampled = sampled([column, column]);
    let pairs = column.values();
    let [Some(control), Some(treatment)] = [0, 1].map(|side| {
        let mut values: Vec<f64> =
            pairs.iter().filter_map(|pair| pair.get(side).copied()).collect();
        values.sort_unstable_by(f64::total_cmp);
        Placed::of(&values, share)
    }) else {
        return match column.count() {
            0 | 1 => means::explained(test),
            _ => means::paired(metric, values).noted(OF_FEW),
        };
    };
    (test.baseline, test.candidate) = (Some(control.value), Some(treatment.value));
    let difference = treatment.value - control.value;
    test.difference = Some(difference);
    let both = pairs.iter().filter(|[a, b]| *a <= control.value && *b <= treatment.value).count();
    let both = both as f64 / pairs.len() as f64;
    let spread = ((control.below - control.below.powi(2))
        * (treatment.below - treatment.below.powi(2)))
    .sqrt();
    let together = (both - control.below * treatment.below) / spread;
    let variance = control.error.powi(2) + treatment.error.powi(2)
        - 2.0 * together * control.error * treatment.error;
    if variance > 0.0 {
        let error = variance.sqrt();
        let half = error * normal_upper_inverse(ALPHA / 2.0);
        test.interval = Interval { low: difference - half, high: difference + half };
        test.p = Some((2.0 * normal_upper((difference / error).abs())).min(1.0));
        test.detectable = detectable(test.interval.width());
    }
    means::explained(test)
}

fn of_means(metric: &Metric, columns: [&Column<f64>; 2]) -> Option<AlsoTested> {
    let sums = columns.map(|column| column.sums);
    let test = means::of_summaries(metric, Method::Welch, By::Requests, sums);
    let FixedTest { method, difference, interval, p, .. } = test;
    p.is_some().then_some(AlsoTested { method, difference, interval, p })
}

/// By the standard error that an interval of this width has, were it normal.
pub(super) fn detectable(width: f64) -> Option<f64> {
    let z = |chance| normal_upper_inverse(chance);
    let effect = (z(ALPHA / 2.0) + z(1.0 - POWER)) * 0.5 * width / z(ALPHA / 2.0);
    effect.is_finite().then_some(effect)
}

/// The smallest value that the share does not exceed.
fn quantile_of(values: &[f64], share: f64) -> Option<f64> {
    let mut values = values.to_vec();
    let place = ((share * values.len() as f64).ceil() as usize).max(1) - 1;
    let (_, value, _) =
        (place < values.len()).then(|| values.select_nth_unstable_by(place, f64::total_cmp))?;
    Some(*value).filter(|value| value.is_finite())
}
