//! What changes, as server-sent events (WHATWG HTML, section 9.2).

use super::{
    super::{
        error::{ApiError, ErrorCode},
        readers::Readers,
        reply::Body,
    },
    find,
    live::{Live, Watcher},
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Method, Response, header, request::Parts};
use http_body_util::{BodyExt, Either, Empty, StreamBody};
use hyper::body::Frame;
use std::{convert::Infallible, io, sync::Arc, time::Duration};

/// How long nothing may be said: a line says that it is still there, and finds out whether anybody listens.
const SILENCE: Duration = Duration::from_secs(15);

/// # Errors
///
/// When as many pages are told of changes as may be.
pub(super) fn follow(
    live: &Arc<Live>,
    readers: &Readers,
    query: &[(String, String)],
    head: &Parts,
) -> Result<Response<Body>, ApiError> {
    let body = if head.method == Method::HEAD {
        Empty::new().map_err(|never: Infallible| match never {}).boxed_unsync()
    } else {
        let topic = find(query, "experiment").map(str::to_owned);
        let watcher = live.watch(topic, readers).ok_or_else(|| {
            ApiError::new(
                ErrorCode::TemporarilyUnavailable,
                "as many pages are told of changes as may be; this one shows what was when it was loaded",
            )
        })?;
        let frames = stream::unfold(watcher, |mut watcher| async move {
            let text = next(&mut watcher).await?;
            Some((Ok::<_, io::Error>(Frame::data(text)), watcher))
        });
        StreamBody::new(frames).boxed_unsync()
    };
    let mut response = Response::new(Either::Right(body));
    let stream = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, stream);
    Ok(response)
}

/// What is sent next; `None` when the server ends.
async fn next(watcher: &mut Watcher) -> Option<Bytes> {
    let Watcher { told, closed, .. } = watcher;
    tokio::select! {
        biased;
        _ = closed.wait_for(|closed| *closed) => None,
        changed = told.changed() => {
            changed.ok()?;
            // (JSON has no line ends.)
            let text = told.borrow_and_update().as_deref().unwrap_or_default().to_owned();
            Some(format!("event: report\ndata: {text}\n\n").into())
        }
        () = tokio::time::sleep(SILENCE) => Some(Bytes::from_static(b": still here\n\n")),
    }
}
