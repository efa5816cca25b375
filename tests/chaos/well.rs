//! An upstream as it should be.

use crate::{
    errand::{Errand, Verb},
    ledger::Ledger,
    support::{Body, respond, upstream},
};
use bytes::Bytes;
use http::{Request, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::{net::SocketAddr, time::Duration};
use tokio::sync::mpsc;
use tower_spearmint::BoxError;

/// Between two events.
const PAUSE: Duration = Duration::from_millis(40);

pub struct Well {
    pub address: SocketAddr,
    pub ledger: Ledger,
}

/// Speaks HTTP/1.1 and HTTP/2.
pub async fn well() -> Well {
    let ledger = Ledger::default();
    let entries = ledger.clone();
    let upstream = upstream(move |request| {
        let entries = entries.clone();
        async move { answer(request, &entries).await }
    })
    .await;
    Well { address: upstream.address, ledger }
}

/// Reads the request to its end, and answers what it is about.
pub async fn answer<B>(request: Request<B>, ledger: &Ledger) -> Response<Body>
where
    B: http_body::Body<Data = Bytes>,
{
    let Some(errand) = Errand::at(request.uri().path()) else { return respond(404, "") };
    if !ledger.begin(errand).all(request.into_body()).await.is_as_sent() {
        return respond(400, "not what was sent");
    }
    if errand.verb == Verb::Events { events(errand, ledger) } else { respond(200, errand.bytes()) }
}

pub fn event(number: usize) -> Bytes {
    format!("data: {number}\n\n").into()
}

fn events(errand: Errand, ledger: &Ledger) -> Response<Body> {
    let ledger = ledger.clone();
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        for number in 0..errand.len {
            tokio::time::sleep(PAUSE).await;
            ledger.sending_event(errand.seed, number);
            if sender.send(event(number)).await.is_err() {
                return;
            }
        }
    });
    let mut response = respond(200, "");
    response.headers_mut().insert(header::CONTENT_TYPE, "text/event-stream".parse().unwrap());
    *response.body_mut() = fed(receiver);
    response
}

/// A body with these pieces, as they come; closing the channel is its end.
pub fn fed(receiver: mpsc::Receiver<Bytes>) -> Body {
    let frames = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let data = receiver.recv().await?;
        Some((Ok::<_, BoxError>(Frame::data(data)), receiver))
    });
    BodyExt::boxed(StreamBody::new(frames))
}
