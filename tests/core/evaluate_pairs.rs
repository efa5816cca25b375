//! Shadows are judged by what their primary answered.

use crate::{
    evaluate::{Does, PATIENCE, counted, metrics},
    support::{Records, pool, records},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, future::pending, sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    BoxError, ShadowLayer, Trial,
    branch::Role,
    evaluate::{Evaluating, Evaluators, ExactMatch, Expected, Length, Missed},
    service_fn,
};

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
