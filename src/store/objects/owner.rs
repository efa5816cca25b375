//! Whose directory it is.

use super::Objects;
use std::{
    fs, io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

/// What a store and its directory of contents have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner(String);

impl Owner {
    pub(crate) fn new(id: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(id)))
    }
}

impl Objects {
    /// Writes down whose directory this is, if it is nobody's yet.
    pub(super) fn claim(&self) -> io::Result<()> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        // A process that was killed here left an empty file.
        if self.written_owner()?.is_some_and(|owner| !owner.0.is_empty()) {
            return self.check_owner();
        }
        if self.objects().exists() {
            return Err(self.foreign());
        }
        fs::write(self.owner_file(), &self.owner.0)
    }

    /// # Errors
    ///
    /// When the directory belongs to another store, or does not say to whom.
    pub(super) fn check_owner(&self) -> io::Result<()> {
        if self.written_owner()?.is_some_and(|owner| owner == self.owner) {
            Ok(())
        } else {
            Err(self.foreign())
        }
    }

    fn written_owner(&self) -> io::Result<Option<Owner>> {
        match fs::read_to_string(self.owner_file()) {
            Ok(text) => Ok(Some(Owner(text.trim().to_owned()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn owner_file(&self) -> PathBuf {
        self.root.join("store")
    }

    fn foreign(&self) -> io::Error {
        io::Error::other(format!(
            "{} holds the artifacts of another store; name a directory of this store's own (or, if \
             it is this store's, write {} into its file `store`)",
            self.root.display(),
            self.owner.0
        ))
    }
}
