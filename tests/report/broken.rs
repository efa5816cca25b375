//! Traffic that was not split as it should have been.

use super::support::{STEADY, only, split};
use tower_spearmint::report::{Counted, Plan, Verdict};

#[test]
fn an_arm_that_loses_one_in_twenty_of_its_branches_is_broken() {
    let store = split(60_000, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, STEADY, 0.05)]);
    let report = store.report(&Plan::new().baseline("stable"));
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Broken, "{report:#?}");
    assert_eq!(
        candidate.because,
        "the requests are not split as they should be: stable has 29983 of 58529, and 29265 were \
         to be expected, candidate has 28546 of 58529, and 29265 were to be expected"
    );
    let ratio = report.sample_ratio.unwrap();
    assert_eq!((ratio.counted, ratio.broken), (Counted::Requests, true));
}

#[test]
fn shares_of_nine_to_one_that_are_kept_are_not() {
    let store = split(60_000, [("stable", 0.9, STEADY, 0.0), ("candidate", 0.1, STEADY, 0.0)]);
    let ratio = store.report(&Plan::new()).sample_ratio.unwrap();
    assert!(!ratio.broken, "{ratio:#?}");
    assert!((ratio.arms[0].share - 0.9).abs() < 1e-9);
}
