//! A server that does what a test says, to show what is sent and what happens to bad answers.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Instant,
};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: String,
    pub(crate) at: Instant,
}

/// What is answered: `status` with further header lines and a body, or nothing.
pub(crate) enum Answer {
    Status(u16, &'static str, String),
    /// Everything, as it came from another server.
    Whole(String),
    Hangup,
}

pub(crate) struct Stub {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Stub {
    /// Answers each request by `answer`; the number counts the requests to the same path. Its
    /// threads end with the test process.
    pub(crate) fn start(
        answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let (kept, answer) = (requests.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, answer) = (kept.clone(), answer.clone());
                std::thread::spawn(move || serve(stream, &kept, &*answer));
            }
        });
        Self { address, requests }
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What arrived, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// What arrived at a path that ends so.
    pub(crate) fn requests_to(&self, end: &str) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| request.path.ends_with(end));
        requests
    }
}

/// What a healthy MLflow answers.
pub(crate) fn healthy(request: &Request) -> Answer {
    let body = match request.path.rsplit('/').next().unwrap().split('?').next().unwrap() {
        "get-by-name" => r#"{"experiment":{"experiment_id":"7","lifecycle_stage":"active"}}"#,
        "create" => r#"{"run":{"info":{"run_id":"r1","artifact_uri":"s3://elsewhere/r1"}}}"#,
        _ => "{}",
    };
    Answer::Status(200, "", body.to_owned())
}

fn serve(
    mut stream: TcpStream,
    kept: &Mutex<Vec<Request>>,
    answer: &dyn Fn(&Request, usize) -> Answer,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut words = head.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    let request = Request { method, path, head, body, at: Instant::now() };
    let earlier = {
        let mut kept = kept.lock().unwrap();
        let earlier = kept.iter().filter(|other| other.path == request.path).count();
        kept.push(request.clone());
        earlier
    };
    let text = match answer(&request, earlier) {
        Answer::Status(status, headers, body) => format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n\
             {headers}content-length: {}\r\n\r\n{body}",
            body.len()
        ),
        Answer::Whole(text) => text,
        Answer::Hangup => return None,
    };
    stream.write_all(text.as_bytes()).ok()
}
