//! `file`: the contents of a file, such as a mounted secret.

use super::{DrawnFrom, Surroundings, one};
use crate::config::SecretKeys;
use serde_json::Value;
use std::{fs::File, io::Read as _, path::Path};

/// A mounted secret or a prompt is far smaller.
const MAX_BYTES: u64 = 1 << 20;

pub(super) fn contents(
    arguments: &[Value],
    around: &Surroundings,
    secrets: &SecretKeys,
) -> Result<(Value, DrawnFrom), String> {
    let path = around.place(&one(arguments, "the path of a file")?);
    around.noted.note(&path);
    let shown = path.display();
    let mut bytes = Vec::new();
    open(&path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("{shown}: {error}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("{shown}: larger than 1 MiB"));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| format!("{shown}: not UTF-8"))?;
    // The end of the last line, which every editor writes.
    text.truncate(text.strip_suffix('\n').map_or(text.len(), |t| t.trim_end_matches('\r').len()));
    let mut sources = DrawnFrom::FILE;
    let is_secret = path.iter().any(|part| secrets.matches(&part.to_string_lossy()))
        || path.file_stem().is_some_and(|stem| secrets.matches(&stem.to_string_lossy()));
    if is_secret {
        sources.add(DrawnFrom::SECRET);
    }
    Ok((Value::String(text), sources))
}

/// A pipe or a device might never end, or never begin.
fn open(path: &Path) -> std::io::Result<File> {
    if path.metadata()?.is_file() {
        File::open(path)
    } else {
        Err(std::io::Error::other("not a regular file"))
    }
}
