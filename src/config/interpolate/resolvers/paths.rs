//! `path.*`: what one does with paths. Only `path.exists` looks at the disk.

use super::{DrawnFrom, Surroundings, count, one, text};
use serde_json::Value;
use std::path::{Component, Path, PathBuf};

type Answer = Result<(Value, DrawnFrom), String>;

fn answer(path: &Path, sources: DrawnFrom) -> Answer {
    let path = path.to_str().ok_or_else(|| format!("{}: not UTF-8", path.display()))?;
    Ok((path.into(), sources))
}

pub(super) fn join(arguments: &[Value]) -> Answer {
    if arguments.is_empty() {
        return Err(count("at least one path", 0));
    }
    let parts = arguments.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    answer(&parts.iter().collect::<PathBuf>(), DrawnFrom::NONE)
}

pub(super) fn absolute(arguments: &[Value], around: &Surroundings) -> Answer {
    let path = around.place(&one(arguments, "a path")?);
    let path =
        std::path::absolute(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    answer(&plain, DrawnFrom::SYSTEM)
}

pub(super) fn directory_of(arguments: &[Value]) -> Answer {
    let path = one(arguments, "a path")?;
    answer(Path::new(&path).parent().unwrap_or_else(|| Path::new(&path)), DrawnFrom::NONE)
}

pub(super) fn name_of(arguments: &[Value]) -> Answer {
    let path = one(arguments, "a path")?;
    answer(Path::new(Path::new(&path).file_name().unwrap_or_default()), DrawnFrom::NONE)
}

pub(super) fn exists(arguments: &[Value], around: &Surroundings) -> Answer {
    Ok((around.place(&one(arguments, "a path")?).exists().into(), DrawnFrom::FILE))
}
