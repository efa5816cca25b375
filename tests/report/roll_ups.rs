//! What a report reads: so much for each minute, and nothing for each branch.

use super::support::{STEADY, shadowed};
use std::collections::BTreeSet;
use tower_spearmint::store::RollupFilter;

#[test]
fn there_is_a_row_to_read_for_each_minute_and_arm_however_many_branches_there_are() {
    let few = shadowed(600, STEADY, STEADY);
    let many = shadowed(6_000, STEADY, STEADY);
    for (store, branches, most) in [(few, 1_200, 2), (many, 12_000, 11)] {
        let rollups = store.store.rollups(&RollupFilter::new()).unwrap();
        let starts: Vec<_> = rollups.map(|rollup| rollup.unwrap().start_ns).collect();
        let minutes = BTreeSet::from_iter(&starts).len();
        assert!(minutes <= most, "{minutes}");
        assert_eq!(starts.len(), 2 * minutes);
        assert_eq!(store.store.counts().unwrap().branches, branches);
    }
}

#[cfg(feature = "cli")]
#[test]
fn a_report_says_the_same_when_the_branches_are_gone() {
    use super::support::Traffic;
    use std::process::Command;
    use tower_spearmint::{report::Plan, store::Filter};

    let store = shadowed(2_000, STEADY, STEADY);
    let said = || serde_json::to_value(store.report(&Plan::new())).unwrap();
    let before = said();
    let kept = format!("{}s", Traffic::BEFORE.as_secs() + 10);
    let prune = ["store", "prune", "--older-than", &kept, "--store"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_spearmint"));
    assert!(command.args(prune).arg(store.file()).output().unwrap().status.success());
    let left = store.store.branches(&Filter::new()).unwrap().count();
    assert!((1..=200).contains(&left), "{left}");
    assert_eq!(said(), before);
}
