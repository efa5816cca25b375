//! What decides who gets what, as it stands in the file.

use super::ExperimentFile;
use crate::config::canonical_json;
use serde_json::{Map, Value};

/// What stands at these paths: for the epoch. `None` if nothing does.
pub(super) fn version(file: &ExperimentFile, paths: &[&str]) -> Option<String> {
    let found: Map<String, Value> = paths
        .iter()
        .filter_map(|path| {
            let key = path.rsplit('.').next()?;
            Some((key.to_owned(), file.document.get(path)?.clone()))
        })
        .collect();
    // A number beyond 2^53 has no canonical form; its digits will do.
    let text = |value: Value| canonical_json(&value).unwrap_or_else(|_| value.to_string());
    (!found.is_empty()).then(|| text(Value::Object(found)))
}
