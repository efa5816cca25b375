//! What is printed, or stands in the docs, to be pasted into Python: pasted.

use crate::{
    mlflow,
    support::{Proxy, run, saying, stdout},
};
use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// What Python prints, given this on its standard input, as at a terminal.
fn python(lines: &str, directory: &Path) -> String {
    let mut python = Command::new(mlflow::python())
        .arg("-i")
        .env("MLFLOW_DISABLE_TELEMETRY", "true")
        .env("NO_PROXY", "127.0.0.1")
        .env("PYTHONWARNINGS", "ignore")
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(!complained.contains("Error"), "{complained}");
    String::from_utf8(output.stdout).unwrap()
}

/// The three lines, however they are framed.
fn lines(said: &str) -> String {
    let from = said.find("import mlflow\n").unwrap_or_else(|| panic!("no lines in\n{said}"));
    said[from..].split_inclusive('\n').take(3).collect()
}

#[tokio::test]
async fn the_lines_of_serve_show_its_branches() {
    let (a, b) = (saying("a").await, saying("b").await);
    let yaml = "
experiment: 'my \"ranker\"'
strategy: shadow
primary: stable
configs:
  - { config_id: stable, upstream: UPSTREAM_A, top_k: 40 }
  - { config_id: candidate, upstream: UPSTREAM_B, top_k: 50 }
ui: { listen: '127.0.0.1:0' }
";
    let proxy = Proxy::start(yaml, &[a.address, b.address]).await;
    proxy.ui().await;
    assert_eq!(proxy.get("/").await.text(), "a");
    proxy.stores(2).await;
    let wide =
        "import pandas; pandas.set_option('display.max_columns', None, 'display.width', 9999)\n";
    let shown = python(&format!("{wide}{}", lines(&proxy.log())), Path::new("."));
    for word in ["params.top_k", "40", "50", "FINISHED", "metrics.duration_ms"] {
        assert!(shown.contains(word), "no {word} in\n{shown}");
    }
}

#[tokio::test]
async fn the_lines_of_a_demo_show_its_branches_once_they_are_served() {
    let directory = TempDir::new().unwrap();
    let output = run(&["demo", "--requests", "9", "--ui", "127.0.0.1:0"], directory.path());
    let said = stdout(&output);
    assert!(said.contains("once `spearmint ui --store spearmint-demo.db` serves them"), "{said}");
    let lines = lines(&said);
    let mut ui = Command::new(env!("CARGO_BIN_EXE_spearmint"));
    ui.args(["ui", "--store", "spearmint-demo.db", "--listen", "127.0.0.1:0"]);
    let ui = crate::ours::Server::run(ui.current_dir(directory.path()));
    // (Whoever has the usual port, it is not this one.)
    let lines = lines.replace("http://127.0.0.1:5000", &ui.uri());
    let shown = python(&lines, directory.path());
    assert!(shown.contains("[10 rows x "), "{shown}");
}

/// The blocks of Python in a page of the docs, one after the other.
fn blocks(page: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```python\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.collect()
}

#[tokio::test]
async fn the_python_of_the_docs_does_what_they_say() {
    let (a, b) = (saying("a").await, saying("b").await);
    let yaml = "
experiment: ranker
strategy: shadow
primary: stable
configs:
  - { config_id: stable, upstream: UPSTREAM_A, top_k: 40 }
  - { config_id: candidate, upstream: UPSTREAM_B, top_k: 50 }
ui: { listen: '127.0.0.1:0' }
";
    let proxy = Proxy::start(yaml, &[a.address, b.address]).await;
    let url = format!("http://{}", proxy.ui().await);
    for _ in 0..3 {
        assert_eq!(proxy.get("/").await.text(), "a");
    }
    proxy.stores(6).await;
    let printed = lines(&proxy.log()).replace(&url, "http://127.0.0.1:5000");
    assert!(blocks("ui.md").starts_with(&printed), "{printed}");
    assert!(blocks("../README.md").starts_with(&printed), "{printed}");
    let script = blocks("ui.md").replace("http://127.0.0.1:5000", &url);
    assert!(script.contains(&url));
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("docs.py"), script).unwrap();
    let shown = mlflow_python(&["docs.py"], directory.path(), &[]);
    for line in ["['primary', 'shadow']", "0.25", "how it was made", "True"] {
        assert!(shown.lines().any(|shown| shown == line), "no {line} in\n{shown}");
    }
    assert!(shown.contains("50") && shown.contains("params.top_k"), "{shown}");
}

/// What a script prints that runs to its end.
fn mlflow_python(arguments: &[&str], directory: &Path, variables: &[(&str, &str)]) -> String {
    let output = Command::new(mlflow::python())
        .args(arguments)
        .env("MLFLOW_DISABLE_TELEMETRY", "true")
        .env("NO_PROXY", "*")
        .envs(variables.iter().copied())
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complained}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_client_sends_its_token_as_a_bearer_or_as_a_password_over_tls() {
    let directory = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.path().join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(directory.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let token = run(&["ui", "token", "new", "--token-file", "tokens"], directory.path());
    let token = stdout(&token).trim().to_owned();
    let mut ui = Command::new(env!("CARGO_BIN_EXE_spearmint"));
    ui.args(["ui", "--listen", "127.0.0.1:0", "--token-file", "tokens"]);
    ui.args(["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let ui = crate::ours::Server::run(ui.current_dir(directory.path()));
    let url = ui.uri().replace("127.0.0.1", "localhost");
    assert!(url.starts_with("https://"), "{url}");
    let ask = "import mlflow; print(mlflow.MlflowClient().create_experiment(input_name()))";
    for (name, variables) in [
        ("bearer", &[("MLFLOW_TRACKING_TOKEN", &*token)][..]),
        ("basic", &[("MLFLOW_TRACKING_USERNAME", "ann"), ("MLFLOW_TRACKING_PASSWORD", &token)]),
    ] {
        let ask = ask.replace("input_name()", &format!("'{name}'"));
        let server =
            [("MLFLOW_TRACKING_URI", &*url), ("MLFLOW_TRACKING_SERVER_CERT_PATH", "cert.pem")];
        let id = mlflow_python(&["-c", &ask], directory.path(), &[&server, variables].concat());
        assert!(id.trim().parse::<u64>().is_ok(), "{id}");
    }
}
