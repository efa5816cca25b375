//! What the tests have in common.

use open_feature::{Client, EvaluationContext, OpenFeature};
use serde_json::{Value, json};
use tower_spearmint::{ConfigPool, RoundRobinLayer, open_feature::SpearmintProvider};

/// A client of a provider, with an API of its own: the usual one is shared by all tests.
pub async fn client(provider: SpearmintProvider) -> Client {
    let mut api = OpenFeature::default();
    api.set_provider(provider).await;
    api.create_client()
}

/// The experiment `ranker` of the two configs `a` and `b`, each with its number `n`.
pub fn ranker() -> RoundRobinLayer {
    layer([json!({ "config_id": "a", "n": 1 }), json!({ "config_id": "b", "n": 2 })])
}

pub fn layer(configs: impl IntoIterator<Item = Value>) -> RoundRobinLayer {
    RoundRobinLayer::new(ConfigPool::from_values(configs).unwrap()).experiment("ranker")
}

pub fn unit(key: &str) -> EvaluationContext {
    EvaluationContext::default().with_targeting_key(key)
}
