//! Opening the store for reading.

use crate::Failed;
use std::path::Path;
use tower_spearmint::store::{SCHEMA_VERSION, SqliteStore};

/// The store of a command that only looks.
pub(crate) fn open(path: &Path) -> Result<SqliteStore, Failed> {
    if !path.exists() {
        let text = format!(
            "{}: no such store; name the one that `spearmint serve` or `spearmint demo` wrote with --store",
            path.display()
        );
        return Err(Failed::Input(text.into()));
    }
    SqliteStore::open_read_only(path).map_err(|error| Failed::Input(error.into()))
}

/// The same store, to keep a look in; `None` if it may only be read, or an older program may be writing to it.
pub(crate) fn open_to_keep(reading: &SqliteStore) -> Option<SqliteStore> {
    let is_ours = reading.version().is_ok_and(|version| version == SCHEMA_VERSION);
    is_ours.then(|| SqliteStore::open(reading.path()).ok()).flatten()
}
