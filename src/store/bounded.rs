//! Text kept up to a limit, and marked where it was cut.

use crate::branch::Failure;
use serde_json::Value;
use std::io;

/// What stands at the end of a text that was cut.
pub(super) fn mark(whole: u64) -> String {
    format!("… [cut: {whole} bytes in all]")
}

/// The first `limit` bytes of `text`, whole characters only, and the mark if that is not all.
pub(super) fn cut(text: &str, limit: usize) -> String {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let kept = &text[..end];
    if kept.len() == text.len() {
        kept.to_owned()
    } else {
        kept.to_owned() + &mark(text.len() as u64)
    }
}

/// A failure whose texts have `limit` bytes together, marks aside.
pub(super) fn cut_failure(failure: &Failure, limit: usize) -> Failure {
    let mut left = limit;
    let mut take = |text: &str| {
        let kept = cut(text, left);
        left = left.saturating_sub(text.len());
        kept
    };
    Failure {
        kind: failure.kind,
        type_name: take(&failure.type_name),
        message: take(&failure.message),
        trace: take(&failure.trace),
    }
}

/// The first `limit` bytes of a value's JSON, whole characters only, and how long the whole is.
pub(super) fn json(value: &Value, limit: usize) -> (String, u64) {
    let mut sink = Sink { kept: Vec::new(), limit, whole: 0 };
    // A `Value` has string keys only and the sink takes everything: it cannot fail.
    let _ = serde_json::to_writer(&mut sink, value);
    let valid = match std::str::from_utf8(&sink.kept) {
        Ok(text) => text.len(),
        Err(error) => error.valid_up_to(),
    };
    sink.kept.truncate(valid);
    (String::from_utf8(sink.kept).unwrap_or_default(), sink.whole)
}

/// Keeps the beginning and counts the rest: a large output never has its whole text in memory.
struct Sink {
    kept: Vec<u8>,
    limit: usize,
    whole: u64,
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.limit - self.kept.len();
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.whole += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::branch::FailureKind;
    use serde_json::json;

    #[test]
    fn text_is_cut_between_characters_and_says_so() {
        assert_eq!(cut("añb", 10), "añb");
        assert_eq!(cut("añb", 4), "añb");
        assert_eq!(cut("añb", 2), "a… [cut: 4 bytes in all]");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn json_is_cut_between_characters_and_measured_whole() {
        assert_eq!(json(&json!(["añb"]), 100), ("[\"añb\"]".to_owned(), 8));
        assert_eq!(json(&json!(["añb"]), 4), ("[\"a".to_owned(), 8));
        assert_eq!(json(&json!(["añb"]), 0), (String::new(), 8));
    }

    #[test]
    fn the_texts_of_a_failure_share_one_limit() {
        let failure =
            Failure::new(FailureKind::Error, "message").with_type("type").with_trace("trace");
        assert_eq!(cut_failure(&failure, 16), failure);
        let short = cut_failure(&failure, 13);
        assert_eq!((&*short.type_name, &*short.message), ("type", "message"));
        assert_eq!(short.trace, "tr… [cut: 5 bytes in all]");
    }
}
