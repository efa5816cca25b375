//! The store in a browser: pages over real sockets, and what they let through.

mod branches;
mod certain;
mod differences;
mod doors;
mod events;

use crate::support::{Answer, Server};
use bytes::Bytes;
use http_body_util::Full;
use serde_json::json;
use std::time::Duration;
use tempfile::{TempDir, tempdir};
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial, service_fn,
    store::{Filter, SqliteStore},
};

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
