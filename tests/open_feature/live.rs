//! Experiments that change while they are asked.

use crate::support::{client, layer, ranker, unit};
use open_feature::{EvaluationErrorCode, FlagMetadataValue};
use serde_json::json;
use tower_spearmint::open_feature::{SpearmintProvider, TargetingKey};

#[tokio::test]
async fn a_changed_layer_answers_from_the_next_evaluation_on_in_the_next_epoch() {
    let provider = SpearmintProvider::new().experiment(ranker().sticky("s", TargetingKey)).unwrap();
    let handle = provider.handle();
    let client = client(provider).await;
    let before = client.get_int_details("ranker.n", Some(&unit("u")), None).await.unwrap();

    let after = layer([json!({ "config_id": "a", "n": 11 }), json!({ "config_id": "b", "n": 12 })])
        .sticky("s", TargetingKey);
    handle.set(after.clone());
    let now = client.get_int_details("ranker.n", Some(&unit("u")), None).await.unwrap();
    assert_eq!((now.value, &now.variant), (before.value + 10, &before.variant));
    assert_eq!(now.flag_metadata.values["epoch"], FlagMetadataValue::Int(2));

    // One that counts already is left as it is.
    let last = after.epoch().following(after.epoch());
    handle.set(after.following(last));
    let now = client.get_int_details("ranker.n", Some(&unit("u")), None).await.unwrap();
    assert_eq!(now.flag_metadata.values["epoch"], FlagMetadataValue::Int(3));
}

#[tokio::test]
async fn experiments_come_and_go() {
    let provider = SpearmintProvider::new();
    let handle = provider.handle();
    let client = client(provider).await;
    let error = client.get_int_value("ranker.n", None, None).await.unwrap_err();
    assert_eq!(
        (error.code, error.message.as_deref()),
        (
            EvaluationErrorCode::FlagNotFound,
            Some("`ranker.n`: no experiment of this name; there are none")
        )
    );
    handle.set(ranker());
    assert_eq!(handle.experiments(), ["ranker"]);
    assert_eq!(client.get_int_value("ranker.n", None, None).await.unwrap(), 1);
    assert!(handle.remove("ranker") && !handle.remove("ranker"));
    assert!(client.get_int_value("ranker.n", None, None).await.is_err());
}

#[cfg(feature = "watch")]
#[tokio::test]
async fn flags_follow_the_file_of_their_pool() {
    use tower_spearmint::{ConfigPool, RoundRobinLayer};

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ranker.yaml");
    std::fs::write(&file, "{ config_id: stable, model: small-v1 }").unwrap();
    let (watched, watching) = ConfigPool::watch(&file).await.unwrap();
    tokio::spawn(watching);
    let flags = |pool: &ConfigPool| RoundRobinLayer::new(pool.clone()).experiment("ranker");

    let provider = SpearmintProvider::new().experiment(flags(&watched.pool())).unwrap();
    let handle = provider.handle();
    let client = client(provider).await;
    let mut changes = watched.subscribe();
    let model = async || client.get_string_value("ranker.model", None, None).await.unwrap();
    assert_eq!(model().await, "small-v1");
    std::fs::write(&file, "{ config_id: stable, model: small-v2 }").unwrap();
    changes.changed().await.unwrap();
    handle.set(flags(&changes.borrow_and_update().pool));
    assert_eq!(model().await, "small-v2");
}
