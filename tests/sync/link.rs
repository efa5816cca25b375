//! A TCP proxy in front of the server that does to requests what bad links do.
//!
//! The client has a connection for each request, so that one connection is one request.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Pass,
    Delay,
    /// The connection ends before anything is read.
    Refuse,
    /// The server does it, and the answer is lost.
    LoseAnswer,
    /// The connection ends as soon as the request was passed on.
    Hurry,
    /// The answer ends half-way.
    HalfAnswer,
    /// The server does it, and the answer is a 500.
    DoneAnd500,
    /// The server never hears of it.
    Answer500,
    Answer429,
    /// As MLflow answers to what it will never take.
    Answer400,
    /// An answer that is no HTTP.
    Noise,
    /// HTTP, but from somebody else.
    Page,
    /// The server does it, and no answer comes until the client gives up.
    Stall,
    /// The connection ends at once, and the request is passed on this much later.
    Later(Duration),
}

type Plan = dyn Fn(u64, &str) -> Fault + Send + Sync;

/// The proxy; it ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Link {
    address: SocketAddr,
    to: Arc<Mutex<SocketAddr>>,
    down: Arc<AtomicBool>,
    requests: Arc<AtomicU64>,
}

impl Link {
    /// To a server; `plan` says what happens to the request of that number and text.
    pub(crate) async fn new(
        to: SocketAddr,
        plan: impl Fn(u64, &str) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let link = Self {
            address: listener.local_addr().unwrap(),
            to: Arc::new(Mutex::new(to)),
            down: Arc::default(),
            requests: Arc::default(),
        };
        let (of_task, plan): (_, Arc<Plan>) = (link.clone(), Arc::new(plan));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (link, plan) = (of_task.clone(), Arc::clone(&plan));
                tokio::spawn(async move {
                    // A broken connection is what this is for.
                    let _ = link.serve(client, &*plan).await;
                });
            }
        });
        link
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends every connection from now on, or no longer.
    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Relaxed);
    }

    /// Another server from now on.
    pub(crate) fn lead_to(&self, to: SocketAddr) {
        *self.to.lock().unwrap() = to;
    }

    /// How many requests there were.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    async fn serve(&self, mut client: TcpStream, plan: &Plan) -> std::io::Result<()> {
        let number = self.requests.fetch_add(1, Relaxed);
        if self.down.load(Relaxed) {
            return reset(client);
        }
        let request = read_request(&mut client).await?;
        let fault = plan(number, &String::from_utf8_lossy(&request));
        match fault {
            Fault::Refuse => return reset(client),
            Fault::Answer500 => return answer(client, "500 Internal Server Error", "").await,
            Fault::Answer429 => {
                return answer(client, "429 Too Many Requests", "retry-after: 1\r\n").await;
            }
            Fault::Answer400 => return answer(client, "400 Bad Request", "").await,
            Fault::Noise => return client.write_all(b"\x16\x03\x01garbage\0\0\r\n").await,
            Fault::Page => return answer(client, "200 OK", "content-type: text/html\r\n").await,
            Fault::Delay => sleep(Duration::from_millis(300)).await,
            Fault::Later(time) => {
                reset(client)?;
                sleep(time).await;
                self.ask(&request).await?;
                return Ok(());
            }
            _ => {}
        }
        if fault == Fault::Hurry {
            let to = *self.to.lock().unwrap();
            let mut server = TcpStream::connect(to).await?;
            server.write_all(&request).await?;
            reset(client)?;
            let mut answered = Vec::new();
            server.read_to_end(&mut answered).await?;
            return Ok(());
        }
        let answered = self.ask(&request).await?;
        match fault {
            Fault::LoseAnswer => reset(client),
            Fault::HalfAnswer => {
                client.write_all(&answered[..answered.len() / 2]).await?;
                reset(client)
            }
            Fault::DoneAnd500 => answer(client, "500 Internal Server Error", "").await,
            Fault::Stall => {
                sleep(Duration::from_secs(30)).await;
                Ok(())
            }
            _ => client.write_all(&answered).await,
        }
    }

    async fn ask(&self, request: &[u8]) -> std::io::Result<Vec<u8>> {
        let to = *self.to.lock().unwrap();
        let mut server = TcpStream::connect(to).await?;
        server.write_all(request).await?;
        let mut answered = Vec::new();
        server.read_to_end(&mut answered).await?;
        Ok(answered)
    }
}

fn reset(client: TcpStream) -> std::io::Result<()> {
    client.set_zero_linger()?;
    drop(client);
    Ok(())
}

async fn answer(mut client: TcpStream, status: &str, headers: &str) -> std::io::Result<()> {
    let text = format!(
        "HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: 7\r\n\r\nnothing"
    );
    client.write_all(text.as_bytes()).await?;
    client.shutdown().await
}

async fn read_request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        let mut part = [0; 16 * 1024];
        let count = client.read(&mut part).await?;
        request.extend_from_slice(&part[..count]);
        let Some(head) = request.windows(4).position(|four| four == b"\r\n\r\n") else {
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            continue;
        };
        let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
            .unwrap_or(0_usize);
        if request.len() >= head + 4 + length {
            return Ok(request);
        }
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}
