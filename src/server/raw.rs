//! Calls whose bodies stream: they get the request as it comes, and give the response as it goes.

use super::{
    artifacts::Artifacts, error::ApiError, input::Input, readers::Readers, reply::Body,
    writer::WriterQueue,
};
use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;

/// What such a call has to work with.
pub(super) struct Raw {
    pub(super) readers: Readers,
    pub(super) writer: WriterQueue,
    pub(super) artifacts: Artifacts,
    /// Its body has not been read.
    pub(super) request: Request<Incoming>,
    /// The query, and the parts of the path.
    pub(super) input: Input,
}

pub(super) type RawAnswer = BoxFuture<'static, Result<Response<Body>, ApiError>>;
pub(super) type RawHandler = fn(Raw) -> RawAnswer;
