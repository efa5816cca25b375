//! A request body that is fed to one of several equal readers.

use crate::BoxError;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

pub(super) type Piece = Result<Frame<Bytes>, BoxError>;

/// One reader.
pub(super) struct Fed {
    receiver: mpsc::Receiver<Option<Piece>>,
    /// What follows the last byte, if that is known already.
    next: Option<Piece>,
    left: Option<u64>,
    ended: bool,
}

impl Fed {
    /// The body has `expected` bytes, if that is known.
    pub(super) fn new(receiver: mpsc::Receiver<Option<Piece>>, expected: Option<u64>) -> Self {
        Self { receiver, next: None, left: expected, ended: expected == Some(0) }
    }

    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Piece>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let piece = match self.next.take() {
            Some(piece) => Some(piece),
            None => match ready!(self.receiver.poll_recv(cx)) {
                Some(piece) => piece,
                None if self.left == Some(0) => None,
                // The feeding stopped without an end: the request was cancelled.
                None => Some(Err(super::CopyError.into())),
            },
        };
        match &piece {
            Some(Ok(frame)) => {
                let len = frame.data_ref().map_or(0, |data| data.len() as u64);
                self.left = self.left.and_then(|left| left.checked_sub(len));
                self.look_ahead();
            }
            Some(Err(_)) | None => self.ended = true,
        }
        Poll::Ready(piece)
    }

    /// Whoever knows the length may not ask again after the last byte, and wants to know then
    /// whether trailers follow.
    fn look_ahead(&mut self) {
        if self.left == Some(0) {
            match self.receiver.try_recv() {
                Ok(None) => self.ended = true,
                Ok(piece) => self.next = piece,
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
