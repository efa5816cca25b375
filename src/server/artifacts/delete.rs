//! What is taken away: `DELETE …/artifacts/PATH`.

use super::{names, tree};
use crate::server::{
    error::ApiError,
    raw::{Raw, RawAnswer},
    reply::Reply,
};
use serde::Deserialize;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Files that are taken away in one transaction, which holds up all others.
const TOGETHER: usize = 1_000;

/// A file, or a directory with all that is in it. What is not there is no error, as in MLflow.
pub(super) fn by_place(mut raw: Raw) -> RawAnswer {
    #[derive(Deserialize)]
    struct Delete {
        path: String,
    }
    Box::pin(async move {
        let asked: Delete = raw.input.read()?;
        let path: Arc<str> = names::plain(&asked.path)?.into();
        if path.is_empty() {
            return Err(ApiError::invalid("Invalid path: all artifacts cannot be deleted at once"));
        }
        let more = Arc::new(AtomicBool::new(true));
        while more.load(Ordering::Relaxed) {
            let (path, more) = (Arc::clone(&path), Arc::clone(&more));
            raw.writer
                .run_patiently(move |context| {
                    let taken = tree::delete_some(context.connection, &path, TOGETHER)?;
                    more.store(taken >= TOGETHER, Ordering::Relaxed);
                    Ok(Reply::done())
                })
                .await?;
        }
        raw.artifacts.freed.notify_one();
        Ok(Reply::done().into_response())
    })
}
