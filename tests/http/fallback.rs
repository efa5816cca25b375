//! A config that answers when the chosen one cannot be reached.

use crate::support::{FedBody, Records, fed, hear, no_body, pool, records, whole_body};
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt;
use std::sync::{Arc, Mutex};
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    BoxError, FallbackLayer,
    branch::{Failure, FailureKind},
    fallback::LentBody,
    http::{RecordBody, RoundRobinLayer, place},
    service_fn,
};

type Lent = LentBody<FedBody>;

fn fallback() -> FallbackLayer {
    FallbackLayer::new(pool(&["stable"]).get("stable").unwrap().clone())
}

/// What `candidate` does before it fails.
#[derive(Clone)]
enum Touch {
    Nothing,
    OneFrame,
    /// It goes on holding the body.
    Keep(Arc<Mutex<Option<Lent>>>),
}

/// `candidate` fails in this way; `stable` answers with the length of its body.
fn failing(
    kind: FailureKind,
    touch: Touch,
) -> impl Service<Request<Lent>, Response = Response<FedBody>, Error = BoxError, Future: Send>
+ Clone
+ Send
+ 'static {
    service_fn(move |request: Request<Lent>| {
        let touch = touch.clone();
        async move {
            let id = place(request.extensions()).unwrap().config_id().to_string();
            let mut body = request.into_body();
            if id == "candidate" {
                match touch {
                    Touch::Nothing => {}
                    Touch::OneFrame => drop(body.frame().await.unwrap()?),
                    Touch::Keep(place) => *place.lock().unwrap() = Some(body),
                }
                return Err(Failure::new(kind, "it went wrong").into());
            }
            let heard = hear(body).await;
            let text = format!("{} {}", heard.data.len(), heard.whole);
            Ok::<_, BoxError>(Response::new(whole_body(text)))
        }
    })
}

async fn ask<S>(
    records: &Records,
    fallback: FallbackLayer,
    service: S,
    body: FedBody,
) -> Result<Response<RecordBody<FedBody>>, BoxError>
where
    S: Service<Request<Lent>, Response = Response<FedBody>, Error = BoxError, Future: Send>
        + Clone
        + Send
        + 'static,
{
    let logged = records.layer.layer(service);
    let service =
        RoundRobinLayer::new(pool(&["candidate", "stable"])).layer(fallback.layer(logged));
    service.oneshot(Request::new(body)).await
}

#[tokio::test]
async fn a_body_that_was_not_touched_reaches_the_fallback_whole_and_both_are_recorded() {
    let records = records();
    let (feed, body) = fed();
    feed.data("some");
    feed.data("thing");
    drop(feed);
    let service = failing(FailureKind::Connect, Touch::Nothing);
    let response = ask(&records, fallback(), service, body).await.unwrap();
    assert_eq!(hear(response.into_body()).await.data, b"9 true");
    assert_eq!(
        records.ends().await,
        ["candidate primary failed/connect", "stable fallback success"]
    );
    let branches = records.all().await;
    assert_eq!(branches[0].request_id, branches[1].request_id);
}

#[tokio::test]
async fn the_response_of_a_fallback_carries_its_own_place() {
    let records = records();
    let service = failing(FailureKind::Overloaded, Touch::Nothing);
    let response = ask(&records, fallback(), service, no_body()).await.unwrap();
    let place = place(response.extensions()).unwrap();
    assert_eq!((place.config_id().as_str(), place.role().as_str()), ("stable", "fallback"));
}

#[tokio::test]
async fn after_a_body_was_touched_the_error_stands() {
    let records = records();
    let service = failing(FailureKind::Connect, Touch::OneFrame);
    let error = ask(&records, fallback(), service, whole_body("x")).await.unwrap_err();
    assert_eq!(error.to_string(), "connect: it went wrong");
    assert_eq!(records.ends().await, ["candidate primary failed/connect"]);
}

#[tokio::test]
async fn only_failures_to_get_there_are_caught_until_others_are_asked_for() {
    for kind in [FailureKind::Timeout, FailureKind::Reset, FailureKind::Error] {
        let records = records();
        let service = failing(kind, Touch::Nothing);
        assert!(ask(&records, fallback(), service, no_body()).await.is_err());
        assert_eq!(records.ends().await, [format!("candidate primary failed/{kind}")]);
    }
    let records = records();
    let fallback = fallback().when(|failure| failure.kind == FailureKind::Timeout);
    let service = failing(FailureKind::Timeout, Touch::Nothing);
    ask(&records, fallback, service, no_body()).await.unwrap();
}

/// As a connection does that was handed the request before it broke.
#[tokio::test]
async fn who_still_holds_a_body_that_was_given_to_the_fallback_does_not_take_it_for_empty() {
    let records = records();
    let kept = Arc::new(Mutex::new(None));
    let service = failing(FailureKind::Connect, Touch::Keep(kept.clone()));
    let response = ask(&records, fallback(), service, whole_body("whole")).await.unwrap();
    assert_eq!(hear(response.into_body()).await.data, b"5 true");
    let kept = kept.lock().unwrap().take().unwrap();
    assert!(!kept.is_end_stream());
    assert!(!hear(kept).await.whole);
}

#[tokio::test]
async fn a_fallback_that_fails_too_is_recorded_and_its_error_stands() {
    let records = records();
    let service = service_fn(|_: Request<Lent>| async {
        Err::<Response<FedBody>, BoxError>(Failure::new(FailureKind::Connect, "down").into())
    });
    assert!(ask(&records, fallback(), service, no_body()).await.is_err());
    assert_eq!(
        records.ends().await,
        ["candidate primary failed/connect", "stable fallback failed/connect"]
    );
}

#[tokio::test]
async fn the_fallback_itself_has_none() {
    let records = records();
    let service = service_fn(|_: Request<Lent>| async {
        Err::<Response<FedBody>, BoxError>(Failure::new(FailureKind::Connect, "down").into())
    });
    let logged = records.layer.layer(service);
    let service = RoundRobinLayer::new(pool(&["stable"])).layer(fallback().layer(logged));
    assert!(service.oneshot(Request::new(no_body())).await.is_err());
    assert_eq!(records.ends().await, ["stable primary failed/connect"]);
}

#[tokio::test]
async fn a_response_of_500_is_an_answer() {
    let records = records();
    let service = service_fn(|_: Request<Lent>| async {
        let mut response = Response::new(whole_body("sorry"));
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        Ok::<_, BoxError>(response)
    });
    let response = ask(&records, fallback(), service, no_body()).await.unwrap();
    assert_eq!(place(response.extensions()).unwrap().config_id().as_str(), "candidate");
    hear(response.into_body()).await;
    assert_eq!(records.ends().await, ["candidate primary failed/status"]);
}
