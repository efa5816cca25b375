//! Which content stands under which path.

use super::names;
use crate::{
    server::{call::now_ms, error::ApiError},
    store::{ObjectId, Objects, SqliteStore, StoreError},
};
use rusqlite::{Connection, OptionalExtension, params};
use std::io;

/// The most that one directory may have to be listed.
const MAX_LISTED: usize = 100_000;
/// Contents that are removed in one transaction, which holds up all others.
const REMOVED_TOGETHER: usize = 64;

/// A file as it was logged.
#[derive(Debug, Clone, Copy)]
pub(super) struct File {
    pub(super) object: ObjectId,
    /// Bytes.
    pub(super) size: u64,
}

/// What stands in a directory under one name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Bytes; `None` for a directory.
    pub(super) size: Option<u64>,
}

/// Puts a content under a path, in place of what was there.
///
/// # Errors
///
/// When the path is a directory, or leads through a file.
pub(super) fn put(
    connection: &Connection,
    path: &str,
    object: ObjectId,
    size: u64,
) -> Result<(), ApiError> {
    if is_directory(connection, path)? {
        return Err(ApiError::invalid(format!(
            "'{path}' is a directory; delete it first, or choose another path"
        )));
    }
    for (at, _) in path.match_indices('/') {
        let above = &path[..at];
        if get(connection, above)?.is_some() {
            return Err(ApiError::invalid(format!(
                "'{above}' is a file, so that nothing can stand below it; choose another path"
            )));
        }
    }
    connection
        .prepare_cached(
            "INSERT INTO mlflow_artifact (path, hash, size, written_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET hash = excluded.hash, size = excluded.size,
             written_ms = excluded.written_ms",
        )?
        .execute(params![path, object.as_bytes(), size.cast_signed(), now_ms()])?;
    Ok(())
}

pub(super) fn get(connection: &Connection, path: &str) -> rusqlite::Result<Option<File>> {
    connection
        .prepare_cached("SELECT hash, size FROM mlflow_artifact WHERE path = ?1")?
        .query_row([path], |row| {
            Ok(File {
                object: ObjectId::new(row.get(0)?),
                size: row.get::<_, i64>(1)?.cast_unsigned(),
            })
        })
        .optional()
}

/// Whether some path leads through this one.
pub(super) fn is_directory(connection: &Connection, path: &str) -> rusqlite::Result<bool> {
    let (from, to) = below(path);
    connection
        .prepare_cached("SELECT 1 FROM mlflow_artifact WHERE path > ?1 AND path < ?2 LIMIT 1")?
        .exists([from, to])
}

/// What stands in a directory, by name. Nothing stands in a file, or in what is not there.
///
/// One look-up for each entry, however much there is below it.
pub(super) fn list(connection: &Connection, directory: &str) -> Result<Vec<Entry>, ApiError> {
    let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
    let mut next = connection.prepare_cached(
        "SELECT path, size FROM mlflow_artifact WHERE path >= ?1 ORDER BY path LIMIT 1",
    )?;
    let mut entries = Vec::new();
    let mut from = prefix.clone();
    loop {
        let found = next
            .query_row([&from], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
            .optional()?;
        let Some((path, size)) = found else { break };
        let Some(rest) = path.strip_prefix(&prefix) else { break };
        if entries.len() == MAX_LISTED {
            return Err(ApiError::invalid(format!(
                "'{directory}' has more than {MAX_LISTED} entries, too many to be listed at once; \
                 log to subdirectories"
            )));
        }
        if let Some((name, _)) = rest.split_once('/') {
            from = below(&names::join(directory, name)).1;
            entries.push(Entry { name: name.to_owned(), size: None });
        } else {
            entries.push(Entry { name: rest.to_owned(), size: Some(size.cast_unsigned()) });
            // No path has a NUL: this is the next that there could be.
            from = path;
            from.push('\0');
        }
    }
    // (A directory was found by what is in it: `a.txt` comes before `a/b`.)
    entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

/// Takes away a file, or a part of what is in a directory; says how many files it took.
pub(super) fn delete_some(
    connection: &Connection,
    path: &str,
    most: usize,
) -> rusqlite::Result<usize> {
    let (from, to) = below(path);
    let file = connection
        .prepare_cached("DELETE FROM mlflow_artifact WHERE path = ?1")?
        .execute([path])?;
    let files = connection
        .prepare_cached(
            "DELETE FROM mlflow_artifact WHERE path IN
             (SELECT path FROM mlflow_artifact WHERE path > ?1 AND path < ?2 LIMIT ?3)",
        )?
        .execute(params![from, to, most.cast_signed()])?;
    Ok(file + files)
}

/// Whether no path names this content.
pub(super) fn is_unused(connection: &Connection, object: ObjectId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM mlflow_artifact WHERE hash = ?1")?
        .exists([object.as_bytes()])
        .map(|used| !used)
}

/// Removes contents that lost their last path; says how many it looked at, at most
/// [`REMOVED_TOGETHER`]. Blocks.
///
/// In a transaction of its own, so that it sees only what is committed: what it removes cannot
/// come back.
pub(super) fn remove_freed(store: &SqliteStore, objects: &Objects) -> Result<usize, StoreError> {
    store.transact(|connection, _| {
        let freed: Vec<ObjectId> = connection
            .prepare_cached("SELECT hash FROM mlflow_artifact_freed LIMIT ?1")?
            .query_map([REMOVED_TOGETHER.cast_signed()], |row| row.get(0).map(ObjectId::new))?
            .collect::<Result<_, _>>()?;
        let mut done =
            connection.prepare_cached("DELETE FROM mlflow_artifact_freed WHERE hash = ?1")?;
        for object in &freed {
            if is_unused(connection, *object)? {
                remove(objects, *object);
            }
            done.execute([object.as_bytes()])?;
        }
        Ok(freed.len())
    })
}

/// Removes those of the contents that no path names: an upload that was killed between its two
/// halves left them. Blocks.
pub(super) fn remove_unused(
    store: &SqliteStore,
    objects: &Objects,
    found: &[ObjectId],
) -> Result<(), StoreError> {
    for found in found.chunks(REMOVED_TOGETHER) {
        store.transact(|connection, _| {
            for object in found {
                if is_unused(connection, *object)? {
                    remove(objects, *object);
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// What cannot be removed now is looked at again when the server starts.
fn remove(objects: &Objects, object: ObjectId) {
    match objects.remove(object) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            tracing::warn!(%error, object = object.to_hex(), "an unused artifact was not removed");
        }
    }
}

/// All paths below this one are greater than the first and less than the second.
fn below(path: &str) -> (String, String) {
    // '0' follows '/'.
    (format!("{path}/"), format!("{path}0"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::tempdir;

    fn with_tree(paths: &[&str], look: impl FnOnce(&Connection)) {
        let directory = tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("spearmint.db")).unwrap();
        store
            .transact(|connection, _| {
                for path in paths {
                    let object = ObjectId::new(*blake3::hash(path.as_bytes()).as_bytes());
                    put(connection, path, object, path.len() as u64).unwrap();
                }
                look(connection);
                Ok(())
            })
            .unwrap();
    }

    fn freed(connection: &Connection) -> i64 {
        let count = "SELECT count(*) FROM mlflow_artifact_freed";
        connection.query_row(count, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_directory_is_listed_without_what_is_beside_or_below_it() {
        let paths = ["a!/x", "a/b/c", "a/b/d/e", "a/b.c", "a/b0", "a/\u{10ffff}/x", "a0", "aa"];
        with_tree(&paths, |connection| {
            let names: Vec<_> =
                list(connection, "a").unwrap().into_iter().map(|entry| entry.name).collect();
            assert_eq!(names, ["b", "b.c", "b0", "\u{10ffff}"]);
        });
    }

    #[test]
    fn what_is_deleted_is_this_path_and_what_is_below_it() {
        with_tree(&["a", "a!", "a.b", "a0", "aa"], |connection| {
            assert_eq!(delete_some(connection, "a", 10).unwrap(), 1);
            assert_eq!(list(connection, "").unwrap().len(), 4);
        });
        let many: Vec<_> = (0..25).map(|n| format!("a/{n}/x")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).chain(["a0", "a"]).take(26).collect();
        with_tree(&many, |connection| {
            let taken: Vec<_> = (0..4).map(|_| delete_some(connection, "a", 10).unwrap()).collect();
            assert_eq!(taken, [10, 10, 5, 0]);
            assert_eq!(list(connection, "").unwrap().len(), 1);
            assert_eq!(freed(connection), 25);
        });
    }

    #[test]
    fn a_content_is_freed_with_its_last_path() {
        with_tree(&["a"], |connection| {
            let (one, other) = (ObjectId::new([1; 32]), ObjectId::new([2; 32]));
            for path in ["b", "c"] {
                put(connection, path, one, 1).unwrap();
            }
            put(connection, "b", other, 1).unwrap();
            assert_eq!(freed(connection), 0);
            put(connection, "c", one, 1).unwrap();
            assert_eq!(freed(connection), 0);
            put(connection, "c", other, 1).unwrap();
            assert_eq!(freed(connection), 1);
            assert!(is_unused(connection, one).unwrap() && !is_unused(connection, other).unwrap());
            // Again, before the first time was seen to.
            put(connection, "c", one, 1).unwrap();
            put(connection, "c", other, 1).unwrap();
            delete_some(connection, "c", 1).unwrap();
            assert_eq!(freed(connection), 1);
        });
    }
}
