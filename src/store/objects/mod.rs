//! Contents by their hash, in files beside the store: what is too large for its tables.
//!
//! ```text
//! spearmint.db.artifacts/
//!   objects/ab/cdef…     a content, named by its BLAKE3 hash; never changed, equal ones once
//!   uploads/…            what is being written, locked by whoever writes it
//!   store                whose directory it is: nobody else may remove what is in it
//! ```
//!
//! A content is written to `uploads`, flushed to the disk, and gets its name in the transaction
//! that first refers to it ([`Uploaded::keep`]); it loses it in a transaction that finds no
//! reference ([`Objects::remove`]). Both hold the lock of the store's file, so that neither
//! another thread nor another process comes between. What is left of a process that was killed
//! is an upload that nobody has locked, or a name that nothing refers to.

mod id;
mod owner;
mod sweep;
mod upload;

pub(crate) use id::ObjectId;
pub(crate) use owner::Owner;
pub(crate) use upload::{Upload, Uploaded};

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A directory of contents. Everything in here blocks.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    root: Arc<Path>,
    owner: Owner,
}

impl Objects {
    /// At `root`, which is made by the first upload. It may be a symbolic link; below it none is
    /// followed.
    pub(crate) fn new(root: impl Into<PathBuf>, owner: Owner) -> Self {
        Self { root: root.into().into(), owner }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) when there is no such content.
    pub(crate) fn open(&self, id: ObjectId) -> io::Result<File> {
        let path = self.path(id);
        let (objects, shard) = (self.objects(), self.shard(id.shard()));
        for directory in [&objects, &shard] {
            is_directory(directory)?;
        }
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(refused(&path, "not a file"));
        }
        File::open(path)
    }

    /// Takes the name of a content away; readers that have it open read on. Call it in a
    /// transaction of the store that has seen that nothing refers to it.
    pub(crate) fn remove(&self, id: ObjectId) -> io::Result<()> {
        self.check_owner()?;
        is_directory(&self.objects())?;
        is_directory(&self.shard(id.shard()))?;
        fs::remove_file(self.path(id))
    }

    fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    fn shard(&self, number: u8) -> PathBuf {
        self.objects().join(format!("{number:02x}"))
    }

    fn path(&self, id: ObjectId) -> PathBuf {
        self.shard(id.shard()).join(id.name())
    }
}

/// Makes a directory unless it is there.
fn make_directory(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => is_directory(path),
        other => other,
    }
}

/// Refuses a link that leads elsewhere.
fn is_directory(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        Ok(())
    } else {
        Err(refused(path, "not a directory"))
    }
}

fn refused(path: &Path, what: &str) -> io::Error {
    io::Error::other(format!("{} is {what}; links are not followed", path.display()))
}

#[cfg(test)]
mod tests;
