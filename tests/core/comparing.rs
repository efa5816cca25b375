//! Answers are compared in the background, and the callers do not notice.

use crate::support::{behaving, pool, records};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::sleep;
use tower::{Layer, Service};
use tower_spearmint::{
    BoxError, ShadowLayer, Trial,
    branch::Role,
    compare::{Compare, Comparison, DifferenceKind, Differences},
    service_fn,
    shadow::{OnCancel, ShadowSettings},
};

const SECOND: Duration = Duration::from_secs(1);
/// How long the thread that compares may take.
const PATIENCE: Duration = Duration::from_secs(30);

fn layer() -> ShadowLayer {
    ShadowLayer::new(pool(&["stable", "new"]).primary("stable").unwrap()).experiment("ranker")
}

/// Answers with the id of its config.
fn ids(trial: Trial<()>) -> impl Future<Output = Result<String, BoxError>> {
    let id = trial.config().id().to_string();
    async move { Ok(id) }
}

#[allow(clippy::ptr_arg, reason = "it takes what the service answers")]
fn by_length(primary: &String, shadow: &String) -> bool {
    primary.len() == shadow.len()
}

#[tokio::test]
async fn a_closure_says_whether_two_answers_are_equal_and_each_pair_is_recorded_once() {
    let records = records();
    let layer = layer().control(ShadowSettings::default()).compare(by_length);
    let mut service = layer.layer(records.layer.layer(service_fn(ids)));
    assert_eq!(service.call(()).await.unwrap(), "stable");
    layer.drain(PATIENCE).await;
    let mut comparisons = layer.comparisons();
    comparisons.sort_by_key(|comparison| comparison.role);
    let short = |c: &Comparison| (c.config_id.to_string(), c.role, c.is_equal());
    assert_eq!(
        comparisons.iter().map(short).collect::<Vec<_>>(),
        [("new".into(), Role::Shadow, false), ("stable".into(), Role::Control, true)]
    );
    let branches = records.all().await;
    let of = |role| branches.iter().find(|branch| branch.role == role).unwrap();
    assert_eq!(comparisons[0].primary, of(Role::Primary).id);
    assert_eq!(comparisons[0].branch, of(Role::Shadow).id);
    assert_eq!(comparisons[1].branch, of(Role::Control).id);
    assert_eq!(comparisons[0].request_id, of(Role::Primary).request_id);
    assert_eq!(&*comparisons[0].experiment, "ranker");
    let stats = layer.stats();
    assert_eq!((stats[0].compared, stats[0].different), (1, 1));
    assert_eq!((stats[1].compared, stats[1].different), (1, 0));
}

#[tokio::test]
async fn it_does_not_matter_which_answer_comes_first() {
    for slow in ["stable", "new"] {
        let layer = layer().compare(by_length);
        let mut service = layer.layer(behaving(move |id| async move {
            if id == slow {
                sleep(SECOND / 50).await;
            }
            Ok(())
        }));
        assert_eq!(service.call(()).await.unwrap(), "stable");
        layer.drain(PATIENCE).await;
        let comparisons = layer.comparisons();
        assert_eq!(comparisons.len(), 1, "{slow}");
        assert!(!comparisons[0].is_equal());
    }
}

#[tokio::test]
async fn differences_carry_paths_and_samples() {
    let layer = layer().compare(|primary: &String, shadow: &String| {
        let mut differences = Differences::default();
        differences.push("/id", DifferenceKind::Changed, Some(primary), Some(shadow));
        differences
    });
    let mut service = layer.layer(service_fn(ids));
    service.call(()).await.unwrap();
    layer.drain(PATIENCE).await;
    let comparisons = layer.comparisons();
    let difference = &comparisons[0].differences.list()[0];
    assert_eq!(difference.path, "/id");
    assert_eq!(difference.primary.as_deref(), Some("stable"));
    assert_eq!(difference.shadow.as_deref(), Some("new"));
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_not_compared() {
    let layer = layer().compare(by_length);
    let mut service = layer
        .layer(behaving(|id| async move { if id == "new" { Err("no".into()) } else { Ok(()) } }));
    service.call(()).await.unwrap();
    layer.drain(PATIENCE).await;
    assert!(layer.comparisons().is_empty());
    // It is a failed branch; there is nothing more to say.
    assert_eq!((layer.stats()[0].compared, layer.stats()[0].not_compared), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_primary_never_came_is_counted() {
    let layer = layer().on_cancel(OnCancel::Finish).compare(by_length);
    let mut service = layer.layer(behaving(|id| async move {
        if id == "stable" {
            sleep(SECOND).await;
        }
        Ok(())
    }));
    let left = tokio::time::timeout(SECOND / 2, service.call(())).await;
    assert!(left.is_err());
    layer.drain(PATIENCE).await;
    assert_eq!((layer.stats()[0].compared, layer.stats()[0].not_compared), (0, 1));
}

#[tokio::test]
async fn a_comparison_that_panics_hurts_nobody() {
    let layer = layer().compare(|_: &String, shadow: &String| -> bool {
        assert_ne!(shadow, "new", "a mistake");
        true
    });
    let mut service = layer.layer(service_fn(ids));
    for _ in 0..3 {
        assert_eq!(service.call(()).await.unwrap(), "stable");
    }
    layer.drain(PATIENCE).await;
    assert_eq!((layer.stats()[0].compared, layer.stats()[0].not_compared), (0, 3));
}

/// Panics when it is to keep an answer.
#[derive(Clone)]
struct Keepless;

impl Compare<String> for Keepless {
    type Kept = String;

    fn keep(&self, _: &String) -> String {
        panic!("a mistake")
    }

    fn compare(&self, _: &String, _: &String) -> Differences {
        Differences::default()
    }
}

#[tokio::test]
async fn a_panic_on_keeping_an_answer_reaches_neither_the_caller_nor_the_records() {
    let records = records();
    let layer = layer().compare(Keepless);
    let mut service = layer.layer(records.layer.layer(service_fn(ids)));
    assert_eq!(service.call(()).await.unwrap(), "stable");
    layer.drain(PATIENCE).await;
    assert_eq!(layer.stats()[0].not_compared, 1);
    assert_eq!(records.ends().await, ["new shadow success", "stable primary success"]);
}

#[tokio::test]
async fn a_slow_comparison_holds_up_no_request_and_what_waits_is_bounded() {
    let (release, gate) = std::sync::mpsc::sync_channel::<()>(0);
    let gate = Arc::new(std::sync::Mutex::new(gate));
    let compared = Arc::new(AtomicUsize::new(0));
    let layer = layer().compare({
        let compared = compared.clone();
        move |_: &String, _: &String| {
            let _ = gate.lock().unwrap().recv();
            compared.fetch_add(1, SeqCst);
            true
        }
    });
    let mut service = layer.layer(service_fn(ids));
    for _ in 0..2_000 {
        assert_eq!(service.call(()).await.unwrap(), "stable");
        tokio::task::yield_now().await;
    }
    crate::support::eventually("all shadows have ended", || layer.stats()[0].in_flight == 0).await;
    // One is being compared, 1,024 wait.
    let dropped = layer.stats()[0].not_compared;
    assert!((2_000 - 1_026..=2_000 - 1_024).contains(&dropped), "{dropped}");
    drop(release);
    layer.drain(PATIENCE).await;
    assert_eq!(compared.load(SeqCst) as u64 + dropped, 2_000);
    assert_eq!(layer.stats()[0].compared + dropped, 2_000);
}
