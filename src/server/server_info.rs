//! `server-info`: what kind of a server this is. Clients ask before they use some calls.

use super::{
    call::{Answer, Call, Context, Route},
    input::Input,
    reply::Reply,
};
use serde_json::json;

pub(super) const ROUTES: &[Route] = &[("GET", "3.0/mlflow/server-info", Call::Read(get))];

#[expect(clippy::unnecessary_wraps, reason = "a call may fail")]
fn get(_context: &Context<'_>, _input: Input) -> Answer {
    Ok(Reply::json(&json!({
        "store_type": "SqlStore",
        "workspaces_enabled": false,
        "trace_archival_enabled": false,
        // Artifacts go up and down whole.
        "multipart_uploads_enabled": false,
        "multipart_downloads_enabled": false,
        "presigned_upload_run_id_supported": false,
        "presigned_upload_model_id_supported": false,
        "features_enabled": { "gateway": false },
    })))
}
