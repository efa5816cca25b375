//! HTTP/1.1 read by hand: what came is told from what a library made of it.

use crate::{
    errand::Errand,
    ledger::{Ledger, Received},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpStream,
};

pub struct Wire(pub BufReader<TcpStream>);

/// The head of a request.
pub struct Head {
    errand: Errand,
    /// `None`: in chunks.
    length: Option<usize>,
}

impl Wire {
    pub fn new(stream: TcpStream) -> Self {
        Self(BufReader::with_capacity(64 << 10, stream))
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).await.ok()?;
        let text = String::from_utf8(line).ok()?;
        Some(text.strip_suffix("\r\n")?.to_owned())
    }

    /// `None` when the connection ends before there is another.
    pub async fn head(&mut self) -> Option<Head> {
        let first = self.line().await?;
        let errand = Errand::at(first.split(' ').nth(1)?)?;
        let mut length = Some(0);
        loop {
            let line = self.line().await?.to_ascii_lowercase();
            if line.is_empty() {
                return Some(Head { errand, length });
            }
            let (name, value) = line.split_once(':')?;
            match name {
                "content-length" => length = Some(value.trim().parse().ok()?),
                "transfer-encoding" => length = None,
                _ => {}
            }
        }
    }

    pub async fn body(&mut self, head: &Head, ledger: &Ledger) -> Received {
        let mut reading = ledger.begin(head.errand);
        let mut some = vec![0; 64 << 10];
        // What is left of this chunk, or of all.
        let mut left = head.length.unwrap_or(0);
        loop {
            while left > 0 {
                let most = left.min(some.len());
                match self.0.read(&mut some[..most]).await {
                    Ok(0) | Err(_) => return reading.end(false),
                    Ok(count) => {
                        reading.data(&some[..count]);
                        left -= count;
                    }
                }
            }
            if head.length.is_some() {
                return reading.end(true);
            }
            match self.chunk().await {
                None => return reading.end(false),
                Some(0) => return reading.end(true),
                Some(next) => left = next,
            }
        }
    }

    /// The size of the next chunk; that of the last is nought.
    async fn chunk(&mut self) -> Option<usize> {
        let mut line = self.line().await?;
        if line.is_empty() {
            // After a chunk.
            line = self.line().await?;
        }
        let size = usize::from_str_radix(line.split(';').next()?, 16).ok()?;
        if size == 0 {
            // No trailers are sent here.
            self.line().await.filter(String::is_empty)?;
        }
        Some(size)
    }

    /// Reads and forgets until the other side closes.
    pub async fn drain(&mut self) {
        let mut some = vec![0; 64 << 10];
        while self.0.read(&mut some).await.is_ok_and(|count| count > 0) {}
    }
}
