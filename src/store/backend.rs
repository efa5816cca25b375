//! The store as a backend.

use super::{
    StoreError, StoreOptions,
    codes::Codes,
    log::Log,
    open,
    retention::Keeper,
    write::{Limits, Writer},
};
use crate::{
    BoxError,
    branch::{Branch, BranchId, Failure},
    compare::Comparison,
    record::{BatchError, LoggerBackend, Loss, RunId, Tally},
};
use serde_json::Value;
#[cfg(feature = "server")]
use std::time::Duration;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::runtime::Handle;

/// Every branch and comparison in one SQLite file; see [the module](super). Cheap to clone (one reference
/// count); clones share the connection that writes.
///
/// When the last clone is dropped, the file is closed, which may take the time to copy the
/// write-ahead log (about 16 MiB) into it.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

/// A connection that reads, and what the file was when it was opened.
pub(super) struct Reader {
    pub(super) connection: rusqlite::Connection,
    pub(super) codes: Codes,
    pub(super) version: i32,
}

struct Inner {
    path: PathBuf,
    options: StoreOptions,
    to_write: Option<ToWrite>,
    /// The branches of batches that could not be written: noted with the next that can.
    losses: Tally,
}

/// What a store has that was opened for writing.
struct ToWrite {
    /// Dropped first: the connection that is closed last leaves no log behind.
    log: Log,
    writer: Mutex<Writer>,
}

impl Inner {
    fn new(path: &Path, options: StoreOptions, to_write: Option<ToWrite>) -> Self {
        Self { path: path.to_owned(), options, to_write, losses: Tally::default() }
    }
}

impl SqliteStore {
    /// Opens the store at `path` with the default [`StoreOptions`], creating the file if there
    /// is none. Blocks.
    ///
    /// # Errors
    ///
    /// As [`StoreOptions::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        StoreOptions::new().open(path)
    }

    /// Opens the store at `path` for reading; another process may be writing to it. Blocks.
    ///
    /// # Errors
    ///
    /// As [`StoreOptions::open_read_only`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        StoreOptions::new().open_read_only(path)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    pub(super) fn open_with(path: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let (connection, codes) = open::for_writing(path, &options)?;
        let limits = Limits { output: options.output_limit, failure: options.failure_limit };
        let keeper = Keeper::new(&options);
        let writer = Mutex::new(Writer::new(connection, codes, limits, keeper));
        let to_write = Some(ToWrite { log: Log::start(path, &options), writer });
        Ok(Self { inner: Arc::new(Inner::new(path, options, to_write)) })
    }

    pub(super) fn open_reading(path: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        // Only to refuse now what would be refused later.
        open::for_reading(path, &options)?;
        Ok(Self { inner: Arc::new(Inner::new(path, options, None)) })
    }

    /// A connection of its own for one reader: it neither waits for the writer nor holds it up.
    pub(super) fn reader(&self) -> Result<Reader, StoreError> {
        let (connection, version) = open::for_reading(&self.inner.path, &self.inner.options)?;
        let codes = Codes::load(&connection).map_err(|error| self.failed("read", error))?;
        Ok(Reader { connection, codes, version })
    }

    pub(super) fn failed(&self, action: &'static str, error: rusqlite::Error) -> StoreError {
        StoreError::sqlite(&self.inner.path, action, error)
    }

    /// Runs `work` on one of Tokio's blocking threads.
    ///
    /// Not on a thread of the store's own: a recorder has one batch under way at a time, so it
    /// would mostly sleep, and would have to be stopped and joined; and an aborted recorder
    /// leaves a batch that was begun to be finished either way.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let not_run = |reason: String| StoreError::NotRun { path: self.path().to_owned(), reason };
        let runtime = Handle::try_current().map_err(|error| not_run(error.to_string()))?;
        let store = self.clone();
        let written = runtime.spawn_blocking(move || store.with_writer(work));
        written.await.map_err(|error| not_run(error.to_string()))?
    }

    /// Runs `work` with the connection that writes, in no transaction, when nothing else does.
    /// Blocks.
    pub(super) fn with_connection<T>(
        &self,
        work: impl FnOnce(&mut rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.with_writer(|writer| writer.connection().and_then(work))
    }

    /// Runs `work` with what writes, when nothing else does. Blocks.
    pub(super) fn with_writer<T>(
        &self,
        work: impl FnOnce(&mut Writer) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let ToWrite { log, writer } = self.to_write()?;
        let _turn = log.turn();
        // After a panic in the middle of a batch the writer begins by rolling it back.
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        let written = work(&mut writer);
        // After a full disk as well: it may make room.
        writer.keep();
        written.map_err(|error| self.failed("write", error))
    }

    /// Runs `work` with what writes and how long that waits for others, if nothing else does at this
    /// moment. Not for a durable store, which waits for the disk.
    #[cfg(feature = "server")]
    pub(super) fn try_writer<T>(
        &self,
        work: impl FnOnce(&mut Writer, Duration) -> Option<T>,
    ) -> Option<T> {
        let to_write = self.inner.to_write.as_ref().filter(|_| !self.inner.options.durable)?;
        let _turn = to_write.log.try_turn()?;
        let mut writer = to_write.writer.try_lock().ok()?;
        work(&mut writer, self.inner.options.busy_timeout)
    }

    /// The write-ahead log, of which nothing is copied into the file until this is dropped. Not to be asked
    /// for while writing. Blocks.
    pub(super) fn log_left_alone(&self) -> Result<MutexGuard<'_, ()>, StoreError> {
        Ok(self.to_write()?.log.left_alone())
    }

    fn to_write(&self) -> Result<&ToWrite, StoreError> {
        let to_write = self.inner.to_write.as_ref();
        to_write.ok_or_else(|| StoreError::ReadOnly { path: self.inner.path.clone() })
    }

    /// Runs `work` with the losses of this store that are to be noted by it.
    async fn noting_losses(
        &self,
        work: impl FnOnce(&mut Writer, &[Loss]) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), StoreError> {
        let losses = Arc::new(self.inner.losses.take());
        let own = losses.clone();
        let written = self.write(move |writer| work(writer, &own)).await;
        if written.is_err() {
            self.inner.losses.put_back(&losses);
        }
        self.inner.losses.told();
        written
    }

    fn run_id(&self, run: &RunId) -> Result<BranchId, StoreError> {
        run.0.parse().map_err(|_| self.no_run(run))
    }

    fn no_run(&self, run: &RunId) -> StoreError {
        StoreError::NoRun { path: self.inner.path.clone(), run: run.0.clone() }
    }
}

/// # Cancel safety
///
/// Dropping one of these futures does not stop what was begun: it is committed or rolled back
/// as a whole, unheard.
impl LoggerBackend for SqliteStore {
    /// Keeps the branch as it is now, with its config; one that is there already stays.
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        let run = RunId(branch.id.to_string());
        let branch = branch.clone();
        self.noting_losses(move |writer, losses| writer.write(&[branch], losses)).await?;
        Ok(run)
    }

    async fn log_status(&self, run: &RunId, branch: &Branch) -> Result<(), BoxError> {
        let (id, branch) = (self.run_id(run)?, branch.clone());
        let found = self.write(move |writer| writer.set_end(id, &branch)).await?;
        if found { Ok(()) } else { Err(self.no_run(run).into()) }
    }

    async fn log_exception(&self, run: &RunId, failure: &Failure) -> Result<(), BoxError> {
        let (id, failure) = (self.run_id(run)?, failure.clone());
        let found = self.write(move |writer| writer.set_failure(id, &failure)).await?;
        if found { Ok(()) } else { Err(self.no_run(run).into()) }
    }

    /// The branch brought its config along; there is nothing to add.
    async fn log_params(&self, _: &RunId, _: &Value) -> Result<(), BoxError> {
        Ok(())
    }

    /// Keeps the batch in one transaction. If that fails, exactly this batch is lost.
    async fn log_batch(&self, batch: &[Branch]) -> Result<(), BatchError> {
        // A few reference counts for each, and its output.
        let copy = batch.to_vec();
        self.noting_losses(move |writer, losses| writer.write(&copy, losses)).await.map_err(
            |error| {
                self.inner.losses.add_batch(batch);
                BatchError { lost: batch.len(), source: error.into() }
            },
        )
    }

    async fn log_losses(&self, losses: &[Loss]) -> Result<(), BoxError> {
        let told = losses.to_vec();
        self.noting_losses(move |writer, own| writer.write_losses(&[&told, own].concat())).await?;
        Ok(())
    }

    fn keeps_losses(&self) -> bool {
        true
    }

    /// As [`log_batch`](LoggerBackend::log_batch).
    async fn log_comparisons(&self, batch: &[Comparison]) -> Result<(), BatchError> {
        let lost = batch.len();
        let batch = batch.to_vec();
        self.write(move |writer| writer.write_comparisons(&batch))
            .await
            .map_err(|error| BatchError { lost, source: error.into() })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.inner.path)
            .field("read_only", &self.inner.to_write.is_none())
            .finish_non_exhaustive()
    }
}
