//! The file, followed while it is served.

use super::{
    file::ExperimentFile,
    handle::{ProxyHandle, log},
};
use crate::{
    BoxError,
    config::watch::{Print, Watch},
};
use futures_util::future;
use std::pin::pin;

impl ProxyHandle {
    /// Follows the file in use, and the files it was made of, until the proxy stops: what changes
    /// is put to use, or else logged and counted, as [`reread_and_log`](Self::reread_and_log)
    /// does; see [`Watch`] for how changes are noticed. Spawn it; dropped, it stops.
    ///
    /// What an operator reloaded already is not loaded again. Nothing happens if the file came
    /// from a text.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime with time.
    pub async fn follow(self) {
        let mut stopping = self.0.stopping.subscribe();
        let stopped = stopping.wait_for(|is_stopping| *is_stopping);
        future::select(pin!(stopped), pin!(self.follow_files())).await;
    }

    async fn follow_files(&self) {
        let sources = self.file().sources();
        if sources.is_empty() {
            return;
        }
        let mut watch = Watch::new(sources).await;
        self.catch_up().await;
        loop {
            let file = self.file();
            let (print, found) = watch.next(move || file.reread()).await;
            self.take(print, found).await;
            if watch.turn_to(&self.file().sources()).await {
                self.catch_up().await;
            }
        }
    }

    /// What is watched may have changed between its reading and the watch.
    async fn catch_up(&self) {
        let file = self.file();
        let read = move || (Print::of(&file.sources()), file.reread());
        let Ok((print, found)) = tokio::task::spawn_blocking(read).await else { return };
        if !found.as_ref().is_ok_and(|found| self.file().diff(found).is_empty()) {
            self.take(print, found).await;
        }
    }

    async fn take(&self, print: Print, found: Result<ExperimentFile, impl Into<BoxError>>) {
        if self.tries_again(print) {
            return;
        }
        let reloaded = match found {
            Ok(file) => {
                let handle = self.clone();
                // Certificates are read.
                let reload = tokio::task::spawn_blocking(move || handle.reload(&file)).await;
                reload.unwrap_or_else(|error| Err(error.into()))
            }
            Err(error) => Err(error.into()).inspect_err(|error| self.reject(error)),
        };
        // What came of it is in the log and in the counters.
        let _ = log(reloaded);
    }
}
