//! The receiving end of a copy, and what travels to it.

use super::level::Waiting;
use crate::{BoxError, sync::mpsc};
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use std::task::{Context, Poll, ready};

/// What travels to a copy.
pub(super) enum Piece {
    Data(Waiting),
    Trailers(HeaderMap),
    /// The body is whole. A channel that closes without it is a body that broke off.
    End,
}

/// A copy of a request body, as it is heard.
pub(super) struct Listener {
    receiver: mpsc::UnboundedReceiver<Piece>,
    /// What follows the last byte, if that is known already.
    next: Option<Piece>,
    left: Option<u64>,
    ended: bool,
}

impl Listener {
    pub(super) fn new(receiver: mpsc::UnboundedReceiver<Piece>, expected: Option<u64>) -> Self {
        Self { receiver, next: None, left: expected, ended: false }
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let piece = match self.next.take() {
            Some(piece) => Some(piece),
            None => ready!(self.receiver.poll_recv(cx)),
        };
        Poll::Ready(match piece {
            Some(Piece::Data(waiting)) => {
                let data = waiting.read();
                self.left = self.left.and_then(|left| left.checked_sub(data.len() as u64));
                self.look_ahead();
                Some(Ok(Frame::data(data)))
            }
            Some(Piece::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Some(Piece::End) => {
                self.ended = true;
                None
            }
            None => {
                self.ended = true;
                Some(Err(CopyError.into()))
            }
        })
    }

    /// Whoever knows the length may not ask again after the last byte, and wants to know then
    /// whether trailers follow.
    pub(super) fn look_ahead(&mut self) {
        if self.left == Some(0) && self.next.is_none() {
            match self.receiver.try_recv() {
                Ok(Piece::End) => self.ended = true,
                Ok(piece) => self.next = Some(piece),
                Err(_) => {}
            }
        }
    }

    pub(super) const fn is_end_stream(&self) -> bool {
        self.ended
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// A shadow's copy of a request body ended before the body did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the copy of the request body broke off")]
pub struct CopyError;
