//! The strategies around a service of `http::Request`.

use crate::{Line, pair, pool, recorder, written};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use std::{
    future::{Ready, ready},
    hint::black_box,
    task::{Context, Poll},
};
use tower::{Layer, Service, steer::Steer};
use tower_spearmint::{
    BoxError, LogLayer,
    http::{RoundRobinLayer, ShadowLayer, SingleLayer},
};

type Body = Empty<Bytes>;

/// The service under test: an empty response at once.
#[derive(Clone)]
struct Answer;

impl<B> Service<Request<B>> for Answer {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Ready<Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        black_box(&request);
        ready(Ok(Response::new(Empty::new())))
    }
}

/// What a mere extension costs: the least that a config in the extensions can.
#[derive(Clone)]
struct Extended;

impl Service<Request<Body>> for Extended {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Ready<Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        request.extensions_mut().insert([0_u64; 12]);
        Answer.call(request)
    }
}

fn request(_: u32) -> Request<Body> {
    Request::new(Empty::new())
}

pub(crate) fn in_http() -> Vec<Line> {
    let steer =
        Steer::new(vec![Answer, Answer, Answer], |request: &Request<Body>, _: &[Answer]| {
            request.uri().path().len() % 3
        });
    let logged = recorder();
    let log = LogLayer::new(logged.clone());
    let shadow = ShadowLayer::new(pair().primary("a").unwrap()).sample(0.0);
    vec![
        Line::new("bare service", Answer, request),
        Line::new("tower::steer::Steer of 3", steer, request),
        Line::new("one extension", Extended, request),
        Line::new("single", SingleLayer::new(pool()[0].clone()).layer(Answer), request),
        Line::new("round robin", RoundRobinLayer::new(pool()).layer(Answer), request).aim(200.0),
        Line::new(
            "round robin, recorded",
            RoundRobinLayer::new(pool()).layer(log.layer(Answer)),
            request,
        )
        .aim(450.0)
        .settle(written(&logged)),
        Line::new("shadow, sampled out", shadow.layer(Answer), request).aim(200.0),
    ]
}
