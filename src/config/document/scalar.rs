//! What a bare word stands for: the same table for overrides, variables and YAML files.

use super::text::shortened;
use serde_json::{Number, Value};

/// The value of a word without quotes: null, a boolean, a number, or else a text.
///
/// # Errors
///
/// When it looks like a number but readers do not agree on which: `010`, `1_000`, 2⁶⁴, `.inf`.
pub(super) fn plain(text: &str) -> Result<Value, String> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if text.is_empty() || text == "~" || is("null") {
        return Ok(Value::Null);
    }
    if is("true") || is("false") {
        return Ok(Value::Bool(is("true")));
    }
    if matches!(unsigned.to_ascii_lowercase().as_str(), ".inf" | ".nan") {
        return Err(format!("{text} is not a finite number"));
    }
    let Some(number) = number(text, unsigned) else { return Ok(Value::String(text.to_owned())) };
    check_number(text)?;
    number.map(Value::Number).ok_or_else(|| format!("{text} is not a finite number"))
}

/// The number that is written there, if it is one; `Some(None)` is one that is not finite.
fn number(text: &str, unsigned: &str) -> Option<Option<Number>> {
    if !unsigned.trim_start_matches('.').starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2), ("0X", 16), ("0O", 8), ("0B", 2)] {
        if let Some(digits) = unsigned.strip_prefix(prefix) {
            let magnitude = i128::from_str_radix(&without_underscores(digits)?, radix).ok()?;
            return Number::from_i128(if text.starts_with('-') { -magnitude } else { magnitude })
                .map(Some);
        }
    }
    let digits = without_underscores(unsigned)?;
    // With a zero in front it is no integer, but may be a float.
    let is_integer = digits == "0" || !digits.starts_with('0');
    if is_integer && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let signed = if text.starts_with('-') { format!("-{digits}") } else { digits };
        let exact = signed.parse::<i64>().map(Number::from);
        return match exact.or_else(|_| signed.parse::<u64>().map(Number::from)) {
            Ok(number) => Some(Some(number)),
            // What is wrong with it is said by `check_number`.
            Err(_) => Some(Number::from_f64(signed.parse().ok()?)),
        };
    }
    // Without a digit in front, one that is not finite is a text in a file, too.
    let float: f64 = text.parse().ok()?;
    (float.is_finite() || !unsigned.starts_with('.')).then(|| Number::from_f64(float))
}

/// `1_000` is 1000 to some readers; an underscore that stands elsewhere makes it a text to all.
fn without_underscores(digits: &str) -> Option<String> {
    let apart = digits.split('_').all(|part| !part.is_empty());
    (apart && !digits.starts_with(['-', '+'])).then(|| digits.replace('_', ""))
}

/// A number must be written so that every reader takes it for the same number.
pub(crate) fn check_number(raw: &str) -> Result<(), String> {
    let digits = raw.trim_start_matches(['-', '+']);
    let lower = digits.to_ascii_lowercase();
    if digits.is_empty() || lower.starts_with("0x") || lower.starts_with("0o") {
        return Ok(());
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        // An alias or a tagged scalar: its own text is not at this place.
        return Ok(());
    }
    let stripped = digits.trim_start_matches('0');
    let leading_zero = digits.len() > 1
        && digits.starts_with('0')
        && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    if leading_zero || digits.contains(['_', ':']) {
        let (plain, raw) = (shortened(stripped.replace('_', "")), shortened(raw.to_owned()));
        return Err(format!(
            "`{raw}` is not a plain number; write {plain}, or \"{raw}\" for a text"
        ));
    }
    let integer = digits.bytes().all(|b| b.is_ascii_digit());
    if integer && raw.parse::<i64>().is_err() && raw.parse::<u64>().is_err() {
        let raw = shortened(raw.to_owned());
        return Err(format!(
            "{raw} does not fit 64 bits and would lose digits; write it in quotes"
        ));
    }
    Ok(())
}

#[cfg(all(test, feature = "yaml"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the YAML reader makes of it.
    fn yaml(text: &str) -> Result<Value, ()> {
        crate::config::yaml::parse(&format!("x: {text}\n"), "x")
            .map(|documents| documents[0].value()["x"].clone())
            .map_err(|_| ())
    }

    #[test]
    fn a_word_means_what_it_means_in_a_file() {
        for word in [
            "",
            "~",
            "null",
            "Null",
            "NULL",
            "nUll",
            "true",
            "True",
            "TRUE",
            "tRue",
            "false",
            "False",
            "yes",
            "no",
            "on",
            "off",
            "y",
            "n",
            "1",
            "-1",
            "+1",
            "0",
            "-0",
            "00",
            "01",
            "010",
            "0.5",
            ".5",
            "-.5",
            "5.",
            "1e3",
            "1E3",
            "1e-3",
            "1.5e+3",
            "1e",
            "e3",
            "1e400",
            "-1e400",
            "1e-400",
            ".1e310",
            "0x1F",
            "0X1F",
            "0x1_F",
            "-0x1F",
            "0xZ",
            "0o17",
            "0b101",
            "0b2",
            "1_000",
            "_1",
            "1_",
            "1__0",
            "1_0.5",
            "0_1",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "-9223372036854775809",
            ".inf",
            "-.inf",
            "+.Inf",
            ".nan",
            ".NaN",
            "inf",
            "nan",
            "Infinity",
            "1.2.3",
            "12:30:45",
            "2026-01-02",
            "150ms",
            "64KiB",
            "a b",
            "-a",
            "+",
            ".",
            "..",
            "--1",
            "+-1",
            "1-",
            "0x",
            "0.0",
            "00.5",
            "-00.5",
            "1.0",
        ] {
            assert_eq!(plain(word).map_err(|_| ()), yaml(word), "{word:?}");
        }
    }

    proptest! {
        #[test]
        fn a_number_like_word_means_what_it_means_in_a_file(
            word in "[-+]?[0-9_.]{0,4}(0[xob])?[0-9a-f_]{0,20}([eE][-+]?[0-9]{0,4})?"
        ) {
            // A word of dashes alone is an item of a list, or the end of a document.
            prop_assume!(word != "-" && !word.starts_with("---"));
            prop_assert_eq!(plain(&word).map_err(|_| ()), yaml(&word), "{:?}", word);
        }
    }
}
