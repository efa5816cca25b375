//! Answers measured and judged in the background.

use crate::support::{Records, pool, records};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::sync::Semaphore;
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    BoxError, Branch, ConfigPool, RoundRobinLayer, ShadowLayer, Trial,
    branch::Role,
    evaluate::{
        Evaluating, Evaluation, Evaluator, Evaluators, ExactMatch, Expected, Length, Missed, Price,
        Prices, Similarity, Unit, function,
    },
    service_fn,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// What became of a metric: how often it was had, and why it was missed.
fn counted(evaluation: &Evaluating, metric: &str) -> (u64, BTreeMap<Missed, u64>) {
    let stats = evaluation.stats();
    let stats = &stats.metrics[metric];
    (stats.had, stats.missed.clone())
}

fn metrics(branch: &Branch) -> Vec<(&str, f64)> {
    branch.metrics.iter().collect()
}

/// A service that answers with what it is asked, recorded and evaluated.
fn echo(
    records: &Records,
    evaluation: &Evaluating,
) -> impl Service<Value, Response = Value, Error = BoxError, Future: Send> + Clone + Send + use<> {
    let answer = service_fn(|trial: Trial<Value>| async move {
        trial.place().note_request(trial.request().clone());
        if let Some(label) = trial.request().get("label") {
            trial.place().note_expected(label.clone());
        }
        Ok::<_, BoxError>(trial.into_request())
    });
    let log = records.layer.clone().evaluate(evaluation.clone());
    let log = log.capture(|answer: &Value| Some(answer.clone()));
    RoundRobinLayer::new(pool(&["a"])).layer(log.layer(answer))
}

async fn all(records: &Records, evaluation: &Evaluating) -> Vec<Branch> {
    evaluation.drain(PATIENCE).await.unwrap();
    records.all().await
}

#[tokio::test]
async fn what_stands_in_an_answer_and_what_it_cost_is_recorded_with_its_branch() {
    let records = records();
    let evaluation = Evaluators::new()
        .measure("tokens", "/usage/total_tokens")
        .measure("cut", "/cut")
        .prices(Prices::new().model("small", Price::new(2.0, 8.0)).unwrap())
        .build()
        .unwrap();
    let service = echo(&records, &evaluation);
    let usage = json!({ "prompt_tokens": 600, "completion_tokens": 212, "total_tokens": 812 });
    let answer = json!({ "model": "small-2026-01-01", "usage": usage, "cut": true });
    service.clone().oneshot(answer).await.unwrap();
    service.oneshot(json!({ "usage": "none" })).await.unwrap();
    let branches = all(&records, &evaluation).await;
    let cost = (600.0 * 2.0 + 212.0 * 8.0) / 1e6;
    assert_eq!(metrics(&branches[0]), [("cost", cost), ("cut", 1.0), ("tokens", 812.0)]);
    assert_eq!(metrics(&branches[1]), []);
    assert_eq!(counted(&evaluation, "tokens"), (1, [(Missed::NoValue, 1)].into()));
    assert_eq!(counted(&evaluation, "cost"), (1, [(Missed::NoPrice, 1)].into()));
}

#[tokio::test]
async fn evaluators_judge_by_what_was_asked_answered_and_expected() {
    let records = records();
    let same_length =
        |a: &Value, b: &Value| f64::from(a.as_str().map(str::len) == b.as_str().map(str::len));
    let asked =
        function("asked", |e: &Evaluation| Some(e.request()?["text"].as_str()?.len() as f64));
    let evaluation = Evaluators::new()
        .with(ExactMatch::new("exact").at("/text").unwrap())
        .with(Length::new("characters").at("/text").unwrap())
        .with(Length::new("words").unit(Unit::Words).at("/text").unwrap())
        .with(Length::new("bytes").unit(Unit::Bytes).at("/text").unwrap())
        .with(Similarity::new("similar", same_length).at("/text").unwrap())
        .with(asked)
        .build()
        .unwrap();
    let service = echo(&records, &evaluation);
    for (text, label) in [("so it göes", json!("so it göes ")), ("so", json!({ "text": "it" }))] {
        service.clone().oneshot(json!({ "text": text, "label": label })).await.unwrap();
    }
    // Without a label there is nothing to hold it against.
    service.oneshot(json!({ "text": "" })).await.unwrap();
    let branches = all(&records, &evaluation).await;
    let said: Vec<_> = branches.iter().map(metrics).collect();
    let lengths = |bytes, characters, words| {
        [("asked", bytes), ("bytes", bytes), ("characters", characters), ("words", words)]
    };
    let judged = |exact, similar, lengths: [(&'static str, f64); 4]| {
        let mut all = lengths.to_vec();
        all.extend([("exact", exact), ("similar", similar)]);
        all.sort_by_key(|(name, _)| *name);
        all
    };
    assert_eq!(said[0], judged(1.0, 0.0, lengths(11.0, 10.0, 3.0)));
    assert_eq!(said[1], judged(0.0, 1.0, lengths(2.0, 2.0, 1.0)));
    assert_eq!(said[2], lengths(0.0, 0.0, 0.0));
}

#[cfg(all(feature = "regex", feature = "schema"))]
#[tokio::test]
async fn an_answer_matches_a_pattern_and_fits_a_schema_or_not() {
    use tower_spearmint::{
        config::schema::Schema,
        evaluate::{FitsSchema, Pattern},
    };
    let records = records();
    let schema = Schema::from_value(json!({ "type": "object", "required": ["ok"] })).unwrap();
    let evaluation = Evaluators::new()
        .with(Pattern::new("sorry", r"(?i)\bsorry\b").unwrap().at("/text").unwrap())
        .with(FitsSchema::new("valid", schema).at("/text").unwrap())
        .build()
        .unwrap();
    let service = echo(&records, &evaluation);
    for text in [json!("Sorry!"), json!(r#"{"ok": 1}"#), json!({ "ok": 1 }), json!("{}")] {
        service.clone().oneshot(json!({ "text": text })).await.unwrap();
    }
    service.oneshot(json!({})).await.unwrap();
    let branches = all(&records, &evaluation).await;
    let of = |name| branches.iter().map(|b| b.metrics.get(name).unwrap()).collect::<Vec<_>>();
    assert_eq!(of("sorry"), [1.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(of("valid"), [0.0, 1.0, 1.0, 0.0, 0.0]);
    let error = Pattern::new("x", "(").unwrap_err().to_string();
    assert!(error.starts_with("not a regular expression: regex parse error:"), "{error}");
}

#[test]
fn what_cannot_be_measured_is_said_when_it_is_built() {
    let built = |evaluators: Evaluators| evaluators.build().unwrap_err().to_string();
    let tokens = || Evaluators::new().measure("tokens", "/n");
    assert_eq!(
        built(tokens().measure("x y", "/n")),
        "`x y` is not the name of a metric; write 1 to 64 letters, digits, `_`, `.`, `/` or `-`"
    );
    assert_eq!(
        built(tokens().with(Length::new("tokens"))),
        "`tokens` is measured twice; give each metric a name of its own"
    );
    assert_eq!(
        built(Evaluators::new().measure("n", "usage/n")),
        "`usage/n` is not a JSON pointer; write a path that begins with a slash, as in \
         /usage/total_tokens"
    );
    let many = (0..33).fold(Evaluators::new(), |all, n| all.measure(&format!("m{n}"), "/n"));
    assert_eq!(built(many), "33 metrics; a branch has at most 32");
}

/// A primary and a shadow that answer when they are let.
struct Two {
    records: Records,
    evaluation: Evaluating,
    shadow: ShadowLayer,
    gates: [Arc<Semaphore>; 2],
}

impl Two {
    fn new(evaluators: Evaluators) -> Self {
        let primary = pool(&["a", "b"]).primary("a").unwrap();
        Self {
            records: records(),
            evaluation: evaluators.expected(Expected::Primary).build().unwrap(),
            shadow: ShadowLayer::new(primary).timeout(PATIENCE),
            gates: [0, 0].map(|_| Arc::new(Semaphore::new(0))),
        }
    }

    fn service(
        &self,
    ) -> impl Service<Value, Response = Value, Error = BoxError, Future: Send> + Clone + Send + use<>
    {
        let gates = self.gates.clone();
        let answer = service_fn(move |trial: Trial<Value>| {
            let gates = gates.clone();
            async move {
                let at = usize::from(trial.place().role() == Role::Shadow);
                gates[at].acquire().await?.forget();
                let answers = trial.request().as_array().cloned();
                Ok::<_, BoxError>(answers.and_then(|a| a.get(at).cloned()).unwrap_or_default())
            }
        });
        let log = self.records.layer.clone().evaluate(self.evaluation.clone());
        self.shadow.layer(log.capture(|answer: &Value| Some(answer.clone())).layer(answer))
    }

    /// Lets one of them answer, and waits until its branch has ended.
    async fn let_answer(&self, at: usize) {
        self.gates[at].add_permits(1);
    }
}

#[tokio::test]
async fn a_shadow_is_judged_by_what_its_primary_answered_whichever_ends_first() {
    for first in [0, 1] {
        let two = Two::new(Evaluators::new().with(ExactMatch::new("same")));
        for (answer, same) in [(json!([1, 1.0]), 1.0), (json!([1, 2]), 0.0)] {
            let call = tokio::spawn(two.service().oneshot(answer));
            two.let_answer(first).await;
            if first == 0 {
                // The primary's branch is recorded; nobody judges it.
                call.await.unwrap().unwrap();
                two.evaluation.drain(PATIENCE).await.unwrap();
                two.let_answer(1).await;
            } else {
                while two.evaluation.stats().waiting == 0 {
                    tokio::task::yield_now().await;
                }
                two.let_answer(0).await;
                call.await.unwrap().unwrap();
            }
            two.shadow.drain(PATIENCE).await;
            // The shadow's branch waits for the primary's to come through; then it is judged.
            while two.evaluation.stats().waiting > 0 {
                tokio::task::yield_now().await;
            }
            let branches = two.records.all().await;
            let [.., primary, shadow] = &branches[..] else { panic!("{branches:?}") };
            assert_eq!((metrics(primary), metrics(shadow)), (vec![], vec![("same", same)]));
        }
        assert_eq!(counted(&two.evaluation, "same"), (2, BTreeMap::new()));
    }
}

#[tokio::test]
async fn a_shadow_whose_primary_never_answers_is_recorded_without() {
    let two = Two::new(Evaluators::new().with(ExactMatch::new("same")).with(Length::new("length")));
    let call = tokio::spawn(two.service().oneshot(json!(["x", "y"])));
    two.let_answer(1).await;
    while two.evaluation.stats().waiting == 0 {
        tokio::task::yield_now().await;
    }
    // Its caller leaves.
    call.abort();
    while two.evaluation.stats().waiting > 0 {
        tokio::task::yield_now().await;
    }
    let ends = two.records.ends().await;
    assert_eq!(ends, ["a primary cancelled", "b shadow success"]);
    let shadow = two.records.all().await.pop().unwrap();
    // What needs nothing to be held against is had all the same.
    assert_eq!(metrics(&shadow), [("length", 1.0)]);
    assert_eq!(counted(&two.evaluation, "same"), (0, [(Missed::NoExpected, 1)].into()));
}

/// Does this whenever it is asked.
struct Does<F>(&'static str, F);

impl<F, Fut> Evaluator for Does<F>
where
    F: Fn(Evaluation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Option<f64>, BoxError>> + Send,
{
    fn name(&self) -> &str {
        self.0
    }

    async fn evaluate(&self, evaluation: &Evaluation) -> Result<Option<f64>, BoxError> {
        (self.1)(evaluation.clone()).await
    }
}

#[tokio::test]
async fn neither_a_caller_nor_a_recorder_waits_for_an_evaluator_that_hangs() {
    let records = records();
    let released = Arc::new(AtomicBool::new(false));
    let until_released = |released: Arc<AtomicBool>| {
        while !released.load(SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    let (first, second) = (released.clone(), released.clone());
    let evaluation = Evaluators::new()
        // It waits for ever, blocks the thread of all evaluators, and blocks a thread of its own.
        .with(Does("waits", |_| pending()))
        .with(Does("blocks", move |_| {
            until_released(first.clone());
            async { Ok(Some(1.0)) }
        }))
        .with(function("hangs", move |_| {
            until_released(second.clone());
            Some(1.0)
        }))
        .with(Length::new("length"))
        .timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    let service = echo(&records, &evaluation);
    for n in 0..40 {
        service.clone().oneshot(json!([n])).await.unwrap();
    }
    // Nobody has released them.
    let branches = all(&records, &evaluation).await;
    assert!(!released.load(SeqCst));
    released.store(true, SeqCst);
    assert_eq!(branches.len(), 40);
    assert!(branches.iter().all(|branch| metrics(branch) == [("length", 1.0)]));
    for name in ["waits", "blocks", "hangs"] {
        assert_eq!(counted(&evaluation, name), (0, [(Missed::Timeout, 40)].into()), "{name}");
    }
}

#[tokio::test]
async fn functions_that_hang_take_no_more_than_their_threads() {
    let records = records();
    let released = Arc::new(AtomicBool::new(false));
    let running = Arc::new(AtomicUsize::new(0));
    let (hang, started) = (released.clone(), running.clone());
    let evaluation = Evaluators::new()
        .with(function("hangs", move |_| {
            started.fetch_add(1, SeqCst);
            while !hang.load(SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            None
        }))
        .timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    let service = echo(&records, &evaluation);
    for n in 0..40 {
        service.clone().oneshot(json!(n)).await.unwrap();
    }
    assert_eq!(all(&records, &evaluation).await.len(), 40);
    let expected = [(Missed::Timeout, 16), (Missed::Busy, 24)].into();
    assert_eq!(counted(&evaluation, "hangs"), (0, expected));
    assert_eq!(running.load(SeqCst), 16);
    released.store(true, SeqCst);
}

#[tokio::test]
async fn evaluators_that_block_their_thread_pile_up_no_more_than_some_calls() {
    let records = records();
    let released = Arc::new(AtomicBool::new(false));
    let block = released.clone();
    let evaluation = Evaluators::new()
        .with(Does("blocks", move |_| {
            while !block.load(SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            async { Ok(Some(1.0)) }
        }))
        .at_once(2)
        .timeout(Duration::from_millis(20))
        .build()
        .unwrap();
    let service = echo(&records, &evaluation);
    for n in 0..20 {
        service.clone().oneshot(json!(n)).await.unwrap();
    }
    assert_eq!(all(&records, &evaluation).await.len(), 20);
    // One is being called, seven wait for it: four times as many as are judged at once.
    let expected = [(Missed::Timeout, 8), (Missed::Busy, 12)].into();
    assert_eq!(counted(&evaluation, "blocks"), (0, expected));
    released.store(true, SeqCst);
}

#[tokio::test]
async fn a_panic_or_an_error_of_an_evaluator_costs_its_number_and_nothing_else() {
    let records = records();
    let evaluation = Evaluators::new()
        .with(Does("panics", |e: Evaluation| async move { panic!("at {:?}", e.response()) }))
        .with(function("panics/too", |_| panic!("in a function")))
        .with(Does("fails", |_| async { Err("no answer".into()) }))
        .with(Does("infinite", |_| async { Ok(Some(f64::INFINITY)) }))
        .with(Does("says/nothing", |_| async { Ok(None) }))
        .with(Length::new("length"))
        .build()
        .unwrap();
    let service = echo(&records, &evaluation);
    for _ in 0..3 {
        service.clone().oneshot(json!([])).await.unwrap();
    }
    let branches = all(&records, &evaluation).await;
    assert_eq!(branches.len(), 3);
    assert!(branches.iter().all(|branch| metrics(branch) == [("length", 0.0)]));
    for (name, why) in [
        ("panics", Missed::Panic),
        ("panics/too", Missed::Panic),
        ("fails", Missed::Error),
        ("infinite", Missed::Error),
        ("says/nothing", Missed::NoValue),
    ] {
        assert_eq!(counted(&evaluation, name), (0, [(why, 3)].into()), "{name}");
    }
}

#[tokio::test]
async fn beyond_the_bounds_branches_are_recorded_at_once_without_and_that_is_counted() {
    let records = records();
    let gate = Arc::new(Semaphore::new(0));
    let inside = gate.clone();
    let slow = Does("slow", move |_| {
        let gate = inside.clone();
        async move {
            gate.acquire().await?.forget();
            Ok(Some(1.0))
        }
    });
    let evaluation =
        Evaluators::new().with(slow).at_once(2).waiting(3).timeout(PATIENCE).build().unwrap();
    let service = echo(&records, &evaluation);
    for n in 0..50 {
        service.clone().oneshot(json!(n)).await.unwrap();
    }
    // Two are judged, three wait for their turn and three to be looked at; all others are recorded while they do.
    let recorded = |records: Vec<Branch>| records.len();
    for _ in 0..15_000 {
        if recorded(records.all().await) + evaluation.stats().waiting == 50 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let waiting = evaluation.stats().waiting;
    assert!((1..=8).contains(&waiting), "{waiting}");
    assert_eq!(recorded(records.all().await), 50 - waiting);
    let (had, missed) = counted(&evaluation, "slow");
    assert_eq!((had, missed.values().sum::<u64>()), (0, 50 - waiting as u64));
    let reasons = [Missed::QueueFull, Missed::WaitingFull];
    assert!(missed.keys().all(|why| reasons.contains(why)), "{missed:?}");
    gate.add_permits(8);
    assert_eq!(recorded(all(&records, &evaluation).await), 50);
    assert_eq!(counted(&evaluation, "slow").0, waiting as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_each_branch_is_recorded_once_whatever_its_evaluators_do() {
    let records = records();
    let moody = |name, seed: u64| {
        Does(name, move |e: Evaluation| async move {
            match e.response().and_then(Value::as_u64).unwrap_or(0).wrapping_mul(seed) % 7 {
                0 => pending().await,
                1 => panic!("moody"),
                2 => Err("moody".into()),
                3 => Ok(None),
                4 => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    Ok(Some(f64::NAN))
                }
                score => Ok(Some(score as f64)),
            }
        })
    };
    let evaluation = Evaluators::new()
        .with(moody("first", 3))
        .with(moody("second", 5))
        .timeout(Duration::from_millis(5))
        .waiting(64)
        .build()
        .unwrap();
    let service = echo(&records, &evaluation);
    let callers = (0..8).map(|caller| {
        let service = service.clone();
        tokio::spawn(async move {
            for n in 0..250 {
                service.clone().oneshot(json!(caller * 1_000 + n)).await.unwrap();
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    assert_eq!(all(&records, &evaluation).await.len(), 2_000);
    for name in ["first", "second"] {
        let (had, missed) = counted(&evaluation, name);
        assert_eq!(had + missed.values().sum::<u64>(), 2_000, "{missed:?}");
    }
}

#[tokio::test]
async fn what_was_not_answered_is_not_evaluated_and_not_counted() {
    let records = records();
    let evaluation =
        Evaluators::new().measure("n", "/n").with(Length::new("length")).build().unwrap();
    let fails = service_fn(|_: Trial<Value>| async { Err::<Value, BoxError>("no".into()) });
    let log = records.layer.clone().evaluate(evaluation.clone());
    let configs = ConfigPool::from_values([json!({ "config_id": "a" })]).unwrap();
    let mut service = RoundRobinLayer::new(configs).layer(log.layer(fails));
    service.call(json!(1)).await.unwrap_err();
    assert_eq!(all(&records, &evaluation).await.len(), 1);
    assert_eq!(counted(&evaluation, "n"), (0, BTreeMap::new()));
    assert_eq!(counted(&evaluation, "length"), (0, BTreeMap::new()));
}

#[tokio::test]
async fn what_was_not_judged_by_the_deadline_is_recorded_without_and_that_is_counted() {
    let records = records();
    let evaluation = Evaluators::new()
        .with(Does("waits", |e: Evaluation| async move {
            if e.response().is_some_and(Value::is_null) { Ok(Some(1.0)) } else { pending().await }
        }))
        .with(Length::new("length"))
        .at_once(2)
        .waiting(16)
        .timeout(Duration::from_secs(600))
        .build()
        .unwrap();
    let service = echo(&records, &evaluation);
    for n in 0..10 {
        service.clone().oneshot(json!([n])).await.unwrap();
    }
    let error = evaluation.drain(Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(error.to_string(), "10 branches were not evaluated in time");
    assert_eq!(all(&records, &evaluation).await.len(), 10);
    assert_eq!(counted(&evaluation, "waits"), (0, [(Missed::Stopped, 10)].into()));
    // Those that were begun keep what they have.
    let (had, missed) = counted(&evaluation, "length");
    assert_eq!(had + missed.get(&Missed::Stopped).unwrap_or(&0), 10, "{missed:?}");
    // What comes after that is judged.
    service.oneshot(Value::Null).await.unwrap();
    let branches = all(&records, &evaluation).await;
    assert_eq!(branches.len(), 11);
    assert_eq!(counted(&evaluation, "waits").0, 1);
}

#[tokio::test]
async fn a_shadow_that_waits_for_its_primary_at_the_deadline_is_recorded_all_the_same() {
    let evaluators = Evaluators::new().with(ExactMatch::new("same")).with(Does("waits", |_| {
        // So that it is still there at the deadline.
        pending()
    }));
    let two = Two::new(evaluators.timeout(Duration::from_secs(600)));
    let _call = tokio::spawn(two.service().oneshot(json!([1, 1])));
    two.let_answer(1).await;
    while two.evaluation.stats().waiting == 0 {
        tokio::task::yield_now().await;
    }
    two.evaluation.drain(Duration::from_millis(20)).await.unwrap_err();
    two.evaluation.drain(PATIENCE).await.unwrap();
    assert_eq!(two.records.ends().await, ["b shadow success"]);
}

/// Its thread ends by a panic as soon as it is let.
struct Fatal(Arc<AtomicBool>);

impl Evaluator for Fatal {
    fn name(&self) -> &str {
        "fatal"
    }

    async fn evaluate(&self, _: &Evaluation) -> Result<Option<f64>, BoxError> {
        Ok(None)
    }

    fn is_quick(&self) -> bool {
        while !self.0.load(SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("no more evaluation")
    }
}

#[tokio::test]
async fn branches_are_recorded_though_the_thread_that_was_to_evaluate_them_is_gone() {
    let records = records();
    let released = Arc::new(AtomicBool::new(false));
    let evaluation = Evaluators::new().with(Fatal(released.clone())).build().unwrap();
    let service = echo(&records, &evaluation);
    for n in 0..5 {
        service.clone().oneshot(json!(n)).await.unwrap();
    }
    assert_eq!(evaluation.stats().waiting, 5);
    released.store(true, SeqCst);
    assert_eq!(all(&records, &evaluation).await.len(), 5);
    service.oneshot(json!(5)).await.unwrap();
    assert_eq!(all(&records, &evaluation).await.len(), 6);
    assert_eq!(counted(&evaluation, "fatal"), (0, [(Missed::QueueFull, 6)].into()));
}

#[tokio::test]
async fn a_shadow_may_wait_without_end_for_its_primary() {
    let evaluators = Evaluators::new().with(ExactMatch::new("same")).patience(Duration::MAX);
    let two = Two::new(evaluators);
    let call = tokio::spawn(two.service().oneshot(json!([1, 1])));
    two.let_answer(1).await;
    while two.evaluation.stats().waiting == 0 {
        tokio::task::yield_now().await;
    }
    two.let_answer(0).await;
    call.await.unwrap().unwrap();
    while two.evaluation.stats().waiting > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(two.records.all().await.len(), 2);
    assert_eq!(counted(&two.evaluation, "same"), (1, BTreeMap::new()));
}

#[tokio::test]
async fn what_a_primary_answered_is_kept_for_shadows_to_come_within_the_bound_of_bytes() {
    for (max_bytes, expected) in
        [(8, (1, BTreeMap::new())), (7, (0, [(Missed::NoExpected, 1)].into()))]
    {
        let evaluators = Evaluators::new().with(ExactMatch::new("same")).max_bytes(max_bytes);
        let two = Two::new(evaluators);
        let call = tokio::spawn(two.service().oneshot(json!([[1, "é"], [1, "é"]])));
        two.let_answer(0).await;
        call.await.unwrap().unwrap();
        two.evaluation.drain(PATIENCE).await.unwrap();
        two.let_answer(1).await;
        two.shadow.drain(PATIENCE).await;
        two.evaluation.drain(PATIENCE).await.unwrap();
        assert_eq!(counted(&two.evaluation, "same"), expected, "{max_bytes}");
    }
}
