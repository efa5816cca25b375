//! What a flag answers, as which type, and with which errors.

use crate::support::{client, layer, ranker, unit};
use open_feature::{Client, EvaluationErrorCode, EvaluationResult, StructValue, Value};
use serde_json::json;
use tower_spearmint::{RoundRobinLayer, open_feature::SpearmintProvider};

async fn answers() -> Client {
    let config = json!({
        "config_id": "only",
        "model": "small-v1",
        "cached": true,
        "k": 20,
        "boost": 2.0,
        "temperature": 0.5,
        "none": null,
        "stops": ["\n", { "after": 3 }],
        "weights": { "v1.2": 7, "rest": null },
        "llm": { "api_key": "sk-sesame", "url": "http://llm" },
        "keys": [{ "token": "sk-sesame", "n": 1 }],
    });
    client(SpearmintProvider::new().experiment(layer([config])).unwrap()).await
}

fn said<T>(result: EvaluationResult<T>) -> (EvaluationErrorCode, String) {
    let error = result.err().expect("an error");
    (error.code, error.message.unwrap())
}

#[tokio::test]
async fn a_path_is_answered_as_the_type_that_was_asked_for() {
    let client = answers().await;
    assert!(client.get_bool_value("ranker.cached", None, None).await.unwrap());
    assert_eq!(client.get_string_value("ranker.model", None, None).await.unwrap(), "small-v1");
    assert_eq!(client.get_string_value("ranker.stops[0]", None, None).await.unwrap(), "\n");
    assert_eq!(client.get_int_value("ranker.stops.1.after", None, None).await.unwrap(), 3);
    assert_eq!(client.get_int_value(r"ranker.weights.v1\.2", None, None).await.unwrap(), 7);
    assert_eq!(client.get_float_value("ranker.temperature", None, None).await.unwrap(), 0.5);
}

#[tokio::test]
async fn an_integer_is_one_however_it_is_written() {
    let client = answers().await;
    for (flag, n) in [("ranker.k", 20), ("ranker.boost", 2)] {
        assert_eq!(client.get_int_value(flag, None, None).await.unwrap(), n);
        assert_eq!(client.get_float_value(flag, None, None).await.unwrap(), n as f64);
    }
}

#[tokio::test]
async fn a_map_is_a_structure_without_its_secrets_and_nulls() {
    let client = answers().await;
    let whole: StructValue = client.get_struct_value("ranker", None, None).await.unwrap();
    let stops =
        Value::Array(vec!["\n".into(), StructValue::default().with_field("after", 3).into()]);
    let mut expected = StructValue::default()
        .with_field("config_id", "only")
        .with_field("model", "small-v1")
        .with_field("cached", true)
        .with_field("k", 20)
        .with_field("boost", 2.0)
        .with_field("temperature", 0.5)
        .with_field("weights", StructValue::default().with_field("v1.2", 7))
        .with_field("llm", StructValue::default().with_field("url", "http://llm"));
    expected.fields.insert("stops".to_owned(), stops);
    let keys = Value::Array(vec![StructValue::default().with_field("n", 1).into()]);
    expected.fields.insert("keys".to_owned(), keys);
    assert_eq!(whole, expected);
    let part: StructValue = client.get_struct_value("ranker.llm", None, None).await.unwrap();
    assert_eq!(part, StructValue::default().with_field("url", "http://llm"));
}

#[tokio::test]
async fn a_secret_is_never_answered() {
    let client = answers().await;
    for flag in ["ranker.llm.api_key", "ranker.keys[0].token"] {
        let (code, message) = said(client.get_string_value(flag, None, None).await);
        assert_eq!(code, EvaluationErrorCode::General("GENERAL".to_owned()));
        assert!(message.starts_with(&format!("`{flag}` is a secret")), "{message}");
        // Nor is it told by the type that is asked for.
        let (_, asked) = said(client.get_int_value(flag, None, None).await);
        assert_eq!(asked, message);
    }
}

#[tokio::test]
async fn a_secret_or_a_null_in_a_list_is_an_error_not_a_gap() {
    let lists = json!({
        "nulls": { "of": [1, null] },
        "urls": { "of": ["http://llm", "http://user:sesame@llm"] },
    });
    let client = client(SpearmintProvider::new().experiment(layer([lists])).unwrap()).await;
    for (flag, is) in [("ranker.nulls", "null"), ("ranker.urls", "a secret")] {
        let result = client.get_struct_value::<StructValue>(flag, None, None).await;
        let message = format!("`{flag}.of[1]` is {is}, which a list of a flag cannot hold");
        assert_eq!(said(result), (EvaluationErrorCode::TypeMismatch, message));
    }
    assert!(client.get_string_value("ranker.urls.of[0]", None, None).await.is_ok());
    let (_, message) = said(client.get_string_value("ranker.urls.of[1]", None, None).await);
    assert!(message.contains("is a secret") && !message.contains("sesame"), "{message}");
}

#[tokio::test]
async fn a_wrong_type_is_told_with_what_is_there_and_what_was_asked() {
    let client = answers().await;
    let results = [
        said(client.get_int_value("ranker.model", None, None).await),
        said(client.get_int_value("ranker.temperature", None, None).await),
        said(client.get_bool_value("ranker.k", None, None).await),
        said(client.get_string_value("ranker", None, None).await),
        said(client.get_float_value("ranker.none", None, None).await),
        said(client.get_struct_value::<StructValue>("ranker.stops", None, None).await),
    ];
    let messages = [
        "`ranker.model` is a string; an integer was asked for",
        "`ranker.temperature` is a number with a fraction; an integer was asked for",
        "`ranker.k` is a number; a boolean was asked for",
        "`ranker` is a map; a string was asked for",
        "`ranker.none` is null; a number was asked for",
        "`ranker.stops` is a list; a map was asked for; a list is answered within a map: ask for \
         what it stands in",
    ];
    for ((code, said), message) in results.into_iter().zip(messages) {
        assert_eq!((code, said.as_str()), (EvaluationErrorCode::TypeMismatch, message));
    }
}

#[tokio::test]
async fn a_flag_that_is_not_there_is_told_with_what_may_have_been_meant() {
    let client = answers().await;
    for (flag, says) in [
        (
            "rankr.model",
            "`rankr.model`: no experiment of this name; there are `ranker`; did you mean \
             `ranker.model`?",
        ),
        ("checkout", "`checkout`: no experiment of this name; there are `ranker`"),
        (
            "ranker.llm.ulr",
            "`ranker.llm.ulr`: not set in the config `only`; `ranker.llm` has the keys `api_key`, \
             `url`; did you mean `ranker.llm.url`?",
        ),
        (
            "ranker.stops[2]",
            "`ranker.stops[2]`: not set in the config `only`; `ranker.stops` is a list of 2 items",
        ),
    ] {
        let said = said(client.get_string_value(flag, None, None).await);
        assert_eq!(said, (EvaluationErrorCode::FlagNotFound, says.to_owned()));
    }
}

#[tokio::test]
async fn of_several_names_that_begin_a_flag_the_longest_counts() {
    let named = |name: &str, n: i64| -> RoundRobinLayer {
        layer([json!({ "config_id": name, "n": n, "v2": { "n": 10 } })]).experiment(name)
    };
    let provider = SpearmintProvider::new()
        .experiment(named("search", 1))
        .and_then(|provider| provider.experiment(named("search.v2", 2)))
        .and_then(|provider| provider.experiment(named("sea", 3)))
        .unwrap();
    let client = client(provider).await;
    for (flag, n) in [("search.n", 1), ("search.v2.n", 2), ("sea.v2.n", 10)] {
        assert_eq!(client.get_int_value(flag, None, None).await.unwrap(), n, "{flag}");
    }
    let (code, _) = said(client.get_int_value("searching.n", None, None).await);
    assert_eq!(code, EvaluationErrorCode::FlagNotFound);
}

#[test]
fn two_experiments_of_one_name_are_refused() {
    let provider = SpearmintProvider::new().experiment(ranker()).unwrap();
    let error = provider.experiment(ranker()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "two experiments are named `ranker`; name each with `.experiment(…)`"
    );
}

#[tokio::test]
async fn a_variant_without_an_id_of_its_own_has_the_one_of_its_content() {
    let pool = [json!({ "n": 1 })];
    let id = layer(pool.clone()).for_flags();
    let client = client(SpearmintProvider::new().experiment(id).unwrap()).await;
    let found = client.get_int_details("ranker.n", Some(&unit("u")), None).await.unwrap();
    let config = tower_spearmint::Config::new(pool[0].clone()).unwrap();
    assert_eq!(found.variant.as_deref(), Some(config.id().as_str()));
}
