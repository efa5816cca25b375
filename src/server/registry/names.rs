//! What MLflow takes as the name of a model, of a version or of an alias.

use super::super::{error::ApiError, validate};

/// The longest alias, in characters.
const MAX_ALIAS: usize = 255;
/// The longest value of a tag, in characters. The text of a prompt is one.
const MAX_TAG_VALUE: usize = 100_000;
/// The tag that holds the text of a prompt.
const PROMPT_TEXT: &str = "mlflow.prompt.text";
/// The tag that makes a model a prompt, where it is `true`.
pub(super) const IS_PROMPT: &str = "mlflow.prompt.is_prompt";

/// # Errors
///
/// When it is empty, or could not be a part of a `models:/` URI.
pub(super) fn model(name: &str) -> Result<(), ApiError> {
    if name.trim().is_empty() {
        return Err(ApiError::invalid("Missing value for required parameter 'name'."));
    }
    if name.contains(['/', ':']) {
        return Err(ApiError::invalid(format!(
            "Invalid model name '{name}'. Names cannot contain '/' or ':'."
        )));
    }
    validate::path(name, || "name".to_owned())
}

/// # Errors
///
/// When it is no whole number.
pub(super) fn version(version: &str) -> Result<i64, ApiError> {
    version.trim().parse().map_err(|_| {
        ApiError::invalid(format!("Parameter 'version' must be an integer, got '{version}'."))
    })
}

/// # Errors
///
/// On other characters than MLflow takes, and when it is too long.
pub(super) fn alias(alias: &str) -> Result<(), ApiError> {
    if !alias.chars().all(|c| c == '_' || c == '-' || c.is_alphanumeric()) {
        return Err(ApiError::invalid(format!(
            "Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores \
             (_), and dashes (-)."
        )));
    }
    validate::length("Registered model alias name", MAX_ALIAS, alias)
}

/// An alias that a client may set.
///
/// # Errors
///
/// As [`alias`], and when it would mean something already: `latest`, or `v` and a number.
pub(super) fn new_alias(name: &str) -> Result<(), ApiError> {
    alias(name)?;
    if is_latest(name) {
        return Err(ApiError::invalid("'latest' alias name (case insensitive) is reserved."));
    }
    let number = name.strip_prefix(['v', 'V']).unwrap_or_default();
    if !number.is_empty() && number.chars().all(char::is_numeric) {
        return Err(ApiError::invalid(format!("Version alias name '{name}' is reserved.")));
    }
    Ok(())
}

/// Whether an alias means the highest version.
pub(super) fn is_latest(alias: &str) -> bool {
    alias.eq_ignore_ascii_case("latest")
}

/// # Errors
///
/// On a key that MLflow does not take, and on a value that is too long.
pub(super) fn tag(key: &str, value: &str) -> Result<(), ApiError> {
    validate::key(key, || "key".to_owned())?;
    validate::length("key", validate::MAX_KEY, key)?;
    validate::length("value", MAX_TAG_VALUE, value).map_err(|error| match key {
        PROMPT_TEXT => ApiError::invalid(format!(
            "Prompt text exceeds max length of {MAX_TAG_VALUE} characters."
        )),
        _ => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_could_be_a_part_of_a_uri() {
        for name in ["a", "a b", "Ä.b-c@d", "models", "..."] {
            assert_eq!(model(name).is_ok(), name != "...", "{name}");
        }
        for name in ["", " ", "a/b", "a:b", ".", "..", "..a"] {
            assert!(model(name).is_err(), "{name}");
        }
    }

    #[test]
    fn an_alias_means_nothing_else() {
        for good in ["champion", "v", "v1a", "1", "late-st", "Ä_1"] {
            new_alias(good).unwrap();
        }
        for bad in ["latest", "LATEST", "v1", "V23", "a b", "a@b", "a.b"] {
            assert!(new_alias(bad).is_err(), "{bad}");
        }
        assert!(new_alias(&"a".repeat(MAX_ALIAS + 1)).is_err());
    }

    #[test]
    fn a_prompt_that_is_too_long_is_called_so() {
        let long = "é".repeat(MAX_TAG_VALUE + 1);
        let message = |key| tag(key, &long).unwrap_err().message;
        assert_eq!(message(PROMPT_TEXT), "Prompt text exceeds max length of 100000 characters.");
        assert_eq!(message("a"), "'value' exceeds the maximum length of 100000 characters");
        tag("a", &"é".repeat(MAX_TAG_VALUE)).unwrap();
    }
}
