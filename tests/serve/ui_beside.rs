//! The store as an MLflow server, beside `spearmint serve`.

use crate::support::{Proxy, ask, eventually, post, run, saying, stderr};
use http::Request;
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
};
use tempfile::TempDir;

const YAML: &str = "
experiment: ranker
strategy: single
configs:
  - { config_id: stable, upstream: UPSTREAM_A, top_k: 40 }
";

/// The runs of an experiment, as MLflow's clients find them.
async fn runs(ui: SocketAddr, experiment: &str) -> Vec<Value> {
    let path = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=";
    let found = ask(ui, Request::get(format!("{path}{experiment}")), "").await;
    if found.status == 404 {
        return Vec::new();
    }
    let id = found.json()["experiment"]["experiment_id"].clone();
    let search = post("/api/2.0/mlflow/runs/search").header("content-type", "application/json");
    let found = ask(ui, search, json!({ "experiment_ids": [id] }).to_string()).await;
    found.json()["runs"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_branch_of_the_proxy_is_a_run_of_the_server_beside_it() {
    let a = saying("a").await;
    let directory = TempDir::new().unwrap();
    let arguments = ["--ui", "127.0.0.1:0"];
    let mut proxy = Proxy::start_with(directory, YAML, &[a.address], &arguments).await;
    let ui = proxy.ui().await;
    assert_eq!(proxy.get("/").await.text(), "a");
    assert_eq!(proxy.stores(1).await, ["stable primary success"]);
    let runs = runs(ui, "ranker").await;
    let params = runs[0]["data"]["params"].as_array().unwrap();
    assert!(params.contains(&json!({ "key": "top_k", "value": "40" })), "{params:?}");
    assert_eq!(proxy.rows().await.len(), 1);
    assert!(TcpStream::connect(ui).is_err());
}

#[tokio::test]
async fn where_the_usual_port_is_taken_it_is_a_free_one() {
    let a = saying("a").await;
    // (If it cannot be had here, somebody else has it.)
    let _taken = TcpListener::bind("127.0.0.1:5000");
    let proxy = Proxy::start(&format!("{YAML}ui: true\n"), &[a.address]).await;
    let ui = proxy.ui().await;
    assert_ne!(ui.port(), 5000);
    let said = "warning: 127.0.0.1:5000 cannot be had (Address already in use";
    assert!(proxy.log().contains(said), "{}", proxy.log());
    assert_eq!(ask(ui, Request::get("/health"), "").await.text(), "OK");
    assert_eq!(proxy.get("/").await.text(), "a");
}

#[test]
fn a_port_that_was_asked_for_and_is_taken_is_an_error() {
    let directory = TempDir::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let file = directory.path().join("x.yaml");
    let serve = ["serve", "x.yaml", "--listen", "127.0.0.1:0"];
    for (ui, arguments) in
        [(String::new(), &["--ui", &address][..]), (format!("ui: {{ listen: '{address}' }}"), &[])]
    {
        std::fs::write(&file, YAML.replace("UPSTREAM_A", "http://a") + &ui).unwrap();
        let output = run(&[&serve, arguments].concat(), directory.path());
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert_eq!(
            stderr(&output).lines().last().unwrap(),
            format!(
                "error: cannot listen on {address} for MLflow's clients: Address already in use \
                 (os error 98); choose another address (--ui), or none (--ui off)"
            )
        );
        assert!(!directory.path().join("spearmint.db").exists());
    }
}

#[tokio::test]
async fn it_is_switched_off_by_the_file_and_on_again_by_the_command_line() {
    let a = saying("a").await;
    let yaml = format!("{YAML}ui: false\n");
    let mut proxy = Proxy::start(&yaml, &[a.address]).await;
    assert_eq!(proxy.get("/").await.text(), "a");
    proxy.rows().await;
    assert!(!proxy.log().contains("MLflow"), "{}", proxy.log());

    let on = ["--ui", "127.0.0.1:0"];
    let proxy = Proxy::start_with(TempDir::new().unwrap(), &yaml, &[a.address], &on).await;
    assert_eq!(ask(proxy.ui().await, Request::get("/health"), "").await.text(), "OK");
}

#[tokio::test]
async fn it_does_what_the_file_says() {
    let directory = TempDir::new().unwrap();
    let made =
        run(&["ui", "token", "new", "--name", "ann", "--token-file", "tokens"], directory.path());
    let token = String::from_utf8(made.stdout).unwrap();
    let a = saying("a").await;
    let ui = "
ui:
  listen: 127.0.0.1:0
  token_file: tokens
  allow_hosts: [ranker.example]
  artifacts: elsewhere
  max_artifact_size: 5B
";
    let proxy = Proxy::start_in(directory, &format!("{YAML}{ui}"), &[a.address]).await;
    let ui = proxy.ui().await;
    let path = "/api/2.0/mlflow-artifacts/artifacts";
    let put = |name: &str| Request::put(format!("{path}/{name}"));
    assert_eq!(ask(ui, put("none"), "12345").await.status, 401);
    let put = |name| put(name).header("authorization", format!("Bearer {}", token.trim()));
    assert_eq!(ask(ui, put("five"), "12345").await.status, 200);
    assert_eq!(ask(ui, put("six"), "123456").await.status, 413);
    assert!(proxy.path("elsewhere").is_dir() && !proxy.path("store.db.artifacts").exists());
}

/// All at once, with their places, before anything is started.
#[test]
fn what_is_wrong_with_its_settings_is_told_as_a_mistake_in_the_file() {
    let directory = TempDir::new().unwrap();
    let said = |ui: &str| {
        let text = YAML.replace("UPSTREAM_A", "http://a") + ui;
        std::fs::write(directory.path().join("x.yaml"), text).unwrap();
        let output = run(&["serve", "x.yaml", "--listen", "127.0.0.1:0"], directory.path());
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        let valid = run(&["config", "validate", "x.yaml"], directory.path());
        assert_eq!(valid.status.code(), Some(2), "{}", stderr(&valid));
        stderr(&output)
    };
    let port = said("ui: { port: 5000 }");
    assert!(port.starts_with("error: x.yaml:6:13: `ui.port`: unknown key `port`"), "{port}");
    let address = said("ui: { listen: '5000' }");
    assert!(address.contains("`ui.listen`: `5000` is not an address to listen on"), "{address}");
    let on = said("ui: 5000");
    assert!(on.contains("x.yaml:6:5: `ui`") && on.contains("true, false, or a map"), "{on}");
    let files = said("ui: { token_file: none, tls: { certificate: a.pem, key: b.pem } }");
    assert_eq!(
        files,
        "error: x.yaml:6:19: `ui.token_file`: none: No such file or directory (os error 2)\n\
         error: x.yaml:6:45: `ui.tls.certificate`: a.pem: I/O error: No such file or directory (os error 2)\n"
    );
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "the file itself");
}

#[test]
fn an_address_that_others_reach_needs_tokens() {
    let directory = TempDir::new().unwrap();
    let text = YAML.replace("UPSTREAM_A", "http://a") + "ui: { listen: '0.0.0.0:0' }";
    std::fs::write(directory.path().join("x.yaml"), text).unwrap();
    let output = run(&["serve", "x.yaml", "--listen", "127.0.0.1:0"], directory.path());
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("0.0.0.0:0 can be reached from other machines"), "{said}");
}

/// A connection that is kept open, or hangs in the middle of a request, holds up nothing.
#[tokio::test]
async fn it_ends_with_the_proxy() {
    let a = saying("a").await;
    let directory = TempDir::new().unwrap();
    let arguments = ["--ui", "127.0.0.1:0", "drain_timeout=1s"];
    let mut proxy = Proxy::start_with(directory, YAML, &[a.address], &arguments).await;
    let ui = proxy.ui().await;
    let mut kept = TcpStream::connect(ui).unwrap();
    kept.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut first = [0; 12];
    kept.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let mut hangs = TcpStream::connect(ui).unwrap();
    let head =
        "POST /api/2.0/mlflow/runs/search HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n";
    hangs.write_all(head.as_bytes()).unwrap();
    eventually("both are open", || hangs.peer_addr().is_ok()).await;
    proxy.signal("TERM");
    assert_eq!(proxy.ended().await, Some(0), "{}", proxy.log());
}
