//! Which files were read.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// More are not noted; one document does not name so many.
const MAX_NOTED: usize = 10_000;

/// The files that `${file:…}` asked for, whether they could be read or not: whoever follows a config
/// follows them, too. Clones share what they note.
#[derive(Debug, Clone, Default)]
pub(crate) struct Noted(Arc<Mutex<BTreeSet<PathBuf>>>);

impl Noted {
    pub(super) fn note(&self, file: &Path) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() < MAX_NOTED {
            files.insert(file.to_owned());
        }
    }

    /// All of them, in the order of their paths.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
