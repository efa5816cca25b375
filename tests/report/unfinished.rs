//! Requests that all arms get, of which the slower branches never end.

use super::{
    left::leave,
    support::{Behaviour, STEADY, Store, Traffic, only, templates},
};
use tower_spearmint::{
    branch::Role,
    report::{Measure, Metric, Plan, Report, Verdict},
};

/// Every request goes to both, and the candidate takes 30 % longer; the first that ends may stop the other.
fn both(is_stopped: bool) -> Report {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    for template in &mut templates {
        (template.strategy, template.probability) = ("multi_branch".into(), 1.0);
    }
    let mut traffic = Traffic::new(7, 10_000);
    for _ in 0..10_000 {
        let request = traffic.add(&templates[0], Role::Branch, STEADY, None);
        let slower = Behaviour { ms: 13.0, ..STEADY };
        traffic.add(&templates[1], Role::Branch, slower, Some(request));
        let [.., one, other] = &mut traffic.branches[..] else { unreachable!() };
        if is_stopped {
            let first = one.duration_ns.min(other.duration_ns);
            [one, other]
                .into_iter()
                .filter(|b| b.duration_ns > first)
                .for_each(|b| leave(b, first));
        }
    }
    let plan = Plan::new().baseline("stable").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.03),
        Metric::success(Measure::LatencyP50, 0.02),
    ]);
    Store::with(&traffic.branches).report(&plan)
}

#[test]
fn a_branch_that_is_stopped_when_another_was_first_is_not_fast_for_it() {
    let report = both(true);
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Undecided, "{candidate:#?}");
    assert!(
        candidate.because.starts_with("latency_p50 is held open: 8")
            && candidate.because.ends_with(
                "% of the branches of candidate were cancelled or skipped, so that those that ended are the fast ones; \
                 let all of them end (`combine: json`), or run it as a shadow"
            ),
        "{}",
        candidate.because
    );
}

#[test]
fn where_all_branches_end_the_slower_one_is_not_kept() {
    assert_eq!(only(&both(false)).verdict, Verdict::Keep);
}
