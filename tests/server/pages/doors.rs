//! Who sees pages, and how a browser gets in.

use super::{page, paths, record, text, with_headers};
use crate::support::{Answer, Server};
use tempfile::tempdir;
use tower_spearmint::server::{Access, Tokens};

const ANN: &str = "ann-may-do-everything";

fn tokens() -> Tokens {
    Tokens::new().and("ann", Access::ReadWrite, ANN).unwrap()
}

async fn log_in(server: &Server, token: &str, next: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    with_headers(
        server,
        "POST",
        "/login",
        &headers,
        &format!("user=spearmint&token={token}&next={next}"),
    )
    .await
}

#[tokio::test]
async fn a_token_once_is_a_cookie_that_reads_pages_and_nothing_else() {
    let directory = tempdir().unwrap();
    record(&directory, "ranker", 3, "x").await;
    let server = Server::start_with(&directory, |server| server.tokens(tokens())).await;
    let refused = server.get("/experiments/ranker?a=1").await;
    assert_eq!(refused.status, 303);
    assert_eq!(refused.header("location"), "/login?next=%2Fexperiments%2Franker%3Fa%3D1");
    assert!(refused.headers.get("www-authenticate").is_none());
    let form = page(&server, refused.header("location")).await;
    assert!(form.contains("value=\"/experiments/ranker?a=1\""), "{form}");
    assert!(form.contains("autocomplete=\"username\" value=\"spearmint\""), "{form}");

    let wrong = log_in(&server, "ann-may-do-anything", "/").await;
    assert_eq!(wrong.status, 403);
    assert!(text(&wrong).contains("This token is not known here."));
    assert!(wrong.headers.get("set-cookie").is_none());

    let right = log_in(&server, ANN, "%2Fexperiments%2Franker").await;
    assert_eq!((right.status.as_u16(), right.header("location")), (303, "/experiments/ranker"));
    let cookie = right.header("set-cookie").to_owned();
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict") && !cookie.contains(ANN),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap();
    let cookie = [("cookie", pair)];
    for path in paths(&directory, "ranker") {
        assert_eq!(with_headers(&server, "GET", &path, &cookie, "").await.status, 200, "{path}");
    }
    for (method, path) in [
        ("GET", "/api/2.0/mlflow/experiments/search?max_results=5"),
        ("POST", "/api/2.0/mlflow/experiments/create"),
        ("GET", "/metrics"),
    ] {
        let answer = with_headers(&server, method, path, &cookie, r#"{"name":"n"}"#).await;
        assert_eq!(answer.status, 401, "{path}");
    }
    assert_eq!(with_headers(&server, "POST", "/logout", &cookie, "").await.status, 303);
    assert_eq!(with_headers(&server, "GET", "/", &cookie, "").await.status, 303);
    // Who sends the token itself needs no cookie.
    let bearer = format!("Bearer {ANN}");
    assert_eq!(
        with_headers(&server, "GET", "/", &[("authorization", &bearer)], "").await.status,
        200
    );
    server.stop().await;
}

#[tokio::test]
async fn no_other_site_logs_a_browser_in_or_sends_it_away() {
    let directory = tempdir().unwrap();
    let server = Server::start_with(&directory, |server| server.tokens(tokens())).await;
    for origin in ["http://evil.example", "null"] {
        let body = format!("token={ANN}");
        let answer = with_headers(&server, "POST", "/login", &[("origin", origin)], &body).await;
        assert_eq!(answer.status, 403, "{origin}");
        assert!(answer.headers.get("set-cookie").is_none());
    }
    for next in ["http:%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example"] {
        assert_eq!(log_in(&server, ANN, next).await.header("location"), "/");
    }
    server.stop().await;
}
