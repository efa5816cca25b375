//! Another file while it runs, and the operator's switches.

use crate::support::{Answer, Proxy, Upstream, ask, eventually, exchange, gated, saying};
use http::Request;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

fn single(upstream: &Upstream, more: &str) -> String {
    format!(
        "
experiment: changing
strategy: single
configs: [{{ config_id: a, upstream: 'http://{}' }}]
{more}
watch: false
",
        upstream.address
    )
}

fn shadow(primary: &Upstream, shadows: &[&Upstream]) -> String {
    let mut yaml = format!(
        "
experiment: changing
strategy: shadow
primary: a
drain_timeout: 5s
watch: false
configs:
  - {{ config_id: a, upstream: 'http://{}' }}
",
        primary.address
    );
    for (letter, upstream) in ('b'..).zip(shadows) {
        yaml.push_str(&format!(
            "  - {{ config_id: {letter}, upstream: 'http://{}' }}\n",
            upstream.address
        ));
    }
    yaml
}

fn write(proxy: &Proxy, yaml: &str) {
    std::fs::write(proxy.path("experiment.yaml"), yaml).unwrap();
}

async fn post(proxy: &Proxy, path: &str) -> Answer {
    ask(proxy.admin, Request::post(path), "").await
}

#[tokio::test]
async fn another_file_serves_the_next_request() {
    let (a, b) = (saying("a").await, saying("b").await);
    let mut proxy = Proxy::start(&single(&a, ""), &[]).await;
    assert_eq!(proxy.get("/").await.text(), "a");
    write(&proxy, &single(&b, "variant_header: x-variant"));
    assert_eq!(proxy.get("/").await.text(), "a");
    let answer = post(&proxy, "/reload").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "reloaded\n"));
    let answer = proxy.get("/").await;
    assert_eq!((answer.text(), &answer.headers["x-variant"]), ("b", &"a".parse().unwrap()));
    write(&proxy, &single(&a, ""));
    proxy.signal("HUP");
    eventually("it says so", || proxy.log().matches("reloaded").count() == 2).await;
    assert_eq!(proxy.get("/").await.text(), "a");
    let stats = proxy.admin("/stats").await.json();
    assert_eq!(stats["reloads"], 2);
    // The recorder is the same as ever.
    assert_eq!(stats["recorder"]["accepted"], 4);
    assert_eq!(proxy.ends().await, ["a primary success"; 4]);
}

#[tokio::test]
async fn a_file_with_a_mistake_leaves_the_one_before_in_use_and_says_why() {
    let a = saying("a").await;
    let proxy = Proxy::start(&single(&a, ""), &[]).await;
    let weights = single(&a, "round_robin: { weights: { z: 1 } }").replace("single", "round_robin");
    let mistakes = [
        (single(&a, "thraeds: 2"), "experiment.yaml:5:10: "),
        (single(&a, "limits: { max_head_size: 1KiB }"), "8KiB"),
        ("experiment: [".to_owned(), "experiment.yaml:"),
        // These show only when it is put to use.
        (weights, "experiment.yaml:5:"),
        (single(&a, "tls: { certificate: none.pem, key: none.pem }"), "experiment.yaml:5:21: "),
        (single(&a, "").replace("strategy: single", "strategy: mine"), "experiment.yaml:3:11: "),
    ];
    for (yaml, said) in &mistakes {
        write(&proxy, yaml);
        let answer = post(&proxy, "/reload").await;
        assert_eq!(answer.status, 422, "{yaml}");
        assert!(answer.text().contains(said), "{yaml}\n{}", answer.text());
        let line = answer.text().trim().lines().next().unwrap();
        eventually("the log says so, too", || proxy.log().contains(line)).await;
        assert_eq!(proxy.get("/").await.text(), "a");
    }
    std::fs::remove_file(proxy.path("experiment.yaml")).unwrap();
    proxy.signal("HUP");
    let lines = |proxy: &Proxy| proxy.log().matches("the file was not reloaded").count();
    eventually("it says so", || lines(&proxy) == mistakes.len() + 1).await;
    assert_eq!(proxy.get("/").await.text(), "a");
    assert_eq!(proxy.admin("/stats").await.json()["reloads"], 0);
}

#[tokio::test]
async fn what_only_a_restart_can_change_is_named() {
    let a = saying("a").await;
    let proxy = Proxy::start(&single(&a, "threads: 2"), &[]).await;
    let more = "listen: 127.0.0.1:1\nadmin: 127.0.0.1:2\nstore: other.db\nui: false\nthreads: 3\n\
                mlflow: http://127.0.0.1:3\nlimits: { max_connections: 5, max_headers: 50 }";
    write(&proxy, &single(&a, more));
    // As often as one asks.
    for _ in 0..2 {
        let answer = post(&proxy, "/reload").await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.text(),
            "reloaded; `listen`, `admin`, `store`, `ui`, `mlflow`, `threads`, `limits.max_connections` \
             changed, too, which needs a restart\n"
        );
        let said = answer.text().trim();
        eventually("the log says so, too", || proxy.log().contains(said)).await;
    }
    assert_eq!(proxy.get("/").await.text(), "a");
}

#[tokio::test]
async fn requests_and_shadows_under_way_go_on_by_the_old_file_and_are_drained() {
    let ((a, open), (b, open_shadow)) = (gated("a").await, gated("b").await);
    let c = saying("c").await;
    let mut proxy = Proxy::start(&shadow(&a, &[&b]), &[]).await;
    let request = crate::support::at(proxy.address, Request::get("/"), crate::support::full(""));
    let call = tokio::spawn(crate::support::caller().request(request));
    eventually("it is under way", || a.count() == 1 && b.count() == 1).await;
    write(&proxy, &single(&c, ""));
    assert_eq!(post(&proxy, "/reload").await.status, 200);
    // Several times over.
    assert_eq!(post(&proxy, "/reload").await.status, 200);
    assert_eq!(proxy.get("/").await.text(), "c");
    open.store(true, SeqCst);
    let answer = crate::support::read(call.await.unwrap().unwrap()).await;
    assert_eq!(answer.text(), "a");
    proxy.signal("TERM");
    eventually("it says so", || proxy.log().contains("stopping:")).await;
    open_shadow.store(true, SeqCst);
    assert_eq!(proxy.ended().await, Some(0));
    let mut ends: Vec<_> = proxy.stored().iter().map(crate::support::end).collect();
    ends.sort();
    assert_eq!(ends, ["a primary success", "a primary success", "b shadow success"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_files_come_and_go() {
    let (a, b) = (saying("a").await, saying("b").await);
    let mut proxy = Proxy::start(&single(&a, ""), &[]).await;
    let request = || crate::support::at(proxy.address, Request::get("/"), crate::support::full(""));
    let (caller, done) = (crate::support::caller(), AtomicBool::new(false));
    let calls = async {
        let mut count = 0;
        while !done.load(SeqCst) {
            let answer = crate::support::read(caller.request(request()).await.unwrap()).await;
            assert_eq!(answer.status, 200);
            count += 1;
        }
        count
    };
    let reloads = async {
        for at in 0..20 {
            write(&proxy, &single(if at % 2 == 0 { &b } else { &a }, ""));
            assert_eq!(post(&proxy, "/reload").await.status, 200);
        }
        done.store(true, SeqCst);
    };
    let (count, ()) = tokio::join!(calls, reloads);
    assert_eq!(a.count() + b.count(), count);
    assert_eq!(proxy.rows().await.len(), count);
}

#[tokio::test]
async fn shadows_are_switched_off_and_on_again() {
    let (a, b, c) = (saying("a").await, saying("b").await, saying("c").await);
    let proxy = Proxy::start(&shadow(&a, &[&b, &c]), &[]).await;
    let get = async |b_expected: usize, c_expected: usize| {
        assert_eq!(proxy.get("/").await.text(), "a");
        let seen = || (b.count(), c.count());
        eventually("the shadows", || seen() == (b_expected, c_expected)).await;
        // And no more come.
        eventually("none is under way", || seen() == (b_expected, c_expected)).await;
    };
    get(1, 1).await;
    let answer = post(&proxy, "/shadows/off").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "off\n"));
    get(1, 1).await;
    let stats = proxy.admin("/stats").await.json();
    assert_eq!(stats["shadows_enabled"], false);
    assert_eq!(stats["shadows"][0]["switched_off"], 1);
    assert_eq!(post(&proxy, "/shadows/on").await.text(), "on\n");
    get(2, 2).await;
    assert_eq!(post(&proxy, "/shadows/c/off").await.status, 200);
    get(3, 2).await;
    // A new file does not undo what an operator did.
    assert_eq!(post(&proxy, "/reload").await.status, 200);
    get(4, 2).await;
    let stats = proxy.admin("/stats").await.json();
    assert_eq!(stats["shadows"][0]["enabled"], true);
    assert_eq!(stats["shadows"][1]["enabled"], false);
    // Ids may be percent-encoded.
    assert_eq!(post(&proxy, "/shadows/%63/on").await.status, 200);
    get(5, 3).await;
    assert_eq!(post(&proxy, "/shadows/off").await.status, 200);
    assert_eq!(post(&proxy, "/reload").await.status, 200);
    get(5, 3).await;

    let unknown = post(&proxy, "/shadows/z/off").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("`z`"), "{}", unknown.text());
    assert_eq!(post(&proxy, "/shadows/a/off").await.status, 404);
    assert_eq!(post(&proxy, "/shadows/maybe").await.status, 404);
    assert_eq!(proxy.admin("/shadows/off").await.status, 405);
}

#[tokio::test]
async fn there_is_nothing_to_switch_where_there_are_no_shadows() {
    let proxy = Proxy::start(&single(&saying("a").await, ""), &[]).await;
    let answer = post(&proxy, "/shadows/off").await;
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("there are no shadows"), "{}", answer.text());
}

#[tokio::test]
async fn pages_of_other_sites_can_change_nothing() {
    let a = saying("a").await;
    let proxy = Proxy::start(&single(&a, ""), &[]).await;
    let admin = proxy.admin;
    let say = async |headers: String| {
        let text = format!(
            "POST /reload HTTP/1.1\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n"
        );
        let answer = tokio::task::spawn_blocking(move || exchange(admin, &text)).await.unwrap();
        answer[9..12].parse::<u16>().unwrap()
    };
    for host in ["127.0.0.1", "127.0.0.1:9", "localhost", "LocalHost:80", "[::1]:80", "10.0.0.1"] {
        assert_eq!(say(format!("host: {host}\r\n")).await, 200, "{host}");
        let own = format!("host: {host}\r\norigin: http://{host}\r\n");
        assert_eq!(say(own).await, 200, "{host}");
    }
    for headers in [
        "",
        "host:\r\n",
        "host: example.com\r\n",
        "host: localhost.example.com\r\n",
        "host: 127.0.0.1.example.com\r\n",
        "host: 127.0.0.1@example.com\r\n",
        "host: localhost\r\norigin: http://example.com\r\n",
        "host: localhost\r\norigin: https://localhost\r\n",
        "host: localhost\r\norigin: http://localhost:81\r\n",
        "host: localhost\r\norigin: null\r\n",
    ] {
        assert_eq!(say(headers.to_owned()).await, 403, "{headers}");
    }
}
