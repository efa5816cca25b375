//! What the tests of the HTTP face share: records, and bodies that are fed by hand.

#[path = "../support/records.rs"]
mod records;

pub use records::{Records, end, pool, records};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::mpsc;
use tower_spearmint::BoxError;

/// A body whose frames a test sends; it ends when its [`Feed`] is dropped.
pub struct FedBody {
    frames: mpsc::UnboundedReceiver<Result<Frame<Bytes>, BoxError>>,
    left: Option<u64>,
    /// Says that it is at its end as soon as the last byte was read, as hyper's bodies do.
    eager: bool,
}

pub struct Feed(mpsc::UnboundedSender<Result<Frame<Bytes>, BoxError>>);

impl Feed {
    pub fn data(&self, data: impl Into<Bytes>) {
        let _ = self.0.send(Ok(Frame::data(data.into())));
    }

    pub fn trailers(&self, trailers: http::HeaderMap) {
        let _ = self.0.send(Ok(Frame::trailers(trailers)));
    }

    pub fn fail(&self) {
        let _ = self.0.send(Err("the line went dead".into()));
    }
}

impl Feed {
    /// Nobody will read what is sent from now on.
    pub fn is_unheard(&self) -> bool {
        self.0.is_closed()
    }
}

/// A body of unknown length.
pub fn fed() -> (Feed, FedBody) {
    let (sender, frames) = mpsc::unbounded_channel();
    (Feed(sender), FedBody { frames, left: None, eager: false })
}

/// A body of known length, which ends with its last byte.
pub fn fed_of(len: u64) -> (Feed, FedBody) {
    let (feed, body) = fed();
    (feed, FedBody { left: Some(len), eager: true, ..body })
}

impl FedBody {
    /// Something may follow the last byte: trailers.
    pub fn not_at_end_with_the_last_byte(mut self) -> Self {
        self.eager = false;
        self
    }
}

/// A body of unknown length with these pieces.
pub fn body_of(pieces: &[&'static str]) -> FedBody {
    let (feed, body) = fed();
    pieces.iter().for_each(|piece| feed.data(*piece));
    body
}

/// A body of known length, in one piece.
pub fn whole_body(bytes: impl Into<Bytes>) -> FedBody {
    let bytes = bytes.into();
    let (feed, body) = fed_of(bytes.len() as u64);
    feed.data(bytes);
    body
}

/// No body.
pub fn no_body() -> FedBody {
    fed_of(0).1
}

impl Body for FedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        let frame = std::task::ready!(self.frames.poll_recv(cx));
        if let Some(Ok(frame)) = &frame {
            let len = frame.data_ref().map_or(0, |data| data.len() as u64);
            self.left = self.left.map(|left| left.saturating_sub(len));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.eager && self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// What a body said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    pub data: Vec<u8>,
    pub trailers: Option<http::HeaderMap>,
    /// It ended as a whole one.
    pub whole: bool,
}

/// Reads a body to its end.
pub async fn hear<B>(body: B) -> Heard
where
    B: Body<Data = Bytes>,
{
    let mut body = std::pin::pin!(body);
    let mut heard = Heard::default();
    loop {
        match body.frame().await {
            None => {
                heard.whole = true;
                return heard;
            }
            Some(Err(_)) => return heard,
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => heard.data.extend_from_slice(&data),
                Err(frame) => heard.trailers = frame.into_trailers().ok(),
            },
        }
    }
}

/// Waits until `done` is true; fails after ten seconds.
pub async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..5_000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("not within ten seconds: {what}");
}
