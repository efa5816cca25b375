//! Who is let in, and what they are told.

use crate::support::Server;
use http::{HeaderMap, StatusCode};
use std::time::{Duration, Instant};
use tempfile::{TempDir, tempdir};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower_spearmint::{
    server::{Access, MlflowServer, ServeError, Tokens},
    store::SqliteStore,
};

const ANN: &str = "ann-may-do-everything";
const BOT: &str = "bot-may-only-read-it";
const SEARCH: &str = "/api/2.0/mlflow/experiments/search?max_results=5";
const CREATE: &str = "/api/2.0/mlflow/experiments/create";

/// What came back for a request whose headers are these.
struct Heard {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Heard {
    fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["error_code"].as_str().unwrap().to_owned()
    }
}

/// Sends what it is told, `Host` included, on a connection of its own.
async fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Heard {
    let body = if method == "POST" { r#"{"name":"n"}"# } else { "" };
    let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    let has_host = headers.iter().any(|(name, _)| *name == "host");
    let host = ("host", &*server.address.to_string());
    for (name, value) in headers.iter().copied().chain((!has_host).then_some(host)) {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("content-length: {}\r\n\r\n{body}", body.len());
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.parse::<http::HeaderName>().unwrap(), value.parse::<http::HeaderValue>().unwrap())
    });
    let mut all = HeaderMap::new();
    headers.for_each(|(name, value)| {
        all.append(name, value);
    });
    Heard { status, headers: all, body: body.to_owned() }
}

fn tokens() -> Tokens {
    let tokens = Tokens::new().and("ann", Access::ReadWrite, ANN).unwrap();
    tokens.and("bot", Access::ReadOnly, BOT).unwrap()
}

async fn guarded(directory: &TempDir) -> Server {
    Server::start_with(directory, |server| server.tokens(tokens())).await
}

#[tokio::test]
async fn without_its_token_a_client_learns_nothing_but_how_to_send_one() {
    let directory = tempdir().unwrap();
    let server = guarded(&directory).await;
    let too_short = format!("Bearer {}", &ANN[1..]);
    for headers in [&[][..], &[("authorization", &*too_short)], &[("authorization", "Basic !")]] {
        for path in [SEARCH, "/no/such/call"] {
            let heard = ask(&server, "GET", path, headers).await;
            assert_eq!((heard.status.as_u16(), &*heard.code()), (401, "UNAUTHENTICATED"));
            let challenges: Vec<_> = heard.headers.get_all("www-authenticate").iter().collect();
            assert_eq!(challenges, [r#"Basic realm="spearmint""#, r#"Bearer realm="spearmint""#]);
            assert!(!heard.body.contains(&ANN[1..]), "{}", heard.body);
        }
    }
    for path in ["/health", "/version"] {
        assert_eq!(ask(&server, "GET", path, &[]).await.status, 200);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_token_is_taken_as_a_bearer_and_as_the_password_of_anyone() {
    let directory = tempdir().unwrap();
    let server = guarded(&directory).await;
    let bearer = format!("Bearer {ANN}");
    // "me:ann-may-do-everything"
    let basic = "Basic bWU6YW5uLW1heS1kby1ldmVyeXRoaW5n";
    assert_eq!(ask(&server, "GET", SEARCH, &[("authorization", &bearer)]).await.status, 200);
    assert_eq!(ask(&server, "POST", CREATE, &[("authorization", basic)]).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_token_that_only_reads_writes_nothing() {
    let directory = tempdir().unwrap();
    let server = guarded(&directory).await;
    let bot = [("authorization", &*format!("Bearer {BOT}"))];
    assert_eq!(ask(&server, "GET", SEARCH, &bot).await.status, 200);
    assert_eq!(ask(&server, "POST", "/api/2.0/mlflow/runs/search", &bot).await.status, 200);
    let artifact = "/api/2.0/mlflow-artifacts/artifacts/x";
    for (method, path) in [("POST", CREATE), ("PUT", artifact), ("DELETE", artifact)] {
        let heard = ask(&server, method, path, &bot).await;
        assert_eq!((heard.status.as_u16(), &*heard.code()), (403, "PERMISSION_DENIED"), "{path}");
    }
    let ann = [("authorization", &*format!("Bearer {ANN}"))];
    assert!(!ask(&server, "GET", SEARCH, &ann).await.body.contains("\"n\""));
    server.stop().await;
}

#[tokio::test]
async fn an_open_server_is_asked_by_its_address_or_a_name_that_was_allowed() {
    let directory = tempdir().unwrap();
    let server = Server::start_with(&directory, |server| server.allow_host("Tracking.test")).await;
    for host in ["127.0.0.1:5000", "localhost", "LOCALHOST:1", "[::1]:9", "tracking.test:5000"] {
        assert_eq!(ask(&server, "GET", SEARCH, &[("host", host)]).await.status, 200, "{host}");
    }
    for host in ["evil.test", "localhost.evil.test:5000", "127.0.0.1.evil.test", "x.tracking.test"]
    {
        let heard = ask(&server, "GET", SEARCH, &[("host", host)]).await;
        assert_eq!((heard.status.as_u16(), &*heard.code()), (403, "PERMISSION_DENIED"), "{host}");
        assert!(heard.body.contains("--allow-host"), "{}", heard.body);
    }
    let two = [("host", "localhost"), ("host", "evil.test")];
    assert_eq!(ask(&server, "GET", SEARCH, &two).await.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn pages_of_other_sites_change_nothing_and_read_nothing() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    for headers in [
        [("origin", "http://evil.test")],
        [("origin", "null")],
        [("origin", "http://127.0.0.1:1")],
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
    ] {
        let heard = ask(&server, "POST", CREATE, &headers).await;
        assert_eq!((heard.status.as_u16(), &*heard.code()), (403, "PERMISSION_DENIED"));
        let read = ask(&server, "GET", SEARCH, &headers).await;
        assert!(!read.headers.contains_key("access-control-allow-origin"));
        assert_eq!(read.headers["cross-origin-resource-policy"], "same-origin");
        assert_eq!(read.headers["x-content-type-options"], "nosniff");
        assert_eq!(read.headers["cache-control"], "no-store");
    }
    let preflight = [("origin", "http://evil.test"), ("access-control-request-method", "POST")];
    assert_eq!(ask(&server, "OPTIONS", CREATE, &preflight).await.status, 403);
    let own = format!("http://{}", server.address);
    assert_eq!(ask(&server, "POST", CREATE, &[("origin", &own)]).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_site_that_was_named_may_ask_and_is_told_so_before() {
    let directory = tempdir().unwrap();
    let site = "http://localhost:3000";
    let allow = |server: MlflowServer| server.allow_origin(site).tokens(tokens());
    let server = Server::start_with(&directory, allow).await;
    let preflight = [("origin", site), ("access-control-request-method", "POST")];
    let told = ask(&server, "OPTIONS", CREATE, &preflight).await;
    assert_eq!(told.status, 204);
    assert_eq!(told.headers["access-control-allow-origin"], site);
    assert_eq!(told.headers["access-control-allow-headers"], "authorization, content-type");
    let asked = [("origin", site), ("authorization", &*format!("Bearer {ANN}"))];
    let answer = ask(&server, "POST", CREATE, &asked).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["access-control-allow-origin"], site);
    assert_eq!(answer.headers["vary"], "origin");
    server.stop().await;
}

#[tokio::test]
async fn a_head_or_a_body_that_is_too_large_is_refused_as_mlflow_refuses() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let large = "x".repeat(65 * 1024);
    let heard = ask(&server, "GET", SEARCH, &[("x-large", &large)]).await;
    assert_eq!((heard.status.as_u16(), &*heard.code()), (431, "RESOURCE_LIMIT_EXCEEDED"));
    let answer = server.call("POST", CREATE, vec![b' '; 16 * 1024 * 1024 + 1]).await;
    let (status, code, _) = answer.error();
    assert_eq!((status, &*code), (413, "RESOURCE_LIMIT_EXCEEDED"));
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_others_could_reach_does_not_start_without_tokens() {
    let directory = tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("spearmint.db")).unwrap();
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let server = MlflowServer::new(store).unwrap();
    let refused = server.clone().serve(listener, std::future::pending()).await;
    assert!(matches!(refused, Err(ServeError::Unguarded { .. })), "{refused:?}");
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    server.tokens(tokens()).serve(listener, std::future::ready(())).await.unwrap();
}

#[tokio::test]
async fn a_client_that_is_stuck_holds_up_the_end_for_the_drain_timeout_only() {
    let directory = tempdir().unwrap();
    let timeout = Duration::from_millis(200);
    let server = Server::start_with(&directory, |server| server.drain_timeout(timeout)).await;
    let mut stuck = TcpStream::connect(server.address).await.unwrap();
    let head = format!("POST {CREATE} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{{");
    stuck.write_all(head.as_bytes()).await.unwrap();
    // The connections are accepted in order: once this one is answered, the other is open.
    assert_eq!(server.get("/health").await.status, 200);
    let began = Instant::now();
    server.stop().await;
    assert!(began.elapsed() >= timeout && began.elapsed() < Duration::from_secs(8));
    assert_eq!(stuck.read(&mut [0; 1]).await.unwrap_or(0), 0);
}
