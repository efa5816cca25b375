//! What is said of traces.

use super::{API, get, id, post, send_spans, span};
use crate::support::Server;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

/// A server with the trace 1.
async fn started() -> (TempDir, Server) {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    send_spans(&server, json!([span(1, "a", 5, 7)])).await;
    (directory, server)
}

fn path(assessment: &str) -> String {
    format!("{API}/{}/assessments/{assessment}", id(1))
}

fn assessment(name: &str, more: &Value) -> Value {
    let mut sent = json!({
        "assessment_name": name, "trace_id": id(1),
        "source": { "source_type": "HUMAN", "source_id": "ann" },
        "create_time": "2026-01-31T09:00:00Z", "last_update_time": "2026-01-31T09:00:00Z",
    });
    for (key, value) in more.as_object().unwrap() {
        sent[key] = value.clone();
    }
    json!({ "assessment": sent })
}

async fn say(server: &Server, name: &str, more: Value) -> Value {
    let path = format!("{API}/{}/assessments", id(1));
    post(server, &path, assessment(name, &more)).await["assessment"].clone()
}

#[tokio::test]
async fn an_assessment_is_read_back_as_it_was_said() {
    let (_directory, server) = started().await;
    for said in [
        json!({ "feedback": { "value": true }, "rationale": "it is", "metadata": { "m": "1" } }),
        json!({ "feedback": { "value": null, "error": { "error_code": "E", "error_message": "m" } } }),
        json!({ "expectation": { "value": 5.0 }, "span_id": "0000000000000061" }),
        json!({ "expectation": { "serialized_value":
            { "serialization_format": "JSON_FORMAT", "value": "{\"x\": 1}" } } }),
        json!({ "issue": { "issue_name": "slow" } }),
    ] {
        let answer = say(&server, "n", said.clone()).await;
        let name = answer["assessment_id"].as_str().unwrap().to_owned();
        assert!(name.starts_with("a-") && name.len() == 34, "{name}");
        let mut expected = assessment("n", &said)["assessment"].clone();
        expected["assessment_id"] = name.clone().into();
        expected["valid"] = true.into();
        for time in ["create_time", "last_update_time"] {
            expected[time] = "2026-01-31T09:00:00.000Z".into();
        }
        assert_eq!(answer, expected);
        let read = server.get(&path(&name)).await.json();
        assert_eq!(read["assessment"], expected);
    }
    let info = get(&server, &id(1)).await;
    assert_eq!(info["trace"]["trace_info"]["assessments"].as_array().unwrap().len(), 5);
    server.stop().await;
}

#[tokio::test]
async fn what_a_mask_names_is_changed() {
    let (_directory, server) = started().await;
    let said = json!({
        "feedback": { "value": 1.0 }, "rationale": "first", "metadata": { "a": "1", "b": "1" },
    });
    let said = say(&server, "n", said).await;
    let name = said["assessment_id"].as_str().unwrap();
    let update = json!({
        "assessment": {
            "assessment_name": "other", "feedback": { "value": 2.0 }, "rationale": "not named",
            "metadata": { "b": "2" },
        },
        "update_mask": "assessmentName,feedback,metadata",
    });
    let answer = server.call("PATCH", &path(name), update.to_string()).await.json();
    let changed = &answer["assessment"];
    assert_eq!(
        (&changed["assessment_name"], &changed["feedback"], &changed["rationale"]),
        (&json!("other"), &json!({ "value": 2.0 }), &json!("first"))
    );
    assert_eq!(changed["metadata"], json!({ "a": "1", "b": "2" }));
    assert_eq!(changed["create_time"], said["create_time"]);
    assert_ne!(changed["last_update_time"], said["last_update_time"]);
    assert_eq!(server.get(&path(name)).await.json(), answer);
    let kind =
        json!({ "assessment": { "expectation": { "value": 1.0 } }, "update_mask": "expectation" });
    let kind = server.call("PATCH", &path(name), kind.to_string()).await.error();
    assert_eq!(
        kind.2,
        "Cannot update expectation value on an assessment that is of kind feedback."
    );
    server.stop().await;
}

#[tokio::test]
async fn one_that_is_overridden_is_valid_again_when_the_other_goes() {
    let (_directory, server) = started().await;
    let first = say(&server, "n", json!({ "feedback": { "value": 1.0 } })).await;
    let first = first["assessment_id"].as_str().unwrap();
    let valid = || async { server.get(&path(first)).await.json()["assessment"]["valid"].clone() };
    let second = json!({ "feedback": { "value": 2.0 }, "overrides": first });
    let second = say(&server, "n", second).await;
    assert_eq!((valid().await, &second["overrides"]), (json!(false), &json!(first)));
    let found = |filter: &str| {
        super::found(&server, json!({ "locations": [super::location("0")], "filter": filter }))
    };
    assert!(found("feedback.n < 2").await.is_empty());
    let second = path(second["assessment_id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(server.call("DELETE", &second, "{}").await.status, 200);
    }
    assert_eq!((valid().await, found("feedback.n < 2").await), (json!(true), vec![id(1)]));
    assert_eq!(server.get(&second).await.error().0, 404);
    server.stop().await;
}

#[tokio::test]
async fn what_says_nothing_is_refused() {
    let (_directory, server) = started().await;
    send_spans(&server, json!([span(3, "a", 5, 7)])).await;
    let other = json!({ "feedback": { "value": 1 }, "assessment_id": "a-of-another" });
    post(&server, &format!("{API}/{}/assessments", id(3)), assessment("n", &other)).await;
    let path = format!("{API}/{}/assessments", id(1));
    for (more, message) in [
        (json!({}), "Exactly one of `expectation`, `feedback`, or `issue`"),
        (json!({ "feedback": { "value": 1 }, "assessment_name": "" }), "'assessment_name'"),
        (
            json!({ "feedback": { "value": 1 }, "source": { "source_type": "NOBODY" } }),
            "Invalid assessment source type: NOBODY",
        ),
        (
            json!({ "expectation": { "serialized_value": { "value": "{" } } }),
            "serialized_value is JSON",
        ),
        (json!({ "feedback": { "value": 1 }, "overrides": "a-0" }), "Assessment with ID 'a-0' not"),
        (
            json!({ "feedback": { "value": 1 }, "assessment_id": "a-of-another" }),
            "the assessment 'a-of-another' is one of another trace",
        ),
    ] {
        let (_, _, said) = server.post(&path, &assessment("n", &more)).await.error();
        assert!(said.contains(message), "{said}");
    }
    let nobody = path.replace(&id(1), &id(2));
    let sent = assessment("n", &json!({ "feedback": { "value": 1 } }));
    assert_eq!(server.post(&nobody, &sent).await.error().0, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_trace_has_so_many_assessments() {
    let (_directory, server) = started().await;
    let all: Vec<_> = (0..1_000)
        .map(|_| assessment("n", &json!({ "feedback": { "value": 1 } }))["assessment"].clone())
        .collect();
    let trace = json!({ "trace": { "trace_info": {
        "trace_id": id(1), "trace_location": super::location("0"), "state": "OK",
        "assessments": all,
    }}});
    post(&server, API, trace).await;
    let path = format!("{API}/{}/assessments", id(1));
    let sent = assessment("n", &json!({ "feedback": { "value": 1 } }));
    let (status, _, said) = server.post(&path, &sent).await.error();
    assert_eq!(status, 400);
    assert!(said.contains("has 1000 assessments, the most that one can have"), "{said}");
    server.stop().await;
}
