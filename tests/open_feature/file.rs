//! The flags of an experiment file.

use crate::support::{client, unit};
use open_feature::{EvaluationErrorCode, FlagMetadataValue};
use tower_spearmint::{
    open_feature::{CustomField, SpearmintProvider},
    proxy::{AssignRequest, ExperimentFile},
};

fn file(round_robin: &str) -> ExperimentFile {
    ExperimentFile::from_yaml_str(&format!(
        "
experiment: ranker
strategy: round_robin
round_robin: {round_robin}
configs:
  - {{ config_id: stable, upstream: 'http://127.0.0.1:9001', model: small-v1 }}
  - {{ config_id: candidate, upstream: 'http://127.0.0.1:9002', model: small-v2 }}
"
    ))
    .unwrap()
}

#[tokio::test]
async fn a_unit_gets_by_a_flag_what_the_file_says_of_its_requests() {
    let file = file(
        "
  weights: { stable: 2, candidate: 1 }
  sticky: { salt: ranker-2026, key: [{ cookie: uid }, { header: x-user-id }] }
  ramp: { share: 0.6 }
  namespace: { name: search, ranges: { ranker: [[0.1, 0.9]] } }
  holdout: { salt: global, share: 0.1 }
  eligible: { percentage: { salt: beta, percent: 80 } }
  testers: { header: x-variant }",
    );
    let layer = file.flags().unwrap();
    let client = client(SpearmintProvider::new().experiment(layer).unwrap()).await;
    for user in (0..500).map(|n| format!("user-{n}")) {
        let request = AssignRequest::new("/").header("x-user-id", &user).unwrap();
        let told = file.explain(&request).unwrap();
        let flag = client.get_string_details("ranker.model", Some(&unit(&user)), None).await;
        let flag = flag.unwrap();
        assert_eq!(flag.variant.as_deref(), told.config_id.as_ref().map(|id| id.as_str()));
        let metadata = &flag.flag_metadata.values;
        assert_eq!(metadata["reason"], told.reason.as_str().into());
        let fingerprint = format!("{:016x}", told.epoch.fingerprint());
        assert_eq!(metadata["fingerprint"], FlagMetadataValue::String(fingerprint));
    }
    let error = client.get_string_value("ranker.model", None, None).await.unwrap_err();
    assert_eq!(error.code, EvaluationErrorCode::TargetingKeyMissing);
}

#[tokio::test]
async fn a_file_that_changed_changes_its_flags_and_testers_are_allowed_in_code() {
    let provider = SpearmintProvider::new();
    let handle = provider.handle();
    let client = client(provider).await;
    let sticky = "sticky: { key: { header: x-user-id } }, testers: { header: x-variant }";
    for (weights, model) in
        [("{ stable: 1, candidate: 0 }", "small-v1"), ("{ stable: 0, candidate: 1 }", "small-v2")]
    {
        handle.set(file(&format!("{{ weights: {weights}, {sticky} }}")).flags().unwrap());
        let found = client.get_string_value("ranker.model", Some(&unit("u")), None).await;
        assert_eq!(found.unwrap(), model);
    }
    let layer = file(&format!("{{ weights: {{ stable: 0, candidate: 1 }}, {sticky} }}")).flags();
    let tester = unit("u").with_custom_field("x-variant", "stable");
    let model =
        async || client.get_string_value("ranker.model", Some(&tester), None).await.unwrap();
    assert_eq!(model().await, "small-v2");
    handle.set(layer.unwrap().testers(CustomField::new("x-variant")));
    assert_eq!(model().await, "small-v1");
}

#[test]
fn a_file_whose_rules_look_at_requests_answers_no_flags() {
    let file = file("{ eligible: { any: [{ header: { x-country: de } }] } }");
    assert_eq!(
        file.flags().unwrap_err().to_string(),
        "<text>:4:16: `round_robin.eligible`: looks at requests, and a flag is asked for without \
         one; for flags write rules of units alone, as in `percentage: { salt: beta, percent: 10 }`"
    );
    let single = ExperimentFile::from_yaml_str(
        "
experiment: ranker
strategy: single
configs: [{ config_id: stable, upstream: 'http://127.0.0.1:9001' }]
",
    );
    assert_eq!(
        single.unwrap().flags().unwrap_err().to_string(),
        "<text>:3:11: `strategy`: `single` answers no flags; only `round_robin` decides who gets what"
    );
}
