//! A recording on a thread of its own.

use super::Recording;
use futures_util::future::{AbortHandle, abortable};
use std::{
    fmt, io,
    thread::{self, JoinHandle},
    time::Duration,
};

/// How long a write that was begun may take after the end.
const LAST_WRITE: Duration = Duration::from_secs(1);

/// A [`Recording`] that runs on a thread of its own; see [`Recording::spawn_thread`]. Dropping it
/// leaves the thread to itself: it ends when the last recorder is gone and everything is written.
pub struct RecordingThread {
    abort: AbortHandle,
    thread: JoinHandle<()>,
}

impl Recording {
    /// Runs the recording on a thread of its own, with a Tokio runtime of its own. That is for
    /// busy services: a batch of thousands of branches takes milliseconds to prepare, which
    /// on a thread that serves, requests would have to wait for.
    ///
    /// ```
    /// # use tower_spearmint::{Recorder, record::MemoryBackend};
    /// let (recorder, recording) = Recorder::pair(MemoryBackend::new());
    /// let recording = recording.spawn_thread()?;
    /// // … serve, and at the end `recorder.drain(…)` …
    /// # drop(recorder);
    /// recording.stop();
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the system has no thread or no runtime to give.
    pub fn spawn_thread(self) -> io::Result<RecordingThread> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (recording, abort) = abortable(self);
        let thread = thread::Builder::new().name("spearmint-record".into()).spawn(move || {
            // An abort is an end like any other: what was not written is counted as lost.
            let _ = runtime.block_on(recording);
            runtime.shutdown_timeout(LAST_WRITE);
        })?;
        Ok(RecordingThread { abort, thread })
    }
}

impl RecordingThread {
    /// Ends the recording now, whatever is not written yet ([drain](super::Recorder::drain) first), and
    /// waits for the thread, about a second at most.
    pub fn stop(self) {
        self.abort.abort();
        // It has nothing to tell, not even a panic: that one is in the recording's own counters.
        let _ = self.thread.join();
    }
}

impl fmt::Debug for RecordingThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingThread").finish_non_exhaustive()
    }
}
