//! Branches as the runs of an MLflow server.
//!
//! [`MlflowBackend`] is a [`LoggerBackend`](crate::record::LoggerBackend) that writes each branch
//! as one run over MLflow's REST API: the config as params, how it ended as tags and status, the
//! duration as a metric, and the trace of a failure as the artifact `failure.txt`.
//!
//! ```no_run
//! use tower_spearmint::{LogLayer, Recorder, mlflow::MlflowBackend};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (recorder, recording) = Recorder::pair(MlflowBackend::from_env()?);
//! tokio::spawn(recording);
//! let layer = LogLayer::new(recorder.clone());
//! // … serve, and at the end:
//! recorder.drain(std::time::Duration::from_secs(30)).await?;
//! # let _ = layer;
//! # Ok(())
//! # }
//! ```
//!
//! With its own address, experiment and patience. MLflow is slow (some tens of runs a second), so
//! beside another backend it goes behind a recorder of its own; and it does not see what that
//! one cannot carry:
//!
//! ```
//! use std::time::Duration;
//! use tower_spearmint::{Recorder, mlflow::MlflowBackend, record::MemoryBackend};
//!
//! let mlflow = MlflowBackend::new("https://ann:hidden@mlflow.example/base")?
//!     .experiment("ranker")
//!     .max_concurrency(4)
//!     .give_up_after(Duration::from_secs(20));
//! assert!(!format!("{mlflow:?}").contains("hidden"));
//!
//! let (to_mlflow, writing) = Recorder::with_capacity(mlflow, 10_000);
//! let (recorder, recording) = Recorder::pair((MemoryBackend::new(), to_mlflow.clone()));
//! // tokio::spawn(writing); tokio::spawn(recording);
//! // `recorder.stats()` counts what memory got, `to_mlflow.stats()` what MLflow got.
//! # let _ = (writing, recording, recorder);
//! # Ok::<(), tower_spearmint::mlflow::MlflowError>(())
//! ```
//!
//! # What is written where
//!
//! | of the branch | in the run |
//! |---|---|
//! | experiment | the experiment of that name, created if missing; tag `spearmint.experiment` |
//! | config, secrets replaced | params, nested keys and list positions joined with `.` (`llm.stop.0`) |
//! | start, end | start and end of the run, in ms |
//! | status `success`, `failed`, `cancelled`, `skipped` | `FINISHED`, `FAILED`, `KILLED`, `KILLED`; tag `spearmint.status` has the exact one |
//! | strategy, role, config id | tags `spearmint.strategy`, `.role`, `.config_id` |
//! | request, branch, outer branch | tags `spearmint.request_id`, `.branch_id`, `.parent`, `.parent_config_id` |
//! | the trace it belongs to: the caller's, or the request itself | tag `spearmint.trace_id`; the caller's span in `spearmint.parent_span_id` |
//! | why it was this config, and the epoch | tags `spearmint.reason`, `.epoch` (number and fingerprint: `1-afbe801e86ef3ebe`) |
//! | unit | tag `spearmint.unit` (the keyed hash, hexadecimal) |
//! | why it was skipped | tag `spearmint.skip` |
//! | failure | tags `spearmint.failure_kind`, `.failure_type`, `.failure_message`; artifact `failure.txt` with the trace, or tag `.failure_trace` where the server takes no artifacts for its clients |
//! | output, if captured | tag `spearmint.output` (JSON); its numbers as metrics `output.…` |
//! | duration, retries, probability | metrics `duration_ms`, `retry_count`, `probability` |
//! | first byte and bytes, over HTTP | metrics `first_byte_ms`, `bytes_in`, `bytes_out` |
//! | what the service said of it ([`Trial::metric`](crate::Trial::metric)) | metrics of the same names, but for those above |
//!
//! # Limits
//!
//! MLflow's: names of 250 characters, values of 6,000 (params) and 8,000 (tags), 100 params a
//! request. A value that is too long is cut and says so at its end; a name that is too long is
//! cut and ends in a hash; characters that MLflow refuses become `_`. And our own: 1,000 params a
//! run (how many more there were is in tag `spearmint.params_left_out`), 100 numbers of an output
//! and 1 MiB of `failure.txt`.
//!
//! # When MLflow is slow or away
//!
//! The requests of the experiment never wait for MLflow: a recorder's bounded queue stands
//! between, and counts what does not fit ([`dropped`](crate::record::RecorderStats::dropped)).
//! The backend itself holds one batch. A request that got no answer, or 408, 429 or a status of
//! 500 and above, is tried again, with pauses that grow (full jitter) or are as long as
//! `Retry-After` (in seconds) asks for, until [`give_up_after`](MlflowBackend::give_up_after);
//! then its branch is [`lost`](crate::record::RecorderStats::lost), and with it the rest of the
//! batch if nothing at all was written in that time. Any other refusal loses its branch at once.
//! One warning per outage is logged, not one per branch.
//!
//! A branch is one run or none. If the answer to a creation was lost, the run is looked up by its
//! `spearmint.branch_id` before another is created; a run that was begun for a branch that was
//! then lost, or begun twice, is deleted when MLflow is back (as far as this process lives to see
//! it).
//!
//! # Connections and TLS
//!
//! Connections are kept open with `https`. With plain `http` every request has its own, since
//! MLflow's server answers on a kept one 40 ms later (docs/mlflow.md says why).
//!
//! `https` uses `rustls` with `ring` and the certificates of the system (also those named by
//! `SSL_CERT_FILE`). No provider is installed for the process, and none is needed.

mod address;
mod backend;
mod bodies;
mod client;
#[cfg(feature = "store")]
mod delivery;
mod error;
mod experiments;
mod failure_text;
mod logger;
mod retry;
mod runs;
#[cfg(feature = "store")]
mod spans;
#[cfg(feature = "store")]
mod summary;
#[cfg(feature = "store")]
mod traces;
mod unfinished;

#[cfg(feature = "store")]
pub(crate) use {delivery::Delivery, summary::SummaryRun, traces::Begun};

pub use backend::MlflowBackend;
pub use error::MlflowError;
