//! How long a value is as JSON.

use serde_json::Value;
use std::io;

/// How many bytes a value's JSON has, which is never in memory.
pub(super) fn json_length(value: &Value) -> usize {
    let mut counted = Counted(0);
    // The keys of a `Value` are strings, and what counts takes everything: it cannot fail.
    let _ = serde_json::to_writer(&mut counted, value);
    counted.0
}

struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
