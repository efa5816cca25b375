//! What a proxy changes in the head of a request or a response, and what it must not.

use crate::support::{
    PATIENCE, Proxy, Upstream, at, exchange, full, h2_caller, post, read, respond, saying, upstream,
};
use http::{HeaderMap, Request, header};

const SINGLE: &str = "
experiment: plain
strategy: single
configs:
  - { config_id: a, upstream: UPSTREAM_A }
";

async fn single(upstream: &Upstream) -> Proxy {
    Proxy::start(SINGLE, &[upstream.address]).await
}

fn all<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn paths_and_queries_pass_byte_for_byte() {
    let a = saying("x").await;
    let proxy = single(&a).await;
    for path in [
        "/",
        "/?",
        "/a/b/",
        "//twice//",
        "/a/../b/./c",
        "/a%2Fb%20c%zz",
        "/%C3%A4?q=%26&q=&=x&&y",
        "/semi;colon=1?a=b;c=d",
        "/q?x=a+b%2Bc&y=[1]&z={2}|'~",
        "/a?x=http://other/?y=z",
        "/:@!$&'()*+,;=",
    ] {
        let sent = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let address = proxy.address;
        let back = tokio::task::spawn_blocking(move || exchange(address, &sent)).await.unwrap();
        assert!(back.starts_with("HTTP/1.1 200"), "{path}: {back}");
        assert_eq!(a.only().uri.to_string(), path);
    }
}

#[tokio::test]
async fn an_address_in_absolute_form_counts_by_its_path() {
    let a = saying("x").await;
    let proxy = single(&a).await;
    let sent = "GET http://elsewhere.example/path?q HTTP/1.1\r\nhost: elsewhere.example\r\nconnection: close\r\n\r\n";
    let address = proxy.address;
    tokio::task::spawn_blocking(move || exchange(address, sent)).await.unwrap();
    let seen = a.only();
    assert_eq!(seen.uri.to_string(), "/path?q");
    assert_eq!(seen.headers[header::HOST], a.address.to_string());
}

#[tokio::test]
async fn repeated_headers_pass_in_their_order() {
    let a = upstream(|_| async {
        let mut response = respond(200, "x");
        for value in ["a=1", "b=2", "c=3"] {
            response.headers_mut().append(header::SET_COOKIE, value.parse().unwrap());
        }
        response
    })
    .await;
    let proxy = single(&a).await;
    let request =
        Request::get("/").header("x-list", "1").header("x-list", "2").header("x-list", "1");
    let answer = proxy.ask(request, "").await;
    assert_eq!(all(&answer.headers, "set-cookie"), ["a=1", "b=2", "c=3"]);
    assert_eq!(all(&a.only().headers, "x-list"), ["1", "2", "1"]);
}

#[tokio::test]
async fn header_values_that_are_not_ascii_pass() {
    let a = saying("x").await;
    let proxy = single(&a).await;
    let value = http::HeaderValue::from_bytes(b"gr\xc3\xb6\xdfe").unwrap();
    proxy.ask(Request::get("/").header("x-name", &value), "").await;
    assert_eq!(a.only().headers["x-name"], value);
}

#[tokio::test]
async fn what_was_meant_for_one_connection_goes_no_further() {
    let a = upstream(|_| async {
        let mut response = respond(200, "x");
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, "x-internal".parse().unwrap());
        headers.insert("x-internal", "1".parse().unwrap());
        headers.insert("keep-alive", "timeout=5".parse().unwrap());
        headers.insert("proxy-authenticate", "Basic".parse().unwrap());
        headers.insert("x-kept", "1".parse().unwrap());
        response
    })
    .await;
    let proxy = single(&a).await;
    let request = Request::get("/")
        .header(header::CONNECTION, "x-hop, close")
        .header("x-hop", "1")
        .header("keep-alive", "timeout=5")
        .header("proxy-connection", "keep-alive")
        .header(header::PROXY_AUTHORIZATION, "secret")
        .header(header::TE, "trailers, deflate")
        .header(header::AUTHORIZATION, "kept")
        .header("x-kept", "1");
    let answer = proxy.ask(request, "").await;
    for name in ["x-internal", "keep-alive", "proxy-authenticate"] {
        assert!(!answer.headers.contains_key(name), "{name}");
    }
    assert_eq!(answer.headers["x-kept"], "1");
    let seen = a.only().headers;
    for name in ["x-hop", "keep-alive", "proxy-connection", "proxy-authorization", "connection"] {
        assert!(!seen.contains_key(name), "{name}");
    }
    assert_eq!(
        (&seen["te"], &seen["authorization"], &seen["x-kept"]),
        (&"trailers".parse().unwrap(), &"kept".parse().unwrap(), &"1".parse().unwrap())
    );
}

#[tokio::test]
async fn the_upstream_learns_whom_a_request_comes_from_and_what_host_it_was_meant_for() {
    let a = saying("x").await;
    let proxy = single(&a).await;
    let request = Request::get("/").header(header::HOST, "shop.example");
    proxy.ask(request, "").await;
    let seen = a.only().headers;
    assert_eq!(seen["x-forwarded-for"], "127.0.0.1");
    assert_eq!(seen["x-forwarded-proto"], "http");
    assert_eq!(seen["x-forwarded-host"], "shop.example");
    assert_eq!(seen[header::HOST], a.address.to_string());
}

#[tokio::test]
async fn what_a_proxy_in_front_said_is_kept_and_added_to() {
    let a = saying("x").await;
    let proxy = single(&a).await;
    let request = Request::get("/")
        .header("x-forwarded-for", "203.0.113.7")
        .header("x-forwarded-for", "198.51.100.2, 198.51.100.3")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "shop.example");
    proxy.ask(request, "").await;
    let seen = a.only().headers;
    assert_eq!(
        all(&seen, "x-forwarded-for").join(", "),
        "203.0.113.7, 198.51.100.2, 198.51.100.3, 127.0.0.1"
    );
    assert_eq!(all(&seen, "x-forwarded-proto"), ["https"]);
    assert_eq!(all(&seen, "x-forwarded-host"), ["shop.example"]);
}

#[tokio::test]
async fn the_callers_host_can_be_kept_over_either_protocol() {
    let a = saying("x").await;
    let yaml = format!("{SINGLE}upstreams: {{ preserve_host: true }}\n");
    let proxy = Proxy::start(&yaml, &[a.address]).await;
    proxy.ask(Request::get("/").header(header::HOST, "shop.example"), "").await;
    assert_eq!(a.only().headers[header::HOST], "shop.example");

    // Over HTTP/2 the host stands in the address.
    let request = at(proxy.address, Request::get("/"), full(""));
    let answer = h2_caller().request(request);
    read(tokio::time::timeout(PATIENCE, answer).await.unwrap().unwrap()).await;
    let seen = a.only().headers;
    assert_eq!(seen[header::HOST], proxy.address.to_string());
    assert_eq!(seen["x-forwarded-host"], proxy.address.to_string());
}

#[tokio::test]
async fn a_request_over_http2_becomes_a_plain_one() {
    let a = saying("x").await;
    let proxy = single(&a).await;
    let request = Request::get("/p?q").header(header::COOKIE, "a=1").header(header::COOKIE, "b=2");
    let request = at(proxy.address, request, full(""));
    let answer = read(h2_caller().request(request).await.unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "x"));
    let seen = a.only();
    assert_eq!((seen.version, seen.uri.to_string().as_str()), (http::Version::HTTP_11, "/p?q"));
    assert_eq!(seen.headers[header::HOST], a.address.to_string());
}

#[tokio::test]
async fn the_response_names_the_variant_where_that_is_asked_for() {
    let a = saying("x").await;
    let yaml = "
experiment: plain
strategy: round_robin
variant_header: x-variant
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: größer, upstream: UPSTREAM_A }
";
    let proxy = Proxy::start(yaml, &[a.address]).await;
    assert_eq!(proxy.get("/").await.headers["x-variant"], "a");
    assert_eq!(proxy.get("/").await.headers["x-variant"], "größer".as_bytes());
}

#[tokio::test]
async fn a_shadow_is_marked_and_gets_no_credentials() {
    let (a, b) = (saying("x").await, saying("y").await);
    let yaml = "
experiment: ranker
strategy: shadow
primary: a
shadow: { forward_headers: [cookie], withhold_headers: [x-key] }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";
    let mut proxy = Proxy::start(yaml, &[a.address, b.address]).await;
    let request = Request::get("/")
        .header(header::AUTHORIZATION, "secret")
        .header(header::COOKIE, "a=1")
        .header("x-key", "secret");
    proxy.ask(request, "").await;
    // A caller may not opt others in: the mark of this experiment means no shadow.
    proxy.ask(Request::get("/").header("x-spearmint-shadow", "ranker/b"), "").await;
    proxy.ask(post("/"), "unsafe").await;
    assert_eq!(
        proxy.ends().await,
        ["a primary success", "a primary success", "a primary success", "b shadow success"]
    );
    let primary = a.seen.lock().unwrap()[0].headers.clone();
    assert!(
        primary.contains_key(header::AUTHORIZATION) && !primary.contains_key("x-spearmint-shadow")
    );
    let shadow = b.only().headers;
    assert!(!shadow.contains_key(header::AUTHORIZATION) && !shadow.contains_key("x-key"));
    assert_eq!(
        (&shadow["cookie"], &shadow["x-spearmint-shadow"]),
        (&"a=1".parse().unwrap(), &"ranker/b".parse().unwrap())
    );
}
