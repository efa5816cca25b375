//! What MLflow's server refuses as well when it keeps artifacts on its own disk.
//!
//! Its client sends a file in parts to wherever the server tells it to, or fetches it from there.
//! Here is nowhere else to send it to; told so, the client sends or fetches it whole.

use super::{names, root::Root};
use crate::server::{
    call::{Answer, Context},
    error::{ApiError, ErrorCode},
    input::{Input, required},
};
use serde::Deserialize;

/// The client goes by this text.
pub(super) fn multipart_upload(_: &Context<'_>, input: Input) -> Answer {
    refuse(input, "Multipart upload is not supported for the current artifact repository")
}

pub(super) fn multipart_download(_: &Context<'_>, input: Input) -> Answer {
    refuse(input, "Multipart download is not supported for the current artifact repository")
}

fn refuse(mut input: Input, message: &str) -> Answer {
    #[derive(Deserialize)]
    struct Asked {
        path: String,
    }
    let asked: Asked = input.read()?;
    names::plain(&asked.path)?;
    Err(ApiError::new(ErrorCode::NotImplemented, message))
}

pub(super) fn presigned_upload(context: &Context<'_>, input: Input) -> Answer {
    let scheme = scheme(context, input)?;
    Err(ApiError::invalid(format!(
        "Presigned upload is not supported for proxied artifact storage (artifact URI scheme: \
         {scheme}). This endpoint requires a direct cloud storage artifact URI."
    )))
}

pub(super) fn presigned_download(context: &Context<'_>, input: Input) -> Answer {
    let scheme = scheme(context, input)?;
    Err(ApiError::invalid(format!(
        "Presigned download is not supported for runs with proxied artifact storage (artifact URI \
         scheme: {scheme}). This endpoint requires a run with a direct cloud storage artifact URI."
    )))
}

fn scheme(context: &Context<'_>, mut input: Input) -> Result<String, ApiError> {
    #[derive(Deserialize)]
    struct Asked {
        run_id: Option<String>,
        path: Option<String>,
    }
    let asked: Asked = input.read()?;
    let path = required(asked.path, "path")?;
    let run = required(asked.run_id, "run_id")?;
    names::plain(&path)?;
    Ok(Root::of_run(context, &run)?.scheme().to_owned())
}
