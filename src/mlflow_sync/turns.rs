//! The order in which the runs of each config begin.

use crate::config::ConfigId;
use std::collections::HashMap;
use tokio::sync::oneshot;

/// Who came last, by config.
#[derive(Debug, Default)]
pub(super) struct Turns(HashMap<ConfigId, oneshot::Receiver<()>>);

/// A place in a line. Whoever drops it lets the next one go.
#[derive(Debug)]
pub(super) struct Turn {
    before: Option<oneshot::Receiver<()>>,
    next: Option<oneshot::Sender<()>>,
}

impl Turns {
    /// The place behind all that were given for this config.
    pub(super) fn next(&mut self, config: &ConfigId) -> Turn {
        if self.0.len() >= 1_024 {
            // A config for each request: those whose last one has begun are not needed.
            self.0.retain(|_, last| last.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        }
        let (next, waits) = oneshot::channel();
        Turn { before: self.0.insert(config.clone(), waits), next: Some(next) }
    }
}

impl Turn {
    /// Waits for the one before.
    pub(super) async fn come(&mut self) {
        if let Some(before) = self.before.take() {
            let _ = before.await;
        }
    }

    /// Lets the next one go.
    pub(super) fn pass(&mut self) {
        self.next = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn one_of_a_config_waits_for_the_one_before_and_for_no_other_config() {
        let mut turns = Turns::default();
        let (a, b) = (ConfigId::named("a"), ConfigId::named("b"));
        let (mut first, mut second, mut other) = (turns.next(&a), turns.next(&a), turns.next(&b));
        assert!(first.come().now_or_never().is_some());
        assert!(other.come().now_or_never().is_some());
        let mut waits = Box::pin(second.come());
        assert!((&mut waits).now_or_never().is_none());
        first.pass();
        assert!(waits.now_or_never().is_some());
    }
}
