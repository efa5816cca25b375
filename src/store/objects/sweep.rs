//! What is left of processes that were killed.

use super::{ObjectId, Objects, is_directory};
use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
    time::Duration,
};

/// An upload without a lock that is younger may be about to be locked.
const YOUNG: Duration = Duration::from_secs(60);
/// Where the file system has no locks, an upload that was not written to for so long is dead.
const OLD: Duration = Duration::from_secs(24 * 3_600);

impl Objects {
    /// Removes the uploads that nobody writes to any more, and says how many they were.
    pub(crate) fn remove_dead_uploads(&self) -> io::Result<u64> {
        let mut removed = 0;
        for entry in files(&self.uploads())? {
            if removed == 0 {
                self.check_owner()?;
            }
            let path = entry?.path();
            if is_dead(&path).unwrap_or(false) && fs::remove_file(&path).is_ok() {
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// The contents in one of the 256 subdirectories.
    pub(crate) fn in_shard(&self, number: u8) -> io::Result<Vec<ObjectId>> {
        let mut found = Vec::new();
        for entry in files(&self.shard(number))? {
            let name = entry?.file_name();
            found.extend(name.to_str().and_then(|name| ObjectId::of_name(number, name)));
        }
        Ok(found)
    }
}

/// What stands in a directory; nothing, where there is none.
fn files(directory: &Path) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
    match is_directory(directory).and_then(|()| fs::read_dir(directory)) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(error) => Err(error),
    }
}

fn is_dead(path: &Path) -> io::Result<bool> {
    let found = fs::symlink_metadata(path)?;
    if !found.is_file() {
        return Ok(false);
    }
    // A clock that went backwards makes it young.
    let age = found.modified()?.elapsed().unwrap_or_default();
    Ok(match File::open(path)?.try_lock() {
        Ok(()) => age > YOUNG,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(_)) => age > OLD,
    })
}
