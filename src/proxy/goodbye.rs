//! The end of a connection when the process is to end.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};
use tokio::{sync::watch, time::sleep};

/// How long a connection may take from its first turn to bring its first bytes, when the process is
/// to end: the system had let it in, so its request is likely on the way.
const FIRST_BYTES: Duration = Duration::from_millis(250);

/// Whether anything was heard from the caller yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<AtomicBool>);

impl Heard {
    pub(super) fn set(&self) {
        self.0.store(true, Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// What can be told to end in good order.
pub(super) trait Ends: Future {
    /// What is under way is its last.
    fn end(self: Pin<&mut Self>);
}

/// Serves the connection to its end. When `stopping` says so, its request under way is its last.
pub(super) async fn serve<C: Ends>(
    mut connection: Pin<&mut C>,
    heard: &Heard,
    stopping: &mut watch::Receiver<bool>,
) -> C::Output {
    let mut stop = pin!(async {
        // Gone with the proxy: then it is to stop, too.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    });
    let mut first_bytes = pin!(sleep(FIRST_BYTES));
    let (mut is_stopping, mut is_told) = (false, false);
    poll_fn(move |cx| {
        if let Poll::Ready(output) = connection.as_mut().poll(cx) {
            return Poll::Ready(output);
        }
        if is_told {
            return Poll::Pending;
        }
        is_stopping = is_stopping || stop.as_mut().poll(cx).is_ready();
        if is_stopping && (heard.is_set() || first_bytes.as_mut().poll(cx).is_ready()) {
            is_told = true;
            connection.as_mut().end();
            return connection.as_mut().poll(cx);
        }
        Poll::Pending
    })
    .await
}
