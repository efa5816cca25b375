//! The store in a browser: pages over real sockets, and what they let through.

use crate::support::{Answer, Server};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use tempfile::{TempDir, tempdir};
use tokio::{net::TcpStream, time::timeout};
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    Branch, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    branch::{BranchId, Role},
    compare::{Comparison, DifferenceKind, Differences},
    record::{LoggerBackend, MemoryBackend},
    server::{Access, Tokens},
    service_fn,
    store::{Filter, SqliteStore},
};

const ANN: &str = "ann-may-do-everything";
const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
/// How long something may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn store(directory: &TempDir) -> SqliteStore {
    SqliteStore::open(directory.path().join("spearmint.db")).unwrap()
}

/// As many requests through two configs in turn; every third fails.
async fn record(directory: &TempDir, experiment: &str, requests: usize, answer: &str) {
    let (recorder, recording) = Recorder::pair(store(directory));
    tokio::spawn(recording);
    let configs = [json!({ "config_id": "stable", "say": answer }), json!({ "config_id": "new" })];
    let text = answer.to_owned();
    let log = LogLayer::new(recorder.clone()).capture(|text: &String| Some(json!(text)));
    let service = service_fn(move |trial: Trial<usize>| {
        let text = text.clone();
        async move { if trial.request() % 3 == 2 { Err(text) } else { Ok(text) } }
    });
    let mut service = RoundRobinLayer::new(ConfigPool::from_values(configs).unwrap())
        .experiment(experiment)
        .layer(log.layer(service));
    for n in 0..requests {
        let _ = service.ready().await.unwrap().call(n).await;
    }
    recorder.drain(PATIENCE).await.unwrap();
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.to_vec()).unwrap()
}

async fn page(server: &Server, path: &str) -> String {
    let answer = server.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", text(&answer));
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
    text(&answer)
}

/// What stands in all attributes of this name.
fn all(page: &str, attribute: &str) -> Vec<String> {
    let begin = format!(" {attribute}=\"");
    let parts = page.split(&begin).skip(1);
    parts.map(|part| part.split('"').next().unwrap().replace("&amp;", "&")).collect()
}

async fn with_headers(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let body = Full::new(Bytes::from(body.to_owned()));
    server.try_call_with(method, path, headers, body).await.unwrap()
}

/// A path of each page that there is for an experiment.
fn paths(directory: &TempDir, name: &str) -> Vec<String> {
    let newest = Filter::new().newest_first().limit(3);
    let ids = store(directory).branches(&newest).unwrap().map(|branch| branch.unwrap().id);
    let branches = ids.map(|id| format!("/branches/{id}"));
    ["", "/differences", "/branches"]
        .map(|page| format!("/experiments/{name}{page}"))
        .into_iter()
        .chain(branches)
        .chain(["/".to_owned(), "/login".to_owned()])
        .collect()
}

#[tokio::test]
async fn an_empty_store_says_how_to_begin() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let index = page(&server, "/").await;
    assert!(index.contains("No branch has answered anybody yet."), "{index}");
    assert!(index.contains("spearmint serve experiment.yaml"), "{index}");
    let missing = server.get("/experiments/none").await;
    assert_eq!(missing.status, 404);
    assert!(text(&missing).contains("no experiment is named `none`"), "{}", text(&missing));
    server.stop().await;
}

#[tokio::test]
async fn an_experiment_is_followed_from_the_list_down_to_a_branch() {
    let directory = tempdir().unwrap();
    record(&directory, "a/b c", 12, "hello").await;
    let server = Server::start(&directory).await;
    let index = page(&server, "/").await;
    let link = "/experiments/a%2Fb%20c";
    assert!(all(&index, "href").contains(&link.to_owned()), "{index}");
    let experiment = page(&server, link).await;
    for part in ["<h1>a/b c</h1>", "<strong>undecided</strong>", "<h4>error_rate ", "12"] {
        assert!(experiment.contains(part), "{part}: {experiment}");
    }
    let branches = page(&server, &format!("{link}/branches")).await;
    let of_branches: Vec<_> =
        all(&branches, "href").into_iter().filter(|to| to.starts_with("/branches/")).collect();
    assert_eq!(of_branches.len(), 12);
    // The newest is the third of its three.
    let branch = page(&server, &of_branches[0]).await;
    for part in [
        "failed: error",
        "error: hello",
        "The request over time",
        "&quot;config_id&quot;: &quot;new&quot;",
        "Config",
    ] {
        assert!(branch.contains(part), "{part}: {branch}");
    }
    let branch = page(&server, &of_branches[1]).await;
    assert!(branch.contains(">hello</pre>"), "{branch}");
    server.stop().await;
}

#[tokio::test]
async fn no_page_has_anything_that_runs_or_comes_from_elsewhere() {
    let directory = tempdir().unwrap();
    record(&directory, "ranker", 6, "x").await;
    let server = Server::start(&directory).await;
    for path in paths(&directory, "ranker") {
        let answer = server.get(&path).await;
        let policy = answer.header("content-security-policy").to_owned();
        for part in
            ["default-src 'none'; script-src 'self'; style-src 'self'; ", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cache-control"), "no-store");
        let page = text(&answer);
        assert_eq!(page.matches("<script").count(), page.matches("<script defer src=\"/").count());
        assert!(!page.contains("<style") && !page.contains(" style="), "{path}");
        for address in all(&page, "href").into_iter().chain(all(&page, "src")) {
            let here = address.starts_with('/') && !address.starts_with("//");
            assert!(
                here || address.starts_with(['#', '?']) || address == "data:,",
                "{path}: {address}"
            );
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn what_pages_need_is_there_and_kept_as_long_as_it_is_the_same() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let index = page(&server, "/").await;
    let assets = all(&index, "href").into_iter().chain(all(&index, "src"));
    let assets: Vec<_> = assets.filter(|path| path.starts_with("/assets/")).collect();
    assert_eq!(assets.len(), 5);
    for path in assets {
        let answer = server.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("cache-control").contains("immutable"), "{path}");
        let unversioned = server.get(path.split('?').next().unwrap()).await;
        assert_eq!(unversioned.header("cache-control"), "no-store");
    }
    assert_eq!(server.get("/assets/none.js").await.status, 404);
    assert!(text(&server.get("/assets/uplot-licence.txt").await).contains("MIT"));
    server.stop().await;
}

#[tokio::test]
async fn whatever_names_and_services_say_is_text() {
    let directory = tempdir().unwrap();
    record(&directory, HOSTILE, 6, HOSTILE).await;
    let server = Server::start(&directory).await;
    let index = page(&server, "/").await;
    let link = all(&index, "href").into_iter().find(|to| to.starts_with("/experiments/")).unwrap();
    let mut shown = 0;
    for path in paths(&directory, "").iter().map(|path| path.replace("/experiments/", &link)) {
        let page = page(&server, &path).await;
        assert!(!page.contains("<script>") && !page.contains("<img"), "{path}: {page}");
        assert!(!page.contains("\"'>"), "{path}: {page}");
        shown += page.matches("&lt;script&gt;alert(1)&lt;/script&gt;").count();
    }
    assert!(shown > 8, "{shown}");
    for query in ["path=%3Cscript%3E", "path=%22%3E%3Cscript%3E"] {
        let page = page(&server, &format!("{link}/differences?{query}")).await;
        assert!(!page.contains("<script>"), "{page}");
    }
    for query in ["config=%22%3E%3Cscript%3E", "after=%3Cscript%3E", "role=%3Cscript%3E"] {
        let answer = server.get(&format!("{link}/branches?{query}")).await;
        assert!(!text(&answer).contains("<script>"), "{query}");
    }
    server.stop().await;
}

/// A request whose shadow answers something else, and what of it differs.
async fn compare(directory: &TempDir) -> BranchId {
    record(directory, "ranker", 2, "{\"price\": 1}").await;
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let configs = ["stable", "new"].map(|id| json!({ "config_id": id }));
    let pool = ConfigPool::from_values(configs).unwrap();
    let log =
        LogLayer::new(recorder.clone()).capture(|price: &u32| Some(json!({ "price": price })));
    let service = service_fn(|trial: Trial<u32>| async move { Ok::<_, String>(*trial.request()) });
    let mut service = RoundRobinLayer::new(pool).experiment("ranker").layer(log.layer(service));
    for price in [1, 2] {
        service.ready().await.unwrap().call(price).await.unwrap();
    }
    recorder.drain(PATIENCE).await.unwrap();
    let [primary, mut shadow]: [Branch; 2] = memory.take().try_into().unwrap();
    (shadow.role, shadow.request_id) = (Role::Shadow, primary.id);
    let mut differences = Differences::default();
    differences.push("/price", DifferenceKind::Changed, Some("1"), Some(HOSTILE));
    let compared = Comparison::new(&primary, &shadow, differences);
    let (store, id) = (store(directory), shadow.id);
    store.log_batch(&[primary, shadow]).await.unwrap();
    store.log_comparisons(&[compared]).await.unwrap();
    id
}

#[tokio::test]
async fn where_answers_differ_both_stand_side_by_side() {
    let directory = tempdir().unwrap();
    let id = compare(&directory).await;
    let server = Server::start(&directory).await;
    let escaped = "<code class=\"sample\">&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&gt;";
    let here = "/experiments/ranker/differences";
    for path in [here, "/experiments/ranker/differences?path=%2Fprice"] {
        let differences = page(&server, path).await;
        for part in [
            "<code>/price</code>",
            "1 pairs, 100% of all",
            "<code class=\"sample\">1</code>",
            escaped,
        ] {
            assert!(differences.contains(part), "{part}: {differences}");
        }
        assert!(all(&differences, "href").contains(&format!("/branches/{id}")));
    }
    let elsewhere = page(&server, "/experiments/ranker/differences?path=%2Fname").await;
    assert!(!elsewhere.contains("<code>/price</code>"), "{elsewhere}");
    let experiment = page(&server, "/experiments/ranker").await;
    assert!(
        all(&experiment, "href")
            .contains(&"/experiments/ranker/differences?path=%2Fprice".to_owned())
    );

    let branch = page(&server, &format!("/branches/{id}")).await;
    for part in [
        "they differ in 1 place.",
        escaped,
        "&quot;price&quot;: 2",
        "&quot;price&quot;: 1",
        "(primary): success",
    ] {
        assert!(branch.contains(part), "{part}: {branch}");
    }
    server.stop().await;
}

#[tokio::test]
async fn branches_are_walked_through_page_by_page_each_once() {
    let directory = tempdir().unwrap();
    record(&directory, "ranker", 130, "x").await;
    let server = Server::start(&directory).await;
    let here = "/experiments/ranker/branches";
    let mut seen = BTreeSet::new();
    let (mut next, mut pages) = (Some("?".to_owned()), 0);
    while let Some(query) = next {
        let page = page(&server, &format!("{here}{query}")).await;
        let links = all(&page, "href");
        for id in links.iter().filter(|to| to.starts_with("/branches/")) {
            assert!(seen.insert(id.clone()), "{id} twice");
        }
        pages += 1;
        next = page
            .split("rel=\"next\" href=\"")
            .nth(1)
            .map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
    }
    assert_eq!((seen.len(), pages), (130, 3));
    server.stop().await;
}

#[tokio::test]
async fn branches_are_narrowed_by_config_role_and_status() {
    let directory = tempdir().unwrap();
    record(&directory, "ranker", 12, "x").await;
    let server = Server::start(&directory).await;
    let count = async |query: &str| {
        let page = page(&server, &format!("/experiments/ranker/branches?{query}")).await;
        all(&page, "href").iter().filter(|to| to.starts_with("/branches/")).count()
    };
    assert_eq!(count("config=new&role=&status=").await, 6);
    assert_eq!(count("status=failed").await, 4);
    assert_eq!(count("config=stable&status=failed&role=primary").await, 2);
    assert_eq!(count("role=shadow").await, 0);
    let nothing = page(&server, "/experiments/ranker/branches?config=none").await;
    assert!(nothing.contains("There is no such branch."), "{nothing}");
    let wrong = server.get("/experiments/ranker/branches?role=king").await;
    assert_eq!(wrong.status, 400);
    assert!(text(&wrong).contains("role: `king` is not one of"), "{}", text(&wrong));
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_on_a_page() {
    let directory = tempdir().unwrap();
    record(&directory, "ranker", 1, "x").await;
    let server = Server::start(&directory).await;
    for path in [
        "/branches/none",
        "/branches/00000000000000000000000000000000",
        "/experiments/x/branches",
        "/experiments/x/differences",
    ] {
        let answer = server.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), text(&answer).contains("<h1>Not Found</h1>")),
            (404, true),
            "{path}"
        );
    }
    for (method, path) in [("POST", "/"), ("DELETE", "/branches/x"), ("PUT", "/events")] {
        assert_eq!(server.call(method, path, "").await.status, 404, "{method} {path}");
    }
    server.stop().await;
}

fn tokens() -> Tokens {
    Tokens::new().and("ann", Access::ReadWrite, ANN).unwrap()
}

async fn log_in(server: &Server, token: &str, next: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    with_headers(server, "POST", "/login", &headers, &format!("token={token}&next={next}")).await
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

/// A page that is told of changes.
struct Follower {
    body: hyper::body::Incoming,
    heard: String,
}

impl Follower {
    async fn of(server: &Server, path: &str) -> Result<Self, u16> {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let (mut client, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::get(path).header("host", server.address.to_string());
        let answer = client.send_request(request.body(Full::<Bytes>::default()).unwrap()).await;
        let answer = answer.unwrap();
        if answer.status() != 200 {
            return Err(answer.status().as_u16());
        }
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Ok(Self { body: answer.into_body(), heard: String::new() })
    }

    /// What is told next; `None` at the end.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.heard.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.heard = rest;
                if let Some(data) = event.strip_prefix("event: report\ndata: ") {
                    return Some(serde_json::from_str(data).unwrap());
                }
                continue;
            }
            let frame = timeout(PATIENCE, self.body.frame()).await.unwrap()?.unwrap();
            self.heard += std::str::from_utf8(&frame.into_data().unwrap()).unwrap();
        }
    }
}

#[tokio::test]
async fn who_looks_is_told_when_something_changes() {
    let directory = tempdir().unwrap();
    record(&directory, "ranker", 6, "x").await;
    let server = Server::start(&directory).await;
    let mut one = Follower::of(&server, "/events?experiment=ranker").await.unwrap();
    let mut all = Follower::of(&server, "/events").await.unwrap();
    let first = one.next().await.unwrap();
    assert_eq!(first["verdicts"][0]["verdict"], "undecided");
    let part = first["parts"]["figures-0"].as_str().unwrap();
    let experiment = page(&server, "/experiments/ranker").await;
    assert!(experiment.contains(&format!("<div id=\"figures-0\">{part}</div>")));
    let list = all.next().await.unwrap()["parts"]["experiments"].as_str().unwrap().to_owned();
    assert!(page(&server, "/").await.contains(&list));

    record(&directory, "ranker", 4, "x").await;
    let told = loop {
        let told = one.next().await.unwrap();
        if told["verdicts"][0]["requests"] == 5 {
            break told;
        }
    };
    assert_ne!(told["parts"]["figures-0"], first["parts"]["figures-0"]);
    assert!(all.next().await.is_some());
    server.stop().await;
}

#[tokio::test]
async fn the_end_of_the_server_is_the_end_of_what_it_tells() {
    let directory = tempdir().unwrap();
    record(&directory, "ranker", 2, "x").await;
    let server = Server::start(&directory).await;
    let mut follower = Follower::of(&server, "/events").await.unwrap();
    assert!(follower.next().await.is_some());
    let began = Instant::now();
    server.stop().await;
    // Long before it would be cut off.
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!(follower.next().await, None);
}

#[tokio::test]
async fn only_so_many_are_told_and_one_that_leaves_makes_room() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let mut followers = Vec::new();
    for _ in 0..64 {
        followers.push(Follower::of(&server, "/events").await.unwrap());
    }
    assert_eq!(Follower::of(&server, "/events").await.err(), Some(503));
    drop(followers.pop());
    let began = Instant::now();
    while Follower::of(&server, "/events").await.is_err() {
        assert!(began.elapsed() < PATIENCE);
        tokio::task::yield_now().await;
    }
    assert_eq!(server.get("/").await.status, 200);
    server.stop().await;
}
