//! Dropping the caller's future leaves no branch open.

use crate::support::{behaving, pool, ready, records};
use std::{
    future::{Future, pending},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};
use tower::{BoxError, Layer, Service, buffer::Buffer};
use tower_spearmint::{
    MultiBranchLayer, RoundRobinLayer, ShadowLayer, SingleLayer, Trial, shadow::OnCancel,
};

async fn hang(_: String) -> Result<(), BoxError> {
    pending().await
}

/// The lines for every strategy, with what is recorded when its caller leaves.
macro_rules! for_every_strategy {
    (|$layer:ident, $expected:ident| $body:block) => {{
        let a = pool(&["a"])[0].clone();
        let ab = pool(&["a", "b"]);
        let both = ["a branch cancelled", "b branch cancelled"];
        let shadowed = ["a primary cancelled", "b shadow cancelled"];
        let shadow = ShadowLayer::new(ab.primary("a").unwrap()).on_cancel(OnCancel::Cancel);
        for_every_strategy!(@one SingleLayer::new(a), ["a primary cancelled"], $layer, $expected, $body);
        for_every_strategy!(@one RoundRobinLayer::new(ab.clone()), ["a primary cancelled"], $layer, $expected, $body);
        for_every_strategy!(@one shadow, shadowed, $layer, $expected, $body);
        for_every_strategy!(@one MultiBranchLayer::new(ab.clone()), both, $layer, $expected, $body);
        for_every_strategy!(@one MultiBranchLayer::new(ab.clone()).timeout(Duration::from_secs(9)), both, $layer, $expected, $body);
    }};
    (@one $l:expr, $e:expr, $layer:ident, $expected:ident, $body:block) => {{
        let $layer = $l;
        let $expected = $e;
        println!("{:?}", $expected);
        $body
    }};
}

async fn settle() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn dropped_before_it_was_polled_a_branch_is_cancelled() {
    for_every_strategy!(|layer, expected| {
        let records = records();
        let mut service = layer.layer(records.layer.layer(behaving(hang)));
        ready(&mut service, &|| ()).await.unwrap();
        drop(service.call(()));
        settle().await;
        // One that gets as far as the logging layer, on whose way the first one was.
        ready(&mut service, &|| ()).await.unwrap();
        let call = service.call(());
        assert!(tokio::time::timeout(Duration::from_secs(2), call).await.is_err());
        settle().await;
        let ends = records.ends().await;
        assert_eq!(ends.len(), 2 * expected.len(), "{ends:?}");
        assert!(ends.iter().all(|end| end.ends_with("cancelled")), "{ends:?}");
    });
}

#[tokio::test(start_paused = true)]
async fn dropped_in_the_middle_a_branch_is_cancelled() {
    for_every_strategy!(|layer, expected| {
        let records = records();
        let mut service = layer.layer(records.layer.layer(behaving(hang)));
        ready(&mut service, &|| ()).await.unwrap();
        let call = service.call(());
        assert!(tokio::time::timeout(Duration::from_secs(2), call).await.is_err());
        settle().await;
        assert_eq!(records.ends().await, expected);
    });
}

/// Ready only while the gate is open.
#[derive(Clone)]
struct Gated<S> {
    inner: S,
    open: Arc<AtomicBool>,
}

impl<S: Service<R>, R> Service<R> for Gated<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if self.open.load(SeqCst) {
            return self.inner.poll_ready(cx);
        }
        // Asked again and again: paused time does not pass on its own.
        let waker = cx.waker().clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            waker.wake();
        });
        Poll::Pending
    }

    fn call(&mut self, request: R) -> S::Future {
        self.inner.call(request)
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_while_its_trial_waits_in_a_buffer_a_branch_is_cancelled() {
    for_every_strategy!(|layer, expected| {
        let records = records();
        let open = Arc::new(AtomicBool::new(false));
        let gated = Gated {
            inner: records.layer.layer(behaving(|_| async { Ok(()) })),
            open: open.clone(),
        };
        // The very first request: no logging layer has been seen yet.
        let mut service = layer.layer(Buffer::new(gated, 8));
        ready(&mut service, &|| ()).await.unwrap();
        let call = service.call(());
        assert!(tokio::time::timeout(Duration::from_secs(2), call).await.is_err());
        settle().await;
        assert!(records.ends().await.is_empty());
        open.store(true, SeqCst);
        settle().await;
        // Two, so that every config has its turn.
        for _ in 0..2 {
            ready(&mut service, &|| ()).await.unwrap();
            assert!(service.call(()).await.is_ok());
            settle().await;
        }
        let (cancelled, others): (Vec<_>, Vec<_>) =
            records.ends().await.into_iter().partition(|end| end.ends_with("cancelled"));
        assert_eq!(cancelled, expected);
        assert_eq!(others.len(), 2 * expected.len());
        assert!(others.iter().all(|end| end.ends_with("success")));
    });
}

#[tokio::test(start_paused = true)]
async fn a_future_dropped_at_every_possible_poll_ends_its_branch_once() {
    for polls in 0..6 {
        let records = records();
        let steps = behaving(|_| async {
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
            Ok(())
        });
        let mut service = RoundRobinLayer::new(pool(&["a"])).layer(records.layer.layer(steps));
        let mut call = Box::pin(service.call(()));
        let mut done = false;
        for _ in 0..polls {
            if !done {
                done = call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
            }
        }
        drop(call);
        let expected = if done { "a primary success" } else { "a primary cancelled" };
        assert_eq!(records.ends().await, [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_takes_the_request_out_is_still_recorded_once() {
    let records = records();
    let service = tower_spearmint::service_fn(|trial: Trial<u32>| async move {
        Ok::<_, BoxError>(trial.into_request())
    });
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(records.layer.layer(service));
    assert_eq!(service.call(7).await.unwrap(), 7);
    assert_eq!(records.ends().await, ["a primary success"]);
}

#[tokio::test(start_paused = true)]
async fn clones_of_a_trial_answer_for_nothing() {
    let records = records();
    let service = tower_spearmint::service_fn(|trial: Trial<u32>| async move {
        let copies: Vec<_> = (0..5).map(|_| trial.clone()).collect();
        drop(trial);
        Ok::<_, BoxError>(copies.len())
    });
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(records.layer.layer(service));
    service.call(7).await.unwrap();
    assert_eq!(records.ends().await, ["a primary success"]);
}
