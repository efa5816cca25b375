//! When files have really changed.

use super::{
    eyes::{Eyes, Signal},
    print::Print,
};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, timeout, timeout_at};

/// How long it must have been quiet.
const SETTLE: Duration = Duration::from_millis(100);
/// What never settles is read all the same.
const MAX_SETTLE: Duration = Duration::from_secs(2);
/// How long a file may be gone before that counts as a change: some tools remove it and write it
/// anew.
const GRACE: Duration = Duration::from_secs(1);
/// How often the files are looked at, whatever the system tells.
const POLL: Duration = Duration::from_secs(5);
/// Likewise, where it tells nothing.
const POLL_BLIND: Duration = Duration::from_secs(2);
/// How often files are read again that changed while they were read.
pub(super) const MAX_READS: usize = 16;
/// Looking takes at most this part of the time: there may be many files.
const REST: u32 = 50;

/// Tells when files, or those in directories, hold something else than before.
///
/// It watches the directories that hold the files and every symbolic link on the way to them, so
/// that a file may be written in place, replaced by another, or reached by a link that leads
/// elsewhere (as Kubernetes mounts a ConfigMap). After a burst of events it waits until all was
/// quiet for 100 ms, for at most 2 s, and then compares what the files hold: the same bytes are
/// no change. A file that is gone counts as changed after a second. Not every file system tells of
/// changes, so the files are also looked at every 5 s (every 2 s where nothing can be
/// watched; less often if looking at them takes long).
///
/// ```no_run
/// # async fn run() {
/// use tower_spearmint::config::watch::Watch;
///
/// let mut watch = Watch::new(["ranker.yaml"]).await;
/// loop {
///     watch.changed().await;
///     println!("read it again");
/// }
/// # }
/// ```
///
/// A network drive that is to be looked at more often:
///
/// ```no_run
/// # async fn run() {
/// use std::time::Duration;
/// use tower_spearmint::config::watch::Watch;
///
/// let mut watch = Watch::new(["base.yaml", "overlays"]).await.poll(Duration::from_millis(500));
/// watch.changed().await;
/// # }
/// ```
///
/// Dropped, it stops.
#[derive(Debug)]
pub struct Watch {
    sources: Arc<[PathBuf]>,
    /// What the sources refer to.
    also: Arc<[PathBuf]>,
    settle: Duration,
    poll: Duration,
    signal: Arc<Signal>,
    eyes: Arc<Mutex<Eyes>>,
    known: Print,
    /// Not all is watched.
    is_blind: bool,
    /// How long it took to look.
    took: Duration,
}

impl Watch {
    /// Watches these files and directories, which need not be there yet. What they hold now is
    /// where it begins.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime with time.
    pub async fn new(sources: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let sources: Arc<[PathBuf]> = sources.into_iter().map(Into::into).collect();
        let signal = Arc::<Signal>::default();
        let eyes = Eyes::new(&signal);
        let mut watch = Self {
            sources,
            also: Arc::default(),
            settle: SETTLE,
            poll: POLL,
            signal,
            eyes: Arc::new(Mutex::new(eyes)),
            known: Print::of(&[]),
            is_blind: false,
            took: Duration::ZERO,
        };
        watch.known = watch.look().await;
        watch
    }

    /// How long it must have been quiet before the files are read; 100 ms.
    #[must_use]
    pub fn settle(self, settle: Duration) -> Self {
        Self { settle, ..self }
    }

    /// How often the files are looked at, whatever the system tells of changes; 5 s.
    #[must_use]
    pub fn poll(self, poll: Duration) -> Self {
        Self { poll, ..self }
    }

    /// Watches other files from now on, beginning with what they hold now. Returns whether they
    /// are others.
    pub async fn turn_to(&mut self, sources: &[PathBuf]) -> bool {
        let are_others = *self.sources != *sources;
        if are_others {
            self.sources = sources.into();
            self.known = self.look().await;
        }
        are_others
    }

    /// Watches these files beside its sources from now on, beginning with what they hold now; those
    /// that it watched so before stay, if `keep`. Returns whether they are others than before.
    pub(super) async fn also(&mut self, files: &[PathBuf], keep: bool) -> bool {
        let kept = if keep { self.also.to_vec() } else { Vec::new() };
        let also = BTreeSet::from_iter(kept.into_iter().chain(files.iter().cloned()));
        let are_others = !self.also.iter().eq(&also);
        if are_others {
            self.also = also.into_iter().collect();
            self.known = self.look().await;
        }
        are_others
    }

    /// Resolves when the files hold something else than they did before.
    ///
    /// # Cancel safety
    ///
    /// No change is missed: the next call resolves.
    pub async fn changed(&mut self) {
        loop {
            let poll = if self.is_blind { self.poll.min(POLL_BLIND) } else { self.poll };
            let poll = poll.max(self.took * REST);
            let is_told = timeout(poll, self.signal.happened.notified()).await.is_ok();
            if !is_told && self.look().await == self.known {
                continue;
            }
            let print = self.settled().await;
            if print != self.known {
                self.known = print;
                return;
            }
        }
    }

    /// What the files hold when they have come to rest.
    async fn settled(&mut self) -> Print {
        let mut gone = None;
        loop {
            let end = Instant::now() + self.settle.max(MAX_SETTLE);
            loop {
                let quiet = (Instant::now() + self.settle).min(end);
                let is_quiet = timeout_at(quiet, self.signal.happened.notified()).await.is_err();
                if quiet == end || (is_quiet && !self.signal.is_being_written()) {
                    break;
                }
            }
            // It may be so for another reason, or for ever.
            self.signal.is_written();
            let print = self.look().await;
            if print.is_missing && print != self.known {
                let end = *gone.get_or_insert_with(|| Instant::now() + GRACE);
                if Instant::now() < end {
                    let _ = timeout_at(end, self.signal.happened.notified()).await;
                    continue;
                }
            }
            return print;
        }
    }

    /// What the files hold now; first watching what leads to them now, so that no later change is
    /// missed.
    async fn look(&mut self) -> Print {
        let (eyes, sources) = (self.eyes.clone(), [&*self.sources, &*self.also].concat());
        let look = move || {
            let began = Instant::now();
            let mut eyes = eyes.lock().unwrap_or_else(PoisonError::into_inner);
            eyes.turn_to(&sources);
            (Print::of(&sources), eyes.is_blind, began.elapsed())
        };
        let (print, is_blind, took) = blocking(look).await;
        (self.is_blind, self.took) = (is_blind, took);
        print
    }

    /// The next change as it was read, while the files held still; and their fingerprint.
    pub(crate) async fn next<T: Send + 'static>(
        &mut self,
        read: impl FnOnce() -> T + Clone + Send + 'static,
    ) -> (Print, T) {
        self.changed().await;
        let mut reads = 1;
        loop {
            let found = blocking(read.clone()).await;
            let print = self.look().await;
            if print == self.known || reads == MAX_READS {
                return (self.known, found);
            }
            self.known = self.settled().await;
            reads += 1;
        }
    }
}

/// Files are read where that holds up nobody.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime stops, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn where_the_system_tells_nothing_the_files_are_looked_at() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.yaml");
        std::fs::write(&file, "1").unwrap();
        let mut watch = Watch::new([&file]).await.poll(Duration::from_millis(1));
        *watch.eyes.lock().unwrap() = Eyes::blind();
        watch.is_blind = true;
        watch.settle = Duration::from_millis(1);
        std::fs::write(&file, "2").unwrap();
        watch.changed().await;
        let (print, text) = {
            std::fs::write(&file, "3").unwrap();
            watch.next(move || std::fs::read_to_string(&file).unwrap()).await
        };
        assert_eq!((text.as_str(), print), ("3", watch.known));
    }

    #[tokio::test]
    async fn what_changes_while_it_is_read_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.yaml");
        std::fs::write(&file, "0").unwrap();
        let mut watch = Watch::new([&file]).await;
        watch.settle = Duration::from_millis(1);
        std::fs::write(&file, "1").unwrap();
        let (count, path) = (Arc::new(Mutex::new(1)), file.clone());
        let read = move || {
            let read = std::fs::read_to_string(&path).unwrap();
            let mut count = count.lock().unwrap();
            if *count < 4 {
                *count += 1;
                std::fs::write(&path, count.to_string()).unwrap();
            }
            read
        };
        assert_eq!(watch.next(read).await.1, "4");
    }
}
