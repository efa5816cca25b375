//! The order in which runs of a config begin, or the parts of a trace are sent.

use std::{collections::HashMap, hash::Hash};
use tokio::sync::oneshot;

/// Who came last, by what they have in common.
#[derive(Debug)]
pub(super) struct Turns<K>(HashMap<K, oneshot::Receiver<()>>);

/// A place in a line. Whoever drops it lets the next one go.
#[derive(Debug)]
pub(super) struct Turn {
    before: Option<oneshot::Receiver<()>>,
    next: Option<oneshot::Sender<()>>,
}

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Clone + Eq + Hash> Turns<K> {
    /// The place behind all that were given for this key.
    pub(super) fn next(&mut self, key: &K) -> Turn {
        if self.0.len() >= 1_024 {
            // A key for each request: those whose last one has passed are not needed.
            self.0.retain(|_, last| last.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        }
        let (next, waits) = oneshot::channel();
        Turn { before: self.0.insert(key.clone(), waits), next: Some(next) }
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
    use crate::config::ConfigId;
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
