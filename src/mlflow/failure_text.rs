//! A failure as a file beside its run.

use crate::branch::Failure;

/// The longest one, in bytes.
const MAX: usize = 1 << 20;

/// The failure with its trace: the content of `failure.txt`.
pub(super) fn failure_text(failure: &Failure) -> String {
    let Failure { kind, type_name, message, trace } = failure;
    let mut text = format!("kind: {kind}\ntype: {type_name}\nmessage: {message}\n\n{trace}\n");
    if text.len() > MAX {
        let mark = format!("\n… [cut: {} bytes]\n", text.len());
        let mut end = MAX - mark.len();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(&mark);
    }
    text
}
