//! Which headers reach a shadow: any headers, any rules.

use crate::support::{FedBody, no_body, pool};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use proptest::prelude::*;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use tower::{Layer, Service};
use tower_spearmint::{
    BoxError,
    branch::Role,
    http::{ForkBody, SHADOW_HEADER, ShadowLayer, place},
    service_fn,
};

const CREDENTIALS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

fn name() -> impl Strategy<Value = HeaderName> {
    prop_oneof![
        prop::sample::select(&CREDENTIALS[..]).prop_map(HeaderName::from_static),
        prop::sample::select(&["x-a", "x-b", "x-c", "accept", "expect"][..])
            .prop_map(HeaderName::from_static),
        "[a-z][a-z0-9-]{0,8}".prop_map(|name| name.parse().unwrap()),
    ]
}

fn value() -> impl Strategy<Value = HeaderValue> {
    prop::collection::vec(32_u8..=255, 0..12)
        .prop_filter_map("not in a header", |bytes| HeaderValue::from_bytes(&bytes).ok())
}

fn marks() -> impl Strategy<Value = Vec<HeaderValue>> {
    let mark = prop_oneof![
        value(),
        Just(HeaderValue::from_static("elsewhere/x")),
        Just(HeaderValue::from_static("a%20b/x")),
        Just(HeaderValue::from_static("a%20b")),
        Just(HeaderValue::from_static("a b/x")),
    ];
    prop::collection::vec(mark, 0..3)
}

/// What the primary and the shadow get of a request with these headers.
fn got(layer: &ShadowLayer, headers: HeaderMap) -> (HeaderMap, Option<HeaderMap>) {
    let seen = Arc::new(Mutex::new((HeaderMap::new(), None)));
    let service = service_fn({
        let seen = seen.clone();
        move |request: Request<ForkBody<FedBody>>| {
            let headers = request.headers().clone();
            let mut seen = seen.lock().unwrap();
            match place(request.extensions()).unwrap().role() {
                Role::Primary => seen.0 = headers,
                _ => seen.1 = Some(headers),
            }
            async { Ok::<_, BoxError>(Response::new(no_body())) }
        }
    });
    let mut service = layer.layer(service);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let mut request = Request::new(no_body());
        *request.headers_mut() = headers;
        service.call(request).await.unwrap();
        layer.drain(Duration::from_secs(5)).await;
    });
    let seen = seen.lock().unwrap();
    seen.clone()
}

proptest! {
    #[test]
    fn a_shadow_gets_all_headers_but_those_withheld_and_the_primary_gets_all(
        headers in prop::collection::vec((name(), value()), 0..12),
        marks in marks(),
        withheld in prop::collection::vec(name(), 0..3),
        forwarded in prop::collection::vec(name(), 0..3),
    ) {
        let mut sent: HeaderMap = headers.into_iter().collect();
        sent.remove("idempotency-key");
        sent.remove("upgrade");
        for mark in &marks {
            sent.append(SHADOW_HEADER, mark.clone());
        }
        let layer = ShadowLayer::new(pool(&["a", "b/c"]).primary("a").unwrap())
            .experiment("a b")
            .withhold_headers(withheld.clone())
            .forward_headers(forwarded.clone());
        let (primary, shadow) = got(&layer, sent.clone());
        prop_assert_eq!(&primary, &sent);

        let own = |mark: &HeaderValue| mark.as_bytes().split(|b| *b == b'/').next() == Some(b"a%20b");
        prop_assert_eq!(shadow.is_none(), marks.iter().any(own));
        let Some(shadow) = shadow else { return Ok(()) };
        let mut kept: BTreeSet<String> = CREDENTIALS.map(str::to_owned).into();
        kept.extend(withheld.iter().map(ToString::to_string));
        for name in &forwarded {
            kept.remove(name.as_str());
        }
        let mut expected = sent;
        for name in kept.iter().map(String::as_str).chain(["expect"]) {
            expected.remove(name);
        }
        expected.append(SHADOW_HEADER, HeaderValue::from_static("a%20b/b%2fc"));
        prop_assert_eq!(shadow, expected);
    }
}
