//! The store's network face: MLflow's REST API over the branches, and over what clients log.
//!
//! [`MlflowServer`] speaks the API of MLflow 3.17 (2.0 and 3.0), so that its Python client, and
//! whatever else talks to an MLflow server, works against a
//! [`SqliteStore`](crate::store::SqliteStore) with nothing else to install. Every branch is a run:
//! its config is the params, its times are the metrics. Every request is a trace: its branches are
//! the spans.
//!
//! ```no_run
//! use tower_spearmint::{server::MlflowServer, store::SqliteStore};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), tower_spearmint::BoxError> {
//! let store = SqliteStore::open("spearmint.db")?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:5000").await?;
//! MlflowServer::new(store)?.serve(listener, std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! `spearmint ui` is the same from the command line.
//!
//! Whoever reaches it may use it, so it serves only listeners that nothing but this machine
//! reaches, unless it has [`Tokens`].
//!
//! # How a call runs
//!
//! `answer` leads it: `doors` lets it in, `routes` finds it. One that reads runs on a blocking
//! thread, with a connection of its own (`readers`). One that writes and is small does so at once,
//! if nobody else writes at that moment. All others that write run on one thread (`writer`), which
//! takes as many calls as are waiting into one transaction, each in a savepoint of its own. Either
//! is answered when it is committed. A call whose body streams (`raw`) does both, and reads and
//! writes files beside the store (`artifacts`).

mod accept;
mod answer;
mod artifacts;
mod body;
mod branch_scan;
mod call;
mod certificate;
mod doors;
mod error;
mod experiments;
mod functions;
mod input;
mod logged_models;
mod metrics;
mod outcomes;
mod page;
mod pages;
mod raw;
mod readers;
mod registry;
mod reply;
mod routes;
mod runs;
mod search;
mod serve;
mod server_info;
mod thread;
mod traces;
mod validate;
mod writer;

pub use certificate::ServerCertificate;
pub use doors::{Access, ServeError, TokenError, Tokens};
pub use metrics::ServerMetrics;
pub use serve::MlflowServer;
pub use thread::ServerThread;

pub use crate::tls::CertificateError;
