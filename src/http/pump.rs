//! A body fed equally to several readers, at the pace of the slowest.
//!
//! Where all branches count alike none of them may be the one that reads for the others: if it
//! failed, all would. So the body is read beside them and each gets its frames through a short
//! queue. A branch that is gone is passed over; one that is slow holds up the rest until its
//! time-out.

use super::{
    ForkBody,
    fed::{Fed, Piece},
    tap::{Budget, Owner},
};
use crate::{BoxError, carrier::Pump};
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use std::pin::pin;
use tokio::sync::mpsc;

/// Frames waiting for one reader.
const QUEUE: usize = 16;

/// The bodies, and the work that feeds them (none for an empty body).
pub(super) fn pump<B>(body: B, readers: usize) -> (Option<Pump>, Vec<ForkBody<B>>)
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let expected = if body.is_end_stream() { Some(0) } else { body.size_hint().exact() };
    let (senders, bodies): (Vec<_>, Vec<_>) = (0..readers)
        .map(|_| {
            let (sender, receiver) = mpsc::channel(QUEUE);
            (sender, ForkBody::fed(Fed::new(receiver, expected)))
        })
        .unzip();
    let pump = (expected != Some(0)).then(|| Box::pin(feed(body, senders)) as Pump);
    (pump, bodies)
}

/// For branches that wait for their turn: the body is read at once, and waits for each of them
/// within the budget.
pub(super) fn read_ahead<B>(
    body: B,
    owners: Vec<Owner>,
    budget: &Budget,
) -> (Option<Pump>, Vec<ForkBody<B>>)
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (tee, copies) = ForkBody::tee(body, owners, budget);
    let pump = async move {
        let mut tee = pin!(tee);
        while let Some(Ok(_)) = tee.frame().await {}
    };
    (Some(Box::pin(pump)), copies)
}

async fn feed<B>(body: B, mut senders: Vec<mpsc::Sender<Option<Piece>>>)
where
    B: Body<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    loop {
        let piece = match body.frame().await {
            None => None,
            Some(Ok(frame)) => Some(Ok(frame)),
            Some(Err(error)) => Some(Err(error.into())),
        };
        let last = !matches!(piece, Some(Ok(_)));
        let ends_with_it = !last && body.is_end_stream();
        let mut gone = Vec::new();
        for (at, sender) in senders.iter().enumerate() {
            if sender.send(copy(&piece)).await.is_err() {
                gone.push(at);
            }
        }
        for at in gone.into_iter().rev() {
            senders.swap_remove(at);
        }
        // Nobody is left to read: the rest of the body stays where it is.
        if last || senders.is_empty() {
            return;
        }
        if ends_with_it {
            for sender in &senders {
                let _ = sender.send(None).await;
            }
            return;
        }
    }
}

fn copy(piece: &Option<Piece>) -> Option<Piece> {
    piece.as_ref().map(|piece| match piece {
        Ok(frame) => match (frame.data_ref(), frame.trailers_ref()) {
            (Some(data), _) => Ok(Frame::data(data.clone())),
            (None, Some(trailers)) => Ok(Frame::trailers(trailers.clone())),
            (None, None) => Ok(Frame::data(Bytes::new())),
        },
        Err(error) => Err(error.to_string().into()),
    })
}
