//! What goes out: `GET …/artifacts/PATH`, and `get-artifact` of a run.

use super::{
    blocking, disposition, failed,
    list::OfRun,
    media_type, names,
    root::Root,
    tree::{self, File},
};
use crate::server::{
    call::Context,
    error::{ApiError, ErrorCode},
    input::required,
    raw::{Raw, RawAnswer},
    reply::Body,
};
use crate::store::Objects;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Response, header};
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::Frame;
use rusqlite::Connection;
use serde::Deserialize;
use std::{
    fs,
    io::{self, Read},
};

/// Bytes that are read at once; an artifact that has no more is sent whole.
const PIECE: u64 = 256 * 1024;
/// How often a path is looked up while others replace what it names.
const LOOKS: usize = 3;

pub(super) fn by_place(mut raw: Raw) -> RawAnswer {
    #[derive(Deserialize)]
    struct Get {
        path: String,
    }
    Box::pin(async move {
        let asked: Get = raw.input.read()?;
        let path = names::plain(&asked.path)?;
        let open = move |context: &Context<'_>| {
            let opened = open(context.connection, &raw.artifacts.objects, &path)?;
            raw.artifacts.counters.sends(opened.file.size);
            Ok(send(names::last(&path), opened))
        };
        raw.readers.run(open).await
    })
}

pub(super) fn of_run(mut raw: Raw) -> RawAnswer {
    Box::pin(async move {
        let mut asked: OfRun = raw.input.read()?;
        let run = asked.run_id().ok_or_else(|| ApiError::missing("run_id"))?;
        let path = asked.path.ok_or_else(|| ApiError::missing("path"))?;
        below(raw, &path, move |context| Root::of_run(context, &run)).await
    })
}

pub(super) fn of_logged_model(mut raw: Raw) -> RawAnswer {
    #[derive(Deserialize)]
    struct Get {
        model_id: String,
        artifact_file_path: Option<String>,
    }
    Box::pin(async move {
        let asked: Get = raw.input.read()?;
        let path = required(asked.artifact_file_path, "artifact_file_path")?;
        below(raw, &path, move |context| Root::of_logged_model(context, &asked.model_id)).await
    })
}

pub(super) fn of_model_version(mut raw: Raw) -> RawAnswer {
    #[derive(Deserialize)]
    struct Get {
        name: Option<String>,
        version: Option<String>,
        path: Option<String>,
    }
    Box::pin(async move {
        let asked: Get = raw.input.read()?;
        let (name, version) = (required(asked.name, "name")?, required(asked.version, "version")?);
        let path = required(asked.path, "path")?;
        below(raw, &path, move |context| Root::of_model_version(context, &name, &version)).await
    })
}

/// Sends what stands at a path below a root.
async fn below(
    raw: Raw,
    path: &str,
    root: impl FnOnce(&Context<'_>) -> Result<Root, ApiError> + Send + 'static,
) -> Result<Response<Body>, ApiError> {
    let path = names::plain(path)?;
    let open = move |context: &Context<'_>| {
        let place = root(context)?.place(&path)?;
        let opened = open(context.connection, &raw.artifacts.objects, &place)?;
        raw.artifacts.counters.sends(opened.file.size);
        Ok(send(names::last(&place), opened))
    };
    raw.readers.run(open).await
}

fn find(connection: &Connection, path: &str) -> Result<File, ApiError> {
    match tree::get(connection, path)? {
        Some(file) => Ok(file),
        None if path.is_empty() || tree::is_directory(connection, path)? => Err(ApiError::invalid(
            format!("Artifact path refers to a directory, not a file: '{path}'"),
        )),
        None => Err(ApiError::none(format!("No such artifact: '{path}'"))),
    }
}

/// A content that is open, and its first piece.
struct Opened {
    file: File,
    content: fs::File,
    first: Bytes,
}

/// Looks again where the content went away after the look-up: the path has another by now, or
/// none.
fn open(connection: &Connection, objects: &Objects, path: &str) -> Result<Opened, ApiError> {
    for _ in 0..LOOKS {
        let file = find(connection, path)?;
        match open_content(objects, file) {
            Ok(opened) => return Ok(opened),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(objects, &error)),
        }
    }
    tracing::warn!(path, directory = %objects.root().display(), "the content of an artifact is missing");
    Err(ApiError::new(
        ErrorCode::InternalError,
        format!("the content of '{path}' is missing from the server's directory of artifacts"),
    ))
}

fn open_content(objects: &Objects, file: File) -> io::Result<Opened> {
    let mut content = objects.open(file.object)?;
    if content.metadata()?.len() != file.size {
        return Err(io::Error::other(format!("{} was damaged", file.object.to_hex())));
    }
    let first = piece(&mut content, file.size)?;
    Ok(Opened { file, content, first })
}

/// Always as an attachment, so that no browser shows (and runs) what somebody logged as a page
/// of this server.
fn send(name: &str, opened: Opened) -> Response<Body> {
    let Opened { file, content, first } = opened;
    let left = file.size - first.len() as u64;
    let body = if left == 0 {
        Either::Left(Full::new(first))
    } else {
        Either::Right(StreamBody::new(stream(first, content, left)).boxed_unsync())
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type::of(name)));
    headers.insert(header::CONTENT_LENGTH, file.size.into());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // What is made of a path has no character that a header may not have.
    if let Ok(attachment) = HeaderValue::try_from(disposition::attachment(name)) {
        headers.insert(header::CONTENT_DISPOSITION, attachment);
    }
    if let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", file.object.to_hex())) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// The bytes of a content, `left` of them after the first. What ends early is an error, which cuts
/// the connection, so that nobody takes a part for the whole.
fn stream(
    first: Bytes,
    content: fs::File,
    left: u64,
) -> impl futures_util::Stream<Item = io::Result<Frame<Bytes>>> {
    stream::try_unfold((Some(first), content, left), |(first, mut content, left)| async move {
        if let Some(first) = first {
            return Ok(Some((Frame::data(first), (None, content, left))));
        }
        if left == 0 {
            return Ok(None);
        }
        let (content, bytes) = blocking(move || {
            let bytes = piece(&mut content, left)?;
            Ok((content, bytes))
        })
        .await?;
        let left = left - bytes.len() as u64;
        Ok(Some((Frame::data(bytes), (None, content, left))))
    })
}

/// The next piece of a content that has `left` bytes.
fn piece(content: &mut fs::File, left: u64) -> io::Result<Bytes> {
    let mut bytes = vec![0; usize::try_from(left.min(PIECE)).unwrap_or_default()];
    content.read_exact(&mut bytes)?;
    Ok(bytes.into())
}
