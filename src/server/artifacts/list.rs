//! What stands in a directory: `artifacts?path=`, and `artifacts/list` of a run.

use super::{names, root::Root, tree};
use crate::server::{
    call::{Answer, Context},
    error::ApiError,
    input::Input,
    reply::Reply,
};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Listed {
    #[serde(skip_serializing_if = "Option::is_none")]
    root_uri: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileInfo>,
}

#[derive(Serialize)]
struct FileInfo {
    path: String,
    is_dir: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_size: Option<u64>,
}

/// The run that is asked for, under its old name or its new one.
#[derive(Deserialize)]
pub(super) struct OfRun {
    run_id: Option<String>,
    run_uuid: Option<String>,
    pub(super) path: Option<String>,
}

impl OfRun {
    pub(super) fn run_id(&mut self) -> Option<String> {
        let given = |id: Option<String>| id.filter(|id| !id.is_empty());
        given(self.run_id.take()).or(given(self.run_uuid.take()))
    }
}

/// The names are those within the directory.
pub(super) fn by_place(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct List {
        #[serde(default)]
        path: String,
    }
    let asked: List = input.read()?;
    let files = files(context, &names::plain(&asked.path)?, "")?;
    Ok(Reply::json(&Listed { root_uri: None, files }))
}

/// The paths are those below the root of the run.
pub(super) fn of_run(context: &Context<'_>, mut input: Input) -> Answer {
    let mut asked: OfRun = input.read()?;
    let run = asked.run_id().ok_or_else(|| ApiError::missing("run_id"))?;
    let path = names::plain(&asked.path.unwrap_or_default())?;
    let root = Root::of_run(context, &run)?;
    let files = files(context, &root.place(&path)?, &path)?;
    Ok(Reply::json(&Listed { root_uri: Some(root.uri), files }))
}

/// The paths are those below the root of the model.
pub(super) fn of_logged_model(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct List {
        model_id: String,
        artifact_directory_path: Option<String>,
    }
    let asked: List = input.read()?;
    let path = names::plain(&asked.artifact_directory_path.unwrap_or_default())?;
    let root = Root::of_logged_model(context, &asked.model_id)?;
    let files = files(context, &root.place(&path)?, &path)?;
    Ok(Reply::json(&Listed { root_uri: Some(root.uri), files }))
}

fn files(context: &Context<'_>, place: &str, shown: &str) -> Result<Vec<FileInfo>, ApiError> {
    let entries = tree::list(context.connection, place)?;
    let info = |entry: tree::Entry| FileInfo {
        path: names::join(shown, &entry.name),
        is_dir: entry.size.is_none(),
        file_size: entry.size,
    };
    Ok(entries.into_iter().map(info).collect())
}
