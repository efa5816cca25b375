//! What can go wrong with a store.

use super::{APPLICATION_ID, OutcomeError, SCHEMA_VERSION};
use crate::BoxError;
use std::path::{Path, PathBuf};

/// What went wrong with a store, and what to do. Each says its own level only; the chain of
/// causes is in [`source`](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The directory that the file should stand in is missing.
    #[error("{path}: there is no directory {directory}; create it, or name a file elsewhere")]
    NoDirectory {
        /// The file.
        path: PathBuf,
        /// The directory.
        directory: PathBuf,
    },
    /// Opened for reading, and nothing is there.
    #[error("{path}: there is no store there yet; check the name, or record something to it first")]
    NoFile {
        /// The file.
        path: PathBuf,
    },
    /// The file belongs to another application.
    #[error(
        "{path} is a database of another application (application id {found:#010x} version \
         {version}; a store is {APPLICATION_ID:#010x} version {SCHEMA_VERSION}); it is left as \
         it was: name another file"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its `application_id`.
        found: i32,
        /// Its `user_version`.
        version: i32,
    },
    /// The file was written by a newer version of this crate.
    #[error(
        "{path} is a store of version {found}, and this program knows versions up to \
         {SCHEMA_VERSION}; it is left as it was: use a newer program, or name another file"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i32,
    },
    /// The file is no database, or a broken one.
    #[error(
        "{path} is not a database, or a damaged one; name another file, or save what is left \
         with `sqlite3 FILE .recover`"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: BoxError,
    },
    /// The store was opened for reading only.
    #[error("{path} was opened for reading only; open it with `SqliteStore::open` to record")]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// It is asked for a snapshot, and an older program wrote it.
    #[error(
        "{path} is a store of version {found}, which has no name among replicas yet; open it for writing once, \
         as `spearmint serve` and `spearmint store prune` do"
    )]
    NoReplica {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i32,
    },
    /// The run that a call belongs to was never started here.
    #[error("{path}: there is no run `{run}`; call `start_run` first")]
    NoRun {
        /// The file.
        path: PathBuf,
        /// The run.
        run: String,
    },
    /// A filter names an experiment that has no branches.
    #[error("no experiment is named `{name}`; there is {}", list(known))]
    NoExperiment {
        /// The name asked for.
        name: String,
        /// Some that exist.
        known: Vec<String>,
    },
    /// A filter names a config that has no branches.
    #[error("no config's id is or begins with `{id}`; there is {}", list(known))]
    NoConfig {
        /// The id or prefix asked for.
        id: String,
        /// Some that exist.
        known: Vec<String>,
    },
    /// Several configs begin so.
    #[error("several configs begin with `{id}`: {}; write more of it", list(matching))]
    AmbiguousConfig {
        /// The prefix asked for.
        id: String,
        /// Some that it fits.
        matching: Vec<String>,
    },
    /// An outcome is not as it should be; none of its batch was kept.
    #[error(transparent)]
    Outcome(OutcomeError),
    /// What counts as an outcome could not be changed.
    #[error("{path}: {reason}")]
    OutcomeRules {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A plan that is to be kept is for no experiment.
    #[error("a plan is kept for one experiment; say which with `Plan::experiment`")]
    PlanOfAll,
    /// The plan that is kept for an experiment cannot be used.
    #[error(
        "{path}: cannot use the plan that is kept for `{experiment}`: {reason}; use the program that kept it, \
         name its file with `--file`, or let `spearmint serve` of this version keep it again"
    )]
    Plan {
        /// The file, or the replica whose snapshot has it.
        path: PathBuf,
        /// The experiment.
        experiment: String,
        /// Why.
        reason: String,
    },
    /// Several replicas keep other plans for an experiment, and older programs did not say since when.
    #[error(
        "{} keep different plans for `{experiment}`, and nothing says which is the newest; name the file that holds \
         with `--file`, or let `spearmint serve` of this version keep it again",
        list(replicas)
    )]
    PlansDiffer {
        /// The experiment.
        experiment: String,
        /// Whose snapshots they are.
        replicas: Vec<String>,
    },
    /// SQLite could not do it.
    #[error("{path}: cannot {action}: {advice}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What was to be done.
        action: &'static str,
        /// What to do about it.
        advice: &'static str,
        /// What SQLite says.
        source: BoxError,
    },
    /// The thread that writes did not come to its end.
    #[error("{path}: the batch was not written: {reason}")]
    NotRun {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl StoreError {
    pub(super) fn sqlite(path: &Path, action: &'static str, error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::*;
        let path = path.to_owned();
        let advice = match error.sqlite_error_code() {
            Some(NotADatabase | DatabaseCorrupt) => {
                return Self::Damaged { path, source: error.into() };
            }
            Some(DiskFull) => {
                "the disk is full, or the file has reached its `max_size`; free some space, or \
                 raise the limit"
            }
            Some(DatabaseBusy | DatabaseLocked) => {
                "another process has kept it locked for longer than `busy_timeout`; stop that \
                 process, or raise the time"
            }
            Some(ReadOnly | PermissionDenied) => {
                "the file or its disk is read-only; give this user the right to write to it and \
                 to its directory"
            }
            Some(CannotOpen) => {
                "it could not be opened; check that it is a file, and that this user may read \
                 and write it and its directory"
            }
            Some(SystemIoFailure) => "the disk does not answer as it should; check its health",
            _ => "see the cause",
        };
        Self::Sqlite { path, action, advice, source: error.into() }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none yet".to_owned() } else { names.join(", ") }
}
