//! What files hold, as one number to compare.

use crate::config::yaml;
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// What is larger is not read as a config either.
const MAX_BYTES: u64 = 16 << 20;

/// The fingerprint of what some files, and the files in some directories, hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Print {
    hash: blake3::Hash,
    /// One of the files is not there.
    pub(super) is_missing: bool,
}

impl Print {
    /// Reads them all. What cannot be read counts, too.
    pub(crate) fn of(sources: &[PathBuf]) -> Self {
        let mut printer = Printer { hasher: blake3::Hasher::new(), is_missing: false };
        for source in sources {
            if source.is_dir() {
                match yaml::below(source) {
                    Ok(below) => below.files.iter().for_each(|file| printer.file(file)),
                    Err(error) => printer.part(error.to_string().as_bytes()),
                }
            } else {
                printer.file(source);
            }
        }
        Self { hash: printer.hasher.finalize(), is_missing: printer.is_missing }
    }
}

struct Printer {
    hasher: blake3::Hasher,
    is_missing: bool,
}

impl Printer {
    fn file(&mut self, file: &Path) {
        self.part(file.as_os_str().as_encoded_bytes());
        let content = File::open(file).and_then(|file| {
            let mut content = Vec::new();
            file.take(MAX_BYTES + 1).read_to_end(&mut content)?;
            Ok(content)
        });
        match content {
            Ok(content) => self.part(&content),
            Err(error) => {
                self.is_missing |= error.kind() == io::ErrorKind::NotFound;
                self.part(error.to_string().as_bytes());
            }
        }
    }

    /// With its length, so that what is next to it cannot be taken for a part of it.
    fn part(&mut self, bytes: &[u8]) {
        self.hasher.update(&(bytes.len() as u64).to_le_bytes());
        self.hasher.update(bytes);
    }
}
