//! Shadows whose primaries were left by their callers.

use super::support::{Behaviour, Random, STEADY, Store, Traffic, of, only, templates};
use tower_spearmint::{
    Branch,
    branch::{Role, Status},
    report::{Measure, Plan, Report, Standing, Verdict},
};

/// What callers wait for, in ns: one primary in twenty takes longer.
const PATIENCE_NS: u64 = 12_700_000;

/// Ends a branch when its caller leaves.
pub(crate) fn leave(branch: &mut Branch, after_ns: u64) {
    (branch.status, branch.failure) = (Status::Cancelled, None);
    branch.duration_ns = after_ns;
    branch.end_ns = branch.start_ns + after_ns;
}

/// Pairs of which callers left those whose primary took too long for them. A request that is slow is so on both sides, or
/// each side is for itself; the shadows go on, or are given up with their primaries.
fn impatient(candidate: Behaviour, is_of_request: bool, goes_on: bool) -> Report {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    for template in &mut templates {
        (template.strategy, template.probability) = ("shadow".into(), 1.0);
    }
    let mut traffic = Traffic::new(7, 20_000);
    let mut noise = Random(5);
    for _ in 0..20_000 {
        let request = traffic.add(&templates[0], Role::Primary, STEADY, None);
        traffic.add(&templates[1], Role::Shadow, candidate, Some(request));
        let [.., primary, shadow] = &mut traffic.branches[..] else { unreachable!() };
        if is_of_request {
            let noise = 1.0 + 0.02 * (noise.unit() - 0.5);
            let slower = candidate.ms / STEADY.ms;
            shadow.duration_ns = (primary.duration_ns as f64 * slower * noise) as u64;
            shadow.end_ns = shadow.start_ns + shadow.duration_ns;
        }
        if primary.duration_ns > PATIENCE_NS {
            leave(primary, PATIENCE_NS);
            if !goes_on && shadow.duration_ns > PATIENCE_NS {
                leave(shadow, PATIENCE_NS);
            }
        }
    }
    Store::with(&traffic.branches).report(&Plan::new())
}

#[test]
fn a_shadow_is_not_slower_because_callers_left_the_slow_primaries() {
    for is_of_request in [true, false] {
        let report = impatient(STEADY, is_of_request, true);
        let candidate = only(&report);
        assert_ne!(candidate.verdict, Verdict::Keep, "{candidate:#?}");
        let latency = of(candidate, Measure::LatencyP95);
        assert_eq!(latency.baseline_count, latency.candidate_count);
        assert_eq!(latency.candidate_count, 20_000, "{latency:#?}");
        assert!(latency.interval.contains(0.0), "{latency:#?}");
        let median = of(candidate, Measure::LatencyP50);
        assert!(median.difference.unwrap().abs() < 0.021, "{median:#?}");
    }
}

#[test]
fn a_slower_shadow_is_not_within_its_margin_because_the_slow_ones_were_given_up() {
    let slower = Behaviour { ms: 12.0, ..STEADY };
    for goes_on in [true, false] {
        let report = impatient(slower, true, goes_on);
        let candidate = only(&report);
        assert_ne!(candidate.verdict, Verdict::Ship, "{candidate:#?}");
        let latency = of(candidate, Measure::LatencyP95);
        assert_ne!(latency.standing, Standing::Within, "{latency:#?}");
    }
}
