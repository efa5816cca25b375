//! An evaluator that hangs, panics, fails or is slow costs its numbers, and no branch.

use crate::{
    evaluate::{Does, PATIENCE, all, counted, echo, metrics},
    support::records,
};
use serde_json::{Value, json};
use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::sync::Semaphore;
use tower::ServiceExt;
use tower_spearmint::{
    BoxError, Branch,
    evaluate::{Evaluation, Evaluator, Evaluators, Length, Missed, function},
};

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
