//! Looks that are kept, and what they come to together.

use super::support::{Behaviour, Halves, STEADY, Store, of, only, shadowed, split};
use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tower_spearmint::{
    report::{Decided, Measure, Metric, Plan, Report, Standing, Verdict},
    stats::sequential::Interval,
    store::{SqliteStore, StoreError},
};

const BETTER: Behaviour = Behaviour { ms: 8.0, ..STEADY };

/// The time of a look, in minutes.
fn minute(number: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + 60 * number)
}

fn ns(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64
}

fn look(store: &SqliteStore, plan: &Plan, at: u64) -> Report {
    let mut reports = Report::look(store, plan, minute(at)).unwrap();
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

fn plan() -> Plan {
    Plan::new().baseline("stable").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.01),
        Metric::success(Measure::LatencyP50, 0.05),
    ])
}

#[test]
fn of_120_looks_at_configs_that_are_alike_none_ships_and_all_hold_the_truth() {
    let store = Store::with(&[]);
    let mut halves = Halves::new(12_000);
    let mut before = [Interval::EVERYTHING; 2];
    let mut narrower = 0;
    for at in 0..120 {
        halves.go_on(&store, 100, STEADY);
        let report = look(&store.store, &plan(), at);
        let candidate = only(&report);
        assert_ne!(candidate.verdict, Verdict::Ship, "{at}: {candidate:#?}");
        for (finding, before) in candidate.findings.iter().zip(&mut before) {
            let all = finding.intersection;
            assert_eq!(finding.interval.intersect(before), Some(all), "{at}: {finding:#?}");
            assert!(all.contains(0.0), "{at}: {finding:#?}");
            narrower += usize::from(all != finding.interval);
            *before = all;
        }
    }
    assert!(narrower > 0, "the looks before never counted");
    assert_eq!(store.store.looks("ranker").unwrap().len(), 120);
}

#[test]
fn a_verdict_keeps_its_date_over_more_looks_and_a_new_start() {
    let store = Store::with(&[]);
    let mut halves = Halves::new(30_000);
    halves.go_on(&store, 200, BETTER);
    let first = look(&store.store, &plan(), 0);
    assert_eq!((only(&first).verdict, &only(&first).decided), (Verdict::Undecided, &None));
    halves.go_on(&store, 20_000, BETTER);
    let expected =
        |at| Decided::clone(only(&look(&store.store, &plan(), at)).decided.as_ref().unwrap());
    let decided = expected(1);
    assert_eq!((decided.verdict, decided.at_ns, decided.look), (Verdict::Ship, ns(minute(1)), 2));
    for at in 2..5 {
        halves.go_on(&store, 1_000, BETTER);
        assert_eq!(expected(at), decided);
    }
    let again = SqliteStore::open(store.store.path()).unwrap();
    halves.go_on(&store, 1_000, BETTER);
    let report = look(&again, &plan(), 5);
    assert_eq!(only(&report).decided.as_ref(), Some(&decided));
    assert_eq!(only(&report).reached, std::slice::from_ref(&decided));
    let looks = report.looks.unwrap();
    assert_eq!((looks.count, looks.first_ns, looks.has_others), (6, ns(minute(0)), false));
    // Who only reads is told, too.
    let reader = SqliteStore::open_read_only(store.store.path()).unwrap();
    let read = Report::read(&reader, &plan()).unwrap().remove(0);
    assert_eq!(only(&read).decided, Some(decided));
    assert_eq!(read.looks.unwrap().count, 6);
}

#[test]
fn harm_that_comes_after_a_verdict_is_not_silent() {
    let store = Store::with(&[]);
    let mut halves = Halves::new(60_000);
    halves.go_on(&store, 20_000, BETTER);
    assert_eq!(only(&look(&store.store, &plan(), 0)).verdict, Verdict::Ship);
    halves.go_on(&store, 20_000, Behaviour { failing: 0.2, ..BETTER });
    let report = look(&store.store, &plan(), 1);
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Keep, "{candidate:#?}");
    let errors = of(candidate, Measure::ErrorRate);
    assert_eq!((errors.standing, errors.intersection), (Standing::Worse, errors.interval));
    assert_eq!(errors.contradicted_ns, Some(ns(minute(1))));
    assert!(
        errors.sentence.ends_with(
            "; this look and those before contradict one another, so that only this one counts"
        ),
        "{}",
        errors.sentence
    );
    let dates: Vec<_> = candidate.reached.iter().map(|one| (one.verdict, one.look)).collect();
    assert_eq!(dates, [(Verdict::Ship, 1), (Verdict::Keep, 2)]);
    assert_eq!(candidate.decided.as_ref(), candidate.reached.last());
    // It stays so.
    halves.go_on(&store, 100, BETTER);
    let errors = look(&store.store, &plan(), 2).candidates.remove(0).findings.remove(0);
    assert_eq!(errors.contradicted_ns, Some(ns(minute(1))));
}

#[test]
fn a_candidate_that_can_gain_too_little_is_not_shipped_once_it_is_certain_that_it_does() {
    // A quarter of what is worth it.
    let slightly = Behaviour { ms: 9.6, ..STEADY };
    let plan = plan().metrics([Metric::success(Measure::LatencyP50, 0.15)]);
    let store = Store::with(&[]);
    let mut halves = Halves::new(60_000);
    halves.go_on(&store, 3_000, slightly);
    let report = look(&store.store, &plan, 0);
    let first = only(&report);
    assert_eq!((first.verdict, first.findings[0].standing), (Verdict::Keep, Standing::Short));
    halves.go_on(&store, 57_000, slightly);
    let report = look(&store.store, &plan, 1);
    let candidate = only(&report);
    assert_eq!(candidate.findings[0].standing, Standing::Better, "{candidate:#?}");
    assert_eq!((candidate.verdict, &candidate.because), (Verdict::Keep, &first.because));
    assert_eq!(candidate.decided, first.decided);
}

#[test]
fn a_split_that_was_broken_once_is_not_made_whole_by_what_comes_later() {
    let store = Store::with(&[]);
    let mut halves = Halves::new(4_000);
    let (stable, candidate) = (halves.templates[0].clone(), halves.templates[1].clone());
    halves.templates[1] = stable;
    halves.go_on(&store, 50, STEADY);
    halves.templates[1] = candidate;
    halves.go_on(&store, 2, STEADY);
    assert_eq!(only(&look(&store.store, &plan(), 0)).verdict, Verdict::Broken);
    halves.go_on(&store, 3_000, STEADY);
    let report = look(&store.store, &plan(), 1);
    assert!(!report.sample_ratio.as_ref().unwrap().broken, "{report:#?}");
    assert_eq!(
        (only(&report).verdict, &*only(&report).because),
        (
            Verdict::Broken,
            "at look 1 the traffic was not split as it should have been; to look at what came after it \
             was mended, say since when"
        )
    );
}

#[test]
fn of_many_looks_the_first_and_the_last_stay_and_others_evenly_between() {
    let store = Store::with(&[]);
    let mut halves = Halves::new(4_000);
    for at in 0..250 {
        halves.go_on(&store, 10, STEADY);
        look(&store.store, &plan(), at);
    }
    let looks = store.store.looks("ranker").unwrap();
    let numbers: Vec<_> = looks.iter().map(|look| look.number).collect();
    let odd: Vec<_> = (1..250).step_by(2).chain([250]).collect();
    assert_eq!(numbers, odd);
    let last = looks.last().unwrap();
    assert_eq!((last.at_ns, &*last.verdict), (ns(minute(249)), "undecided"));
    assert_eq!(last.config_id.as_str(), "candidate");
    let report = store.report(&plan());
    let errors = of(only(&report), Measure::ErrorRate);
    let kept = last.metrics.iter().find(|metric| metric.name == "error_rate").unwrap();
    assert_eq!(kept.difference, errors.difference);
    assert_eq!(Interval { low: kept.low, high: kept.high }, errors.interval);
}

#[test]
fn a_look_that_finds_the_same_as_the_one_before_is_not_another() {
    let store = shadowed(2_000, STEADY, STEADY);
    for at in 0..3 {
        let report = look(&store.store, &Plan::new(), at);
        assert_eq!(report.looks.unwrap().count, 1);
    }
    let looks = store.store.looks("ranker").unwrap();
    assert_eq!(looks.iter().map(|look| look.at_ns).collect::<Vec<_>>(), [ns(minute(0))]);
}

#[test]
fn those_who_look_at_the_same_time_begin_where_the_other_ended() {
    let store = Store::with(&[]);
    let mut halves = Halves::new(9_000);
    for _ in 0..20 {
        halves.go_on(&store, 300, BETTER);
        thread::scope(|scope| {
            for _ in 0..3 {
                let file = store.store.path().to_owned();
                scope.spawn(move || {
                    let store = SqliteStore::open(file).unwrap();
                    Report::look(&store, &plan(), SystemTime::now()).unwrap();
                });
            }
        });
    }
    let looks = store.store.looks("ranker").unwrap();
    let numbers: BTreeSet<_> = looks.iter().map(|look| look.number).collect();
    assert_eq!(numbers, (1..=20).collect());
    let report = store.report(&plan());
    for finding in &only(&report).findings {
        let name = finding.metric.measure.as_str();
        let mut of_looks = looks.iter().flat_map(|look| &look.metrics).filter(|m| m.name == name);
        let all = of_looks.try_fold(Interval::EVERYTHING, |all, metric| {
            all.intersect(&Interval { low: metric.low, high: metric.high })
        });
        assert_eq!(all, Some(finding.intersection), "{name}");
    }
}

#[test]
fn another_question_begins_anew_and_the_first_one_can_be_asked_again() {
    let store = Store::with(&[]);
    let mut halves = Halves::new(9_000);
    let other = plan().metrics([Metric::guardrail(Measure::ErrorRate, 0.02)]);
    let count = |plan: &Plan, at| {
        let looks = look(&store.store, plan, at).looks.unwrap();
        (looks.count, looks.has_others)
    };
    halves.go_on(&store, 1_000, STEADY);
    assert_eq!(count(&plan(), 0), (1, false));
    halves.go_on(&store, 1_000, STEADY);
    assert_eq!(count(&plan(), 1), (2, false));
    assert_eq!(count(&other, 2), (1, true));
    // Those of the question that was looked at last.
    assert_eq!(store.store.looks("ranker").unwrap().len(), 1);
    // And of each question its own.
    let history = |plan: &Plan| store.report(plan).history(&store.store).unwrap();
    let times = |plan: &Plan| history(plan).iter().map(|look| look.at_ns).collect::<Vec<_>>();
    assert_eq!(times(&plan()), [0, 1].map(|at| ns(minute(at))));
    assert_eq!(times(&other), [ns(minute(2))]);
    assert!(times(&plan().baseline("candidate")).is_empty());
    halves.go_on(&store, 1_000, STEADY);
    assert_eq!(count(&plan(), 3), (3, true));
    assert_eq!(store.store.looks("ranker").unwrap().len(), 3);
    assert_eq!(count(&plan().baseline("candidate"), 4), (1, true));
}

#[test]
fn what_is_only_shown_begins_nothing_anew() {
    let store = shadowed(2_000, STEADY, STEADY);
    let errors = Metric::guardrail(Measure::ErrorRate, 0.02);
    let latency = Metric::quality(Measure::LatencyP50);
    let count = |metrics: &[Metric], at| {
        let plan = Plan::new().metrics(metrics.iter().cloned());
        look(&store.store, &plan, at).looks.unwrap().count
    };
    assert_eq!(count(std::slice::from_ref(&errors), 0), 1);
    assert_eq!(count(&[errors.clone(), latency.clone()], 1), 2);
    assert_eq!(count(&[errors.clone(), latency], 2), 2);
    assert_eq!(count(std::slice::from_ref(&errors), 3), 3);
    assert_eq!(count(&[errors], 4), 3);
}

#[test]
fn the_questions_that_nobody_asked_for_longest_go() {
    let store = shadowed(200, STEADY, STEADY);
    let margin = |at: u64| {
        Plan::new().metrics([Metric::guardrail(Measure::ErrorRate, 0.001 * (at + 1) as f64)])
    };
    for at in 0..9 {
        look(&store.store, &margin(at), at);
    }
    let count = |at| store.report(&margin(at)).looks.map(|looks| looks.count);
    assert_eq!((count(0), count(1), count(8)), (None, Some(1), Some(1)));
}

#[test]
fn a_look_since_a_certain_time_is_none_and_does_not_know_the_others() {
    let store = shadowed(2_000, STEADY, STEADY);
    look(&store.store, &Plan::new(), 0);
    let since = Plan::new().since_ns(1);
    let report = look(&store.store, &since, 1);
    assert_eq!((report.looks, &only(&store.report(&since)).reached.len()), (None, &0));
    assert_eq!(store.store.looks("ranker").unwrap().len(), 1);
}

#[test]
fn a_store_that_may_only_be_read_keeps_no_look() {
    let store = shadowed(2_000, STEADY, STEADY);
    let reader = SqliteStore::open_read_only(store.store.path()).unwrap();
    let error = Report::look(&reader, &Plan::new(), minute(0)).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    let report = Report::read(&reader, &Plan::new()).unwrap().remove(0);
    assert_eq!(report.looks, None);
    assert_eq!(store.store.looks("ranker").unwrap(), []);
}

#[test]
fn the_same_measure_in_two_roles_is_two_metrics() {
    let store = split(2_000, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, BETTER, 0.0)]);
    let plan = Plan::new().metrics([
        Metric::guardrail(Measure::LatencyP50, 0.1),
        Metric::success(Measure::LatencyP50, 0.1),
    ]);
    for at in 0..2 {
        assert_eq!(look(&store.store, &plan, at).looks.unwrap().count, 1);
    }
    let looks = store.store.looks("ranker").unwrap();
    let names: Vec<_> = looks[0].metrics.iter().map(|metric| &*metric.name).collect();
    assert_eq!(names, ["latency_p50", "latency_p50 (success)"]);
}

/// Half and half, so that now the one is ahead by requests and now the other.
#[test]
fn without_a_plan_the_baseline_is_the_arm_that_was_there_first_at_every_look() {
    let store = Store::with(&[]);
    let mut halves = Halves::new(2_000);
    let questions: BTreeSet<_> = (0..6)
        .map(|at| {
            // (An odd number each time.)
            halves.go_on(&store, 101, STEADY);
            let report = look(&store.store, &Plan::new(), at);
            assert_eq!(report.baseline.config_id.as_str(), "stable", "{at}");
            report.looks.unwrap().count
        })
        .collect();
    assert_eq!(questions, (1..=6).collect());
}
