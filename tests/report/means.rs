//! Numbers that services say of their branches, held against each other.

use super::support::{Random, STEADY, Store, Traffic, of, only, templates};
use tower_spearmint::{
    Branch,
    assign::Epoch,
    branch::{Role, Status},
    report::{Finding, Measure, Metric, Plan, Report, Standing, Verdict},
};

fn tokens() -> Measure {
    Measure::Mean("tokens".into())
}

fn guardrail(margin: f64) -> Plan {
    Plan::new().metrics([Metric::guardrail(tokens(), margin)])
}

fn success() -> Plan {
    Plan::new().metrics([Metric::success(Measure::Mean("score".into()), 0.01).increasing()])
}

/// Halves of the requests go to each; `says` what is said of the n-th of them.
pub(crate) fn split(requests: u64, mut says: impl FnMut(usize, &mut Random, &mut Branch)) -> Store {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    templates.iter_mut().for_each(|template| template.probability = 0.5);
    let mut traffic = Traffic::new(11, requests);
    let mut random = Random(13);
    for _ in 0..requests {
        let at = usize::from(random.unit() < 0.5);
        traffic.add(&templates[at], Role::Primary, STEADY, None);
        says(at, &mut random, traffic.branches.last_mut().unwrap());
    }
    Store::with(&traffic.branches)
}

/// All requests go to both; `says` both numbers of a request.
fn both(
    requests: u64,
    roles: [Role; 2],
    name: &str,
    mut says: impl FnMut(&mut Random) -> [Option<f64>; 2],
) -> Store {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    templates.iter_mut().for_each(|template| template.probability = 1.0);
    let mut traffic = Traffic::new(11, requests);
    let mut random = Random(13);
    for _ in 0..requests {
        let mut request = None;
        for (at, value) in says(&mut random).into_iter().enumerate() {
            let id = traffic.add(&templates[at], roles[at], STEADY, request);
            request = request.or(Some(id));
            let branch = traffic.branches.last_mut().unwrap();
            (branch.status, branch.failure) = (Status::Success, None);
            value.iter().for_each(|value| assert!(branch.metrics.set(name, *value)));
        }
    }
    Store::with(&traffic.branches)
}

const SHADOW: [Role; 2] = [Role::Primary, Role::Shadow];

/// Some need ten times as many as others.
fn some(random: &mut Random) -> f64 {
    200.0 + 1_800.0 * random.unit()
}

fn finding<'a>(report: &'a Report, name: &str) -> &'a Finding {
    of(only(report), Measure::named(name))
}

fn width(report: &Report) -> f64 {
    finding(report, "tokens").interval.width()
}

#[test]
fn five_percent_more_tokens_than_two_allowed_keep_the_baseline() {
    let store = split(40_000, |at, random, branch| {
        branch.metrics.set("tokens", some(random) * [1.0, 1.05][at]);
    });
    let report = store.report(&guardrail(0.02));
    assert_eq!(only(&report).verdict, Verdict::Keep, "{report:#?}");
    let tokens = finding(&report, "tokens");
    assert!(tokens.interval.contains(0.05) && tokens.interval.low > 0.02, "{tokens:?}");
    assert!(tokens.sentence.starts_with("tokens: 1"), "{}", tokens.sentence);
    assert!(tokens.sentence.ends_with(": worse than by the 2.00% allowed"), "{}", tokens.sentence);
    assert_eq!(only(&report).because, tokens.sentence);
}

#[test]
fn a_better_score_ships() {
    let store = split(20_000, |at, random, branch| {
        branch.metrics.set("score", (random.unit() + [0.0, 0.05][at]).min(1.0));
    });
    let report = store.report(&success());
    assert_eq!(only(&report).verdict, Verdict::Ship, "{report:#?}");
    assert_eq!(finding(&report, "score").standing, Standing::Better);
    // Where less of it is better, the same is harm.
    let plan = Plan::new().metrics([Metric::success(Measure::Mean("score".into()), 0.01)]);
    assert_eq!(only(&store.report(&plan)).verdict, Verdict::Keep);
}

#[test]
fn constants_say_nothing_whatever_they_are() {
    for values in [[0.1, 0.1], [0.1, 0.3], [0.0, 0.0], [0.0, 5.0], [-1.0, 1.0]] {
        let store = split(5_000, |at, _, branch| {
            branch.metrics.set("tokens", values[at]);
            branch.metrics.set("score", values[at]);
        });
        for plan in [guardrail(0.02), success()] {
            let report = store.report(&plan);
            let candidate = only(&report);
            assert_eq!(candidate.verdict, Verdict::Undecided, "{values:?} {candidate:#?}");
            assert_eq!(candidate.findings[0].standing, Standing::Open);
        }
        let shadows = both(5_000, SHADOW, "tokens", |_| values.map(Some));
        assert_eq!(only(&shadows.report(&guardrail(0.02))).verdict, Verdict::Undecided);
    }
}

#[test]
fn less_than_a_hundred_of_a_side_say_nothing() {
    let mut number = 0;
    let store = split(5_000, |at, random, branch| {
        number += at;
        if at == 0 || number < 100 {
            branch.metrics.set("tokens", some(random) * [1.0, 9.0][at]);
        }
    });
    let report = store.report(&guardrail(0.02));
    let tokens = finding(&report, "tokens");
    assert_eq!((only(&report).verdict, tokens.candidate_count), (Verdict::Undecided, 99));
    assert!(!tokens.interval.width().is_finite());
}

#[test]
fn a_small_arm_that_saw_none_of_the_large_values_is_not_certain_to_have_less() {
    let mut numbers = [0_u64; 2];
    let mut templates = templates("ranker", &["stable", "candidate"]);
    let mut traffic = Traffic::new(11, 20_000);
    for number in 0..20_000_u64 {
        let at = usize::from(number % 100 == 0);
        templates[at].probability = [0.99, 0.01][at];
        traffic.add(&templates[at], Role::Primary, STEADY, None);
        numbers[at] += 1;
        // One of a hundred of the baseline costs something, and one of the candidate's 200 a fifth of that.
        let cost = match (at, numbers[at]) {
            (0, n) if n % 100 == 0 => 100.0,
            (1, 100) => 20.0,
            _ => 0.0,
        };
        traffic.branches.last_mut().unwrap().metrics.set("tokens", cost);
    }
    let plan = Plan::new().baseline("stable").metrics([Metric::success(tokens(), 0.0)]);
    let report = Store::with(&traffic.branches).report(&plan);
    let tokens = finding(&report, "tokens");
    assert_eq!((tokens.baseline_count, tokens.candidate_count), (19_800, 200));
    assert!(tokens.interval.contains(0.0) && tokens.interval.contains(1.0), "{tokens:?}");
    assert_eq!(only(&report).verdict, Verdict::Undecided, "{report:#?}");
}

#[test]
fn what_only_one_side_says_or_nobody_is_said_so() {
    let store = split(2_000, |at, random, branch| {
        if at == 1 {
            branch.metrics.set("tokens", some(random));
        }
    });
    let report = store.report(&guardrail(0.02));
    assert_eq!(only(&report).verdict, Verdict::Undecided);
    assert_eq!(only(&report).because, "tokens was not measured on both sides");
    let report = store.report(&success());
    assert_eq!(
        only(&report).because,
        "score was never measured: nobody said it of any branch or unit"
    );
}

#[test]
fn pairs_are_far_sharper_than_the_same_numbers_apart() {
    let about = |random: &mut Random| {
        let needed = some(random);
        [Some(needed), Some(needed * (0.99 + 0.02 * random.unit()))]
    };
    let paired = both(4_000, SHADOW, "tokens", about).report(&guardrail(0.02));
    let somehow = both(4_000, [Role::Branch; 2], "tokens", about).report(&guardrail(0.02));
    let apart = split(8_000, |_, random, branch| {
        branch.metrics.set("tokens", some(random));
    });
    let apart = apart.report(&guardrail(0.02));
    assert!(width(&paired) < 0.1 * width(&apart), "{} {}", width(&paired), width(&apart));
    // Nobody knows how arms that share requests go together: as badly as may be.
    assert!(width(&somehow) > 1.2 * width(&apart), "{} {}", width(&somehow), width(&apart));
    assert_eq!(only(&paired).verdict, Verdict::Ship, "{paired:#?}");
    assert_ne!(only(&somehow).verdict, Verdict::Ship);
}

#[test]
fn a_shadow_counts_where_both_sides_say_it() {
    let mut number = 0;
    let report = both(3_000, SHADOW, "tokens", |random| {
        number += 1;
        let needed = some(random);
        // Of the long ones the shadow says nothing: they must not look better for it.
        [Some(needed), (needed < 1_000.0).then_some(needed)]
    });
    let report = report.report(&guardrail(0.02));
    let tokens = finding(&report, "tokens");
    assert_eq!(tokens.baseline, tokens.candidate);
    assert!(tokens.baseline_count == tokens.candidate_count && tokens.candidate_count < 1_700);
    assert_eq!(only(&report).verdict, Verdict::Ship, "{report:#?}");
}

#[test]
fn what_no_plan_names_is_shown_and_is_neither_better_nor_worse() {
    let store = split(10_000, |at, random, branch| {
        branch.metrics.set("tokens", some(random) * [1.0, 2.0][at]);
    });
    let report = store.report(&Plan::new());
    let tokens = finding(&report, "tokens");
    assert_eq!((tokens.standing, tokens.metric.undirected), (Standing::Shown, true));
    assert!(tokens.interval.low > 0.9, "{tokens:?}");
    assert!(
        tokens.sentence.starts_with("tokens: 2") && tokens.sentence.ends_with('%'),
        "{tokens:?}"
    );
    // What it is called is not what decides.
    assert!(!only(&report).because.contains("tokens"), "{}", only(&report).because);
}

#[test]
fn weights_that_change_while_all_need_more_do_not_make_an_arm_look_worse() {
    let mut number = 0;
    let mut templates = templates("ranker", &["stable", "candidate"]);
    let mut traffic = Traffic::new(11, 40_000);
    let mut random = Random(13);
    for _ in 0..40_000 {
        number += 1;
        // At first one in ten gets the candidate and all need little; then half of them, and all need much.
        let (share, more, epoch) = if number <= 20_000 { (0.1, 1.0, 1) } else { (0.5, 3.0, 2) };
        let at = usize::from(random.unit() < share);
        templates[at].probability = [1.0 - share, share][at];
        traffic.add(&templates[at], Role::Primary, STEADY, None);
        let branch = traffic.branches.last_mut().unwrap();
        branch.epoch = Epoch::recorded(epoch, epoch);
        branch.metrics.set("tokens", more * some(&mut random));
    }
    let report = Store::with(&traffic.branches).report(&guardrail(0.02));
    let tokens = finding(&report, "tokens");
    assert!(tokens.interval.contains(0.0), "{tokens:?}");
    assert!(tokens.difference.unwrap().abs() < 0.03, "{tokens:?}");
    assert_ne!(only(&report).verdict, Verdict::Keep);
}

/// Users by Zipf's law with this exponent, each with a level of its own, in one arm or the other.
fn users(seed: u64, requests: usize, units: usize, exponent: f64) -> Store {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    templates.iter_mut().for_each(|template| template.probability = 0.5);
    let mut traffic = Traffic::new(seed, requests as u64);
    let mut random = Random(seed);
    let mut sums: Vec<f64> = (1..=units).map(|rank| (rank as f64).powf(-exponent)).collect();
    (1..units).for_each(|at| sums[at] += sums[at - 1]);
    let levels: Vec<_> = (0..units).map(|_| some(&mut random)).collect();
    let arms: Vec<_> = (0..units).map(|_| usize::from(random.unit() < 0.5)).collect();
    for _ in 0..requests {
        let drawn = random.unit() * sums[units - 1];
        let unit = sums.partition_point(|sum| *sum < drawn).min(units - 1);
        let at = arms[unit];
        traffic.add(&templates[at], Role::Primary, STEADY, None);
        let branch = traffic.branches.last_mut().unwrap();
        branch.unit = Some((unit as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17));
        let value = levels[unit] * (0.95 + 0.1 * random.unit());
        branch.metrics.set("tokens", value);
    }
    Store::with(&traffic.branches)
}

#[test]
fn units_of_unequal_traffic_that_are_all_alike_never_ship() {
    let plan = Plan::new().metrics([Metric::success(tokens(), 0.0)]);
    for seed in 1..=8 {
        let report = users(seed, 4_000, 3_000, 1.0).report(&plan);
        // (The split is by unit, and checked elsewhere.)
        assert_eq!(only(&report).findings[0].standing, Standing::Open, "{seed}: {report:#?}");
    }
}

#[test]
fn units_are_counted_as_what_they_are_and_not_as_their_requests() {
    let by_unit = users(3, 12_000, 2_000, 0.0).report(&guardrail(0.02));
    let store = split(12_000, |_, random, branch| {
        branch.metrics.set("tokens", some(random));
    });
    let by_request = store.report(&guardrail(0.02));
    assert!(
        width(&by_unit) > 2.0 * width(&by_request),
        "{} {}",
        width(&by_unit),
        width(&by_request)
    );
    assert!(width(&by_unit).is_finite());
}

#[test]
fn a_score_that_is_not_said_where_it_would_be_low_is_no_better() {
    let store = split(20_000, |at, random, branch| {
        let score = random.unit();
        if at == 0 || score > 0.1 {
            branch.metrics.set("score", score);
        }
    });
    let report = store.report(&success());
    assert_eq!(only(&report).verdict, Verdict::Undecided, "{report:#?}");
    let score = finding(&report, "score");
    assert!(score.interval.low > 0.0, "{score:?}");
    let said = "score is held open: it was said of 100% of the requests of stable that ended, and of 89.9% of the \
                requests of candidate: those that are left";
    assert!(only(&report).because.starts_with(said), "{}", only(&report).because);
}
