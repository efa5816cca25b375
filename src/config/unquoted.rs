//! What errors say of values that are secrets: never the value.

use super::{SecretKeys, path};

/// What may be said of the value at `path`: messages of wrong values quote them.
pub(crate) fn speakable(path: &str, message: String) -> String {
    if is_secret_path(path) { unquoted(message) } else { message }
}

/// Whether the value at `path` is a secret by its key, or stands in one.
pub(crate) fn is_secret_path(path: &str) -> bool {
    path::steps(path).any(|step| SecretKeys::usual().matches(&step))
}

/// The message about a wrong value, without the value: of what serde found only the kind is left.
pub(crate) fn unquoted(message: String) -> String {
    let told = ["invalid type: ", "invalid value: "]
        .into_iter()
        .find_map(|start| message.strip_prefix(start))
        // The value may have the word in it, too.
        .and_then(|rest| rest.rsplit_once(", expected "));
    let Some((found, expected)) = told else {
        return "a value that is not shown does not fit".to_owned();
    };
    let kind = match found.split([' ', '`']).next().unwrap_or_default() {
        "integer" | "floating" => "a number that is not shown",
        "string" | "character" => "a text that is not shown",
        "boolean" => "true or false",
        "map" => "a map",
        "sequence" => "a list",
        "null" | "unit" => "nothing",
        _ => "a value that is not shown",
    };
    format!("invalid type: {kind}, expected {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_quote_a_secret() {
        let message = |path| speakable(path, "invalid type: string \"k\", expected f64".to_owned());
        let hidden = "invalid type: a text that is not shown, expected f64";
        assert_eq!(message("llm.api_key"), hidden);
        assert_eq!(message("auth[0].x"), hidden);
        assert_eq!(message("llm.top_p"), "invalid type: string \"k\", expected f64");
    }

    #[test]
    fn no_part_of_a_secret_is_taken_for_what_was_expected() {
        for message in [
            "invalid type: string \"a, expected sesame\", expected f64",
            "`a, expected sesame` is not a duration",
            "sesame",
        ] {
            let said = unquoted(message.to_owned());
            assert!(!said.contains("sesame"), "{said}");
        }
    }
}
