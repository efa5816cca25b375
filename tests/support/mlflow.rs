//! A real MLflow server for tests.
#![allow(dead_code, reason = "each test binary uses a part of it")]

#[path = "python.rs"]
mod python;

use python::run;
use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const WANTED: &str = "mlflow==3.17.*";

/// The `python` of an environment that has MLflow.
pub(crate) fn python() -> PathBuf {
    python::environment("mlflow-venv", WANTED)
}

/// `mlflow server` on a port and a database of its own. It ends, with every process it started,
/// when this is dropped or when the test process ends in whatever way.
#[derive(Debug)]
pub(crate) struct Server {
    python: PathBuf,
    directory: PathBuf,
    port: u16,
    process: Option<Child>,
}

impl Server {
    /// Starts a server, and waits until it answers.
    pub(crate) fn start() -> Self {
        let python = python();
        let name = format!("mlflow-{}-{}", std::process::id(), free_port());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&directory).expect("a directory for MLflow");
        let mut server = Self { python, directory, port: free_port(), process: None };
        server.resume();
        server
    }

    /// Its address, for `MLFLOW_TRACKING_URI`.
    pub(crate) fn uri(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// The file of its database.
    pub(crate) fn database(&self) -> PathBuf {
        self.directory.join("mlflow.db")
    }

    /// Kills it, as a crash would; its database stays.
    pub(crate) fn kill(&mut self) {
        self.end("needed\n");
    }

    fn end(&mut self, last_words: &str) {
        if let Some(mut process) = self.process.take() {
            if let Some(mut input) = process.stdin.take() {
                let _ = input.write_all(last_words.as_bytes());
            }
            let _ = process.wait();
        }
    }

    /// Starts it again, on the same port and database.
    pub(crate) fn resume(&mut self) {
        let log = File::create(self.directory.join("log")).expect("the log of MLflow");
        let process = Command::new(&self.python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/keep_running.py"))
            .arg(&self.directory)
            .arg(&self.python)
            .args(["-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"])
            .arg("--port")
            .arg(self.port.to_string())
            .args(["--backend-store-uri", "sqlite:///mlflow.db"])
            .args(["--artifacts-destination", "./artifacts"])
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            // Not in the terminal's group: an interrupt is left to the end of the input.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("the log of MLflow"))
            .stderr(log)
            .spawn()
            .expect("a process for MLflow");
        self.process = Some(process);
        let deadline = Instant::now() + Duration::from_secs(120);
        while !self.is_healthy() {
            assert!(
                Instant::now() < deadline,
                "`mlflow server` does not answer; it said:\n{}",
                fs::read_to_string(self.directory.join("log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn is_healthy(&self) -> bool {
        self.ask("GET", "/health", "").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// One plain request; the whole answer, head and body.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        ask(self.address(), method, path, body)
    }

    /// Runs a Python script with MLflow's client at this server; what it printed.
    pub(crate) fn python(&self, script: &Path, arguments: &[&str]) -> String {
        let output = run(Command::new(&self.python)
            .arg(script)
            .args(arguments)
            .env("MLFLOW_TRACKING_URI", self.uri())
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .env("NO_PROXY", "127.0.0.1")
            .current_dir(&self.directory));
        String::from_utf8(output.stdout).expect("UTF-8 from Python")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end("");
        // Unless it was killed before: then nobody else does it.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// One plain HTTP request over a connection of its own.
pub(crate) fn ask(to: SocketAddr, method: &str, path: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its number").port()
}
