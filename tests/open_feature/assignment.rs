//! Who gets what is what requests get.

use crate::support::{client, ranker, unit};
use open_feature::{
    EvaluationContext, EvaluationDetails, EvaluationErrorCode, EvaluationReason, FlagMetadataValue,
    OpenFeature,
};
use serde_json::{Value, json};
use std::future::ready;
use tower::{Layer, Service};
use tower_spearmint::{
    ConfigPool, RoundRobinLayer, Trial,
    assign::{Eligible, Holdout, Namespace, Percentage, Ramp},
    open_feature::{CustomField, SpearmintProvider, TargetingKey},
    service_fn,
};

fn text<T>(details: &EvaluationDetails<T>, name: &str) -> String {
    match details.flag_metadata.values.get(name) {
        Some(FlagMetadataValue::String(text)) => text.clone(),
        other => panic!("`{name}`: {other:?}"),
    }
}

#[tokio::test]
async fn each_documented_vector_holds_for_flags() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/assignment-vectors.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let vectors = file["units"].as_array().unwrap();
    assert_eq!(vectors.len(), 1_000);
    for vector in vectors {
        let weights: Vec<f64> = serde_json::from_value(vector["weights"].clone()).unwrap();
        let ids: Vec<_> = (0..weights.len()).map(|at| format!("c{at}")).collect();
        let configs = ids.iter().enumerate().map(|(at, id)| json!({ "config_id": id, "at": at }));
        let mut layer = RoundRobinLayer::new(ConfigPool::from_values(configs).unwrap())
            .experiment("own")
            .weighted(ids.iter().map(String::as_str).zip(weights))
            .unwrap()
            .sticky(vector["salt"].as_str().unwrap(), TargetingKey);
        if let Some(holdout) = vector.get("holdout") {
            layer = layer.holdout(serde_json::from_value(holdout.clone()).unwrap());
        }
        if let Some(namespace) = vector.get("namespace") {
            let ranges: Vec<[f64; 2]> =
                serde_json::from_value(namespace["ranges"].clone()).unwrap();
            let empty = Namespace::new(namespace["name"].as_str().unwrap());
            let namespace =
                ranges.iter().fold(empty, |all, [from, to]| all.range("own", *from, *to).unwrap());
            layer = layer.namespace(&namespace).unwrap();
        }
        if let Some(share) = vector.get("ramp") {
            layer = layer.ramp(Ramp::share(share.as_f64().unwrap()));
        }
        let client = client(SpearmintProvider::new().experiment(layer).unwrap()).await;
        let context = unit(vector["key"].as_str().unwrap());
        let found = client.get_int_details("own.at", Some(&context), None).await.unwrap();
        assert_eq!(json!(found.value), vector["config"], "{vector}");
        assert_eq!(json!(text(&found, "reason")), vector["reason"], "{vector}");
        assert_eq!(json!(text(&found, "unit")), vector["hash"], "{vector}");
    }
}

/// A rule that looks at the unit alone, whoever asks.
#[derive(Clone)]
struct Some12(Percentage);

impl<R> Eligible<R> for Some12 {
    fn is_eligible(&self, _: &R, unit: Option<&[u8]>) -> bool {
        unit.is_some_and(|unit| self.0.has(unit))
    }
}

#[tokio::test]
async fn a_unit_gets_by_its_flags_what_its_requests_get() {
    let layer = ranker()
        .weighted([("a", 2.0), ("b", 1.0)])
        .unwrap()
        .sticky("ranker-2026", |user: &String| Some(user.clone()))
        .eligible(Some12(Percentage::new("beta", 80.0)))
        .holdout(Holdout::new("global", 0.1))
        .ramp(Ramp::share(0.7));
    let provider = SpearmintProvider::new().experiment(layer.for_flags()).unwrap();
    let client = client(provider).await;
    let mut service = layer.layer(service_fn(|trial: Trial<String>| {
        let place = trial.place();
        ready(Ok::<_, String>((
            place.config_id().to_string(),
            place.reason().to_string(),
            place.epoch().fingerprint(),
        )))
    }));
    let mut reasons = std::collections::BTreeSet::new();
    for user in (0..500).map(|n| format!("user-{n}")) {
        let flag = client.get_int_details("ranker.n", Some(&unit(&user)), None).await.unwrap();
        let flag_fingerprint = u64::from_str_radix(&text(&flag, "fingerprint"), 16).unwrap();
        let reason = text(&flag, "reason");
        let flag = (flag.variant.unwrap(), reason.clone(), flag_fingerprint);
        assert_eq!(service.call(user).await.unwrap(), flag);
        reasons.insert(reason);
    }
    assert_eq!(
        reasons.into_iter().collect::<Vec<_>>(),
        ["holdout", "ineligible", "ramp", "sticky"]
    );
}

#[tokio::test]
async fn an_evaluation_says_which_variant_why_and_by_which_rules() {
    let layer = ranker().weighted([("a", 3.0), ("b", 1.0)]).unwrap().sticky("s", TargetingKey);
    let epoch = layer.epoch();
    let mut api = OpenFeature::singleton_mut().await;
    let provider = SpearmintProvider::new().experiment(layer).unwrap();
    api.set_named_provider("details", provider).await;
    assert_eq!(api.named_provider_metadata("details").await.unwrap().name, "spearmint");
    let client = api.create_named_client("details");
    drop(api);

    let found = client.get_int_details("ranker.n", Some(&unit("user-1")), None).await.unwrap();
    assert_eq!(found.variant.as_deref(), Some(["a", "b"][found.value as usize - 1]));
    assert_eq!(found.reason, Some(EvaluationReason::Split));
    let share = if found.value == 1 { 0.75 } else { 0.25 };
    let metadata = &found.flag_metadata.values;
    assert_eq!(metadata["probability"], share.into());
    assert_eq!(metadata["epoch"], 1.into());
    assert_eq!(metadata["exposure"], true.into());
    for (ours, telemetry) in
        [("experiment", "flagSetId"), ("fingerprint", "version"), ("unit", "contextId")]
    {
        assert_eq!(metadata[ours], metadata[telemetry]);
    }
    assert_eq!(text(&found, "experiment"), "ranker");
    assert_eq!(text(&found, "fingerprint"), format!("{:016x}", epoch.fingerprint()));
    // Of the unit only a keyed hash is told.
    assert_eq!(text(&found, "unit").len(), 16);
}

#[tokio::test]
async fn the_default_of_those_who_do_not_take_part_is_told_from_a_split_and_an_only_config() {
    let sticky = ranker().sticky("s", TargetingKey);
    for (layer, reason, ours) in [
        (sticky.clone(), EvaluationReason::Split, "sticky"),
        (sticky.clone().ramp(Ramp::share(0.0)), EvaluationReason::Default, "ramp"),
        (sticky.holdout(Holdout::new("g", 1.0)), EvaluationReason::Default, "holdout"),
        (
            crate::support::layer([json!({ "n": 1 })]).sticky("s", TargetingKey),
            EvaluationReason::Static,
            "sticky",
        ),
    ] {
        let client = client(SpearmintProvider::new().experiment(layer).unwrap()).await;
        let found = client.get_int_details("ranker.n", Some(&unit("u")), None).await.unwrap();
        assert_eq!(text(&found, "reason"), ours);
        assert_eq!(found.reason, Some(reason));
    }
}

#[tokio::test]
async fn without_a_targeting_key_an_experiment_of_units_answers_nothing() {
    let rule = |context: &EvaluationContext| !context.custom_fields.contains_key("bot");
    let sticky = ranker().sticky("s", TargetingKey).eligible(rule);
    let held = sticky.clone().experiment("held").holdout(Holdout::new("g", 0.5));
    let turns = ranker().experiment("turns");
    let provider = SpearmintProvider::new().experiment(sticky).unwrap();
    let provider = provider.experiment(held).unwrap().experiment(turns).unwrap();
    let client = client(provider).await;
    for flag in ["ranker.n", "held.n"] {
        let error = client.get_int_value(flag, None, None).await.unwrap_err();
        assert_eq!(error.code, EvaluationErrorCode::TargetingKeyMissing, "{flag}");
        assert!(error.message.unwrap().starts_with(&format!("`{flag}` is assigned by unit")));
        // Who is left out whatever the unit needs none.
        let bot = EvaluationContext::default().with_custom_field("bot", true);
        assert_eq!(client.get_int_value(flag, Some(&bot), None).await.unwrap(), 1, "{flag}");
    }
    // Where there are no units, none is needed.
    assert_eq!(client.get_int_value("turns.n", None, None).await.unwrap(), 1);
    assert_eq!(client.get_int_value("turns.n", None, None).await.unwrap(), 2);
}

#[tokio::test]
async fn a_field_chooses_a_config_only_where_testers_are_allowed() {
    let closed = ranker().sticky("s", TargetingKey).ramp(Ramp::share(0.0));
    let open = closed.clone().experiment("open").testers(CustomField::new("variant"));
    // What is allowed to requests is not allowed to flags.
    let requests = ranker()
        .experiment("requests")
        .sticky("s", |user: &String| Some(user.clone()))
        .testers(|_: &String| Some("b".to_owned()))
        .ramp(Ramp::share(0.0));
    let counted = open.clone();
    let provider = SpearmintProvider::new().experiment(closed).unwrap();
    let provider = provider.experiment(open).unwrap().experiment(requests.for_flags()).unwrap();
    let client = client(provider).await;
    let context = unit("u").with_custom_field("variant", "b");
    for (flag, n, reason) in [
        ("ranker.n", 1, EvaluationReason::Default),
        ("open.n", 2, EvaluationReason::TargetingMatch),
        ("requests.n", 1, EvaluationReason::Default),
    ] {
        let found = client.get_int_details(flag, Some(&context), None).await.unwrap();
        assert_eq!((found.value, found.reason), (n, Some(reason)), "{flag}");
    }
    let context = unit("u").with_custom_field("variant", "c");
    assert_eq!(client.get_int_value("open.n", Some(&context), None).await.unwrap(), 1);
    assert_eq!(counted.unknown_overrides(), 1);
}

#[tokio::test]
async fn a_unit_may_be_told_by_a_field() {
    let layer = ranker().sticky("s", CustomField::new("company"));
    let keyed = ranker().experiment("keyed").sticky("s", TargetingKey);
    let provider = SpearmintProvider::new().experiment(layer).unwrap().experiment(keyed).unwrap();
    let client = client(provider).await;
    for company in 0..50_i64 {
        let by_field = EvaluationContext::default().with_custom_field("company", company);
        let by_field = client.get_int_value("ranker.n", Some(&by_field), None).await.unwrap();
        let by_key = unit(&company.to_string());
        assert_eq!(client.get_int_value("keyed.n", Some(&by_key), None).await.unwrap(), by_field);
    }
    let fraction = unit("u").with_custom_field("company", 1.5);
    let error = client.get_int_value("ranker.n", Some(&fraction), None).await.unwrap_err();
    assert_eq!(error.code, EvaluationErrorCode::TargetingKeyMissing);
}
