//! Both ends of a tunnel, and what leads to it.

use crate::support::{PATIENCE, pattern};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The next head, to its blank line.
pub async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = tokio::time::timeout(PATIENCE, stream.read_u8()).await.unwrap();
        head.push(byte.unwrap_or_else(|error| {
            panic!("{error} after {:?}", String::from_utf8_lossy(&head));
        }));
    }
    String::from_utf8(head).unwrap()
}

pub async fn hears(stream: &mut TcpStream, expected: &[u8]) {
    let mut back = vec![0; expected.len()];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut back)).await.unwrap().unwrap();
    assert_eq!(back, expected);
}

/// Sends what is no HTTP at all, and has it back: in both directions at once, then in one piece.
pub async fn carries_anything(stream: &mut TcpStream) {
    for size in [1, 7, 100_000] {
        let sent = pattern(size);
        let (mut read, mut write) = stream.split();
        let mut back = vec![0; size];
        let (written, got) = tokio::join!(write.write_all(&sent), read.read_exact(&mut back));
        written.unwrap();
        got.unwrap();
        assert_eq!(back, sent);
    }
    let no_http = b"GET / HTTP/1.1\nnot: HTTP\n\n\0";
    stream.write_all(no_http).await.unwrap();
    hears(stream, no_http).await;
}

/// The other end: gives everything back until it is closed, and speaks once more.
pub async fn echo_and_say_goodbye(stream: &mut TcpStream) {
    let (mut read, mut write) = stream.split();
    let _ = tokio::io::copy(&mut read, &mut write).await;
    let _ = write.write_all(b"bye").await;
}
