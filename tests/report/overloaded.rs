//! Shadows that were skipped because of themselves.

use super::support::{Behaviour, STEADY, Store, Traffic, only, templates};
use tower_spearmint::{
    branch::{Role, SkipReason, Status},
    report::{Plan, Report, Verdict},
};

/// Shadows of which so many in a thousand were skipped, for this reason.
fn skipped(reason: SkipReason, per_thousand: u64, candidate: Behaviour) -> Report {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    for template in &mut templates {
        (template.strategy, template.probability) = ("shadow".into(), 1.0);
    }
    let mut traffic = Traffic::new(7, 20_000);
    for n in 0..20_000 {
        let request = traffic.add(&templates[0], Role::Primary, STEADY, None);
        traffic.add(&templates[1], Role::Shadow, candidate, Some(request));
        if n % 1_000 < per_thousand {
            let shadow = traffic.branches.last_mut().unwrap();
            (shadow.status, shadow.failure) = (Status::Skipped, None);
            (shadow.skip, shadow.duration_ns, shadow.end_ns) = (Some(reason), 0, shadow.start_ns);
        }
    }
    Store::with(&traffic.branches).report(&Plan::new())
}

#[test]
fn a_shadow_that_is_skipped_because_it_cannot_keep_up_does_not_ship() {
    for reason in [SkipReason::MaxInFlight, SkipReason::BreakerOpen, SkipReason::NotReady] {
        assert_eq!(only(&skipped(reason, 9, STEADY)).verdict, Verdict::Ship, "{reason}");
        let report = skipped(reason, 11, STEADY);
        let candidate = only(&report);
        assert_eq!(candidate.verdict, Verdict::Undecided, "{candidate:#?}");
        assert_eq!(
            candidate.because,
            format!(
                "error_rate is held open: 1.10% of the shadows of candidate were skipped because of itself ({reason} 220): nobody knows how slow \
                 they would have been, or how many would have failed, so that nothing speaks for it; mend it, raise \
                 `max_in_flight` or lower `sample`, and report `--since` then"
            )
        );
    }
}

#[test]
fn what_is_skipped_because_of_the_request_breaks_nothing() {
    for reason in [SkipReason::RewriteLimit, SkipReason::Upgrade, SkipReason::Strategy] {
        assert_eq!(only(&skipped(reason, 20, STEADY)).verdict, Verdict::Ship, "{reason}");
    }
}

#[test]
fn a_shadow_that_does_harm_where_it_is_not_skipped_keeps_the_baseline() {
    let worse = Behaviour { failing: 0.05, ..STEADY };
    let report = skipped(SkipReason::MaxInFlight, 100, worse);
    assert_eq!(only(&report).verdict, Verdict::Keep, "{report:#?}");
}
