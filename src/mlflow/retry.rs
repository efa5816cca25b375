//! How long to wait before asking again, and when to stop.

use super::MlflowError;
use crate::outbound::Pauses;
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// What the requests of one batch know about their server together.
#[derive(Debug)]
pub(super) struct Patience {
    /// How long a request is tried again.
    give_up_after: Duration,
    began: Instant,
    /// When a branch was last written, in ms after `began`.
    written_at: AtomicU64,
    /// Once the server is taken to be down: nothing more is tried in this batch.
    down: AtomicBool,
}

impl Patience {
    pub(super) fn new(give_up_after: Duration) -> Self {
        Self {
            give_up_after,
            began: Instant::now(),
            written_at: AtomicU64::new(0),
            down: AtomicBool::new(false),
        }
    }

    /// A branch was written: the server is well.
    pub(super) fn written(&self) {
        self.written_at.fetch_max(self.began.elapsed().as_millis() as u64, Relaxed);
    }

    pub(super) fn is_down(&self) -> bool {
        self.down.load(Relaxed)
    }

    fn last_written(&self) -> Instant {
        self.began + Duration::from_millis(self.written_at.load(Relaxed))
    }
}

/// The tries of one request.
pub(super) struct Retry<'a> {
    patience: &'a Patience,
    began: Instant,
    pauses: Pauses,
}

impl<'a> Retry<'a> {
    pub(super) fn new(patience: &'a Patience) -> Self {
        Self { patience, began: Instant::now(), pauses: Pauses::new() }
    }

    /// Fails if the server was found to be down meanwhile.
    pub(super) fn check(&self, path: impl FnOnce() -> String) -> Result<(), MlflowError> {
        if self.patience.is_down() { Err(MlflowError::Down { path: path() }) } else { Ok(()) }
    }

    /// Waits until the request may be tried again after `error`, with full jitter (any pause up
    /// to the limit is as likely as any other), or as long as the server asked for.
    ///
    /// # Errors
    ///
    /// The same error, when trying again is pointless or the time for it is over.
    pub(super) async fn pause_after(&mut self, error: MlflowError) -> Result<(), MlflowError> {
        if !error.is_transient() || self.patience.is_down() {
            return Err(error);
        }
        let asked = match &error {
            MlflowError::Answered { retry_after: Some(seconds), .. } => {
                Duration::from_secs(*seconds)
            }
            _ => Duration::ZERO,
        };
        let pause = self.pauses.next(asked);
        let left = self.patience.give_up_after.saturating_sub(self.began.elapsed());
        if pause < left {
            sleep(pause).await;
            return Ok(());
        }
        // Giving up early would only lose the next branch sooner.
        sleep(left).await;
        // If others were written meanwhile, the trouble is with this request alone.
        if self.patience.last_written() <= self.began {
            self.patience.down.store(true, Relaxed);
        }
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after: Option<u64>) -> MlflowError {
        let (path, error_code, message) = <(String, String, String)>::default();
        MlflowError::Answered { path, status, error_code, message, retry_after }
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_server_refuses_is_not_tried_again() {
        let patience = Patience::new(Duration::from_secs(60));
        let mut retry = Retry::new(&patience);
        for status in [301, 400, 401, 403, 404, 413] {
            retry.pause_after(answered(status, None)).await.unwrap_err();
        }
        assert_eq!(retry.began.elapsed(), Duration::ZERO);
        assert!(!patience.is_down());
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_honoured() {
        let patience = Patience::new(Duration::from_secs(60));
        let mut retry = Retry::new(&patience);
        retry.pause_after(answered(429, Some(7))).await.unwrap();
        assert!(retry.began.elapsed() >= Duration::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_for_the_whole_batch_when_nothing_is_written() {
        let patience = Patience::new(Duration::from_secs(60));
        let mut retry = Retry::new(&patience);
        let mut tries = 0;
        while retry.pause_after(answered(503, None)).await.is_ok() {
            tries += 1;
        }
        assert!((10..200).contains(&tries), "{tries}");
        assert_eq!(retry.began.elapsed().as_secs(), 60);
        assert!(patience.is_down());
        assert!(Retry::new(&patience).check(String::new).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_that_always_fails_does_not_end_the_batch() {
        let patience = Patience::new(Duration::from_secs(60));
        let mut retry = Retry::new(&patience);
        while retry.pause_after(answered(500, None)).await.is_ok() {
            patience.written();
        }
        assert!(!patience.is_down());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_asks_for_an_hour_is_not_asked_again() {
        let patience = Patience::new(Duration::from_secs(60));
        let mut retry = Retry::new(&patience);
        retry.pause_after(answered(503, Some(3600))).await.unwrap_err();
        assert_eq!(retry.began.elapsed().as_secs(), 60);
    }
}
