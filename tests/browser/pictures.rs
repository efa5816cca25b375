//! Pictures of the pages, for people to look at:
//!
//! ```text
//! cargo test --features full --test browser -- --ignored      # into target/pictures
//! ```
//!
//! `docs/pictures/` has `experiment-light.png` and `differences-dark.png` of them.

use crate::{
    browser::{Browser, DARK, LIGHT, PHONE},
    support::{run, spearmint, stderr},
};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
};
use tempfile::TempDir;

/// The server, killed at the end.
struct Ui(Child);

impl Drop for Ui {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "makes pictures, and tests nothing"]
async fn pictures_of_what_the_demo_shows() {
    let directory = TempDir::new().unwrap();
    let demo = ["demo", "--requests", "4000", "--ui", "off", "--store", "demo.db"];
    let output = run(&demo, directory.path());
    assert!(output.status.success(), "{}", stderr(&output));
    let mut server = spearmint()
        .args(["ui", "--store", "demo.db", "--listen", "127.0.0.1:0"])
        .current_dir(directory.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stderr.take().unwrap()).lines();
    let _server = Ui(server);
    let first = said.next().unwrap().unwrap();
    let address = first.rsplit_once("http://").unwrap().1.to_owned();

    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pictures");
    std::fs::create_dir_all(&pictures).unwrap();
    let browser = Browser::start().await;
    for (name, path) in [
        ("experiments", "/"),
        ("experiment", "/experiments/demo-shadow"),
        ("durations", "/experiments/demo-shadow#durations"),
        ("differences", "/experiments/demo-shadow/differences"),
        ("branches", "/experiments/demo-shadow/branches?status=failed"),
    ] {
        for (look, how) in [("light", LIGHT), ("dark", DARK), ("phone", PHONE)] {
            browser.look(how).await;
            browser.open(&format!("http://{address}{path}")).await;
            browser.picture(&pictures.join(format!("{name}-{look}.png"))).await;
        }
    }
    browser.look(LIGHT).await;
    browser.click("main table tbody a").await;
    browser.picture(&pictures.join("branch-light.png")).await;
}
