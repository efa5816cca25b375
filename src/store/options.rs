//! How a store is opened.

use super::{Retention, SqliteStore, StoreError};
use std::{collections::BTreeMap, path::Path, time::Duration};

/// How a store is opened: its bounds, each with a default.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    pub(super) busy_timeout: Duration,
    pub(super) output_limit: usize,
    pub(super) failure_limit: usize,
    pub(super) max_size: Option<u64>,
    pub(super) durable: bool,
    pub(super) keep: Retention,
    pub(super) keep_of: BTreeMap<Box<str>, Retention>,
    pub(super) keep_outcomes: Option<Duration>,
}

impl StoreOptions {
    /// The defaults: 5 s, 64 KiB, 64 KiB, no limit to the file, not durable, branches and
    /// outcomes kept for ever.
    pub const fn new() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            output_limit: 64 * 1024,
            failure_limit: 64 * 1024,
            max_size: None,
            durable: false,
            keep: Retention::new(),
            keep_of: BTreeMap::new(),
            keep_outcomes: None,
        }
    }

    /// How long to wait for another process that is writing to the same file. Beyond it the
    /// batch is lost and counted.
    #[must_use]
    pub const fn busy_timeout(mut self, wait: Duration) -> Self {
        self.busy_timeout = wait;
        self
    }

    /// The most bytes of JSON kept of one output; a longer one is cut, and marked as cut.
    #[must_use]
    pub const fn output_limit(mut self, bytes: usize) -> Self {
        self.output_limit = bytes;
        self
    }

    /// The most bytes of text (type, message and trace together) kept of one failure; what is
    /// longer is cut, and marked as cut.
    #[must_use]
    pub const fn failure_limit(mut self, bytes: usize) -> Self {
        self.failure_limit = bytes;
        self
    }

    /// The most bytes the file may grow to, as far as this process writes to it (its write-ahead
    /// log comes on top: about 16 MiB, up to 64 on a slow disk, more while a reader holds it up).
    /// Beyond it branches are lost and counted.
    #[must_use]
    pub const fn max_size(mut self, bytes: u64) -> Self {
        self.max_size = Some(bytes);
        self
    }

    /// Whether each transaction has reached the disk before it counts as written, so that a machine
    /// that loses power loses nothing that was acknowledged: no batch of branches that a recorder
    /// counts as written (or has drained), no call of MLflow's API that was answered. Otherwise that
    /// holds for a process that is killed, and the loss of power may take the last transactions.
    ///
    /// It costs one wait for the disk (`fsync`) for each batch of branches, and for each group of
    /// calls that are written together.
    #[must_use]
    pub const fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// How long branches are kept, by age and by size for each experiment; for ever, unless it is
    /// said here. Roll-ups stay.
    ///
    /// It holds for the experiments that this process writes to, and is seen to between batches,
    /// some milliseconds at a time: so only while something is written.
    #[must_use]
    pub const fn keep(mut self, retention: Retention) -> Self {
        self.keep = retention;
        self
    }

    /// The same for one experiment, by its name.
    #[must_use]
    pub fn keep_of(mut self, experiment: impl Into<Box<str>>, retention: Retention) -> Self {
        self.keep_of.insert(experiment.into(), retention);
        self
    }

    /// How long outcomes are kept after they happened; for ever, unless it is said here. What they come to stays. The
    /// whole file has one such time, since outcomes are of units, not of experiments; of several processes that write to
    /// it, the shortest counts.
    ///
    /// Those that are older are removed as by [`prune_outcomes`](SqliteStore::prune_outcomes), with what that takes
    /// away: an outcome that is reported so late is refused, and the windows of experiments stay what they are.
    ///
    /// It is seen to as [`keep`](Self::keep) is; all of them are looked through when the file has been opened, and every
    /// hour, or a twentieth of this time if that is less.
    #[must_use]
    pub const fn keep_outcomes(mut self, age: Duration) -> Self {
        self.keep_outcomes = Some(age);
        self
    }

    /// Opens the store at `path`, creating the file if there is none. Blocks.
    ///
    /// # Errors
    ///
    /// When its directory is missing, the file cannot be written, belongs to another
    /// application, is damaged, or was written by a newer version of this crate. A file that is
    /// refused is left as it was.
    pub fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_with(path.as_ref(), self)
    }

    /// Opens the store at `path` for reading; another process may be writing to it. Blocks.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and when there is no such file.
    pub fn open_read_only(self, path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_reading(path.as_ref(), self)
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self::new()
    }
}
