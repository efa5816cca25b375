//! The grammar against what MLflow's own parser made of the same words
//! (`tests/server/search_grammar.py`), and against words that mean nothing.

use super::{
    clause,
    condition::{NumberComparator, NumberTest, TextTest},
    experiments::{ExperimentCondition, ExperimentKey, ExperimentOrder},
    order::{OrderBy, OrderKey},
    run_filter::{DatasetField, RunCondition, TextAttribute, TimeAttribute},
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What MLflow refuses because its parser is one for SQL, and what is plain here.
const TAKEN_HERE: &[&str] = &[
    "metrics.1 = 1",
    "metrics.in = 1",
    "params.values = 'x'",
    "params.case = 'x'",
    "params.a is  not  null",
];

/// What MLflow lets pass although it can mean nothing that was ever logged.
const REFUSED_HERE: &[&str] = &["params.`` = 'x'", "params. = 'x'", "tags. a = 'x'"];

fn rows(table: &str) -> Vec<(String, Value)> {
    let tables: Value =
        serde_json::from_str(include_str!("../../../tests/server/search_grammar.json")).unwrap();
    serde_json::from_value(tables[table].clone()).unwrap()
}

fn compare(table: &str, ours: impl Fn(&str) -> Option<Value>) -> Vec<String> {
    let (mut wrong, mut excuses) = (Vec::new(), Vec::new());
    let rows = rows(table);
    assert!(!rows.is_empty());
    for (text, theirs) in rows {
        let ours = ours(&text);
        let theirs = Some(theirs).filter(|theirs| theirs != "error");
        let excused = match (&ours, &theirs) {
            (Some(_), None) => TAKEN_HERE.contains(&&*text),
            (None, Some(_)) => REFUSED_HERE.contains(&&*text),
            _ => false,
        };
        if excused {
            excuses.push(text);
        } else if ours != theirs {
            wrong.push(format!("{text}\n  here   {ours:?}\n  MLflow {theirs:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    excuses
}

fn of_number(test: NumberTest) -> (&'static str, Value) {
    let comparator = match test.comparator {
        NumberComparator::NotEqual => "!=",
        other => other.sql(),
    };
    (comparator, json!(test.value))
}

fn of_text(test: &TextTest) -> (&'static str, Value) {
    match test {
        TextTest::Equals(value) => ("=", json!(value)),
        TextTest::Differs(value) => ("!=", json!(value)),
        TextTest::Like(value) => ("LIKE", json!(value)),
        TextTest::ILike(value) => ("ILIKE", json!(value)),
        TextTest::In(values) => ("IN", json!(values)),
        TextTest::NotIn(values) => ("NOT IN", json!(values)),
        TextTest::IsNull => ("IS NULL", Value::Null),
        TextTest::IsNotNull => ("IS NOT NULL", Value::Null),
    }
}

fn of_attribute(attribute: TextAttribute) -> &'static str {
    match attribute {
        TextAttribute::RunId => "run_id",
        TextAttribute::RunName => "run_name",
        TextAttribute::UserId => "user_id",
        TextAttribute::Status => "status",
        TextAttribute::ArtifactUri => "artifact_uri",
    }
}

fn of_time(attribute: TimeAttribute) -> &'static str {
    match attribute {
        TimeAttribute::Start => "start_time",
        TimeAttribute::End => "end_time",
    }
}

fn of_condition(condition: &RunCondition) -> Value {
    let (of, key, (comparator, value)) = match condition {
        RunCondition::Metric { key, test } => ("metric", &**key, of_number(*test)),
        RunCondition::Param { key, test } => ("parameter", &**key, of_text(test)),
        RunCondition::Tag { key, test } => ("tag", &**key, of_text(test)),
        RunCondition::Text { attribute, test } => {
            ("attribute", of_attribute(*attribute), of_text(test))
        }
        RunCondition::Time { attribute, test } => {
            ("attribute", of_time(*attribute), of_number(*test))
        }
        RunCondition::Dataset { field, test } => {
            let field = match field {
                DatasetField::Name => "name",
                DatasetField::Digest => "digest",
                DatasetField::Context => "context",
            };
            ("dataset", field, of_text(test))
        }
    };
    json!([of, key, comparator, value])
}

#[test]
fn filters_of_runs_mean_what_they_mean_to_mlflow() {
    let excuses = compare("runs", |text| {
        let conditions = RunCondition::read(text).ok()?;
        Some(conditions.iter().map(of_condition).collect())
    });
    assert_eq!(excuses.len(), TAKEN_HERE.len() + REFUSED_HERE.len(), "{excuses:?}");
}

#[test]
fn orders_of_runs_mean_what_they_mean_to_mlflow() {
    let excuses = compare("run_orders", |text| {
        let order = OrderBy::read(&[text.to_owned()]).ok()?;
        let (of, key) = match &order.0[0].by {
            OrderKey::Metric(key) => ("metric", &**key),
            OrderKey::Param(key) => ("parameter", &**key),
            OrderKey::Tag(key) => ("tag", &**key),
            OrderKey::Text(attribute) => ("attribute", of_attribute(*attribute)),
            OrderKey::Time(attribute) => ("attribute", of_time(*attribute)),
        };
        Some(json!([of, key, order.0[0].ascending]))
    });
    assert!(excuses.is_empty(), "{excuses:?}");
}

#[test]
fn filters_of_experiments_mean_what_they_mean_to_mlflow() {
    let excuses = compare("experiments", |text| {
        let conditions = ExperimentCondition::read(text).ok()?;
        let written = conditions.iter().map(|condition| match condition {
            ExperimentCondition::Name(test) => {
                let (comparator, value) = of_text(test);
                json!(["attribute", "name", comparator, value])
            }
            ExperimentCondition::Tag { key, test } => {
                let (comparator, value) = of_text(test);
                json!(["tag", key, comparator, value])
            }
            ExperimentCondition::Time { created, test } => {
                let (comparator, _) = of_number(*test);
                let key = if *created { "creation_time" } else { "last_update_time" };
                json!(["attribute", key, comparator, test.value as i64])
            }
            ExperimentCondition::Id(ids, among) => {
                let ids: Vec<_> = ids.iter().map(i64::to_string).collect();
                let list = text.contains(" IN ");
                let comparator = match (list, among) {
                    (true, true) => "IN",
                    (true, false) => "NOT IN",
                    (false, true) => "=",
                    (false, false) => "!=",
                };
                let value = if list { json!(ids) } else { json!(ids[0]) };
                json!(["attribute", "experiment_id", comparator, value])
            }
        });
        Some(written.collect())
    });
    assert!(excuses.is_empty(), "{excuses:?}");
}

#[test]
fn orders_of_experiments_mean_what_they_mean_to_mlflow() {
    let excuses = compare("experiment_orders", |text| {
        let order = ExperimentOrder::read(&[text.to_owned()]).ok()?;
        let (key, ascending) = order.0[0];
        let key = match key {
            ExperimentKey::Name => "name",
            ExperimentKey::Id => "experiment_id",
            ExperimentKey::Created => "creation_time",
            ExperimentKey::Updated => "last_update_time",
        };
        Some(json!([key, ascending]))
    });
    assert!(excuses.is_empty(), "{excuses:?}");
}

#[test]
fn a_filter_has_a_greatest_length() {
    let long = format!("tags.a = '{}'", "x".repeat(300_000));
    assert!(clause::read(&long).unwrap_err().message.contains("bytes"));
    let many = "tags.a = 'x' AND ".repeat(300);
    assert!(clause::read(&many).unwrap_err().message.contains("200 comparisons"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = RunCondition::read(&text);
        let _ = OrderBy::read(&[text]);
    }

    #[test]
    fn no_row_of_words_makes_the_parser_panic(
        words in prop::collection::vec(prop::sample::select(vec![
            "metrics.", "params.", "tags", ".", "a", "é", "`", "'", "\"", "\\", "=", "!=", "<", "~",
            "LIKE", "IN", "NOT", "IS", "NULL", "AND", "(", ")", ",", "1", "-", "1e", ".5", " ", "\t",
        ]), 0..20),
        space in any::<bool>(),
    ) {
        let text = words.join(if space { " " } else { "" });
        let _ = RunCondition::read(&text);
        let _ = ExperimentCondition::read(&text);
        let _ = OrderBy::read(std::slice::from_ref(&text));
        let _ = ExperimentOrder::read(&[text]);
    }

    #[test]
    fn what_is_quoted_is_read_as_it_was_written(
        key in "[a-zA-Z0-9_./ :-]{1,20}",
        value in "[^'\\\\]{0,40}",
    ) {
        let text = format!("params.`{key}` = '{value}'");
        let read = RunCondition::read(&text).unwrap();
        prop_assert_eq!(read, [RunCondition::Param { key, test: TextTest::Equals(value) }]);
    }
}
