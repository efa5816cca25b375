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
