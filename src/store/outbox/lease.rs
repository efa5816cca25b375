//! One sender for each target at a time.

use super::Outbox;
use std::{
    fs::{self, File, TryLockError},
    io,
};

/// While it is held nobody else sends to the target. The system takes it back from a process that
/// ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lease(#[expect(dead_code, reason = "locked as long as it is open")] File);

impl Outbox {
    /// `None` while another process, or another part of this one, has it.
    ///
    /// # Errors
    ///
    /// When the file of the lock, beside the store, cannot be made.
    pub(crate) fn lease(&self) -> io::Result<Option<Lease>> {
        let mut path = self.store().path().as_os_str().to_owned();
        path.push(format!("-sync-{}", self.key()));
        let file = fs::OpenOptions::new().create(true).append(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lease(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}
