//! The textbook's tests, for data that are complete, and looked at once.
//!
//! They are read from the branches themselves, each of which is looked at. Whoever looks again and again while data come in,
//! and stops when the answer pleases, is wrong more often than these say: that is what
//! [`Report`](super::Report) is for, whose intervals hold at every look. So there is no verdict here.
//!
//! ```
//! use tower_spearmint::{report::{OneLook, Plan}, store::SqliteStore};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let file = std::env::temp_dir().join(format!("spearmint-doc-fixed-{}.db", std::process::id()));
//! # let _ = std::fs::remove_file(&file);
//! # let store = SqliteStore::open(&file)?;
//! for experiment in OneLook::new(Plan::new()).read([&store], |_| {})? {
//!     for candidate in &experiment.candidates {
//!         for test in &candidate.tests {
//!             println!("{}: {} p = {:?}", candidate.config_id, test.metric.measure, test.p);
//!         }
//!     }
//! }
//! # std::fs::remove_file(&file)?;
//! # Ok(())
//! # }
//! ```

mod adjust;
mod bets;
mod by_measure;
mod collect;
mod column;
mod error;
mod means;
mod one_look;
mod outcomes;
mod placed;
mod quantiles;
mod shares;
mod test;

pub use error::FixedError;
pub use one_look::{FixedCandidate, FixedReport, OneLook};
pub use test::{AlsoTested, By, FixedTest, Method};

/// What an interval may be wrong with, and a test that finds what is not there.
const ALPHA: f64 = 0.05;
/// Of effects as large as what is called detectable, this share is found.
const POWER: f64 = 0.8;
