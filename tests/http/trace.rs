//! Trace and baggage in process.

use crate::support::records;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use serde_json::json;
use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};
use tower::{Layer, Service, ServiceBuilder, service_fn};
use tower_spearmint::{
    Branch, ConfigPool,
    branch::TraceParent,
    http::{Assignment, PropagateLayer, ShadowLayer, SingleLayer, assignments, place},
    shadow::ShadowSettings,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

type Sent = Arc<Mutex<Vec<(String, HeaderMap, String)>>>;

/// What primary and shadow send on for a request with these headers: role, headers, branch id.
async fn sent(headers: &[(&'static str, &str)]) -> Vec<(String, HeaderMap, String)> {
    sent_and_recorded(headers).await.0
}

/// The same, and the branches of primary and shadow.
async fn sent_and_recorded(
    headers: &[(&'static str, &str)],
) -> (Vec<(String, HeaderMap, String)>, Vec<Branch>) {
    let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })]);
    let shadow = ShadowLayer::new(pool.unwrap().primary("a").unwrap()).experiment("rank er");
    let records = records();
    let seen = Sent::default();
    let client = {
        let seen = seen.clone();
        service_fn(move |request: Request<_>| {
            let place = place(request.extensions()).unwrap();
            seen.lock().unwrap().push((
                place.role().to_string(),
                request.headers().clone(),
                format!("{} {}", place.request_id(), place.branch_id()).replace('-', ""),
            ));
            async { Ok::<_, Infallible>(Response::new(Full::<bytes::Bytes>::default())) }
        })
    };
    let inner = ServiceBuilder::new()
        .layer(records.layer.clone())
        .layer(PropagateLayer::new())
        .service(client);
    let mut service = shadow.layer(inner);
    let mut request = Request::get("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
    service.call(request).await.unwrap().into_body().collect().await.unwrap();
    shadow.drain(Duration::from_secs(5)).await;
    let mut sent = std::mem::take(&mut *seen.lock().unwrap());
    sent.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!((sent.len(), &*sent[0].0, &*sent[1].0), (2, "primary", "shadow"));
    let branches = records.all().await;
    assert_eq!(branches.len(), 2);
    (sent, branches)
}

/// Trace id, span id and flags.
fn trace(headers: &HeaderMap) -> (&str, &str, &str) {
    assert_eq!(headers.get_all("traceparent").iter().count(), 1);
    let text = headers["traceparent"].to_str().unwrap();
    assert_eq!((text.len(), &text[..3]), (55, "00-"));
    (&text[3..35], &text[36..52], &text[53..])
}

#[tokio::test]
async fn primary_and_shadow_are_siblings_in_the_callers_trace() {
    for flags in ["00", "01", "03"] {
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-{flags}");
        let headers = [("traceparent", &*parent), ("tracestate", "a=1"), ("tracestate", "b=2")];
        let sent = sent(&headers).await;
        let spans: Vec<_> = sent.iter().map(|(_, headers, _)| trace(headers)).collect();
        assert_eq!((spans[0].0, spans[1].0), (TRACE, TRACE));
        assert_eq!((spans[0].2, spans[1].2), (flags, flags));
        assert_ne!(spans[0].1, spans[1].1);
        for ((_, headers, ids), span) in sent.iter().zip(spans) {
            // The lower half of the branch id.
            assert_eq!(span.1, &ids[ids.len() - 16..]);
            let state: Vec<_> = headers.get_all("tracestate").iter().collect();
            assert_eq!(state, ["a=1", "b=2"]);
        }
    }
}

#[tokio::test]
async fn without_a_trace_one_begins_that_is_the_request() {
    let good = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let cases: [&[(&str, &str)]; 4] = [
        &[],
        &[("tracestate", "a=1")],
        &[("traceparent", "nonsense"), ("tracestate", "a=1")],
        // Two are none.
        &[("traceparent", &good), ("traceparent", &good), ("tracestate", "a=1")],
    ];
    for case in cases {
        let sent = sent(case).await;
        for (_, headers, ids) in &sent {
            let (id, _, flags) = trace(headers);
            assert_eq!((id, flags), (&ids[..32], "01"));
            assert!(!headers.contains_key("tracestate"));
        }
        assert_eq!(trace(&sent[0].1).0, trace(&sent[1].1).0);
    }
}

#[tokio::test]
async fn a_branch_knows_the_span_of_its_caller_and_the_trace_that_its_service_is_told_of() {
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-03");
    let (sent, branches) = sent_and_recorded(&[("traceparent", &parent)]).await;
    for (branch, (_, headers, _)) in branches.iter().zip(&sent) {
        assert_eq!(branch.trace, TraceParent::parse(parent.as_bytes()));
        assert_eq!(
            serde_json::to_value(branch).unwrap()["trace"],
            json!({ "trace_id": TRACE, "parent_span_id": "00f067aa0ba902b7", "flags": 3 })
        );
        let (trace, span, _) = trace(headers);
        assert_eq!(
            (&*branch.trace_id().to_string(), &*branch.span_id().to_string()),
            (trace, span)
        );
    }
}

#[tokio::test]
async fn a_control_and_a_shadow_that_was_skipped_know_it_too() {
    let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })]);
    let shadow = ShadowLayer::new(pool.unwrap().primary("a").unwrap())
        .control(ShadowSettings::default())
        .experiment("ranker");
    let records = records();
    let answer = service_fn(|_: Request<_>| async {
        Ok::<_, Infallible>(Response::new(Full::<bytes::Bytes>::default()))
    });
    let mut service = shadow.layer(records.layer.layer(answer));
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    // Shadows get no upgrades.
    for upgrade in [None, Some("websocket")] {
        let mut request = Request::get("/").header("traceparent", &parent);
        if let Some(to) = upgrade {
            request = request.header("upgrade", to);
        }
        let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
        service.call(request).await.unwrap().into_body().collect().await.unwrap();
    }
    shadow.drain(Duration::from_secs(30)).await;
    let branches = records.all().await;
    assert!(branches.iter().all(|branch| branch.trace.unwrap().to_string() == parent));
    let mut ends: Vec<_> =
        branches.iter().map(|one| (one.role.as_str(), one.status.as_str())).collect();
    ends.sort_unstable();
    let skipped = |role| [(role, "skipped"), (role, "success")];
    let primary = [("primary", "success"); 2];
    assert_eq!(ends, [skipped("control"), primary, skipped("shadow")].concat());
}

#[tokio::test]
async fn where_no_trace_came_a_branch_has_none_and_belongs_to_its_request() {
    for headers in [&[][..], &[("traceparent", "nonsense")]] {
        let (sent, branches) = sent_and_recorded(headers).await;
        for (branch, (_, headers, _)) in branches.iter().zip(&sent) {
            assert_eq!(branch.trace, None);
            let request = branch.request_id.to_string().replace('-', "");
            assert_eq!((&*branch.trace_id().to_string(), trace(headers).0), (&*request, &*request));
        }
    }
}

#[tokio::test]
async fn what_somebody_below_the_strategy_says_does_not_change_the_callers_trace() {
    let pool = ConfigPool::from_values([json!({ "config_id": "a" })]).unwrap();
    let records = records();
    let inner = service_fn(|request: Request<_>| async move {
        let mut response = Response::new(request.into_body());
        *response.status_mut() = http::StatusCode::OK;
        Ok::<_, Infallible>(response)
    });
    let seen = Arc::<Mutex<Option<HeaderMap>>>::default();
    let heads = seen.clone();
    let look = tower::util::MapRequestLayer::new(move |request: Request<Full<bytes::Bytes>>| {
        *heads.lock().unwrap() = Some(request.headers().clone());
        request
    });
    let meddle = tower::util::MapRequestLayer::new(|mut request: Request<Full<bytes::Bytes>>| {
        let other = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        request.headers_mut().insert("traceparent", other.parse().unwrap());
        request
    });
    let mut service = SingleLayer::new(pool[0].clone()).layer(records.layer.layer(
        ServiceBuilder::new().layer(meddle).layer(PropagateLayer::new()).layer(look).service(inner),
    ));
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let request = Request::get("/").header("traceparent", &parent);
    let response = service.call(request.body(Full::default()).unwrap()).await.unwrap();
    response.into_body().collect().await.unwrap();
    let branches = records.all().await;
    let headers = seen.lock().unwrap().take().unwrap();
    assert_eq!(trace(&headers).0, TRACE);
    assert_eq!(branches[0].trace_id().to_string(), TRACE);
}

#[tokio::test]
async fn the_service_further_down_sees_its_variant() {
    let sent = sent(&[("baggage", "a=1"), ("baggage", "spearmint.rank%20er=z;role=primary")]).await;
    for ((role, headers, _), id) in sent.iter().zip(["a", "b"]) {
        let expected = format!("a=1,spearmint.rank%20er={id};role={role}");
        assert_eq!(headers["baggage"], expected);
        let found: Vec<Assignment> = assignments(headers).collect();
        assert_eq!(found.len(), 1);
        assert_eq!((&*found[0].experiment, &*found[0].config_id), ("rank er", id));
        assert_eq!(found[0].role.as_str(), role);
    }
}
