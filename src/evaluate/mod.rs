//! What answers are worth, by numbers: read in them, priced, or judged.
//!
//! [`Evaluators`] say what is measured of each branch besides what its service
//! [says](crate::Place::metric): numbers that stand in its response, what the response cost, and what an
//! [`Evaluator`] makes of request, response and what was expected. All of them are
//! [metrics of the branch](crate::Branch::metrics), so that a report can hold their means against the
//! baseline's.
//!
//! It happens in the background, when the branch has ended and before it is recorded; no caller and no
//! recorder waits for it. Each evaluator has its [time](Evaluators::timeout), some branches are judged
//! [at once](Evaluators::at_once), some [wait](Evaluators::waiting), and beyond that they are recorded without. So is a
//! branch whose evaluator failed, hung or panicked. What was missed is counted, by metric and by reason
//! ([`Evaluating::stats`]).
//!
//! ```
//! use serde_json::json;
//! use std::time::Duration;
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tower_spearmint::evaluate::{Evaluation, Evaluators, ExactMatch, Expected, function};
//! use tower_spearmint::record::MemoryBackend;
//! use tower_spearmint::{ConfigPool, LogLayer, Recorder, ShadowLayer, Trial, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), tower_spearmint::BoxError> {
//! let memory = MemoryBackend::new();
//! let (recorder, recording) = Recorder::pair(memory.clone());
//! tokio::spawn(recording);
//!
//! let shouts = function("shouts", |evaluation: &Evaluation| {
//!     Some(f64::from(evaluation.response()?["text"].as_str()?.ends_with('!')))
//! });
//! let evaluation = Evaluators::new()
//!     .measure("tokens", "/usage/tokens")
//!     .with(ExactMatch::new("same").at("/text")?)
//!     .with(shouts)
//!     .expected(Expected::Primary)
//!     .build()?;
//!
//! let answer = service_fn(|trial: Trial<&'static str>| async move {
//!     let mark: String = trial.config().get("mark")?;
//!     let text = format!("Hello, {}{mark}", trial.request());
//!     Ok::<_, tower_spearmint::BoxError>(json!({ "usage": { "tokens": text.len() }, "text": text }))
//! });
//! let pool = ConfigPool::from_values([
//!     json!({ "config_id": "stable", "mark": "!" }),
//!     json!({ "config_id": "candidate", "mark": "." }),
//! ])?;
//! let log = LogLayer::new(recorder.clone())
//!     .evaluate(evaluation.clone())
//!     .capture(|answer: &serde_json::Value| Some(answer.clone()));
//! let shadow = ShadowLayer::new(pool.primary("stable")?);
//! let mut service = shadow.layer(log.layer(answer));
//! service.call("Ann").await?;
//!
//! shadow.drain(Duration::from_secs(5)).await;
//! evaluation.drain(Duration::from_secs(5)).await?;
//! recorder.drain(Duration::from_secs(5)).await?;
//! let mut branches = memory.branches();
//! branches.sort_by_key(|branch| branch.id);
//! let [stable, candidate] = branches.try_into().unwrap();
//! assert_eq!(stable.metrics.iter().collect::<Vec<_>>(), [("shouts", 1.0), ("tokens", 11.0)]);
//! assert_eq!(
//!     candidate.metrics.iter().collect::<Vec<_>>(),
//!     [("same", 0.0), ("shouts", 0.0), ("tokens", 11.0)],
//! );
//! # Ok(())
//! # }
//! ```
//!
//! # What is looked at
//!
//! Of a plain service: the output that the logging layer [captures](crate::LogLayer::capture), and the request if somebody
//! [notes](crate::Place::note_request) it. Over HTTP (feature `compare`, for content codings) the body of the
//! response, within [bounds](Evaluators::max_body), however the response is captured; requests as in a plain service, while
//! `spearmint serve` keeps those, too. Bodies are not recorded because of it.

mod at;
mod built_in;
mod counts;
mod error;
mod evaluating;
mod evaluation;
mod evaluator;
mod evaluators;
mod expected;
mod function;
mod job;
mod json_length;
mod measures;
mod pairs;
mod pending;
mod prices;
mod stage;
mod turn;
mod usage;

#[cfg(feature = "schema")]
pub use built_in::FitsSchema;
#[cfg(feature = "regex")]
pub use built_in::Pattern;
pub use built_in::{ExactMatch, Length, Similarity, Unit};
pub use counts::{EvaluationStats, MetricStats, Missed};
pub use error::EvaluatorError;
pub use evaluating::{Evaluating, NotEvaluated};
pub use evaluation::Evaluation;
pub use evaluator::Evaluator;
pub use evaluators::Evaluators;
pub use expected::Expected;
pub use function::{Function, function};
pub use prices::{Price, Prices};
