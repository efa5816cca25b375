//! `spearmint serve` as a library: a reverse proxy that runs an experiment.
//!
//! An [`ExperimentFile`] says what to run; [`Proxy`] is the running thing: it listens, forwards
//! each request to the upstream of the config (or configs) its strategy chose, and hands every
//! branch to a [`Recorder`](crate::Recorder).
//!
//! ```
//! use tower_spearmint::proxy::ExperimentFile;
//!
//! let file = ExperimentFile::from_yaml_str("
//! experiment: ranker
//! strategy: shadow
//! primary: stable
//! shadow: { methods: [GET, POST], sample: 0.5, timeout: 2s }
//! configs:
//!   - { config_id: stable, upstream: 'http://127.0.0.1:9001' }
//!   - { config_id: candidate, upstream: 'http://127.0.0.1:9002' }
//! ")?;
//! assert_eq!(file.experiment(), "ranker");
//!
//! let error = ExperimentFile::from_yaml_str("
//! experiment: ranker
//! strategy: round_robin
//! configs:
//!   - { config_id: stable, upstraem: 'http://127.0.0.1:9001' }
//! ").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "<text>:5:5: `configs[0].upstream`: not set; write the address of this config's service, \
//!      as in `upstream: http://127.0.0.1:9001` (`upstraem` is close; is that what was meant?)"
//! );
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```
//!
//! Serving it, recorded to memory, until a signal:
//!
//! ```no_run
//! use tower_spearmint::{BoxError, Recorder};
//! use tower_spearmint::proxy::{ExperimentFile, Proxy};
//! use tower_spearmint::record::MemoryBackend;
//!
//! # async fn run() -> Result<(), BoxError> {
//! let file = ExperimentFile::from_yaml_file("experiment.yaml")?;
//! let (recorder, recording) = Recorder::pair(MemoryBackend::new());
//! tokio::spawn(recording);
//! let proxy = Proxy::new(&file, recorder)?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! proxy.serve(listener, async { let _ = tokio::signal::ctrl_c().await; }).await;
//! # Ok(())
//! # }
//! ```
//!
//! While it runs, a [`ProxyHandle`] reads the counters, switches the shadows, and puts another
//! file to use:
//!
//! ```
//! use tower_spearmint::{BoxError, Recorder};
//! use tower_spearmint::proxy::{ExperimentFile, Proxy};
//! use tower_spearmint::record::MemoryBackend;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! # let (recorder, _recording) = Recorder::pair(MemoryBackend::new());
//! let file = |sample| ExperimentFile::from_yaml_str(&format!("
//! experiment: ranker
//! strategy: shadow
//! primary: stable
//! shadow: {{ sample: {sample} }}
//! configs:
//!   - {{ config_id: stable, upstream: 'http://127.0.0.1:9001' }}
//!   - {{ config_id: candidate, upstream: 'http://127.0.0.1:9002' }}
//! "));
//! let proxy = Proxy::new(&file(0.1)?, recorder)?;
//! let handle = proxy.handle();
//! handle.switch_shadows(Some("candidate"), false)?;
//! let reloaded = handle.reload(&file(0.5)?)?;
//! assert!(reloaded.needs_restart.is_empty());
//! // What was switched off stays so.
//! assert!(!handle.stats().shadows[0].enabled);
//! # Ok(())
//! # }
//! ```

mod admin;
mod body;
mod client;
mod connection;
mod connector;
mod evaluate;
mod explain;
mod file;
#[cfg(feature = "open-feature")]
mod flags;
#[cfg(feature = "watch")]
mod follow;
mod forward;
mod framer;
mod goodbye;
mod guard;
mod h2_line;
mod h2_pool;
mod handle;
mod headers;
mod held;
mod limits;
mod line;
mod listener;
mod load;
mod metrics;
mod multi_branch;
mod otlp;
#[cfg(feature = "store")]
mod outcomes;
mod pool;
mod refuse;
mod request_edit;
mod respond;
mod rewrite;
mod round_robin;
#[cfg(feature = "schema")]
mod schema;
mod serve;
mod server;
mod settings;
mod shadow;
mod single;
mod socket;
mod stack;
mod stats;
mod switch;
mod target;
mod tasks;
mod tls;
mod ui;
mod unit_key;
mod upgrade;
mod upstream;
mod upstream_failure;
#[cfg(feature = "schema")]
mod validate;
mod version;
mod visitor;

pub use admin::Readiness;
pub use body::{ProxyBody, ReplyBody, UpstreamBody};
pub use explain::AssignRequest;
pub use file::{ExperimentFile, SyncFile};
#[cfg(feature = "open-feature")]
pub use flags::{FlagLayer, UnitRule};
pub use handle::{ProxyHandle, Reloaded};
pub use headers::ClientAddr;
pub use listener::ListenerStats;
pub use otlp::OtlpSettings;
pub use serve::{Proxy, ServeReport};
pub use settings::TlsSettings;
pub use stack::{ProxyRequest, ProxyResponse};
pub use stats::ProxyStats;
pub use ui::UiSettings;
#[cfg(feature = "schema")]
pub use validate::Validation;
