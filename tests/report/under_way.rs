//! Branches are recorded when they end: of what is slow, more is under way.

use super::support::{STEADY, Store, Traffic, only, templates};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower_spearmint::{
    Branch,
    branch::{Role, Status},
    report::{Counted, Measure, Metric, Plan, Report, SampleRatio, Verdict},
    store::{Snapshot, Snapshots},
};

fn plan() -> Plan {
    Plan::new().baseline("stable").metrics([Metric::guardrail(Measure::ErrorRate, 0.01)])
}

/// So many requests until now, ten in a second, that go to one of both by turns. Those of the candidate take so long
/// (but what its callers leave is left at once), and what has not ended by now is not recorded.
/// `mark` says more of the branch with this number.
fn slow(requests: u64, takes: Duration, mark: impl Fn(u64, &mut Branch)) -> Store {
    Store::with(&slow_branches(requests, takes, mark))
}

fn slow_branches(requests: u64, takes: Duration, mark: impl Fn(u64, &mut Branch)) -> Vec<Branch> {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    templates.iter_mut().for_each(|template| template.probability = 0.5);
    let now = SystemTime::now();
    let mut traffic = Traffic::until(now, 3, requests);
    for number in 0..requests {
        let at = (number % 2) as usize;
        traffic.add(&templates[at], Role::Primary, STEADY, None);
        let branch = traffic.branches.last_mut().unwrap();
        mark(number, branch);
        if at == 1 && branch.status != Status::Cancelled {
            branch.duration_ns = takes.as_nanos() as u64;
            branch.end_ns = branch.start_ns + branch.duration_ns;
        }
    }
    let now_ns = now.duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    traffic.branches.retain(|branch| branch.end_ns <= now_ns);
    traffic.branches
}

/// What a look finds, whatever time it is said to be at.
fn look(store: &Store) -> Report {
    let at = UNIX_EPOCH + Duration::from_secs(60);
    Report::look(&store.store, &plan(), at).unwrap().remove(0)
}

/// What a report finds on three replicas, each of which recorded some of it.
fn look_at_replicas(branches: &[Branch]) -> Report {
    let mut snapshots = Snapshots::new();
    for replica in 0..3 {
        let of = branches.iter().filter(|branch| branch.id.as_bytes()[15] % 3 == replica);
        let store = Store::with(&of.cloned().collect::<Vec<_>>());
        let json = serde_json::to_vec(&store.store.snapshot().unwrap()).unwrap();
        snapshots.add(Snapshot::from_json(&json).unwrap());
    }
    assert_eq!(snapshots.len(), 3);
    Report::merged(&snapshots, &plan()).unwrap().remove(0)
}

/// Of the last minutes nothing counts, and the rest is half and half.
fn is_even(ratio: &SampleRatio) {
    assert!(!ratio.broken, "{ratio:#?}");
    assert!(ratio.arms[0].count.abs_diff(ratio.arms[1].count) <= 1, "{ratio:#?}");
    assert!(ratio.total > 0 && ratio.unsettled > 0, "{ratio:#?}");
}

const REQUESTS: u64 = 9_000;
const TAKES: Duration = Duration::from_secs(100);

#[test]
fn a_candidate_that_is_merely_slow_is_not_broken() {
    let store = slow(REQUESTS, TAKES, |_, _| {});
    let report = look(&store);
    let ratio = report.sample_ratio.as_ref().unwrap();
    is_even(ratio);
    // Of 900 seconds at most 204 and the rest of a minute are not settled (buckets of times are 2 % wide), and fewer
    // if this takes long.
    assert!((6_300..=8_000).contains(&ratio.total), "{ratio:#?}");
    assert_eq!(ratio.total + ratio.unsettled, REQUESTS - 500);
    assert_ne!(only(&report).verdict, Verdict::Broken, "{report:#?}");
    assert_eq!(only(&look(&store)).reached, []);
}

#[test]
fn a_candidate_whose_first_requests_are_under_way_is_not_checked_yet() {
    let store = slow(1_200, Duration::from_secs(110), |_, _| {});
    let report = look(&store);
    let ratio = report.sample_ratio.unwrap();
    assert_eq!((ratio.total, ratio.unsettled, ratio.broken), (0, 650, false));
    assert_eq!(report.candidates[0].reached, []);
}

#[test]
fn a_candidate_that_is_merely_slow_is_not_broken_on_several_replicas() {
    let report = look_at_replicas(&slow_branches(REQUESTS, TAKES, |_, _| {}));
    let ratio = report.sample_ratio.as_ref().unwrap();
    is_even(ratio);
    assert!((6_300..=8_000).contains(&ratio.total), "{ratio:#?}");
    assert_eq!(ratio.total + ratio.unsettled, REQUESTS - 500);
    assert_ne!(only(&report).verdict, Verdict::Broken, "{report:#?}");
}

#[test]
fn units_that_several_replicas_see_count_once_their_minute_is_settled() {
    // Each comes again after 16 of the same arm, and most of them to another replica.
    let report = look_at_replicas(&slow_branches(REQUESTS, TAKES, |number, branch| {
        let unit = if number % 32 < 16 { number } else { number - 16 };
        branch.unit = Some((unit + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if number % 4 < 2 {
            (branch.status, branch.failure) = (Status::Cancelled, None);
        }
    }));
    let exposures = report.sample_ratio.as_ref().unwrap();
    assert_eq!(exposures.counted, Counted::FirstExposures);
    is_even(exposures);
    assert!((3_150..=4_000).contains(&exposures.total), "{exposures:#?}");
    let completions = report.completions.as_ref().unwrap();
    assert_eq!(completions.counted, Counted::Unfinished);
    is_even(completions);
    assert_ne!(only(&report).verdict, Verdict::Broken, "{report:#?}");
}

#[test]
fn requests_that_were_left_count_beside_those_that_began_with_them() {
    let half = |number: u64, branch: &mut Branch| {
        if number % 4 < 2 {
            (branch.status, branch.failure) = (Status::Cancelled, None);
        }
    };
    let report = look(&slow(REQUESTS, TAKES, half));
    let completions = report.completions.as_ref().unwrap();
    assert_eq!(completions.counted, Counted::Completions);
    is_even(completions);
    assert_ne!(only(&report).verdict, Verdict::Broken, "{report:#?}");

    let report = look(&slow(REQUESTS, TAKES, |number, branch| {
        half(number, branch);
        branch.unit = Some(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }));
    let exposures = report.sample_ratio.as_ref().unwrap();
    assert_eq!(exposures.counted, Counted::FirstExposures);
    is_even(exposures);
    let completions = report.completions.as_ref().unwrap();
    assert_eq!(completions.counted, Counted::Unfinished);
    is_even(completions);
    assert_ne!(only(&report).verdict, Verdict::Broken, "{report:#?}");
}

#[test]
fn what_is_missing_of_minutes_that_are_settled_is_broken() {
    // The candidate's of the first five minutes never came.
    let store = slow(REQUESTS, TAKES, |number, branch| {
        if number < 3_000 && number % 2 == 1 {
            branch.status = Status::Cancelled;
            branch.failure = None;
        }
    });
    let report = look(&store);
    assert!(!report.sample_ratio.as_ref().unwrap().broken);
    assert!(report.completions.as_ref().unwrap().broken, "{report:#?}");
    assert_eq!(only(&report).verdict, Verdict::Broken);
    assert_eq!(only(&report).reached.len(), 1);
}

#[cfg(feature = "cli")]
#[test]
fn a_report_says_that_the_last_minutes_are_not_checked_yet() {
    let store = slow(1_200, Duration::from_secs(110), |_, _| {});
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_spearmint"));
    let output =
        command.args(["report", "--no-look", "--store"]).arg(store.file()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = "split of requests: not checked yet: the requests of the last minutes may still be under way";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_shadow_that_ends_long_before_its_primary_is_not_broken() {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    for template in &mut templates {
        (template.strategy, template.probability) = ("shadow".into(), 1.0);
    }
    let now = SystemTime::now();
    let mut traffic = Traffic::until(now, 3, REQUESTS);
    for _ in 0..REQUESTS {
        let request = traffic.add(&templates[0], Role::Primary, STEADY, None);
        let primary = traffic.branches.last_mut().unwrap();
        primary.duration_ns = TAKES.as_nanos() as u64;
        primary.end_ns = primary.start_ns + primary.duration_ns;
        traffic.add(&templates[1], Role::Shadow, STEADY, Some(request));
    }
    let now_ns = now.duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    traffic.branches.retain(|branch| branch.end_ns <= now_ns);
    let store = Store::with(&traffic.branches);
    let mut snapshots = Snapshots::new();
    snapshots.add(store.store.snapshot().unwrap());
    for report in [look(&store), Report::merged(&snapshots, &Plan::new()).unwrap().remove(0)] {
        let coverage = only(&report).coverage.as_ref().unwrap();
        assert!(coverage.ended - coverage.pairs >= 990, "{coverage:#?}");
        assert_eq!((coverage.without_primary, coverage.broken), (0, false), "{coverage:#?}");
        assert_ne!(only(&report).verdict, Verdict::Broken, "{report:#?}");
    }
}
