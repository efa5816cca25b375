//! The write-ahead log, which a thread copies into the file, so that hardly a write waits for the disk.
//!
//! SQLite begins the log anew when all of it has been copied and somebody writes. The thread copies while
//! others write, and then once more what has come meanwhile, for which new writes wait for a moment, but no
//! longer: if the disk takes more time than that, they go on, and the log is long for a while.

use super::{StoreError, StoreOptions, open};
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// Pages of a log that is to be copied: 16 MiB. A page that was written several times is copied once.
const LONG: i64 = 4_096;
/// How long the log is left alone at least.
const BETWEEN: Duration = Duration::from_millis(50);
/// How long a write waits for the log to begin anew, at most: less than a recorder's queue holds.
const PATIENCE: Duration = Duration::from_millis(50);

/// Who writes, and the thread. That one ends, and has closed its connection, when this is dropped.
#[derive(Debug)]
pub(super) struct Log {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Held while the log is copied.
    copying: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// How many write.
    writing: usize,
    /// New writes are to wait.
    is_closed: bool,
    /// Something was written since the log was last looked at.
    is_dirty: bool,
    /// The thread waits for that.
    is_idle: bool,
    has_ended: bool,
}

/// While it is there, somebody writes.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Shared);

impl Log {
    /// Of the store at `path`. Without a thread, if the system has none to give: then the log is copied by
    /// whoever writes, when it is very long.
    pub(super) fn start(path: &Path, options: &StoreOptions) -> Self {
        let shared = Arc::new(Shared::default());
        let copier = Copier {
            shared: shared.clone(),
            path: path.to_owned(),
            options: options.clone(),
            connection: None,
            too_long: LONG,
        };
        let thread = thread::Builder::new().name("spearmint-log".to_owned());
        let thread = thread.spawn(move || copier.run());
        if let Err(error) = &thread {
            tracing::debug!(%error, "the log of the store has no thread");
        }
        Self { shared, thread: thread.ok() }
    }

    /// A turn to write, at once, or after a moment if the log is about to begin anew. Blocks.
    pub(super) fn turn(&self) -> Turn<'_> {
        let state = self.shared.state();
        let waited = self.shared.changed.wait_timeout_while(state, PATIENCE, |s| s.is_closed);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.writing += 1;
        Turn(&self.shared)
    }

    /// A turn to write, if that has not to wait.
    #[cfg(feature = "server")]
    pub(super) fn try_turn(&self) -> Option<Turn<'_>> {
        let mut state = self.shared.state();
        if state.is_closed {
            return None;
        }
        state.writing += 1;
        Some(Turn(&self.shared))
    }

    /// Until it is dropped, the thread does not copy. Not to be asked for within a turn. Blocks.
    pub(super) fn left_alone(&self) -> MutexGuard<'_, ()> {
        self.shared.copying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.shared.state().has_ended = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell.
            let _ = thread.join();
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.writing -= 1;
        let is_first = !state.is_dirty && state.is_idle;
        state.is_dirty = true;
        // Woken only for what it waits for.
        if is_first || state.is_closed && state.writing == 0 {
            drop(state);
            self.0.changed.notify_all();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is written and some time has passed; `false` at the end.
    fn wait_for_writes(&self) -> bool {
        let mut state = self.state();
        state.is_idle = true;
        let state = self.changed.wait_while(state, |s| !s.is_dirty && !s.has_ended);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.is_idle = false;
        let waited = self.changed.wait_timeout_while(state, BETWEEN, |s| !s.has_ended);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_dirty = false;
        !state.has_ended
    }

    /// Runs `work` while new writes wait, when those under way have ended; if that takes longer than a
    /// write would wait, beside them.
    fn in_quiet<T>(&self, work: impl FnOnce() -> T) -> T {
        let mut state = self.state();
        state.is_closed = true;
        drop(self.changed.wait_timeout_while(state, PATIENCE, |s| s.writing > 0));
        let done = work();
        self.state().is_closed = false;
        self.changed.notify_all();
        done
    }
}

/// What the thread has.
struct Copier {
    shared: Arc<Shared>,
    path: PathBuf,
    options: StoreOptions,
    connection: Option<Connection>,
    /// The pages of a log that is copied: while a reader holds that up, it is not tried all the time.
    too_long: i64,
}

/// The pages of the log, and how many of them are in the file.
#[derive(Debug, Clone, Copy)]
struct Pages {
    all: i64,
    copied: i64,
}

impl Copier {
    fn run(mut self) {
        while self.shared.wait_for_writes() {
            let shared = self.shared.clone();
            let _copying = shared.copying.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = self.look() {
                tracing::debug!(%error, "the log of the store was not copied into the file");
                self.connection = None;
            }
        }
    }

    /// Copies the log if it is long.
    fn look(&mut self) -> Result<(), StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => open::for_copying(&self.path, &self.options)?,
        };
        let connection = self.connection.insert(connection);
        let failed = |error| StoreError::sqlite(&self.path, "write", error);
        let pages = |mode| pages(connection, mode).map_err(failed);
        let before = pages("NOOP")?;
        if before.all < LONG {
            self.too_long = LONG;
        }
        if before.all < self.too_long {
            return Ok(());
        }
        // What copying itself says is how things were when it began.
        let copy = || pages("PASSIVE").and_then(|_| pages("NOOP"));
        let mut now = copy()?;
        if now.copied < now.all {
            now = self.shared.in_quiet(copy)?;
        }
        self.too_long = if now.copied < now.all { now.all + LONG / 4 } else { LONG };
        Ok(())
    }
}

/// Copies the log (`PASSIVE`: what holds nobody up), or only looks at it (`NOOP`).
///
/// Source: SQLite, `sqlite3_wal_checkpoint_v2`.
fn pages(connection: &Connection, mode: &str) -> rusqlite::Result<Pages> {
    connection
        .prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))?
        .query_row([], |row| Ok(Pages { all: row.get(1)?, copied: row.get(2)? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn log() -> Log {
        Log { shared: Arc::default(), thread: None }
    }

    #[test]
    fn a_write_waits_for_a_log_that_begins_anew_no_longer_than_it_has_patience() {
        let log = log();
        log.shared.state().is_closed = true;
        let began = Instant::now();
        drop(log.turn());
        assert!(began.elapsed() >= PATIENCE);
    }

    #[test]
    fn a_log_begins_anew_when_those_who_write_have_ended_and_nobody_else_begins() {
        let log = log();
        let turn = log.turn();
        thread::scope(|scope| {
            scope.spawn(|| {
                while !log.shared.state().is_closed {
                    thread::yield_now();
                }
                drop(turn);
            });
            log.shared.in_quiet(|| {
                let state = log.shared.state();
                assert!(state.is_closed);
                assert!(state.is_dirty, "what was written is looked at");
            });
        });
        assert!(!log.shared.state().is_closed);
    }
}
