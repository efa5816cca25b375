//! What a snapshot says of an arm besides its roll-up.

use super::support::{Dir, as_json, assert_whole, back_to_version_6, branches, place, write};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower_spearmint::{
    assign::Epoch,
    store::{Outcome, OutcomeUnit, SCHEMA_VERSION, SqliteStore},
};

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn an_arm_says_the_share_of_its_last_branch_as_long_as_one_is_left() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = |days: u32| (now - DAY * days).as_nanos() as u64;
    let all = branches("alpha", 3);
    // Stable goes on, stage has ended.
    let mut written = Vec::new();
    for (number, (config, days, share)) in
        [(0, 30, 0.5), (0, 1, 0.25), (1, 30, 0.75), (1, 29, 0.125)].into_iter().enumerate()
    {
        let mut branch = all[config].clone();
        place(&mut branch, at(days), number as u32 + 1);
        branch.probability = share;
        branch.epoch = Epoch::recorded(1, 7);
        written.push(branch);
    }
    write(&store, &written).unwrap();
    let shares = || -> Vec<(Value, Value)> {
        let mut arms = as_json(&store.snapshot().unwrap())["arms"].take();
        let of = |arm: &mut Value| (arm["rollup"]["config_id"].take(), arm["share"].take());
        let mut shares: Vec<_> = arms.as_array_mut().unwrap().iter_mut().map(of).collect();
        shares.sort_by_key(|(config, _)| config.to_string());
        shares
    };
    let said = |stage: Value| [(json!("stable"), json!(0.25)), (json!("stage"), stage)];
    assert_eq!(shares(), said(json!(0.125)));
    store.prune(DAY * 10, None, |_| {}).unwrap();
    assert_eq!(store.counts().unwrap().branches, 1);
    assert_eq!(shares(), said(Value::Null));
}

#[test]
fn a_store_of_version_6_has_a_snapshot_as_it_is_and_when_it_is_one_of_this_version() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let store = SqliteStore::open(&file).unwrap();
    let mut branch = branches("alpha", 1).remove(0);
    branch.unit = Some(77);
    write(&store, &[branch]).unwrap();
    let order = Outcome::new("order-1", OutcomeUnit::Hash(77), "purchase").value(2.5);
    store.record_outcomes(&[order]).unwrap();
    drop(store);
    back_to_version_6(&file);
    let said = |store: &SqliteStore| {
        let snapshot = as_json(&store.snapshot().unwrap());
        let reported = &snapshot["outcomes"]["reported"];
        assert_eq!(reported["names"], json!(["purchase"]));
        assert_eq!(reported["outcomes"][0][3], 2_500_000);
        assert_eq!(snapshot["plans"], json!([]));
        snapshot["replica"].clone()
    };
    let old = SqliteStore::open_read_only(&file).unwrap();
    assert_eq!(old.version().unwrap(), 6);
    let before = said(&old);
    drop(old);
    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(store.version().unwrap(), SCHEMA_VERSION);
    assert_eq!(said(&store), before);
    assert_whole(&store);
}

#[test]
fn what_is_told_of_outcomes_makes_a_snapshot_a_newer_one() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let sequence = || store.snapshot().unwrap().sequence();
    let before = sequence();
    let order = Outcome::new("order-1", OutcomeUnit::Hash(77), "purchase").at_ms(1_000);
    store.record_outcomes(std::slice::from_ref(&order)).unwrap();
    let told = sequence();
    assert!(told > before);
    store.prune_outcomes(Duration::ZERO, |_| {}).unwrap();
    assert!(sequence() > told);
}
