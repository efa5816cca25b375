//! A text that is to be read: from its file, and the errors about it.

use super::Spot;
use crate::config::ConfigError;
use std::{fs::File, io::Read as _, path::Path};

/// The most bytes one text may have: far above honest files, far below a hostile one.
pub(crate) const MAX_BYTES: usize = 16 << 20;

/// Honest files are not nested this deep.
pub(crate) const MAX_DEPTH: usize = 64;

/// An error at a place of a text.
pub(crate) fn syntax(place: &str, spot: Spot, message: impl Into<String>) -> ConfigError {
    ConfigError::Syntax {
        place: place.to_owned(),
        line: spot.line,
        column: spot.column,
        message: message.into(),
    }
}

/// Longer messages quote a hostile text.
const MAX_MESSAGE: usize = 200;

pub(crate) fn shortened(message: String) -> String {
    match message.char_indices().nth(MAX_MESSAGE) {
        Some((at, _)) => format!("{}…", &message[..at]),
        None => message,
    }
}

pub(crate) fn read(file: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::Read { path: file.to_owned(), source };
    let mut bytes = Vec::new();
    // What has no length of its own (a pipe, a device) is bounded, too.
    let open = File::open(file).map_err(failed)?;
    open.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MAX_BYTES {
        return Err(failed(std::io::Error::other("larger than 16 MiB")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let bytes = error.as_bytes();
        let at = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&bytes[..at]);
        let line = before.matches('\n').count() as u64 + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
        syntax(
            &file.display().to_string(),
            Spot { line, column },
            format!("the byte {:#04x} is not UTF-8; save the file as UTF-8", bytes[at]),
        )
    })
}
