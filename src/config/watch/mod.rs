//! Configs that follow their files while they are used.
//!
//! [`ConfigPool::watch`](crate::ConfigPool::watch) reads a pool and keeps it up to date: a valid change is in use at once,
//! as a whole, with the next epoch number; one with a mistake is counted and told, and the pool in
//! use stays in use. A [`Config`](crate::Config) itself never changes.
//!
//! ```
//! use tower_spearmint::ConfigPool;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), tower_spearmint::BoxError> {
//! # let directory = tempfile::tempdir()?;
//! # let file = directory.path().join("ranker.yaml");
//! std::fs::write(&file, "{ config_id: stable, model: small-v1 }")?;
//! let (watched, watching) = ConfigPool::watch(&file).await?;
//! let task = tokio::spawn(watching);
//! assert_eq!((watched.epoch(), watched.pool().len()), (1, 1));
//!
//! let mut changes = watched.subscribe();
//! std::fs::write(&file, "{ config_id: stable, model: small-v2 }")?;
//! changes.changed().await?;
//! assert_eq!(watched.epoch(), 2);
//! assert_eq!(watched.pool()[0].get::<String>("model")?, "small-v2");
//!
//! std::fs::write(&file, "{ config_id: stable, model: small-v3")?;
//! changes.changed().await?;
//! let now = watched.current();
//! assert_eq!((now.epoch, now.rejected), (2, 1));
//! assert!(now.last_error.as_ref().is_some_and(|error| error.contains("ranker.yaml:1:")));
//! // It stops with the task.
//! task.abort();
//! # Ok(())
//! # }
//! ```
//!
//! A pool read in a way of one's own, with a [`Watch`] that is told how to look:
//!
//! ```
//! use std::time::Duration;
//! use tower_spearmint::{ConfigPool, config::watch::{Watch, WatchedPool}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), tower_spearmint::BoxError> {
//! # let directory = tempfile::tempdir()?;
//! # let file = directory.path().join("ranker.yaml");
//! # std::fs::write(&file, "[{ config_id: a }, { config_id: b }]")?;
//! let watch = Watch::new([&file]).await.settle(Duration::from_millis(20));
//! let read = move || {
//!     let pool = ConfigPool::from_yaml_file(&file)?;
//!     pool.get("a")?;
//!     Ok(pool)
//! };
//! let (watched, watching) = WatchedPool::pair(watch, read).await?;
//! # let _ = (watched, watching);
//! # Ok(())
//! # }
//! ```
//!
//! How a service follows such a pool: [`Live`](crate::live::Live).

mod eyes;
mod follow;
mod links;
mod pool;
mod print;

pub use follow::Watch;
pub use pool::{Watched, WatchedPool, Watching};
#[cfg(feature = "proxy")]
pub(crate) use print::Print;
