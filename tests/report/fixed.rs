//! The textbook's tests, of each branch.

use super::{
    means,
    outcomes::Shop,
    support::{Behaviour, STEADY, Store, Traffic, block_on, shadowed, split, templates},
};
use serde_json::Value;
use std::time::Duration;
use tower_spearmint::{
    Branch,
    assign::Reason,
    branch::{Failure, FailureKind, Role, Status},
    compare::{Comparison, DifferenceKind, Differences},
    record::LoggerBackend,
    report::{
        Measure, Metric, OneLook, Plan,
        fixed::{AlsoTested, By, FixedError, FixedReport, FixedTest, Method},
    },
    stats::Interval,
};

const SLOWER: Behaviour = Behaviour { ms: 12.0, ..STEADY };

fn look(store: &Store, plan: &Plan) -> FixedReport {
    only(OneLook::new(plan.clone()).read([&store.store], |_| {}).unwrap())
}

fn only(mut reports: Vec<FixedReport>) -> FixedReport {
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

fn of(report: &FixedReport, measure: &Measure) -> FixedTest {
    let tests = &report.candidates[0].tests;
    tests.iter().find(|test| test.metric.measure == *measure).unwrap().clone()
}

fn also(test: &FixedTest, method: Method) -> &AlsoTested {
    test.also.iter().find(|also| also.method == method).unwrap()
}

fn score() -> Measure {
    Measure::named("score")
}

fn plan() -> Plan {
    Plan::new().baseline("stable").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.005),
        Metric::success(Measure::LatencyP50, 0.0),
        Metric::success(score(), 0.0).increasing(),
    ])
}

/// What `tests/oracles/one_look.py` gives, and what scipy makes of it.
fn oracle(design: &str) -> (Value, Value) {
    let all: Value = serde_json::from_str(include_str!("../oracles/one_look.json")).unwrap();
    (all[design]["given"].clone(), all[design]["expected"].clone())
}

/// The n-th branch of a side is as it is given.
fn become_given(branch: &mut Branch, given: &Value, n: usize) {
    let fails = given["failed"][n].as_bool().unwrap();
    (branch.status, branch.failure) = if fails {
        (Status::Failed, Some(Failure::new(FailureKind::Error, "no")))
    } else {
        (Status::Success, None)
    };
    branch.duration_ns = (given["ms"][n].as_f64().unwrap() * 1e6).round() as u64;
    branch.end_ns = branch.start_ns + branch.duration_ns;
    branch.metrics.set("score", given["score"][n].as_f64().unwrap());
}

/// Each branch of either side had a request of its own; or both had the same.
fn given(sides: &Value, roles: [Role; 2]) -> Store {
    let templates = templates("ranker", &["stable", "candidate"]);
    let size = |at: usize| sides[at]["ms"].as_array().unwrap().len();
    let together = roles[1] != Role::Primary;
    let mut traffic = Traffic::new(7, (size(0) + size(1)) as u64);
    for n in 0..size(0).max(size(1)) {
        let mut request = None;
        for at in (0..2).filter(|at| n < size(*at)) {
            let of = request.filter(|_| together);
            request = Some(traffic.add(&templates[at], roles[at], STEADY, of));
            become_given(traffic.branches.last_mut().unwrap(), &sides[at], n);
        }
    }
    Store::with(&traffic.branches)
}

fn agree(found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found} {expected}");
}

fn agree_interval(test: (Option<f64>, Interval), expected: &Value) {
    agree(test.0.unwrap(), &expected["p"]);
    agree(test.1.low, &expected["low"]);
    agree(test.1.high, &expected["high"]);
}

#[test]
fn branches_with_requests_of_their_own_are_tested_as_by_scipy() {
    let (sides, expected) = oracle("apart");
    let report = look(&given(&sides, [Role::Primary; 2]), &plan());
    let errors = of(&report, &Measure::ErrorRate);
    assert_eq!((errors.method, errors.by), (Method::FisherExact, By::Requests));
    agree(errors.p.unwrap(), &expected["fisher"]);
    let scores = of(&report, &score());
    assert_eq!((scores.baseline_count, scores.candidate_count), (121, 133));
    agree_interval((scores.p, scores.interval), &expected["score"]);
    agree(also(&scores, Method::MannWhitney).p.unwrap(), &expected["score_ranks"]);
    let times = of(&report, &Measure::LatencyP50);
    let means = also(&times, Method::Welch);
    agree_interval((means.p, means.interval), &expected["duration"]);
    let ranks = also(&times, Method::MannWhitney);
    agree(ranks.p.unwrap(), &expected["duration_ranks"]);
    agree(ranks.difference.unwrap(), &expected["shift"]);
    let metrics = plan().metrics.into_iter().filter(|m| m.measure != Measure::LatencyP50);
    let report = look(&given(&sides, [Role::Primary; 2]), &plan().metrics(metrics));
    for (measure, expected) in
        [Measure::ErrorRate, score()].iter().zip(expected["benjamini_hochberg"].as_array().unwrap())
    {
        agree(of(&report, measure).p_benjamini_hochberg.unwrap(), expected);
    }
    assert_eq!(of(&report, &Measure::ErrorRate).p_holm, None);
    assert_eq!(of(&report, &score()).p_holm, of(&report, &score()).p);
}

#[test]
fn branches_of_the_same_requests_are_tested_in_pairs_as_by_scipy() {
    let (sides, expected) = oracle("paired");
    for roles in [[Role::Primary, Role::Shadow], [Role::Branch; 2]] {
        let report = look(&given(&sides, roles), &plan());
        let errors = of(&report, &Measure::ErrorRate);
        assert_eq!((errors.method, errors.by), (Method::McNemar, By::Pairs));
        agree(errors.p.unwrap(), &expected["mcnemar"]);
        let scores = of(&report, &score());
        assert_eq!((scores.method, scores.baseline_count), (Method::PairedT, 120));
        agree_interval((scores.p, scores.interval), &expected["score"]);
    }
}

#[test]
fn what_is_slower_is_found_and_what_is_the_same_is_not() {
    let store = split(4_000, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, SLOWER, 0.0)]);
    let report = look(&store, &plan());
    let slower = of(&report, &Measure::LatencyP50);
    assert_eq!(slower.method, Method::Quantiles);
    assert!(slower.interval.contains(2e6) && slower.interval.low > 1e6, "{slower:#?}");
    assert!(slower.p.unwrap() < 0.001, "{slower:#?}");
    assert_eq!(slower.baseline_count + slower.candidate_count, 4_000);
    let errors = of(&report, &Measure::ErrorRate);
    assert_eq!(errors.method, Method::TwoProportions);
    assert!(errors.interval.contains(0.0) && errors.p.unwrap() > 0.05, "{errors:#?}");
    // Two points of 2,000 on a side, where one in a hundred fails: as in a table for the z test.
    assert!((errors.detectable.unwrap() - 0.0105).abs() < 0.001, "{errors:#?}");
}

#[test]
fn a_slower_shadow_is_found_among_its_pairs() {
    let store = shadowed(2_000, STEADY, SLOWER);
    let slower = of(&look(&store, &plan()), &Measure::LatencyP50);
    assert_eq!((slower.method, slower.baseline_count), (Method::PairedQuantiles, 2_000));
    assert!(slower.interval.contains(2e6) && slower.interval.low > 1.5e6, "{slower:#?}");
    assert!(slower.p.unwrap() < 1e-9, "{slower:#?}");
}

#[test]
fn two_looks_at_the_same_branches_say_the_same() {
    let store = split(500, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, SLOWER, 0.0)]);
    let json = || serde_json::to_string(&look(&store, &plan())).unwrap();
    assert_eq!(json(), json());
}

/// Forty requests of each of fifty units, a few of which always fail, all of one config.
#[test]
fn requests_of_a_unit_are_summed_up_before_they_are_tested() {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    templates.iter_mut().for_each(|template| template.probability = 0.5);
    let mut traffic = Traffic::new(3, 2_000);
    for n in 0..2_000_u64 {
        let unit = n % 50;
        let at = (unit % 2) as usize;
        traffic.add(&templates[at], Role::Primary, Behaviour { failing: 0.0, ..STEADY }, None);
        let branch = traffic.branches.last_mut().unwrap();
        branch.unit = Some((unit + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if unit == 1 || unit == 7 {
            (branch.status, branch.failure) =
                (Status::Failed, Some(Failure::new(FailureKind::Error, "no")));
        }
    }
    let report = look(&Store::with(&traffic.branches), &plan());
    let errors = of(&report, &Measure::ErrorRate);
    assert_eq!((errors.method, errors.by), (Method::WelchByUnit, By::Units));
    assert_eq!((errors.baseline_count, errors.candidate_count), (25, 25));
    assert_eq!(errors.baseline, Some(0.0));
    assert!((errors.candidate.unwrap() - 0.08).abs() < 1e-12, "{errors:#?}");
    // By request, 80 failures of 1,000 against none would be certain.
    assert!(errors.p.unwrap() > 0.05, "{errors:#?}");
    let times = of(&report, &Measure::LatencyP50);
    assert_eq!((times.method, times.candidate_count), (Method::QuantilesByUnit, 25));
    assert!(times.interval.contains(0.0) && times.p.unwrap() > 0.05, "{times:#?}");
}

/// Requests of a unit take about as long as one another; half of them are of the candidate.
#[test]
fn quantiles_of_requests_of_units_are_as_sure_as_their_units_are_many() {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    templates.iter_mut().for_each(|template| template.probability = 0.5);
    let width = |units: u64, slower: f64| {
        let mut traffic = Traffic::new(3, 4_000);
        for n in 0..4_000 {
            let unit = n % units;
            let at = (unit % 2) as usize;
            traffic.add(&templates[at], Role::Primary, Behaviour { failing: 0.0, ..STEADY }, None);
            let branch = traffic.branches.last_mut().unwrap();
            branch.unit = Some((unit + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let own = (unit / 2 * 37 % 101) as f64 / 10.0;
            branch.duration_ns = ((10.0 + own + slower * at as f64) * 1e6) as u64 + n % 1_000;
            branch.end_ns = branch.start_ns + branch.duration_ns;
        }
        let test = of(&look(&Store::with(&traffic.branches), &plan()), &Measure::LatencyP50);
        assert_eq!((test.method, test.baseline_count), (Method::QuantilesByUnit, units / 2));
        assert!(test.interval.contains(slower * 1e6), "{test:#?}");
        test.interval.width()
    };
    let (few, many) = (width(100, 2.0), width(1_000, 2.0));
    assert!(few > 2.0 * many && few < 5.0 * many, "{few} {many}");
}

#[test]
fn outcomes_are_tested_by_the_totals_of_units_that_bought_nothing_among_them() {
    let mut shop = Shop::new(1, 400);
    shop.come(400, 0.5, [0.1, 0.6], 1);
    let plan =
        Plan::new()
            .baseline("stable")
            .metrics([Metric::success(Measure::named("purchase"), 0.0).increasing()]);
    let bought = of(&look(&shop.store(), &plan), &Measure::named("purchase"));
    assert_eq!((bought.method, bought.by), (Method::Welch, By::Units));
    assert_eq!(bought.baseline_count + bought.candidate_count, 400);
    assert!(bought.interval.contains(0.5) && bought.p.unwrap() < 1e-6, "{bought:#?}");
}

#[test]
fn answers_are_held_against_the_controls_or_have_no_p() {
    let templates = templates("ranker", &["stable", "candidate"]);
    let agreement = Metric::guardrail(Measure::Agreement, 0.01);
    let tested = |with_control: bool| {
        let mut traffic = Traffic::new(7, 200);
        let mut compared = Vec::new();
        for n in 0..200 {
            let first = traffic.branches.len();
            let request = traffic.add(&templates[0], Role::Primary, STEADY, None);
            traffic.add(&templates[1], Role::Shadow, STEADY, Some(request));
            if with_control {
                traffic.add(&templates[0], Role::Control, STEADY, Some(request));
            }
            let request = &traffic.branches[first..];
            for (at, every) in (1..request.len()).zip([10, 20]) {
                let mut differences = Differences::default();
                if n % every == 0 {
                    differences.push("/price", DifferenceKind::Changed, Some("1"), Some("2"));
                }
                compared.push(Comparison::new(&request[0], &request[at], differences));
            }
        }
        let store = Store::with(&traffic.branches);
        block_on(store.store.log_comparisons(&compared)).unwrap();
        of(&look(&store, &plan().metrics([agreement.clone()])), &Measure::Agreement)
    };
    let beside = tested(true);
    assert_eq!((beside.baseline, beside.candidate), (Some(0.95), Some(0.9)));
    // The ten requests in which only the candidate's differ: 2 / 2¹⁰.
    assert!((beside.p.unwrap() - 1.0 / 512.0).abs() < 1e-12, "{beside:#?}");
    assert!(beside.interval.contains(-0.05) && beside.interval.high < 0.0, "{beside:#?}");
    let alone = tested(false);
    assert_eq!((alone.method, alone.p, alone.difference), (Method::Wilson, None, Some(-0.1)));
    assert_eq!(alone.note.as_deref(), Some("without a control there is no p: all should be equal"));
}

#[test]
fn where_there_is_nothing_to_test_it_says_why() {
    let note = |says: fn(usize, &mut Branch)| {
        let store = means::split(60, |at, _, branch| {
            branch.metrics = Default::default();
            (branch.status, branch.failure) = (Status::Success, None);
            says(at, branch);
        });
        let test = of(&look(&store, &plan()), &score());
        (test.p, test.note.unwrap())
    };
    let of_baseline = |at: usize, branch: &mut Branch| {
        if at == 0 {
            branch.metrics.set("score", branch.duration_ns as f64);
        }
    };
    assert_eq!(note(of_baseline), (None, "the candidate has no requests with it".to_owned()));
    assert_eq!(note(|_, _| {}), (None, "no requests with it".to_owned()));
    let alike = |_: usize, branch: &mut Branch| assert!(branch.metrics.set("score", 0.5));
    assert_eq!(note(alike), (None, "nothing scatters: all are alike".to_owned()));
}

#[test]
fn where_all_fail_on_both_sides_the_rates_are_known_and_there_is_no_p() {
    let failing = Behaviour { failing: 1.0, ..STEADY };
    let store = split(200, [("stable", 0.5, failing, 0.0), ("candidate", 0.5, failing, 0.0)]);
    let errors = of(&look(&store, &plan()), &Measure::ErrorRate);
    assert_eq!((errors.baseline, errors.candidate), (Some(1.0), Some(1.0)));
    assert_eq!((errors.difference, errors.p), (Some(0.0), Some(1.0)));
    assert!(errors.interval.low > -0.1 && errors.interval.high < 0.1, "{errors:#?}");
}

#[test]
fn time_outs_are_longer_than_all_that_ended() {
    let times = |hanging| {
        let candidate = Behaviour { hanging, ..STEADY };
        let store = split(400, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, candidate, 0.0)]);
        of(&look(&store, &plan()), &Measure::LatencyP50)
    };
    let some = times(0.2);
    assert!(some.interval.high < 1e7 && some.interval.width() > 0.0, "{some:#?}");
    let ranks = also(&some, Method::MannWhitney);
    assert!(ranks.interval.low > 0.0 && ranks.interval.high < 1e7, "{some:#?}");
    // Of those that are waited for ten times as long, the mean has more.
    assert!(also(&some, Method::Welch).difference.unwrap() > 1e7, "{some:#?}");
    let most = times(0.6);
    assert_eq!((most.candidate, most.p), (None, None));
    assert_eq!(most.note.as_deref(), Some("so many timed out that it is not known"));
    assert!(also(&most, Method::MannWhitney).p.unwrap() < 1e-9, "{most:#?}");
}

#[test]
fn what_is_the_same_of_all_quantiles_is_said_once() {
    let store = split(400, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, SLOWER, 0.0)]);
    let quantiles = [Measure::LatencyP50, Measure::LatencyP95].map(Metric::quality);
    let report = look(&store, &plan().metrics(quantiles));
    let counts = report.candidates[0].tests.iter().map(|test| test.also.len());
    assert_eq!(counts.collect::<Vec<_>>(), [2, 0]);
}

#[test]
fn only_what_started_in_the_time_in_question_counts() {
    let store = split(600, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, STEADY, 0.0)]);
    let starts: Vec<_> = store
        .store
        .branches(&Default::default())
        .unwrap()
        .map(|branch| branch.unwrap().start_ns)
        .collect();
    let look = OneLook::new(plan().since_ns(starts[100])).until_ns(starts[400]);
    let report = only(look.read([&store.store], |_| {}).unwrap());
    assert_eq!(report.branches, 300);
    let errors = of(&report, &Measure::ErrorRate);
    assert_eq!(errors.baseline_count + errors.candidate_count, 300);
}

#[test]
fn branches_that_were_removed_are_counted_and_no_longer_tested() {
    let store = split(600, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, STEADY, 0.0)]);
    store.store.prune(Duration::ZERO, None, |_| {}).unwrap();
    let report = look(&store, &plan());
    assert_eq!((report.branches, report.removed), (0, 600));
    let errors = of(&report, &Measure::ErrorRate);
    assert_eq!(errors.note.as_deref(), Some("no requests with it"));
}

#[test]
fn stores_of_replicas_are_read_as_one_and_a_copy_is_refused() {
    let arms = [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, SLOWER, 0.0)];
    let [one, other] = [split(600, arms), split(300, arms)];
    let read =
        |stores: [&Store; 2]| OneLook::new(plan()).read(stores.map(|store| &store.store), |_| {});
    let report = only(read([&one, &other]).unwrap());
    assert_eq!(report.branches, 900);
    let errors = of(&report, &Measure::ErrorRate);
    assert_eq!(errors.baseline_count + errors.candidate_count, 900);
    let error = read([&one, &one]).unwrap_err().to_string();
    assert!(
        error.ends_with("s.db is a copy of another store that is named; name each once"),
        "{error}"
    );
}

#[test]
fn scores_within_bounds_are_betted_on_and_one_beyond_them_is_named() {
    let store = means::split(400, |at, random, branch| {
        branch.metrics.set("score", 0.6 + [0.0, 0.3][at] + 0.1 * random.unit());
    });
    let look =
        |low, high| OneLook::new(plan()).bounds("score", low, high).read([&store.store], |_| {});
    let scores = of(&only(look(0.0, 1.0).unwrap()), &score());
    let betted = also(&scores, Method::Betting).interval;
    assert!(betted.contains(0.3) && betted.low > 0.1, "{betted:?}");
    // It holds at any time, so that it is wider.
    assert!(betted.width() > scores.interval.width(), "{scores:#?}");
    let error = look(0.0, 0.8).unwrap_err();
    let FixedError::OutOfBounds { name, value, .. } = &error else { panic!("{error}") };
    assert_eq!((name.as_str(), *value > 0.8), ("score", true));
    let text = error.to_string();
    assert!(text.starts_with(&format!("`score` is {value} in branch ")), "{text}");
    assert!(
        text.ends_with(
            ", and was said to lie within 0..0.8: what is betted on scores holds within their bounds alone; say \
             wider ones, or none"
        ),
        "{text}"
    );
    assert_eq!(
        look(1.0, 0.0).unwrap_err().to_string(),
        "the bounds 1..0 of `score` have nothing between them; write the lower one first"
    );
    let unknown = OneLook::new(plan()).bounds("scores", 0.0, 1.0).read([&store.store], |_| {});
    assert_eq!(
        unknown.unwrap_err().to_string(),
        "no branch has a metric named `scores`: correct the name of the bounds"
    );
}

/// Testers ask for the candidate, and always fail there.
#[test]
fn what_chance_did_not_assign_is_in_no_test() {
    let store = means::split(400, |at, random, branch| {
        branch.metrics.set("score", random.unit());
        (branch.status, branch.failure) = (Status::Success, None);
        if at == 1 && random.unit() < 0.2 {
            branch.reason = Reason::Override;
            (branch.status, branch.failure) =
                (Status::Failed, Some(Failure::new(FailureKind::Error, "no")));
        }
    });
    let report = look(&store, &plan());
    let aside: u64 = report.aside.iter().map(|aside| aside.requests).sum();
    assert!(aside > 10 && report.branches == 400 - aside, "{report:#?}");
    assert_eq!(of(&report, &Measure::ErrorRate).candidate, Some(0.0));
    assert!(report.set_aside().unwrap().contains("(override "), "{report:#?}");
}

#[test]
fn time_outs_of_pairs_are_as_long_in_the_means_of_both_sides_as_was_waited() {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    templates.iter_mut().for_each(|template| template.strategy = "shadow".into());
    let mut traffic = Traffic::new(5, 1_000);
    let hanging = Behaviour { hanging: 0.2, failing: 0.0, ..STEADY };
    for n in 0..1_000_u64 {
        let request = traffic.add(&templates[0], Role::Primary, hanging, None);
        traffic.add(
            &templates[1],
            Role::Shadow,
            Behaviour { hanging: 0.0, ..hanging },
            Some(request),
        );
        // (Under units it is the means that are tested.)
        for branch in traffic.branches.iter_mut().rev().take(2) {
            branch.unit = Some((n % 50 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
    }
    let times = of(&look(&Store::with(&traffic.branches), &plan()), &Measure::LatencyP50);
    assert_eq!(times.by, By::Units);
    // A fifth takes 100 ms, the others 10.
    let [one, other] = [times.baseline, times.candidate].map(|mean| mean.unwrap() / 1e6);
    assert!((24.0..32.0).contains(&one) && (9.0..11.0).contains(&other), "{times:#?}");
}

#[test]
fn scores_of_units_are_not_betted_on_and_it_says_why() {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    templates.iter_mut().for_each(|template| template.probability = 0.5);
    let mut traffic = Traffic::new(6, 400);
    for n in 0..400_u64 {
        traffic.add(&templates[(n % 2) as usize], Role::Primary, STEADY, None);
        let branch = traffic.branches.last_mut().unwrap();
        branch.unit = Some((n % 40 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        assert!(branch.metrics.set("score", (n % 7) as f64 / 7.0));
    }
    let store = Store::with(&traffic.branches);
    let look = OneLook::new(plan()).bounds("score", 0.0, 1.0).read([&store.store], |_| {});
    let scores = of(&only(look.unwrap()), &score());
    assert!(scores.also.iter().all(|also| also.method != Method::Betting), "{scores:#?}");
    let why = "not betted on: the scores of a unit are like one another";
    assert_eq!(scores.note.as_deref(), Some(why));
}
