//! Completions that come in chunks: what their chunks add up to.

use super::CompareRules;
use crate::{compare::Differences, http::content::completion::added_up};
use serde_json::Value;

pub(super) fn compare(
    rules: &CompareRules,
    primary: Vec<Value>,
    shadow: Vec<Value>,
    out: &mut Differences,
) {
    let ((a, others_a), (b, others_b)) = (added_up(primary), added_up(shadow));
    rules.json.compare_into(&a, &b, out);
    // An error, say.
    rules.json.compare_into(&others_a, &others_b, out);
}
