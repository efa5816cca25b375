//! Messages in words for people who write files.

/// serde's message, in words for people who write files; with the nearest key or value where one
/// is unknown.
pub(super) fn helpful(message: &str) -> String {
    for (start, what) in [("unknown field `", "key"), ("unknown variant `", "value")] {
        let unknown = message.strip_prefix(start).and_then(|rest| rest.split_once("`, expected "));
        if let Some((found, expected)) = unknown {
            return unknown_word(what, found, expected.split('`').skip(1).step_by(2));
        }
    }
    let invalid = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "));
    match invalid {
        Some((found, expected)) => {
            format!("{} is expected here, not {}", wanted(expected), said(found))
        }
        None => message.replace("missing field", "missing key"),
    }
}

/// That a word is not known, with the nearest that is, or all of them.
pub(super) fn unknown_word<'a>(
    what: &str,
    found: &str,
    known: impl Iterator<Item = &'a str>,
) -> String {
    let known: Vec<&str> = known.collect();
    let nearest = known
        .iter()
        // Of two as near, the one as long: letters are more often swapped than left out.
        .map(|key| (strsim::damerau_levenshtein(found, key), found.len().abs_diff(key.len()), *key))
        .min()
        .filter(|(distance, _, key)| *distance <= 2.max(key.len() / 3));
    match nearest {
        Some((_, _, key)) => format!("unknown {what} `{found}`; did you mean `{key}`?"),
        None if known.is_empty() => format!("unknown {what} `{found}`"),
        None => format!("unknown {what} `{found}`; there are {}", known.join(", ")),
    }
}

/// What serde expected.
fn wanted(expected: &str) -> &str {
    match expected {
        "a string" => "a text",
        "a boolean" => "true or false",
        "a sequence" => "a list, as in [a, b],",
        "f64" | "f32" => "a number",
        "usize" | "u64" | "u32" | "u16" | "u8" => "a whole number from 0",
        "i64" | "i32" => "a whole number",
        "a map" => "a map, as in { key: value },",
        expected if expected.starts_with("struct ") => "a map, as in { key: value },",
        expected => expected,
    }
}

/// What serde found.
fn said(found: &str) -> String {
    for (start, word) in
        [("integer ", "the number"), ("floating point ", "the number"), ("string ", "the text")]
    {
        if let Some(value) = found.strip_prefix(start) {
            return format!("{word} {}", value.trim_matches('`'));
        }
    }
    match found {
        "null" | "unit value" => "nothing".to_owned(),
        "sequence" => "a list".to_owned(),
        "map" => "a map".to_owned(),
        found => found.trim_start_matches("boolean ").trim_matches('`').to_owned(),
    }
}
