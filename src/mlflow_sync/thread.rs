//! Sending on a thread of its own.

use super::{MlflowSync, SyncWatch};
use std::{io, thread};
use tokio::sync::oneshot;

/// What [`MlflowSync::spawn_thread`] started; it stops when this is dropped.
#[derive(Debug)]
pub struct SyncThread {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl MlflowSync {
    /// Runs [`follow`](Self::follow) on a thread of its own, with a runtime of its own, so that
    /// nothing of it runs where requests are served.
    ///
    /// # Errors
    ///
    /// When there can be no further thread.
    pub fn spawn_thread(self, watch: SyncWatch) -> io::Result<SyncThread> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name("mlflow-sync".to_owned()).spawn(move || {
            runtime.block_on(async {
                let follow = std::pin::pin!(self.follow(watch));
                futures_util::future::select(follow, stopped).await;
            });
        })?;
        Ok(SyncThread { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for SyncThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic was told where it happened.
            let _ = thread.join();
        }
    }
}
