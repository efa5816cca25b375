//! The real binary in front of real upstreams.
#![allow(dead_code, reason = "each test binary uses some of it")]

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, request::Parts};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::Future,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, time::Instant};
use tower_spearmint::{
    BoxError,
    store::{BranchRow, Filter, SqliteStore},
};

pub type Body = BoxBody<Bytes, BoxError>;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

pub fn respond(status: u16, body: impl Into<Bytes>) -> Response<Body> {
    Response::builder().status(status).body(full(body)).unwrap()
}

/// A service on a port of its own, until the test ends.
pub struct Upstream {
    pub address: SocketAddr,
    /// The heads of what it was asked.
    pub seen: Arc<Mutex<Vec<Parts>>>,
}

impl Upstream {
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// The head of the only request.
    pub fn only(&self) -> Parts {
        let mut seen = self.seen.lock().unwrap();
        assert_eq!(seen.len(), 1);
        seen.pop().unwrap()
    }
}

pub async fn upstream<F, Fut>(handler: F) -> Upstream
where
    F: Fn(Request<Incoming>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Response<Body>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heads = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let (handler, heads) = (handler.clone(), heads.clone());
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                let (parts, body) = request.into_parts();
                heads.lock().unwrap().push(parts.clone());
                let response = handler(Request::from_parts(parts, body));
                async move { Ok::<_, Infallible>(response.await) }
            });
            tokio::spawn(async move {
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    Upstream { address, seen }
}

/// Answers every request with this text.
pub async fn saying(text: &'static str) -> Upstream {
    upstream(move |_| async move { respond(200, text) }).await
}

/// Answers with the body it is sent, to the end.
pub async fn echo() -> Upstream {
    upstream(|request| async move {
        match request.into_body().collect().await {
            Ok(body) => respond(200, body.to_bytes()),
            Err(_) => respond(400, ""),
        }
    })
    .await
}

/// Answers when the gate opens.
pub async fn gated(text: &'static str) -> (Upstream, Arc<AtomicBool>) {
    let gate = Arc::new(AtomicBool::new(false));
    let open = gate.clone();
    let upstream = upstream(move |_| {
        let open = open.clone();
        async move {
            while !open.load(SeqCst) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            respond(200, text)
        }
    })
    .await;
    (upstream, gate)
}

/// A port where nobody listens, nor will: it is taken until the process ends, as another test might be given it.
pub async fn nobody() -> SocketAddr {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    Box::leak(Box::new(socket)).local_addr().unwrap()
}

/// A listener that speaks no HTTP: each connection is handed to this.
pub async fn raw<F, Fut>(handler: F) -> SocketAddr
where
    F: Fn(tokio::net::TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handler(stream));
        }
    });
    address
}

/// The command, without what the surroundings might say.
pub fn spearmint() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spearmint"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

pub fn run(arguments: &[&str], directory: &Path) -> Output {
    spearmint().args(arguments).current_dir(directory).stdin(Stdio::null()).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The process, ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `spearmint serve` at work.
pub struct Proxy {
    process: Running,
    pub address: SocketAddr,
    pub admin: SocketAddr,
    log: Arc<Mutex<String>>,
    directory: TempDir,
}

impl Proxy {
    /// Serves this file, whose `UPSTREAM_A` and so on stand for these addresses.
    pub async fn start(yaml: &str, upstreams: &[SocketAddr]) -> Self {
        Self::start_in(TempDir::new().unwrap(), yaml, upstreams).await
    }

    pub async fn start_in(directory: TempDir, yaml: &str, upstreams: &[SocketAddr]) -> Self {
        Self::start_with(directory, yaml, upstreams, &[]).await
    }

    pub async fn start_with(
        directory: TempDir,
        yaml: &str,
        upstreams: &[SocketAddr],
        arguments: &[&str],
    ) -> Self {
        let mut text = yaml.to_owned();
        for (letter, address) in ('A'..).zip(upstreams) {
            text = text.replace(&format!("UPSTREAM_{letter}"), &format!("http://{address}"));
        }
        // Whoever wants MLflow's face asks for it: there is one usual port for all tests.
        let is_asked = text.contains("\nui:") || arguments.contains(&"--ui");
        let no_ui: &[&str] = if is_asked { &[] } else { &["--ui", "off"] };
        std::fs::write(directory.path().join("experiment.yaml"), text).unwrap();
        let mut process = spearmint()
            .args(["serve", "experiment.yaml", "--listen", "127.0.0.1:0"])
            .args(["--admin", "127.0.0.1:0", "--store", "store.db", "--threads", "2"])
            .args(arguments)
            .args(no_ui)
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = process.stderr.take().unwrap();
        let process = Running(process);
        let log = Arc::new(Mutex::new(String::new()));
        let lines = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = lines.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut proxy = Self {
            process,
            address: ([127, 0, 0, 1], 0).into(),
            admin: ([127, 0, 0, 1], 0).into(),
            log,
            directory,
        };
        let found = |log: &str, before: &str| -> Option<SocketAddr> {
            let rest = &log[log.find(before)? + before.len()..];
            rest.lines().next()?.trim().parse().ok()
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = proxy.log();
            if log.contains("branches in ") {
                let address = found(&log, " configs on http://");
                proxy.address = address.or_else(|| found(&log, " configs on https://")).unwrap();
                proxy.admin = found(&log, "counters on http://").unwrap();
                return proxy;
            }
            if let Some(status) = proxy.process.0.try_wait().unwrap() {
                panic!("did not start: {status}\n{log}");
            }
            assert!(Instant::now() < deadline, "did not start in time:\n{log}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Where MLflow's clients are served, once it has said so.
    pub async fn ui(&self) -> SocketAddr {
        let found = || {
            let log = self.log();
            let (_, rest) = log.split_once("runs for MLflow's clients, at http://")?;
            let address = rest.split_once("; in Python:")?.0.parse().unwrap();
            // The three lines after it, too.
            log.contains("\nprint(").then_some(address)
        };
        eventually("it says where MLflow's clients are served", || found().is_some()).await;
        found().unwrap()
    }

    /// What it said so far, on stderr.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    /// Sends it a signal: `TERM`, `INT`.
    pub fn signal(&self, name: &str) {
        let id = self.process.0.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// The most memory it ever had, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.process.0.id());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
    }

    /// Whether it asked the system to tell of changes of files.
    pub fn is_watching(&self) -> bool {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.process.0.id())).unwrap();
        let mut files = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        files.any(|file| file.as_os_str() == "anon_inode:inotify")
    }

    /// Waits until it has ended, and returns its exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "did not end in time:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops it as an operator does, and returns how each branch ended: sorted.
    pub async fn ends(&mut self) -> Vec<String> {
        let mut ends: Vec<_> = self.rows().await.iter().map(end).collect();
        ends.sort();
        ends
    }

    /// Stops it as an operator does, and counts how the branches ended.
    pub async fn tally(&mut self) -> BTreeMap<String, usize> {
        let mut tally = BTreeMap::new();
        for row in self.rows().await {
            *tally.entry(end(&row)).or_default() += 1;
        }
        tally
    }

    pub async fn rows(&mut self) -> Vec<BranchRow> {
        self.signal("TERM");
        assert_eq!(self.ended().await, Some(0), "{}", self.log());
        self.stored()
    }

    /// What the store holds now.
    pub fn stored(&self) -> Vec<BranchRow> {
        let store = SqliteStore::open_read_only(self.path("store.db")).unwrap();
        store.branches(&Filter::new()).unwrap().map(Result::unwrap).collect()
    }

    /// Waits until so many branches are in the store.
    pub async fn stores(&self, count: usize) -> Vec<String> {
        eventually(&format!("{count} branches"), || self.stored().len() >= count).await;
        let mut ends: Vec<_> = self.stored().iter().map(end).collect();
        ends.sort();
        ends
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path), Bytes::new()).await
    }

    /// Sends a request whose address is a path.
    pub async fn ask(&self, request: http::request::Builder, body: impl Into<Bytes>) -> Answer {
        ask(self.address, request, body).await
    }

    /// What the operator's listener says.
    pub async fn admin(&self, path: &str) -> Answer {
        ask(self.admin, Request::get(path), Bytes::new()).await
    }

    /// The listener's counters once no connection is open: what ended one is counted after its end.
    pub async fn settled(&self) -> serde_json::Value {
        let counters = async {
            loop {
                let counters = self.admin("/stats").await.json()["listener"].take();
                if counters["connections"] == 0 {
                    return counters;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, counters).await.expect("connections stay open")
    }
}

/// `a primary success`, `b shadow failed/timeout`
pub fn end(row: &BranchRow) -> String {
    let more = match (&row.failure, row.skip) {
        (Some(failure), _) => format!("/{}", failure.kind),
        (None, Some(reason)) => format!("/{reason}"),
        (None, None) => String::new(),
    };
    format!("{} {} {}{more}", row.config_id, row.role, row.status)
}

/// A response, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub type Caller = Client<HttpConnector, Body>;

pub fn caller() -> Caller {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(tcp)
}

pub fn h2_caller() -> Caller {
    Client::builder(TokioExecutor::new()).http2_only(true).build_http()
}

/// Puts the host before a request whose address is a path.
pub fn at(address: SocketAddr, request: http::request::Builder, body: Body) -> Request<Body> {
    let mut request = request.body(body).unwrap();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = format!("http://{address}{path}").parse().unwrap();
    request
}

/// Asks on a connection of its own, without judging how the body ends.
pub async fn ask(
    address: SocketAddr,
    request: http::request::Builder,
    body: impl Into<Bytes>,
) -> Answer {
    let request = at(address, request, full(body));
    let response =
        tokio::time::timeout(PATIENCE, caller().request(request)).await.unwrap().unwrap();
    read(response).await
}

pub async fn read(response: Response<Incoming>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = tokio::time::timeout(PATIENCE, body.collect()).await.unwrap().unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub fn post(path: &str) -> http::request::Builder {
    Request::builder().method(Method::POST).uri(path)
}

pub async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Bytes that are not all alike.
pub fn pattern(len: usize) -> Bytes {
    (0..len).map(|at| (at * 31 + at / 251) as u8).collect::<Vec<u8>>().into()
}

/// Sends raw bytes and returns all that comes back until the other side closes.
pub fn exchange(address: SocketAddr, sent: &str) -> String {
    use std::io::Write;
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(sent.as_bytes()).unwrap();
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    String::from_utf8_lossy(&back).into_owned()
}
