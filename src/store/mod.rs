//! The embedded store: every branch in one SQLite file, with no server to install.
//!
//! [`SqliteStore`] is a [`LoggerBackend`](crate::record::LoggerBackend). A branch is a compact
//! row under its own id, which sorts by time; a config is kept once, without its secrets;
//! failures and outputs stand in tables of their own. The file is in WAL mode, so that any
//! number of readers, in this process or others, look at it while it is written.
//!
//! ```
//! use serde_json::json;
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tower_spearmint::store::{Filter, SqliteStore};
//! use tower_spearmint::{ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let file = std::env::temp_dir().join(format!("spearmint-doc-1-{}.db", std::process::id()));
//! # let _ = std::fs::remove_file(&file);
//! let store = SqliteStore::open(&file)?;
//! let (recorder, recording) = Recorder::pair(store.clone());
//! tokio::spawn(recording);
//!
//! let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })])?;
//! let service = service_fn(|trial: Trial<u32>| async move { Ok::<_, String>(trial.request() + 1) });
//! let mut service =
//!     RoundRobinLayer::new(pool).layer(LogLayer::new(recorder.clone()).layer(service));
//! for n in 0..10 {
//!     service.call(n).await?;
//! }
//! recorder.drain(std::time::Duration::from_secs(5)).await?;
//!
//! for config in store.summary(&Filter::new())? {
//!     println!("{}: {} requests, p99 {:?} ns", config.config_id, config.requests, config.p99_ns);
//!     assert_eq!(config.success, 5);
//! }
//! # std::fs::remove_file(&file)?;
//! # Ok(())
//! # }
//! ```
//!
//! Bounds of one's own, and reading what failed, newest first:
//!
//! ```
//! use std::time::Duration;
//! use tower_spearmint::branch::Status;
//! use tower_spearmint::store::{Filter, StoreOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let file = std::env::temp_dir().join(format!("spearmint-doc-2-{}.db", std::process::id()));
//! # let _ = std::fs::remove_file(&file);
//! let store = StoreOptions::new()
//!     .output_limit(4 * 1024)
//!     .max_size(10 * 1024 * 1024 * 1024)
//!     .busy_timeout(Duration::from_secs(1))
//!     .open(&file)?;
//! let failed = Filter::new().status(Status::Failed).newest_first().limit(20);
//! for branch in store.branches(&failed)? {
//!     println!("{}", serde_json::to_string(&branch?)?);
//! }
//! assert_eq!(store.counts()?.branches, 0);
//! # std::fs::remove_file(&file)?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is lost when
//!
//! A batch is one transaction: it is kept whole or, when the disk is full, failing or locked for
//! longer than `busy_timeout`, lost whole and counted by the recorder; the next batch is tried
//! afresh. A process that is killed loses what was not committed yet (the recorder's queue); a
//! machine that loses power may lose the last committed batches as well (`synchronous=NORMAL`),
//! but the file stays whole.
//!
//! # Blocking
//!
//! Writing runs on Tokio's pool of blocking threads, never on the threads that serve requests.
//! Opening and reading are plain synchronous calls: in async code put them into
//! `tokio::task::spawn_blocking`.

mod backend;
mod bounded;
#[cfg(feature = "report")]
mod changes;
mod codes;
mod compared;
mod difference_filter;
mod differences;
mod error;
#[cfg(feature = "server")]
mod face;
mod filter;
mod keys;
mod log;
mod look;
mod loss;
mod metric;
mod noise;
#[cfg(feature = "server")]
mod objects;
#[cfg(feature = "report")]
mod observed;
mod open;
mod options;
mod outbox;
mod outcome;
#[cfg(feature = "report")]
mod plan;
mod read;
mod read_differences;
mod retention;
mod rollup;
mod row;
mod schema;
#[cfg(any(feature = "server", feature = "mlflow"))]
mod session;
mod snapshot;
mod summary;
mod tracking;
mod upkeep;
mod write;

pub use backend::SqliteStore;
pub use difference_filter::DifferenceFilter;
pub use differences::{ConfigDifferences, ControlDifferences, DifferenceExample, PathDifferences};
pub use error::StoreError;
pub use filter::Filter;
pub use look::{Look, LookMetric};
pub use metric::MetricsBeyond;
pub use noise::NoiseThresholds;
pub use options::StoreOptions;
pub use outbox::SyncStat;
pub use outcome::{
    Outcome, OutcomeError, OutcomeRow, OutcomeRules, OutcomeSum, OutcomeUnit, OutcomesRecorded,
};
pub use read::{BranchRows, StoreCounts};
pub use retention::Retention;
pub use rollup::{
    Exposure, Histogram, MetricPairs, MetricSums, Moments, Pairs, Rollup, RollupFilter, RollupRows,
    UnitBucket, UnitLatencies, UnitSums,
};
pub use row::BranchRow;
pub use schema::{APPLICATION_ID, SCHEMA_VERSION};
pub use snapshot::{ReplicaId, Snapshot, SnapshotError, Snapshots};
pub use summary::ConfigSummary;
pub use upkeep::{CheckReport, Compacted, ExperimentStat, Progress, Pruned, StoreStat, TableStat};

#[cfg(feature = "report")]
pub(crate) use changes::StoreChanges;
#[cfg(feature = "server")]
pub(crate) use codes::Codes;
#[cfg(feature = "server")]
pub(crate) use face::{Session, can_have_lasted};
#[cfg(feature = "report")]
pub(crate) use look::{Common, LookedAt, Past, PastCandidate, Question, Reached};
#[cfg(feature = "server")]
pub(crate) use metric::{is_metric, metric_of};
#[cfg(feature = "server")]
pub(crate) use objects::{ObjectId, Objects, Owner, Upload, Uploaded};
#[cfg(feature = "report")]
pub(crate) use observed::{Ended, Observed};
#[cfg(feature = "mlflow")]
pub(crate) use outbox::{Arm, Claimed, Doubt, Fate, Lease, Outbox, Point};
#[cfg(any(feature = "server", feature = "proxy"))]
pub(crate) use outcome::OutcomeBatch;
#[cfg(feature = "report")]
pub(crate) use outcome::UnitTotal;
#[cfg(feature = "server")]
pub(crate) use session::{branch, branches_of_request};
#[cfg(feature = "report")]
pub(crate) use snapshot::{KeptPlan, RECENT_NS, Recent, Totals};
#[cfg(feature = "server")]
pub(crate) use write::Kept;
