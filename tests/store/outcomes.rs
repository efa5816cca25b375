//! What happens to a unit later, and to which exposure it belongs.

use super::support::{Dir, assert_whole, back_to_version_5, branches, id, place, write};
use rusqlite::Connection;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower_spearmint::{
    Branch,
    assign::Epoch,
    branch::Role,
    store::{
        Outcome, OutcomeRules, OutcomeSum, OutcomeUnit, RollupFilter, SqliteStore, StoreError,
        StoreOptions,
    },
};

pub(super) const HOUR_MS: u64 = 3_600_000;
pub(super) const DAY_MS: u64 = 24 * HOUR_MS;

/// The beginning of an hour some weeks ago.
pub(super) fn start_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    (now - 30 * DAY_MS) / HOUR_MS * HOUR_MS
}

pub(super) fn unit(experiment: &str, key: &str) -> u64 {
    match OutcomeUnit::hashed(experiment, key) {
        OutcomeUnit::Hash(hash) => hash,
        _ => unreachable!(),
    }
}

/// A branch that answers the unit with this key, by the config with this number.
pub(super) fn answer(experiment: &str, key: &str, config: usize, at_ms: u64) -> Branch {
    let mut branch = branches(experiment, 3).swap_remove(config);
    place(&mut branch, at_ms * 1_000_000, config as u32 + 1);
    branch.role = Role::Primary;
    branch.epoch = Epoch::recorded(1, 7);
    branch.unit = Some(unit(experiment, key));
    branch
}

/// Config, name, units, total and squares, in order.
fn sums(store: &SqliteStore) -> Vec<(String, String, u64, f64, f64)> {
    let of = |sum: OutcomeSum| {
        (sum.config_id.to_string(), sum.name.to_string(), sum.units, sum.total, sum.squares)
    };
    let found = store.outcome_sums(&RollupFilter::new()).unwrap();
    let mut sums: Vec<_> = found.into_iter().filter(|sum| sum.units > 0).map(of).collect();
    sums.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    sums
}

fn sum(
    config: &str,
    name: &str,
    units: u64,
    total: f64,
    squares: f64,
) -> (String, String, u64, f64, f64) {
    (config.to_owned(), name.to_owned(), units, total, squares)
}

pub(super) fn bought(id: &str, key: &str, at_ms: u64) -> Outcome {
    Outcome::new(id, key, "purchase").at_ms(at_ms)
}

fn reason(error: StoreError) -> (u64, String, bool) {
    match error {
        StoreError::Outcome(error) => (error.at, error.reason, error.is_conflict),
        other => panic!("{other}"),
    }
}

#[test]
fn an_outcome_belongs_to_the_first_exposure_within_the_window_before_it() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let at = start_ms();
    write(&store, &[answer("alpha", "ann", 0, at), answer("alpha", "bob", 1, at)]).unwrap();
    let recorded = store
        .record_outcomes(&[
            bought("1", "ann", at),
            bought("2", "ann", at + 7 * DAY_MS).value(2.5),
            bought("3", "ann", at - 1),
            bought("4", "ann", at + 7 * DAY_MS + 1),
            bought("5", "bob", at + 1).value(4.0),
            bought("6", "nobody", at + 1),
        ])
        .unwrap();
    assert_eq!((recorded.new, recorded.attributed, recorded.unattributed), (6, 3, 3));
    assert_eq!(
        sums(&store),
        [sum("stable", "purchase", 1, 3.5, 12.25), sum("stage", "purchase", 1, 4.0, 16.0)]
    );
    assert_whole(&store);
}

#[test]
fn the_same_outcomes_in_any_order_and_any_number_of_times_come_to_the_same() {
    let at = start_ms();
    let exposed: Vec<_> = (0..60)
        .map(|n: u64| {
            let key = format!("user-{}", n % 40);
            answer("alpha", &key, (n % 40 % 3) as usize, at + n * 50 * 60_000)
        })
        .enumerate()
        .map(|(n, mut branch)| {
            branch.id = id(branch.start_ns / 1_000_000, n as u32 + 1);
            branch.request_id = branch.id;
            branch
        })
        .collect();
    let outcomes: Vec<_> = (0..500)
        .map(|n: u64| {
            let key = format!("user-{}", n * 7 % 50);
            let name = ["purchase", "revenue"][(n % 2) as usize];
            let value = (n * 37 % 1_000) as f64 / 7.0 - 20.0;
            Outcome::new(format!("o-{n}"), key, name).value(value).at_ms(at + n * 30 * 60_000)
        })
        .collect();
    let once = {
        let dir = Dir::new();
        let store = SqliteStore::open(dir.file("s.db")).unwrap();
        write(&store, &exposed).unwrap();
        store.record_outcomes(&outcomes).unwrap();
        assert_whole(&store);
        store.outcome_sums(&RollupFilter::new()).unwrap()
    };
    assert!(once.len() > 20 && once.iter().all(|sum| sum.units > 0), "{once:#?}");
    for seed in 1..5_u64 {
        let dir = Dir::new();
        let store = SqliteStore::open(dir.file("s.db")).unwrap();
        store.set_outcome_rules(&OutcomeRules::new("alpha")).unwrap();
        // Branches and outcomes by turns, both in an order of this seed, each outcome twice.
        let mixed =
            |n: usize| (n as u64 + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        let mut turns: Vec<usize> = (0..exposed.len() + 2 * outcomes.len()).collect();
        turns.sort_by_key(|n| mixed(*n));
        let mut known = 0;
        for turn in turns {
            match exposed.get(turn) {
                Some(branch) => write(&store, std::slice::from_ref(branch)).unwrap(),
                None => {
                    let outcome = &outcomes[(turn - exposed.len()) % outcomes.len()];
                    known += store.record_outcomes(std::slice::from_ref(outcome)).unwrap().known;
                }
            }
        }
        assert_eq!(known, 500);
        let mut found = store.outcome_sums(&RollupFilter::new()).unwrap();
        let mut expected = once.clone();
        let key = |sum: &OutcomeSum| (sum.config_id.to_string(), sum.name.clone(), sum.hour_ns);
        found.sort_by_key(key);
        expected.sort_by_key(key);
        assert_eq!(found, expected);
        assert_whole(&store);
    }
}

#[test]
fn an_outcome_that_is_recorded_before_its_exposure_counts_when_that_comes() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let at = start_ms();
    store.set_outcome_rules(&OutcomeRules::new("alpha").salt("2026")).unwrap();
    let recorded = store.record_outcomes(&[bought("1", "ann", at + 5)]).unwrap();
    assert_eq!((recorded.attributed, recorded.unattributed), (0, 1));
    assert_eq!(sums(&store), []);
    let mut branch = answer("alpha", "ann", 2, at);
    branch.unit = Some(unit("2026", "ann"));
    write(&store, &[branch]).unwrap();
    assert_eq!(sums(&store), [sum("candidate", "purchase", 1, 1.0, 1.0)]);
    assert_whole(&store);
}

#[test]
fn an_exposure_that_turns_out_to_be_earlier_takes_the_outcomes_with_it() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let at = start_ms();
    write(&store, &[answer("alpha", "ann", 0, at + 2 * HOUR_MS)]).unwrap();
    store
        .record_outcomes(&[bought("1", "ann", at + HOUR_MS), bought("2", "ann", at + 3 * HOUR_MS)])
        .unwrap();
    assert_eq!(sums(&store), [sum("stable", "purchase", 1, 1.0, 1.0)]);
    write(&store, &[answer("alpha", "ann", 1, at)]).unwrap();
    assert_eq!(sums(&store), [sum("stage", "purchase", 1, 2.0, 4.0)]);
    assert_whole(&store);
}

#[test]
fn a_unit_in_several_experiments_and_epochs_counts_in_each() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let at = start_ms();
    let mut later = answer("alpha", "ann", 1, at + HOUR_MS);
    later.epoch = Epoch::recorded(2, 8);
    write(&store, &[answer("alpha", "ann", 0, at), answer("beta", "ann", 2, at), later]).unwrap();
    let recorded = store.record_outcomes(&[bought("1", "ann", at + DAY_MS)]).unwrap();
    assert_eq!(recorded.attributed, 1);
    assert_eq!(
        sums(&store),
        [
            sum("candidate", "purchase", 1, 1.0, 1.0),
            sum("stable", "purchase", 1, 1.0, 1.0),
            sum("stage", "purchase", 1, 1.0, 1.0),
        ]
    );
    let only = store.outcome_sums(&RollupFilter::new().experiment("beta")).unwrap();
    assert_eq!((only.len(), &*only[0].experiment), (1, "beta"));
    let listed = store.outcomes(None, 10).unwrap();
    assert_eq!(listed[0].experiments, ["alpha".into(), "beta".into()]);
    assert_whole(&store);
}

#[test]
fn a_unit_may_be_named_by_its_hash() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let at = start_ms();
    let branch = answer("alpha", "ann", 0, at);
    let by_hash = Outcome::new("1", OutcomeUnit::Hash(branch.unit.unwrap()), "purchase");
    write(&store, &[branch]).unwrap();
    assert_eq!(store.record_outcomes(&[by_hash.at_ms(at)]).unwrap().attributed, 1);
    // Reported again with the key, it is the same.
    assert_eq!(store.record_outcomes(&[bought("1", "ann", at)]).unwrap().known, 1);
    assert_eq!(sums(&store), [sum("stable", "purchase", 1, 1.0, 1.0)]);
    assert_whole(&store);
}

#[test]
fn another_outcome_under_the_same_id_is_refused_and_its_batch_with_it() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let at = start_ms();
    write(&store, &[answer("alpha", "ann", 0, at)]).unwrap();
    store.record_outcomes(&[bought("order-1", "ann", at)]).unwrap();
    for (other, what) in [
        (bought("order-1", "ann", at).value(2.0), "value"),
        (bought("order-1", "ann", at + 1), "time"),
        (bought("order-1", "bob", at), "unit"),
        (Outcome::new("order-1", "ann", "return").at_ms(at), "name"),
    ] {
        let error = store.record_outcomes(&[bought("order-2", "ann", at), other]).unwrap_err();
        let text = format!(
            "there is an outcome `order-1` already, of another {what}; give this one an id of its own"
        );
        assert_eq!(error.to_string(), format!("outcome 2: {text}"));
        assert_eq!(reason(error), (2, text, true));
    }
    assert_eq!(sums(&store), [sum("stable", "purchase", 1, 1.0, 1.0)]);
    assert_eq!(store.stat().unwrap().outcomes, 1);
    // An import keeps the right ones.
    let batch = [bought("order-2", "ann", at), bought("order-1", "bob", at), bought("3", "", at)];
    let (tried, refused) = store.import_outcomes(&batch, true).unwrap();
    assert_eq!((tried.new, refused.len(), store.stat().unwrap().outcomes), (1, 2, 1));
    let (kept, refused) = store.import_outcomes(&batch, false).unwrap();
    assert_eq!((kept.new, store.stat().unwrap().outcomes), (1, 2));
    assert_eq!(refused.iter().map(|error| error.at).collect::<Vec<_>>(), [2, 3]);
    assert_whole(&store);
}

#[test]
fn so_many_outcomes_are_taken_at_once_as_salts_leave_room_for_and_an_import_takes_any_number() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    store.set_outcome_rules(&OutcomeRules::new("alpha")).unwrap();
    let at = start_ms();
    let all: Vec<_> = (0..10_001).map(|n| bought(&format!("o-{n}"), "ann", at)).collect();
    let refused = |outcomes: &[Outcome], said: &str| match store.record_outcomes(outcomes) {
        Err(StoreError::Outcome(error)) => {
            assert_eq!((error.are_too_many, error.at, error.reason.as_str()), (true, 0, said));
        }
        other => panic!("{other:?}"),
    };
    refused(&all, "10001 outcomes at once; send at most 10000");
    for n in 1..256 {
        store.set_outcome_rules(&OutcomeRules::new("alpha").salt(format!("salt {n}"))).unwrap();
    }
    refused(&all[..157], "157 outcomes at once; send at most 156, as there are 256 salts");
    assert_eq!(store.stat().unwrap().outcomes, 0);
    assert_eq!(store.record_outcomes(&all[..156]).unwrap().new, 156);
    let mut import = all[100..500].to_vec();
    import[350] = bought("wrong", "", at);
    let (kept, wrong) = store.import_outcomes(&import, false).unwrap();
    assert_eq!((kept.known, kept.new), (56, 343));
    assert_eq!(wrong.iter().map(|error| error.at).collect::<Vec<_>>(), [351]);
}

#[test]
fn an_outcome_that_is_refused_takes_none_of_the_256_names() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    store.set_outcome_rules(&OutcomeRules::new("alpha")).unwrap();
    let at = start_ms();
    store.record_outcomes(&[bought("order-1", "ann", at)]).unwrap();
    let named = |id: &str, n: usize| Outcome::new(id, "ann", format!("name-{n}")).at_ms(at);
    let mistyped: Vec<_> = (0..300).map(|n| named("order-1", n)).collect();
    assert_eq!(store.import_outcomes(&mistyped, false).unwrap().1.len(), 300);
    let right: Vec<_> = (0..256).map(|n| named(&format!("right-{n}"), n)).collect();
    let (kept, refused) = store.import_outcomes(&right, false).unwrap();
    assert_eq!((kept.new, refused.len()), (255, 1));
    assert_eq!(
        refused[0].to_string(),
        "outcome 256: `name-255` would be the 257th name of outcomes; use one of those that are there"
    );
}

#[test]
fn rules_that_the_store_has_already_are_said_again_while_another_process_writes() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let store = StoreOptions::new().busy_timeout(Duration::from_millis(1)).open(&file).unwrap();
    let rules = OutcomeRules::new("alpha").salt("2026").window(Duration::from_secs(60));
    store.set_outcome_rules(&rules).unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.set_outcome_rules(&rules).unwrap();
    SqliteStore::open_read_only(&file).unwrap().set_outcome_rules(&rules).unwrap();
    for new in [rules.clone().salt("2027"), rules.window(Duration::from_secs(61))] {
        store.set_outcome_rules(&new).unwrap_err();
    }
}

#[test]
fn without_any_experiment_a_key_cannot_be_hashed() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let (at, reason, _) = reason(store.record_outcomes(&[bought("1", "ann", 5)]).unwrap_err());
    assert_eq!(at, 1);
    assert_eq!(
        reason,
        "the store knows no experiment yet, so that nothing says how a unit's key is hashed; start \
         `spearmint serve` with it first, or name the experiment by `set_outcome_rules`"
    );
}

#[test]
fn reported_again_an_outcome_finds_the_units_of_a_salt_that_was_said_late() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let at = start_ms();
    let mut branch = answer("alpha", "ann", 0, at);
    branch.unit = Some(unit("secret salt", "ann"));
    write(&store, &[branch]).unwrap();
    assert_eq!(store.record_outcomes(&[bought("1", "ann", at)]).unwrap().unattributed, 1);
    store.set_outcome_rules(&OutcomeRules::new("alpha").salt("secret salt")).unwrap();
    assert_eq!(store.record_outcomes(&[bought("1", "ann", at)]).unwrap().known, 1);
    assert_eq!(sums(&store), [sum("stable", "purchase", 1, 1.0, 1.0)]);
    assert_whole(&store);
    drop(store);
    let file = std::fs::read(dir.file("s.db")).unwrap();
    let holds = |text: &[u8]| file.windows(text.len()).any(|window| window == text);
    assert!(holds(b"purchase") && !holds(b"secret salt") && !holds(b"ann"));
}

#[test]
fn another_window_attributes_all_outcomes_anew() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let at = start_ms();
    write(&store, &[answer("alpha", "ann", 0, at), answer("beta", "ann", 1, at)]).unwrap();
    store
        .record_outcomes(&[bought("1", "ann", at + HOUR_MS), bought("2", "ann", at + DAY_MS)])
        .unwrap();
    let rules = OutcomeRules::new("alpha").window(Duration::from_secs(3_600));
    store.set_outcome_rules(&rules).unwrap();
    assert_eq!(
        sums(&store),
        [sum("stable", "purchase", 1, 1.0, 1.0), sum("stage", "purchase", 1, 2.0, 4.0)]
    );
    assert_whole(&store);
    let rules = rules.window(Duration::from_secs(1));
    store.set_outcome_rules(&rules).unwrap();
    assert_eq!(sums(&store), [sum("stage", "purchase", 1, 2.0, 4.0)]);
    assert_whole(&store);
}

#[test]
fn what_removed_outcomes_came_to_stays_and_none_of_their_time_comes_again() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let at = start_ms();
    write(&store, &[answer("alpha", "ann", 0, at), answer("alpha", "bob", 1, at)]).unwrap();
    let old = bought("1", "ann", at + HOUR_MS);
    let new = bought("2", "ann", at + 5 * DAY_MS);
    store.record_outcomes(&[old.clone(), new.clone()]).unwrap();
    let before = sums(&store);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let age = Duration::from_millis(now - at - DAY_MS);
    assert_eq!(store.prune_outcomes(age, |_| {}).unwrap(), 1);
    assert_eq!(sums(&store), before);
    let stat = store.stat().unwrap();
    assert_eq!((stat.outcomes, stat.removed_outcomes), (1, 1));
    assert!(store.record_outcomes(&[old]).unwrap_err().to_string().contains("were removed"));
    assert_eq!(store.record_outcomes(&[new]).unwrap().known, 1);
    // One of a later time still counts for the exposure.
    store.record_outcomes(&[bought("3", "bob", at + 6 * DAY_MS)]).unwrap();
    assert_eq!(sums(&store).len(), 2);
    assert_whole(&store);
    let rules = OutcomeRules::new("alpha").window(Duration::from_secs(60));
    let refused = store.set_outcome_rules(&rules).unwrap_err().to_string();
    assert!(
        refused.ends_with(
            "stays 604800 s: outcomes were removed, which cannot be attributed anew; write `outcomes: { window: 604800s }`"
        )
    );
}

#[test]
fn an_exposure_of_removed_outcomes_that_turns_out_to_be_another_keeps_what_they_came_to() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let at = start_ms();
    write(&store, &[answer("alpha", "ann", 1, at + HOUR_MS)]).unwrap();
    store.record_outcomes(&[bought("1", "ann", at + 2 * HOUR_MS)]).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let age = Duration::from_millis(now - at - DAY_MS);
    assert_eq!(store.prune_outcomes(age, |_| {}).unwrap(), 1);
    // The first answer is written late, and was another config's.
    write(&store, &[answer("alpha", "ann", 0, at)]).unwrap();
    assert_eq!(sums(&store), [sum("stable", "purchase", 1, 1.0, 1.0)]);
    store.record_outcomes(&[bought("2", "ann", at + 5 * DAY_MS)]).unwrap();
    assert_eq!(sums(&store), [sum("stable", "purchase", 1, 2.0, 4.0)]);
    assert_whole(&store);
}

#[test]
fn a_check_finds_sums_and_totals_that_are_wrong() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let store = SqliteStore::open(&file).unwrap();
    let at = start_ms();
    write(&store, &[answer("alpha", "ann", 0, at)]).unwrap();
    store.record_outcomes(&[bought("1", "ann", at)]).unwrap();
    let damage = Connection::open(&file).unwrap();
    damage.execute_batch("UPDATE outcome_total SET total = total + 1").unwrap();
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
fn a_store_of_version_5_has_no_outcomes_until_it_is_opened_for_writing() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let at = start_ms();
    write(&SqliteStore::open(&file).unwrap(), &[answer("alpha", "ann", 0, at)]).unwrap();
    back_to_version_5(&file);
    let old = SqliteStore::open_read_only(&file).unwrap();
    assert_eq!(old.outcome_sums(&RollupFilter::new()).unwrap(), []);
    assert_eq!(old.outcomes(None, 10).unwrap(), []);
    assert_whole(&old);
    let store = SqliteStore::open(&file).unwrap();
    let recorded = store.record_outcomes(&[bought("1", "ann", at)]).unwrap();
    assert_eq!((recorded.new, recorded.attributed), (1, 1));
    assert_whole(&store);
}
