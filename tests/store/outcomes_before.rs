//! What units did before they were exposed to anything.

use super::{
    outcomes::{DAY_MS, HOUR_MS, answer, bought, start_ms},
    support::{Dir, assert_whole, back_to_version_6, write},
};
use rusqlite::Connection;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower_spearmint::{
    Branch,
    assign::Epoch,
    store::{OutcomeRules, OutcomeSum, RollupFilter, SqliteStore},
};

/// Config and epoch; units and total after; units, total and squares before; products.
type Came = (String, u64, u64, f64, u64, f64, f64, f64);

fn came(store: &SqliteStore) -> Vec<Came> {
    let of = |sum: OutcomeSum| {
        (
            sum.config_id.to_string(),
            sum.epoch.unwrap(),
            sum.units,
            sum.total,
            sum.units_before,
            sum.total_before,
            sum.squares_before,
            sum.products,
        )
    };
    let found = store.outcome_sums(&RollupFilter::new()).unwrap();
    let mut sums: Vec<_> = found.into_iter().map(of).collect();
    sums.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    sums
}

fn stable(epoch: u64, after: [f64; 2], before: [f64; 3], products: f64) -> Came {
    let [units, total] = after;
    let [units_before, total_before, squares] = before;
    let of = "stable".to_owned();
    (of, epoch, units as u64, total, units_before as u64, total_before, squares, products)
}

/// Answered by `stable` in this epoch.
fn again(key: &str, epoch: u64, at_ms: u64) -> Branch {
    let mut branch = answer("alpha", key, 0, at_ms);
    branch.epoch = Epoch::recorded(1, epoch);
    branch
}

fn open(dir: &Dir) -> SqliteStore {
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    store.set_outcome_rules(&OutcomeRules::new("alpha")).unwrap();
    store
}

fn age(at_ms: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now - Duration::from_millis(at_ms)
}

#[test]
fn what_came_within_so_long_before_the_first_exposure_counts_beside_what_follows() {
    let dir = Dir::new();
    let store = open(&dir);
    let at = start_ms();
    store
        .record_outcomes(&[
            bought("1", "ann", at - 1).value(2.0),
            bought("2", "ann", at - 7 * DAY_MS).value(1.0),
            bought("3", "ann", at - 7 * DAY_MS - 1).value(100.0),
            bought("4", "bob", at - HOUR_MS).value(5.0),
        ])
        .unwrap();
    write(&store, &[answer("alpha", "ann", 0, at), answer("alpha", "cem", 0, at + 1)]).unwrap();
    let recorded =
        store.record_outcomes(&[bought("5", "ann", at).value(4.0), bought("6", "cem", at + 1)]);
    assert_eq!(recorded.unwrap().attributed, 2);
    // Of bob nobody knows what he was given; and cem did nothing before.
    assert_eq!(came(&store), [stable(7, [2.0, 5.0], [1.0, 3.0, 9.0], 12.0)]);
    assert_whole(&store);
    // What becomes known only now.
    store.record_outcomes(&[bought("7", "cem", at - 5).value(0.5)]).unwrap();
    assert_eq!(came(&store), [stable(7, [2.0, 5.0], [2.0, 3.5, 9.25], 12.5)]);
    assert_whole(&store);
}

#[test]
fn what_came_after_an_exposure_in_an_earlier_epoch_is_nothing_from_before() {
    let dir = Dir::new();
    let store = open(&dir);
    let at = start_ms();
    // Exposed anew two days later: what it bought in between may have come of what it was given.
    write(&store, &[again("ann", 7, at)]).unwrap();
    store
        .record_outcomes(&[
            bought("1", "ann", at - DAY_MS).value(3.0),
            bought("2", "ann", at + DAY_MS).value(10.0),
            bought("3", "ann", at + 3 * DAY_MS).value(100.0),
        ])
        .unwrap();
    write(&store, &[again("ann", 8, at + 2 * DAY_MS)]).unwrap();
    assert_eq!(
        came(&store),
        [
            stable(7, [1.0, 110.0], [1.0, 3.0, 9.0], 330.0),
            stable(8, [1.0, 100.0], [1.0, 3.0, 9.0], 300.0),
        ]
    );
    assert_whole(&store);
}

#[test]
fn nor_is_what_came_after_an_exposure_in_another_experiment_with_the_same_salt() {
    let dir = Dir::new();
    let store = open(&dir);
    store.set_outcome_rules(&OutcomeRules::new("beta").salt("alpha")).unwrap();
    let at = start_ms();
    let mut elsewhere = answer("beta", "ann", 1, at - DAY_MS);
    let here = answer("alpha", "ann", 0, at);
    elsewhere.unit = here.unit;
    write(&store, &[here]).unwrap();
    store
        .record_outcomes(&[
            bought("1", "ann", at - 2 * DAY_MS).value(3.0),
            bought("2", "ann", at - HOUR_MS).value(10.0),
        ])
        .unwrap();
    assert_eq!(came(&store)[0].5, 13.0);
    // That one is recorded late.
    write(&store, &[elsewhere]).unwrap();
    let found = came(&store);
    assert_eq!(found[0], stable(7, [0.0, 0.0], [1.0, 3.0, 9.0], 0.0));
    assert_eq!((found[1].3, found[1].5), (10.0, 3.0));
    assert_whole(&store);
}

#[test]
fn an_exposure_that_turns_out_to_be_earlier_moves_what_came_before_in_all_epochs() {
    let dir = Dir::new();
    let store = open(&dir);
    let at = start_ms();
    write(&store, &[again("ann", 8, at + 2 * DAY_MS), again("ann", 7, at + DAY_MS)]).unwrap();
    store
        .record_outcomes(&[
            bought("1", "ann", at - HOUR_MS).value(3.0),
            bought("2", "ann", at + HOUR_MS).value(10.0),
        ])
        .unwrap();
    let before = |of: &Came| (of.4, of.5);
    assert_eq!(came(&store).iter().map(before).collect::<Vec<_>>(), [(1, 13.0); 2]);
    write(&store, &[again("ann", 7, at)]).unwrap();
    assert_eq!(
        came(&store),
        [
            stable(7, [1.0, 10.0], [1.0, 3.0, 9.0], 30.0),
            stable(8, [0.0, 0.0], [1.0, 3.0, 9.0], 0.0),
        ]
    );
    assert_whole(&store);
}

#[test]
fn another_time_before_attributes_all_outcomes_anew() {
    let dir = Dir::new();
    let store = open(&dir);
    let at = start_ms();
    write(&store, &[answer("alpha", "ann", 0, at)]).unwrap();
    let outcomes = [bought("1", "ann", at - HOUR_MS), bought("2", "ann", at - 9 * DAY_MS)];
    store.record_outcomes(&outcomes).unwrap();
    let total = |days: u64| {
        let rules = OutcomeRules::new("alpha").before(Duration::from_millis(days * DAY_MS));
        store.set_outcome_rules(&rules).unwrap();
        assert_whole(&store);
        came(&store).first().map(|of| of.5)
    };
    assert_eq!([total(7), total(10), total(0)], [Some(1.0), Some(2.0), None]);
    // Nothing else is said of it: as long as the window.
    let rules = OutcomeRules::new("alpha").window(Duration::from_millis(9 * DAY_MS));
    store.set_outcome_rules(&rules).unwrap();
    assert_eq!(came(&store)[0].5, 2.0);
}

#[test]
fn what_removed_outcomes_came_to_before_an_exposure_stays_for_later_epochs() {
    let dir = Dir::new();
    let store = open(&dir);
    let at = start_ms();
    write(&store, &[again("ann", 7, at)]).unwrap();
    store.record_outcomes(&[bought("1", "ann", at - DAY_MS).value(3.0)]).unwrap();
    assert_eq!(store.prune_outcomes(age(at - HOUR_MS), |_| {}).unwrap(), 1);
    assert_eq!(came(&store), [stable(7, [0.0, 0.0], [1.0, 3.0, 9.0], 0.0)]);
    assert_whole(&store);
    write(&store, &[again("ann", 8, at + DAY_MS), again("bob", 8, at + DAY_MS)]).unwrap();
    store.record_outcomes(&[bought("2", "ann", at + DAY_MS)]).unwrap();
    assert_eq!(
        came(&store),
        [stable(7, [1.0, 1.0], [1.0, 3.0, 9.0], 3.0), stable(8, [1.0, 1.0], [1.0, 3.0, 9.0], 3.0),]
    );
    assert_whole(&store);
    let rules = OutcomeRules::new("alpha").before(Duration::ZERO);
    let refused = store.set_outcome_rules(&rules).unwrap_err().to_string();
    assert!(
        refused.ends_with(
            "the time before exposures of outcomes of `alpha` stays 604800 s: outcomes were removed, which cannot \
             be attributed anew; write `outcomes: { before: 604800s }`"
        ),
        "{refused}"
    );
}

#[test]
fn it_is_listed_where_an_outcome_came_before() {
    let dir = Dir::new();
    let store = open(&dir);
    let at = start_ms();
    write(&store, &[answer("alpha", "ann", 0, at), answer("beta", "ann", 1, at - DAY_MS)]).unwrap();
    store.record_outcomes(&[bought("1", "ann", at - HOUR_MS)]).unwrap();
    let listed = store.outcomes(None, 10).unwrap();
    assert_eq!(listed[0].experiments, ["beta".into()]);
    assert_eq!(listed[0].before, ["alpha".into()]);
}

#[test]
fn a_check_finds_what_came_before_that_is_wrong() {
    let dir = Dir::new();
    let store = open(&dir);
    let at = start_ms();
    write(&store, &[answer("alpha", "ann", 0, at)]).unwrap();
    store.record_outcomes(&[bought("1", "ann", at - 1)]).unwrap();
    let damage = Connection::open(dir.file("s.db")).unwrap();
    damage.execute_batch("UPDATE outcome_total SET total_before = 5").unwrap();
    assert_eq!(
        store.check(|_| {}).unwrap().faults,
        [
            "1 totals of units are not the sums of their outcomes",
            "1 sums of outcomes are not those of the totals of units",
        ]
    );
    damage.execute_batch("DELETE FROM outcome_total; DELETE FROM outcome_sum").unwrap();
    let faults = store.check(|_| {}).unwrap().faults;
    assert_eq!(faults, ["1 totals of units are not the sums of their outcomes"]);
}

#[test]
fn a_store_of_version_6_counts_what_came_before_once_it_is_opened_for_writing() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let at = start_ms();
    let expected = {
        let store = open(&dir);
        write(&store, &[again("ann", 7, at), again("ann", 8, at + DAY_MS)]).unwrap();
        write(&store, &[again("bob", 8, at + 5)]).unwrap();
        let outcomes = [
            bought("1", "ann", at - 1).value(3.0),
            bought("2", "ann", at + 1).value(2.0),
            bought("3", "bob", at).value(0.5),
        ];
        store.record_outcomes(&outcomes).unwrap();
        came(&store)
    };
    assert_eq!(expected.iter().map(|of| of.4).sum::<u64>(), 3);
    back_to_version_6(&file);
    let old = SqliteStore::open_read_only(&file).unwrap();
    assert_eq!(came(&old), [stable(7, [1.0, 2.0], [0.0; 3], 0.0)]);
    assert_eq!(old.outcomes(None, 10).unwrap()[2].before, []);
    assert_whole(&old);
    drop(old);
    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(came(&store), expected);
    assert_whole(&store);
}
