//! Sick shadows in the same process: an axum handler under a `ShadowLayer`, asked over sockets.

use crate::{
    errand::Errand,
    ledger::Ledger,
    records::{pool, records},
    support::respond,
    verdict::{Row, no_part_was_taken_for_the_whole, not_each_time, quiet},
    visit::{
        PAUSE,
        Protocol::{self, Http1, Http2},
        Work, visit,
    },
    well::{self, answer},
};
use axum::{Router, body::Body, routing::any, serve::ListenerExt};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::{future::pending, net::SocketAddr, task::Poll, time::Duration};
use tokio::{net::TcpListener, sync::mpsc};
use tower::ServiceBuilder;
use tower_spearmint::{
    http::{ShadowLayer, place},
    shadow::ShadowSettings,
};

/// How a handler misbehaves as a shadow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ill {
    /// Not at all.
    Well,
    /// Two seconds late.
    Slow,
    NeverReads,
    /// After it has read all.
    Hangs,
    Panics,
    /// When it has read a part.
    PanicsWhileReading,
    /// In its response body.
    PanicsWhileAnswering,
    /// Without having read the request.
    Answers500,
    Answers100Megabytes,
    SendsOneByteASecond,
    BreaksOffMidBody,
    /// Keeps its thread busy for a while.
    Blocks,
}

impl Ill {
    async fn handle(self, request: Request<Body>, ledger: &Ledger) -> Response<Body> {
        let errand = Errand::at(request.uri().path()).unwrap();
        let mut body = request.into_body();
        match self {
            Self::NeverReads => {
                let _held = body;
                return pending().await;
            }
            Self::Panics => panic(),
            Self::PanicsWhileReading => {
                let _ = body.frame().await;
                panic();
            }
            Self::Answers500 => return respond(500, "no").map(Body::new),
            Self::Blocks => std::thread::sleep(Duration::from_millis(20)),
            _ => {}
        }
        ledger.begin(errand).all(body).await;
        let (sender, receiver) = mpsc::channel(1);
        match self {
            Self::Slow => tokio::time::sleep(Duration::from_secs(2)).await,
            Self::Hangs => return pending().await,
            Self::PanicsWhileAnswering => {
                let frames = futures_util::stream::poll_fn(
                    |_| -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> { panic() },
                );
                return Response::new(Body::new(StreamBody::new(frames)));
            }
            Self::Answers100Megabytes => {
                tokio::spawn(async move {
                    let megabyte = Bytes::from(vec![7; 1 << 20]);
                    for _ in 0..100 {
                        if sender.send(megabyte.clone()).await.is_err() {
                            return;
                        }
                    }
                });
                return Response::new(Body::new(well::fed(receiver)));
            }
            Self::SendsOneByteASecond => {
                tokio::spawn(async move {
                    while sender.send(Bytes::from_static(b"x")).await.is_ok() {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                });
                return Response::new(Body::new(well::fed(receiver)));
            }
            Self::BreaksOffMidBody => {
                let frames = [Ok(Frame::data(Bytes::from("half"))), Err("broken off")];
                let frames = futures_util::stream::iter(frames);
                return Response::new(Body::new(StreamBody::new(frames)));
            }
            _ => {}
        }
        Response::new(Body::from("well"))
    }

    const fn ends(self, work: Work) -> &'static [&'static str] {
        // Without a body there is nothing to read, and nothing to break off.
        match (self, work) {
            (Self::Panics | Self::PanicsWhileReading, Work::Load) => {
                &["failed/panic", "skipped/max_in_flight"]
            }
            (Self::Panics, Work::Aborted) => &["failed/panic", "failed/incomplete"],
            (Self::PanicsWhileReading, Work::Aborted) => &["failed/panic", "failed/incomplete"],
            (Self::Panics | Self::PanicsWhileReading, _) => &["failed/panic"],
            (Self::Answers500, Work::Load) => &["failed/status", "skipped/max_in_flight"],
            (Self::Answers500, Work::Aborted) => &["failed/status", "failed/incomplete"],
            (Self::Answers500, _) => &["failed/status"],
            (_, Work::Aborted) => &["failed/incomplete"],
            (Self::NeverReads | Self::Hangs | Self::SendsOneByteASecond, Work::Load) => {
                &["failed/timeout", "skipped/max_in_flight"]
            }
            (Self::NeverReads | Self::Hangs | Self::SendsOneByteASecond, _) => &["failed/timeout"],
            (Self::Well | Self::Slow | Self::Blocks, Work::Load) => {
                &["success", "skipped/max_in_flight"]
            }
            (Self::Well | Self::Slow | Self::Blocks, _) => &["success"],
            (Self::PanicsWhileAnswering, Work::Load) => &["failed/panic", "skipped/max_in_flight"],
            (Self::PanicsWhileAnswering, _) => &["failed/panic"],
            (Self::Answers100Megabytes, Work::Load) => {
                &["failed/oversized", "failed/timeout", "skipped/max_in_flight"]
            }
            (Self::Answers100Megabytes, _) => &["failed/oversized"],
            (Self::BreaksOffMidBody, Work::Load) => &["failed/truncated", "skipped/max_in_flight"],
            (Self::BreaksOffMidBody, _) => &["failed/truncated"],
        }
    }
}

/// Without the message, which nobody wants to read so often.
fn panic() -> ! {
    std::panic::resume_unwind(Box::new("ill"))
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// The primary answers as it should, the shadows as they do.
fn router(ills: Vec<Ill>, primary: &Ledger, shadows: Vec<Ledger>) -> Router {
    let primary = primary.clone();
    let handler = async move |request: Request<Body>| {
        let name = place(request.extensions()).map(|place| place.config_id().to_string());
        let at = name.and_then(|name| NAMES.iter().position(|one| *one == name)).unwrap_or(0);
        match at.checked_sub(1) {
            None => answer(request, &primary).await.map(Body::new),
            Some(shadow) => ills[shadow].handle(request, &shadows[shadow]).await,
        }
    };
    Router::new().route("/{*path}", any(handler))
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

async fn change_nothing(
    ills: &[Ill],
    protocol: Protocol,
    set: impl Fn(ShadowLayer) -> ShadowLayer,
) {
    not_each_time(|| change_nothing_once(ills, protocol, &set)).await;
}

/// An error: a caller that was late.
async fn change_nothing_once(
    ills: &[Ill],
    protocol: Protocol,
    set: impl Fn(ShadowLayer) -> ShadowLayer,
) -> Result<(), String> {
    let records = records();
    let names = &NAMES[1..=ills.len()];
    let layer = ShadowLayer::new(pool(&NAMES[..=ills.len()]).primary("a").unwrap())
        .methods([Method::GET, Method::POST])
        .timeout(Duration::from_secs(2));
    let mut layer = set(layer);
    for (ill, name) in ills.iter().zip(names) {
        if !matches!(ill, Ill::NeverReads | Ill::Hangs | Ill::SendsOneByteASecond) {
            let patient = ShadowSettings::default().timeout(Duration::from_secs(9));
            layer = layer.for_config(name, patient).unwrap();
        }
    }
    let layers = ServiceBuilder::new().layer(layer.clone()).layer(records.layer.clone());
    let ledgers: Vec<_> = ills.iter().map(|_| Ledger::default()).collect();

    let quiet = quiet().await;
    let a = Ledger::default();
    let alone =
        visit(serve(router(Vec::new(), &a, Vec::new())).await, protocol, &a, Duration::ZERO).await;
    let a = Ledger::default();
    let shadowed = router(ills.to_vec(), &a, ledgers.clone()).layer(layers);
    let shadowed = visit(serve(shadowed).await, protocol, &a, PAUSE).await;
    drop(quiet);

    shadowed.reached(&a);
    assert_eq!(layer.drain(Duration::from_secs(20)).await.cut_off, 0);
    let rows: Vec<_> = records.all().await.iter().map(Row::from).collect();
    // A handler may see the end of an upload that broke off, and answer.
    shadowed.is_recorded(&rows, names, &["cancelled", "success"], |name, work| {
        ills[names.iter().position(|one| *one == name).unwrap()].ends(work)
    });
    for (ill, ledger) in ills.iter().zip(&ledgers) {
        no_part_was_taken_for_the_whole(ledger);
        if *ill == Ill::Well {
            shadowed.reached_nearly_all(ledger);
        }
    }
    shadowed.is_as_quick_as(&alone)
}

macro_rules! change_nothing {
    ($protocol:ident: $($name:ident: $($ill:ident)*,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            change_nothing(&[$(Ill::$ill),*], $protocol, |layer| layer).await;
        }
    )*};
}

change_nothing! { Http1:
    shadows_in_process_that_are_stuck_change_nothing: Well Slow NeverReads Hangs,
    shadows_in_process_that_panic_change_nothing: Panics Well PanicsWhileReading PanicsWhileAnswering,
    shadows_in_process_that_answer_badly_change_nothing: Answers500 BreaksOffMidBody Well,
    shadows_in_process_that_answer_without_an_end_change_nothing: Answers100Megabytes SendsOneByteASecond Well,
}

change_nothing! { Http2:
    shadows_in_process_that_are_stuck_change_nothing_over_http2: Well NeverReads Panics BreaksOffMidBody,
    shadows_in_process_that_do_not_end_change_nothing_over_http2: Hangs Well Answers100Megabytes,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_in_process_that_blocks_a_runtime_of_its_own_changes_nothing() {
    let own =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    change_nothing(&[Ill::Blocks], Http1, |layer| layer.runtime(own.handle().clone())).await;
    own.shutdown_background();
}
