//! The tasks that serve connections, which the end of the process may have to cut off.

use hyper::rt::Executor;
use pin_project::pin_project;
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::{Notify, Semaphore};

/// How long a task that was cut off may take to notice.
const STOPPING: Duration = Duration::from_secs(1);

/// Connections, and what they spawn (over HTTP/2 each request is a task of its own).
#[derive(Clone)]
pub(super) struct Tasks(Arc<Shared>);

struct Shared {
    running: AtomicUsize,
    none_left: Notify,
    /// Closed when those still running are to stop.
    cut: Semaphore,
}

struct Running(Tasks);

impl Drop for Running {
    fn drop(&mut self) {
        let shared = &self.0.0;
        if shared.running.fetch_sub(1, SeqCst) == 1 {
            shared.none_left.notify_waiters();
        }
    }
}

impl Tasks {
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared {
            running: AtomicUsize::new(0),
            none_left: Notify::new(),
            cut: Semaphore::new(0),
        }))
    }

    /// Drops what is still running, so that its branches end.
    pub(super) async fn cut_off(&self) {
        self.0.cut.close();
        let none_left = async {
            loop {
                let none_left = self.0.none_left.notified();
                if self.0.running.load(SeqCst) == 0 {
                    return;
                }
                none_left.await;
            }
        };
        // One that keeps its thread busy cannot be stopped; it is not waited for.
        let _ = tokio::time::timeout(STOPPING, none_left).await;
    }
}

impl<F> Executor<F> for Tasks
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.running.fetch_add(1, SeqCst);
        let tasks = self.clone();
        let cut = async move {
            let _ = tasks.0.cut.acquire().await;
        };
        tokio::spawn(UntilCut { task, cut, _running: Running(self.clone()) });
    }
}

/// By hand: an async block would have room for the task twice, as what it was given and as what it
/// awaits.
#[pin_project]
struct UntilCut<F, C> {
    #[pin]
    task: F,
    #[pin]
    cut: C,
    /// Last: a task runs until it has been dropped.
    _running: Running,
}

impl<F: Future, C: Future> Future for UntilCut<F, C> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.task.poll(cx).is_ready() || this.cut.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
