//! What comes in: `PUT …/artifacts/PATH`, and `upload-artifact` of a run.

use super::{Artifacts, blocking, failed, list::OfRun, names, root::Root, tree};
use crate::{
    server::{
        error::{ApiError, ErrorCode},
        raw::{Raw, RawAnswer},
        reply::Reply,
    },
    store::{Upload, Uploaded},
};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use serde::Deserialize;
use std::time::Duration;

/// Bytes that are gathered before a thread is asked to write them.
const TOGETHER: usize = 256 * 1024;
/// How long a client may be silent in the middle of an upload.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a client that was refused may go on sending before its connection is cut: it reads the
/// answer only when all is sent.
const HEARD_OUT: Duration = Duration::from_secs(30);
/// MLflow's limit for what its pages upload.
const MAX_OF_PAGES: u64 = 10 * 1024 * 1024;

pub(super) fn by_place(mut raw: Raw) -> RawAnswer {
    #[derive(Deserialize)]
    struct Put {
        path: String,
    }
    Box::pin(async move {
        let asked = raw.input.read().and_then(|asked: Put| names::of_file(&asked.path));
        let sender = Sender::of(raw.request);
        let path = match asked {
            Ok(path) => path,
            Err(error) => return Err(sender.refuse(error)),
        };
        let limit = raw.artifacts.max_size;
        let uploaded = receive(&raw.artifacts, sender, limit).await?;
        let (artifacts, size) = (raw.artifacts.clone(), uploaded.size());
        raw.writer
            .run_patiently(move |context| {
                tree::put(context.connection, &path, uploaded.id(), uploaded.size())?;
                keep(&artifacts, uploaded)
            })
            .await?;
        raw.artifacts.counters.received(size);
        // It may have taken the place of another.
        raw.artifacts.freed.notify_one();
        Ok(Reply::empty().into_response())
    })
}

pub(super) fn of_run(mut raw: Raw) -> RawAnswer {
    Box::pin(async move {
        let asked = raw.input.read().and_then(|mut asked: OfRun| {
            let missing = |what| ApiError::invalid(format!("Request must specify {what}."));
            let run = asked.run_id().ok_or_else(|| missing("run_uuid"))?;
            let path = asked.path.filter(|path| !path.is_empty()).ok_or_else(|| missing("path"))?;
            Ok((run, names::of_file(&path)?))
        });
        let sender = Sender::of(raw.request);
        let (run, path) = match asked {
            Ok(asked) => asked,
            Err(error) => return Err(sender.refuse(error)),
        };
        let limit = raw.artifacts.max_size.min(MAX_OF_PAGES);
        let uploaded = receive(&raw.artifacts, sender, limit).await?;
        if uploaded.size() == 0 {
            return Err(ApiError::invalid("Request must specify data."));
        }
        let (artifacts, size) = (raw.artifacts.clone(), uploaded.size());
        raw.writer
            .run_patiently(move |context| {
                let place = Root::of_run(context, &run)?.place(&path)?;
                tree::put(context.connection, &place, uploaded.id(), uploaded.size())?;
                keep(&artifacts, uploaded)
            })
            .await?;
        raw.artifacts.counters.received(size);
        raw.artifacts.freed.notify_one();
        Ok(Reply::empty().into_response())
    })
}

/// Gives the content its name. The last step of its transaction: what fails before leaves nothing.
fn keep(artifacts: &Artifacts, uploaded: Uploaded) -> Result<Reply, ApiError> {
    uploaded.keep(&artifacts.objects).map_err(|error| failed(&artifacts.objects, &error))?;
    Ok(Reply::done())
}

/// Writes a body to a file without a name, a piece at a time.
///
/// # Cancel safety
///
/// Dropped, it leaves nothing.
async fn receive(
    artifacts: &Artifacts,
    mut sender: Sender,
    limit: u64,
) -> Result<Uploaded, ApiError> {
    if sender.body.size_hint().lower() > limit {
        return Err(sender.refuse(too_large(limit)));
    }
    let (mut upload, mut size) = (None, 0);
    loop {
        let (piece, ended) = sender.gather().await?;
        size += piece.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
        if size > limit {
            return Err(sender.refuse(too_large(limit)));
        }
        let objects = artifacts.objects.clone();
        let written = blocking(move || {
            let mut upload: Upload = match upload {
                Some(upload) => upload,
                None => objects.upload()?,
            };
            piece.iter().try_for_each(|bytes| upload.write(bytes))?;
            Ok(if ended { Written::All(upload.finish()?) } else { Written::Part(Box::new(upload)) })
        });
        match written.await {
            Ok(Written::All(uploaded)) => return Ok(uploaded),
            Ok(Written::Part(part)) => upload = Some(*part),
            Err(error) => return Err(sender.refuse(failed(&artifacts.objects, &error))),
        }
    }
}

enum Written {
    Part(Box<Upload>),
    All(Uploaded),
}

/// Who sends a body.
struct Sender {
    body: Incoming,
    /// It asked first (`Expect: 100-continue`), and was not told to go on.
    waits: bool,
}

impl Sender {
    fn of(request: Request<Incoming>) -> Self {
        let waits = request.headers().contains_key(header::EXPECT);
        Self { body: request.into_body(), waits }
    }

    /// The next bytes, and whether they are the last.
    async fn gather(&mut self) -> Result<(Vec<Bytes>, bool), ApiError> {
        self.waits = false;
        let (mut piece, mut size) = (Vec::new(), 0);
        while size < TOGETHER {
            let Ok(next) = tokio::time::timeout(SILENCE, self.body.frame()).await else {
                return Err(broke_off(&format!("nothing came for {} s", SILENCE.as_secs())));
            };
            match next {
                None => return Ok((piece, true)),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        size += bytes.len();
                        piece.push(bytes);
                    }
                }
                Some(Err(error)) => return Err(broke_off(&error.to_string())),
            }
        }
        Ok((piece, self.body.is_end_stream()))
    }

    /// Reads on for a while, so that a client in the middle of its body comes to read the error.
    fn refuse(mut self, error: ApiError) -> ApiError {
        if !self.waits && !self.body.is_end_stream() {
            tokio::spawn(tokio::time::timeout(HEARD_OUT, async move {
                while let Some(Ok(_)) = self.body.frame().await {}
            }));
        }
        error
    }
}

fn too_large(limit: u64) -> ApiError {
    ApiError::new(
        ErrorCode::TooLarge,
        format!(
            "Artifact size is too large: this server takes at most {limit} bytes, and nothing of it \
             was kept; send less, or start the server with a larger `max_artifact_size`"
        ),
    )
}

fn broke_off(why: &str) -> ApiError {
    ApiError::new(
        ErrorCode::BadRequest,
        format!("the upload broke off ({why}), and nothing of it was kept"),
    )
}
