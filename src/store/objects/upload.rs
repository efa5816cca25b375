//! A content on its way in.

use super::{ObjectId, Objects, is_directory, make_directory};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::PathBuf,
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// A file that is being written. Dropped, it is removed.
#[derive(Debug)]
pub(crate) struct Upload {
    file: Temporary,
    /// Two kilobytes, which would be moved from thread to thread with every piece.
    hasher: Box<blake3::Hasher>,
    size: u64,
}

/// A whole content that is on the disk, without a name yet. Dropped, it is removed.
#[derive(Debug)]
pub(crate) struct Uploaded {
    file: Temporary,
    id: ObjectId,
    size: u64,
}

impl Objects {
    /// Begins an upload, and makes the directories if they are not there yet.
    pub(crate) fn upload(&self) -> io::Result<Upload> {
        fs::create_dir_all(self.root())?;
        self.claim()?;
        make_directory(&self.uploads())?;
        make_directory(&self.objects())?;
        let file = Temporary::new(self.uploads().join(unused_name()))?;
        Ok(Upload { file, hasher: Box::default(), size: 0 })
    }
}

impl Upload {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Flushes it to the disk, so that a name never leads to half of it, even where power fails.
    pub(crate) fn finish(self) -> io::Result<Uploaded> {
        self.file.file.sync_all()?;
        let id = ObjectId::new(*self.hasher.finalize().as_bytes());
        Ok(Uploaded { file: self.file, id, size: self.size })
    }
}

impl Uploaded {
    pub(crate) const fn id(&self) -> ObjectId {
        self.id
    }

    /// Bytes.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Gives it its name, in place of an equal one that may be there. Call it at the end of the
    /// transaction of the store that refers to it.
    pub(crate) fn keep(self, objects: &Objects) -> io::Result<()> {
        is_directory(&objects.objects())?;
        make_directory(&objects.shard(self.id.shard()))?;
        self.file.rename(objects.path(self.id))
    }
}

/// A name that no process has used.
fn unused_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:x}-{now:x}-{count:x}", process::id())
}

/// A locked file that is removed when dropped.
#[derive(Debug)]
struct Temporary {
    file: File,
    path: PathBuf,
    renamed: bool,
}

impl Temporary {
    fn new(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        let temporary = Self { file, path, renamed: false };
        // Tells others that it is in use. Where locks do not work its age has to do.
        match temporary.file.try_lock() {
            Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(temporary),
            Err(fs::TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
        }
    }

    fn rename(mut self, to: PathBuf) -> io::Result<()> {
        fs::rename(&self.path, to)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed
            && let Err(error) = fs::remove_file(&self.path)
        {
            // The next start removes it.
            tracing::debug!(%error, path = %self.path.display(), "an upload was left behind");
        }
    }
}
