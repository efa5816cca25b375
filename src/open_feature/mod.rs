//! An [OpenFeature](https://openfeature.dev) provider: flags answered by the assignment that
//! requests get.
//!
//! A flag is an experiment, or a path in its configs: of the experiment `ranker` the flag `ranker`
//! is the whole config as a structure, and `ranker.llm.model` what stands there. A
//! [`RoundRobinLayer`](crate::RoundRobinLayer) decides which config it is, with all that it
//! decides by: weights, sticky units, ramps, namespaces, hold-outs, rules. The unit is the
//! targeting key of the evaluation context.
//!
//! ```
//! use open_feature::{EvaluationContext, EvaluationReason, OpenFeature};
//! use serde_json::json;
//! use tower_spearmint::{ConfigPool, RoundRobinLayer, open_feature::{SpearmintProvider, TargetingKey}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), tower_spearmint::BoxError> {
//! let pool = ConfigPool::from_values([
//!     json!({ "config_id": "stable", "llm": { "model": "small-v1", "temperature": 0.2 } }),
//!     json!({ "config_id": "candidate", "llm": { "model": "small-v2", "temperature": 0.7 } }),
//! ])?;
//! let ranker = RoundRobinLayer::new(pool)
//!     .experiment("ranker")
//!     .weighted([("stable", 9.0), ("candidate", 1.0)])?
//!     .sticky("ranker-2026", TargetingKey);
//!
//! let mut api = OpenFeature::singleton_mut().await;
//! api.set_provider(SpearmintProvider::new().experiment(ranker)?).await;
//! let client = api.create_client();
//!
//! let ann = EvaluationContext::default().with_targeting_key("ann");
//! let model = client.get_string_details("ranker.llm.model", Some(&ann), None).await.unwrap();
//! assert_eq!((&*model.value, model.variant.as_deref()), ("small-v2", Some("candidate")));
//! assert_eq!(model.reason, Some(EvaluationReason::Split));
//! # Ok(())
//! # }
//! ```
//!
//! A layer around a service answers the flags of its own experiment
//! ([`for_flags`](crate::round_robin::GenericRoundRobinLayer::for_flags)); units, rules and testers
//! of one's own read custom fields; a [`ProviderHandle`] changes the experiments while the provider
//! answers:
//!
//! ```
//! # use open_feature::{EvaluationContext, EvaluationReason, OpenFeature};
//! # use serde_json::json;
//! # use tower_spearmint::{ConfigPool, RoundRobinLayer};
//! use tower_spearmint::{assign::Ramp, open_feature::{CustomField, SpearmintProvider}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), tower_spearmint::BoxError> {
//! # let pool = ConfigPool::from_values([
//! #     json!({ "config_id": "stable", "columns": 2 }), json!({ "config_id": "candidate", "columns": 3 }),
//! # ])?;
//! let layout = RoundRobinLayer::new(pool)
//!     .experiment("layout")
//!     .sticky("layout", CustomField::new("company"))
//!     .eligible(|context: &EvaluationContext| context.custom_fields.contains_key("company"))
//!     .testers(CustomField::new("spearmint_config"));
//! let provider = SpearmintProvider::new().experiment(layout.clone().ramp(Ramp::share(0.0)))?;
//! let handle = provider.handle();
//! # let mut api = OpenFeature::default();
//! # api.set_provider(provider).await;
//! # let client = api.create_client();
//! let acme = EvaluationContext::default().with_custom_field("company", "acme");
//! assert_eq!(client.get_int_value("layout.columns", Some(&acme), None).await.unwrap(), 2);
//!
//! let tester = acme.clone().with_custom_field("spearmint_config", "candidate");
//! let columns = client.get_int_details("layout.columns", Some(&tester), None).await.unwrap();
//! assert_eq!((columns.value, columns.reason), (3, Some(EvaluationReason::TargetingMatch)));
//!
//! handle.set(layout.ramp(Ramp::share(1.0)));
//! let columns = client.get_int_details("layout.columns", Some(&acme), None).await.unwrap();
//! assert_eq!(columns.reason, Some(EvaluationReason::Split));
//! # Ok(())
//! # }
//! ```
//!
//! An evaluation is no branch: nothing is recorded. `docs/open_feature.md` says what is answered
//! with which type, reason, metadata and error.

mod answer;
mod asked;
mod context;
mod details;
mod flags;
mod provider;

pub use context::{CustomField, TargetingKey};
pub use flags::{DuplicateExperiment, ProviderHandle};
pub use provider::SpearmintProvider;

/// The examples of the page run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/open_feature.md")]
struct Page;

use open_feature::{EvaluationError, EvaluationErrorCode};

fn error(code: EvaluationErrorCode, message: String) -> EvaluationError {
    EvaluationError { code, message: Some(message) }
}
