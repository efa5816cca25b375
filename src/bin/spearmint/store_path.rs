//! Opening the store for reading.

use crate::Failed;
use std::path::Path;
use tower_spearmint::store::SqliteStore;

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
