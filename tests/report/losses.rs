//! What was lost, and what never came to an end.

use super::{
    gaps::{leaving, losing, shadows},
    support::{Random, only, templates},
};
use std::collections::BTreeMap;
use tower_spearmint::{
    Branch, ConfigId,
    assign::Epoch,
    branch::{Role, SkipReason, Status},
    record::LossReason,
    report::{Counted, Measure, Metric, Plan, Report, Verdict},
    store::{Rollup, UnitBucket},
};

fn plan() -> Plan {
    Plan::new().baseline("stable").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.05),
        Metric::success(Measure::LatencyP95, 0.02),
    ])
}

#[test]
fn what_was_lost_of_an_arm_is_shown_and_more_than_one_in_a_hundred_is_broken() {
    let report = losing(45).report(&plan());
    assert_ne!(only(&report).verdict, Verdict::Broken);
    let [lost] = &report.losses[..] else { panic!("{report:#?}") };
    assert_eq!(
        (lost.config_id.as_str(), lost.role, lost.branches),
        ("candidate", Role::Primary, 45)
    );
    let reasons = BTreeMap::from([(LossReason::QueueFull, 40), (LossReason::NotWritten, 5)]);
    assert_eq!((&lost.reasons, lost.broken), (&reasons, false));
    assert!((lost.share - 0.009).abs() < 0.0005, "{lost:?}");

    let report = losing(105).report(&plan());
    assert_eq!(only(&report).verdict, Verdict::Broken);
    assert_eq!(
        only(&report).because,
        "2.04% of the branches of candidate were not recorded (queue_full 100, not_written 5): of more than 1% \
         nobody knows what they would have shown"
    );
}

#[test]
fn a_variant_whose_slow_requests_never_end_does_not_look_faster_it_is_broken() {
    let report = leaving(0.1, |_| None).report(&plan());
    assert!(!report.sample_ratio.as_ref().unwrap().broken);
    let completions = report.completions.as_ref().unwrap();
    assert_eq!((completions.counted, completions.broken), (Counted::Completions, true));
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Broken);
    assert!(
        candidate
            .because
            .starts_with("the completions are not split as they should be: stable has"),
        "{}",
        candidate.because
    );
}

#[test]
fn an_arm_that_loses_one_in_twenty_of_its_units_completions_is_broken() {
    let units = |n: u64| Some((n.wrapping_mul(48_271) % 65_537) % 3_000 + 1);
    let report = leaving(0.05, units).report(&plan());
    assert!(!report.sample_ratio.as_ref().unwrap().broken, "{report:#?}");
    let completions = report.completions.as_ref().unwrap();
    assert_eq!((completions.counted, completions.broken), (Counted::Unfinished, true));
    assert_eq!(only(&report).verdict, Verdict::Broken);
    // Where all end, there is nothing to check.
    assert!(leaving(0.0, units).report(&plan()).completions.is_none());
}

/// An experiment whose arms are the same: units that come by Zipf's law, some of which leave nearly always; looked
/// at six times.
fn honest(seed: u64, share: f64, arms: &[Branch; 2]) -> bool {
    const UNITS: usize = 2_000;
    let mut random = Random(seed);
    let mut sum = 0.0;
    let reached: Vec<f64> = (1..=UNITS)
        .map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        })
        .collect();
    let leaves: Vec<f64> =
        (0..UNITS).map(|_| if random.unit() < 0.02 { 0.9 } else { 0.02 }).collect();
    let goes: Vec<usize> = (0..UNITS).map(|_| usize::from(random.unit() < share)).collect();
    let bucket: Vec<u32> = (0..UNITS).map(|_| (random.unit() * 4_096.0) as u32).collect();
    let epoch = Epoch::recorded(1, 7);
    let rollup = |branch: &Branch| {
        let id: ConfigId = branch.config_id.clone();
        let mut rollup = Rollup::new("ranker", "round_robin", id, Role::Primary, 0);
        rollup.epoch = Some(7);
        rollup
    };
    let mut rollups = arms.each_ref().map(rollup);
    let mut buckets: BTreeMap<(usize, u32), UnitBucket> = BTreeMap::new();
    let mut seen = vec![false; UNITS];
    let plan = Plan::new().baseline("stable").metrics([Metric::quality(Measure::ErrorRate)]);
    let mut broken = false;
    for _ in 0..6 {
        for _ in 0..1_500 {
            let point = random.unit() * sum;
            let unit = reached.partition_point(|reached| *reached < point);
            let at = goes[unit];
            let rollup = &mut rollups[at];
            rollup.first_exposures += u64::from(!std::mem::replace(&mut seen[unit], true));
            let of = buckets.entry((at, bucket[unit])).or_insert_with(|| {
                let id = arms[at].config_id.clone();
                UnitBucket::new(
                    "ranker",
                    "round_robin",
                    id,
                    Role::Primary,
                    Some(epoch),
                    bucket[unit],
                )
            });
            if random.unit() < leaves[unit] {
                rollup.cancelled += 1;
                of.unfinished += 1;
            } else {
                rollup.success += 1;
                of.success += 1;
            }
        }
        let shares =
            |id: &ConfigId, _| Some(if id.as_str() == "stable" { 1.0 - share } else { share });
        let report = Report::of(rollups.clone(), buckets.values().cloned(), &plan, shares).unwrap();
        broken |= report[0].completions.as_ref().unwrap().broken;
    }
    broken
}

#[test]
fn units_that_come_by_zipfs_law_and_leave_as_they_like_break_nothing_in_500_honest_experiments() {
    let arms: [Branch; 2] = templates("ranker", &["stable", "candidate"]).try_into().unwrap();
    let broken = |run: &u64| honest(*run, [0.5, 0.1][*run as usize % 2], &arms);
    let broken: Vec<u64> = (0..500).filter(broken).collect();
    assert_eq!(broken, [] as [u64; 0]);
}

#[test]
fn shadows_that_were_skipped_are_counted_by_their_reason() {
    let store = shadows(700, |pair| {
        (pair[1].status, pair[1].failure) = (Status::Skipped, None);
        pair[1].skip = Some(SkipReason::MaxInFlight);
    });
    let report = store.report(&Plan::new());
    let coverage = only(&report).coverage.as_ref().unwrap();
    assert_eq!(
        (coverage.due, coverage.shadows, coverage.ended, coverage.pairs),
        (Some(5_000), 5_000, 4_300, 4_300)
    );
    assert_eq!(coverage.skips, BTreeMap::from([(SkipReason::MaxInFlight, 700)]));
    assert!(!coverage.broken);
}

#[test]
fn shadows_without_the_primaries_that_they_ran_beside_are_broken() {
    let lost = |count| {
        let store = shadows(count, |pair| {
            pair.remove(0);
        });
        store.report(&Plan::new())
    };
    let report = lost(90);
    assert_eq!(only(&report).coverage.as_ref().unwrap().without_primary, 90);
    assert_ne!(only(&report).verdict, Verdict::Broken);
    let report = lost(150);
    assert_eq!(only(&report).verdict, Verdict::Broken);
    assert_eq!(
        only(&report).because,
        "150 of the 5000 shadows of candidate that ended have no primary that did: some of the primaries were not \
         recorded"
    );
    // Callers who leave take the primary with them, and let the shadow finish.
    let left = shadows(150, |pair| (pair[0].status, pair[0].failure) = (Status::Cancelled, None));
    assert_ne!(only(&left.report(&Plan::new())).verdict, Verdict::Broken);
}

#[test]
fn shadows_that_are_given_up_while_their_primaries_end_are_broken() {
    let store = shadows(250, |pair| (pair[1].status, pair[1].failure) = (Status::Cancelled, None));
    let report = store.report(&Plan::new());
    assert_eq!(only(&report).verdict, Verdict::Broken);
    assert_eq!(
        only(&report).because,
        "250 shadows of candidate were given up before they ended, beside 4750 that did: those that are left are the \
         fast ones"
    );
}
