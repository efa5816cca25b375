//! `chromedriver`, which starts the browser and does with it what it is told over HTTP.
//!
//! <https://www.w3.org/TR/webdriver2/>; what begins with `goog:` is in
//! <https://developer.chrome.com/docs/chromedriver/capabilities>.

use crate::support::{Answer, ask, post};
use http::Request;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, Command, Stdio},
};
use tempfile::TempDir;

/// A driver with a browser of its own. Both end when this is dropped, or when the test process ends in
/// whatever way.
pub struct Driver {
    address: SocketAddr,
    session: String,
    input: Option<ChildStdin>,
    process: Child,
    directory: TempDir,
}

impl Driver {
    pub async fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let home = directory.path().join("home");
        std::fs::create_dir(&home).unwrap();
        let mut process = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/keep_running.py"))
            .arg(&home)
            .args(["chromedriver", "--port=0"])
            // Whatever it writes, it writes there.
            .env("HOME", &home)
            .env("TMPDIR", &home)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a process for chromedriver");
        let input = process.stdin.take();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut log = String::new();
        let port = loop {
            let mut line = String::new();
            if said.read_line(&mut line).unwrap() == 0 {
                let _ =
                    std::io::Read::read_to_string(&mut process.stderr.take().unwrap(), &mut log);
                panic!("these tests need Debian's chromium and chromium-driver; it said:\n{log}");
            }
            let started = "ChromeDriver was started successfully on port ";
            if let Some(port) = line.trim().strip_prefix(started) {
                break port.trim_end_matches('.').parse().unwrap();
            }
            log.push_str(&line);
        };
        // It would wait for somebody to read on.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let address = ([127, 0, 0, 1], port).into();
        let mut driver = Self { address, session: String::new(), input, process, directory };
        let profile = driver.directory.path().join("home/profile");
        let options = json!({ "args": [
            "--headless=new",
            // The tests' upstreams and pages are all there is; and in a container root has no sandbox.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            format!("--user-data-dir={}", profile.display()),
        ]});
        let capabilities = json!({ "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        }});
        let made = driver.send("/session", json!({ "capabilities": capabilities })).await;
        driver.session = format!("/session/{}", made["sessionId"].as_str().unwrap());
        driver
    }

    /// A command of the session with these parameters: what came of it.
    pub async fn command(&self, path: &str, parameters: Value) -> Value {
        self.send(&format!("{}{path}", self.session), parameters).await
    }

    /// A question of the session.
    pub async fn question(&self, path: &str) -> Value {
        let request = Request::get(format!("{}{path}", self.session));
        value(path, &ask(self.address, request, "").await)
    }

    /// A command of the protocol that Chromium's own tools speak.
    /// <https://chromedevtools.github.io/devtools-protocol/>
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.command("/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    async fn send(&self, path: &str, parameters: Value) -> Value {
        let request = post(path).header("content-type", "application/json");
        value(path, &ask(self.address, request, parameters.to_string()).await)
    }
}

fn value(asked: &str, answer: &Answer) -> Value {
    let value = answer.json()["value"].take();
    assert_eq!(answer.status, 200, "{asked}: {}", value["message"]);
    value
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Whoever keeps it running ends it now, and all it has started.
        drop(self.input.take());
        let _ = self.process.wait();
    }
}
