//! Answers measured and judged in the background.

use crate::support::{Records, pool, records};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    BoxError, Branch, ConfigPool, RoundRobinLayer, Trial,
    evaluate::{
        Evaluating, Evaluation, Evaluator, Evaluators, ExactMatch, Length, Missed, Price, Prices,
        Similarity, Unit, function,
    },
    service_fn,
};

pub const PATIENCE: Duration = Duration::from_secs(30);

/// What became of a metric: how often it was had, and why it was missed.
pub fn counted(evaluation: &Evaluating, metric: &str) -> (u64, BTreeMap<Missed, u64>) {
    let stats = evaluation.stats();
    let stats = &stats.metrics[metric];
    (stats.had, stats.missed.clone())
}

pub fn metrics(branch: &Branch) -> Vec<(&str, f64)> {
    branch.metrics.iter().collect()
}

/// A service that answers with what it is asked, recorded and evaluated.
pub fn echo(
    records: &Records,
    evaluation: &Evaluating,
) -> impl Service<Value, Response = Value, Error = BoxError, Future: Send> + Clone + Send + use<> {
    let answer = service_fn(|trial: Trial<Value>| async move {
        trial.place().note_request(trial.request().clone());
        if let Some(label) = trial.request().get("label") {
            trial.place().note_expected(label.clone());
        }
        Ok::<_, BoxError>(trial.into_request())
    });
    let log = records.layer.clone().evaluate(evaluation.clone());
    let log = log.capture(|answer: &Value| Some(answer.clone()));
    RoundRobinLayer::new(pool(&["a"])).layer(log.layer(answer))
}

pub async fn all(records: &Records, evaluation: &Evaluating) -> Vec<Branch> {
    evaluation.drain(PATIENCE).await.unwrap();
    records.all().await
}

/// Does this whenever it is asked.
pub struct Does<F>(pub &'static str, pub F);

impl<F, Fut> Evaluator for Does<F>
where
    F: Fn(Evaluation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Option<f64>, BoxError>> + Send,
{
    fn name(&self) -> &str {
        self.0
    }

    async fn evaluate(&self, evaluation: &Evaluation) -> Result<Option<f64>, BoxError> {
        (self.1)(evaluation.clone()).await
    }
}

#[tokio::test]
async fn what_stands_in_an_answer_and_what_it_cost_is_recorded_with_its_branch() {
    let records = records();
    let evaluation = Evaluators::new()
        .measure("tokens", "/usage/total_tokens")
        .measure("cut", "/cut")
        .prices(Prices::new().model("small", Price::new(2.0, 8.0)).unwrap())
        .build()
        .unwrap();
    let service = echo(&records, &evaluation);
    let usage = json!({ "prompt_tokens": 600, "completion_tokens": 212, "total_tokens": 812 });
    let answer = json!({ "model": "small-2026-01-01", "usage": usage, "cut": true });
    service.clone().oneshot(answer).await.unwrap();
    service.oneshot(json!({ "usage": "none" })).await.unwrap();
    let branches = all(&records, &evaluation).await;
    let cost = (600.0 * 2.0 + 212.0 * 8.0) / 1e6;
    assert_eq!(metrics(&branches[0]), [("cost", cost), ("cut", 1.0), ("tokens", 812.0)]);
    assert_eq!(metrics(&branches[1]), []);
    assert_eq!(counted(&evaluation, "tokens"), (1, [(Missed::NoValue, 1)].into()));
    assert_eq!(counted(&evaluation, "cost"), (1, [(Missed::NoPrice, 1)].into()));
}

#[tokio::test]
async fn evaluators_judge_by_what_was_asked_answered_and_expected() {
    let records = records();
    let same_length =
        |a: &Value, b: &Value| f64::from(a.as_str().map(str::len) == b.as_str().map(str::len));
    let asked =
        function("asked", |e: &Evaluation| Some(e.request()?["text"].as_str()?.len() as f64));
    let evaluation = Evaluators::new()
        .with(ExactMatch::new("exact").at("/text").unwrap())
        .with(Length::new("characters").at("/text").unwrap())
        .with(Length::new("words").unit(Unit::Words).at("/text").unwrap())
        .with(Length::new("bytes").unit(Unit::Bytes).at("/text").unwrap())
        .with(Similarity::new("similar", same_length).at("/text").unwrap())
        .with(asked)
        .build()
        .unwrap();
    let service = echo(&records, &evaluation);
    for (text, label) in [("so it göes", json!("so it göes ")), ("so", json!({ "text": "it" }))] {
        service.clone().oneshot(json!({ "text": text, "label": label })).await.unwrap();
    }
    // Without a label there is nothing to hold it against.
    service.oneshot(json!({ "text": "" })).await.unwrap();
    let branches = all(&records, &evaluation).await;
    let said: Vec<_> = branches.iter().map(metrics).collect();
    let lengths = |bytes, characters, words| {
        [("asked", bytes), ("bytes", bytes), ("characters", characters), ("words", words)]
    };
    let judged = |exact, similar, lengths: [(&'static str, f64); 4]| {
        let mut all = lengths.to_vec();
        all.extend([("exact", exact), ("similar", similar)]);
        all.sort_by_key(|(name, _)| *name);
        all
    };
    assert_eq!(said[0], judged(1.0, 0.0, lengths(11.0, 10.0, 3.0)));
    assert_eq!(said[1], judged(0.0, 1.0, lengths(2.0, 2.0, 1.0)));
    assert_eq!(said[2], lengths(0.0, 0.0, 0.0));
}

#[cfg(all(feature = "regex", feature = "schema"))]
#[tokio::test]
async fn an_answer_matches_a_pattern_and_fits_a_schema_or_not() {
    use tower_spearmint::{
        config::schema::Schema,
        evaluate::{FitsSchema, Pattern},
    };
    let records = records();
    let schema = Schema::from_value(json!({ "type": "object", "required": ["ok"] })).unwrap();
    let evaluation = Evaluators::new()
        .with(Pattern::new("sorry", r"(?i)\bsorry\b").unwrap().at("/text").unwrap())
        .with(FitsSchema::new("valid", schema).at("/text").unwrap())
        .build()
        .unwrap();
    let service = echo(&records, &evaluation);
    for text in [json!("Sorry!"), json!(r#"{"ok": 1}"#), json!({ "ok": 1 }), json!("{}")] {
        service.clone().oneshot(json!({ "text": text })).await.unwrap();
    }
    service.oneshot(json!({})).await.unwrap();
    let branches = all(&records, &evaluation).await;
    let of = |name| branches.iter().map(|b| b.metrics.get(name).unwrap()).collect::<Vec<_>>();
    assert_eq!(of("sorry"), [1.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(of("valid"), [0.0, 1.0, 1.0, 0.0, 0.0]);
    let error = Pattern::new("x", "(").unwrap_err().to_string();
    assert!(error.starts_with("not a regular expression: regex parse error:"), "{error}");
}

#[test]
fn what_cannot_be_measured_is_said_when_it_is_built() {
    let built = |evaluators: Evaluators| evaluators.build().unwrap_err().to_string();
    let tokens = || Evaluators::new().measure("tokens", "/n");
    assert_eq!(
        built(tokens().measure("x y", "/n")),
        "`x y` is not the name of a metric; write 1 to 64 letters, digits, `_`, `.`, `/` or `-`"
    );
    assert_eq!(
        built(tokens().with(Length::new("tokens"))),
        "`tokens` is measured twice; give each metric a name of its own"
    );
    assert_eq!(
        built(Evaluators::new().measure("n", "usage/n")),
        "`usage/n` is not a JSON pointer; write a path that begins with a slash, as in \
         /usage/total_tokens"
    );
    let many = (0..33).fold(Evaluators::new(), |all, n| all.measure(&format!("m{n}"), "/n"));
    assert_eq!(built(many), "33 metrics; a branch has at most 32");
}

#[tokio::test]
async fn what_was_not_answered_is_not_evaluated_and_not_counted() {
    let records = records();
    let evaluation =
        Evaluators::new().measure("n", "/n").with(Length::new("length")).build().unwrap();
    let fails = service_fn(|_: Trial<Value>| async { Err::<Value, BoxError>("no".into()) });
    let log = records.layer.clone().evaluate(evaluation.clone());
    let configs = ConfigPool::from_values([json!({ "config_id": "a" })]).unwrap();
    let mut service = RoundRobinLayer::new(configs).layer(log.layer(fails));
    service.call(json!(1)).await.unwrap_err();
    assert_eq!(all(&records, &evaluation).await.len(), 1);
    assert_eq!(counted(&evaluation, "n"), (0, BTreeMap::new()));
    assert_eq!(counted(&evaluation, "length"), (0, BTreeMap::new()));
}
