//! What a value is asked.

use super::{
    super::error::ApiError,
    clause::{Comparator, Operand},
};

/// A question about a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::server) struct NumberTest {
    pub(in crate::server) comparator: NumberComparator,
    pub(in crate::server) value: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum NumberComparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A question about a text. All but `IsNull` are answered "no" where there is no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) enum TextTest {
    Equals(String),
    Differs(String),
    /// `%` stands for anything, `_` for one character.
    Like(String),
    /// The same, whatever the case of ASCII letters.
    ILike(String),
    In(Vec<String>),
    NotIn(Vec<String>),
    IsNull,
    IsNotNull,
}

impl NumberComparator {
    pub(in crate::server) const fn sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl NumberTest {
    /// Whether it holds of a number; of one that is not a number only "not equal" does.
    pub(in crate::server) fn holds(self, number: f64) -> bool {
        match self.comparator {
            NumberComparator::Equal => number == self.value,
            NumberComparator::NotEqual => number != self.value,
            NumberComparator::Less => number < self.value,
            NumberComparator::LessOrEqual => number <= self.value,
            NumberComparator::Greater => number > self.value,
            NumberComparator::GreaterOrEqual => number >= self.value,
        }
    }

    /// `text` is a number as the lexer takes it.
    pub(super) fn new(comparator: Comparator<'_>, text: &str) -> Result<Self, ApiError> {
        let comparator = match comparator {
            Comparator::Equal => NumberComparator::Equal,
            Comparator::NotEqual => NumberComparator::NotEqual,
            Comparator::Less => NumberComparator::Less,
            Comparator::LessOrEqual => NumberComparator::LessOrEqual,
            Comparator::Greater => NumberComparator::Greater,
            Comparator::GreaterOrEqual => NumberComparator::GreaterOrEqual,
            other => return Err(invalid_comparator(other, "=, !=, <, <=, >, >=")),
        };
        let value = text
            .parse()
            .map_err(|_| ApiError::invalid(format!("Expected a number. Found {text}")))?;
        Ok(Self { comparator, value })
    }
}

impl TextTest {
    /// Whether it holds of a text, or of none.
    pub(in crate::server) fn holds(&self, text: Option<&str>) -> bool {
        let Some(text) = text else { return *self == Self::IsNull };
        match self {
            Self::Equals(value) => text == value,
            Self::Differs(value) => text != value,
            Self::Like(pattern) => is_like(text, pattern, |a, b| a == b),
            Self::ILike(pattern) => is_like(text, pattern, |a, b| a.eq_ignore_ascii_case(&b)),
            Self::In(values) => values.iter().any(|value| value == text),
            Self::NotIn(values) => values.iter().all(|value| value != text),
            Self::IsNull => false,
            Self::IsNotNull => true,
        }
    }

    pub(super) fn new(
        comparator: Comparator<'_>,
        value: Operand<'_>,
        allowed: &str,
    ) -> Result<Self, ApiError> {
        Ok(match (comparator, value) {
            (Comparator::Equal, Operand::Text(text)) => Self::Equals(text.to_owned()),
            (Comparator::NotEqual, Operand::Text(text)) => Self::Differs(text.to_owned()),
            (Comparator::Like, Operand::Text(text)) => Self::Like(text.to_owned()),
            (Comparator::ILike, Operand::Text(text)) => Self::ILike(text.to_owned()),
            (Comparator::In, Operand::List(list)) => Self::In(list),
            (Comparator::NotIn, Operand::List(list)) => Self::NotIn(list),
            (Comparator::IsNull, Operand::None) => Self::IsNull,
            (Comparator::IsNotNull, Operand::None) => Self::IsNotNull,
            (other, _) => return Err(invalid_comparator(other, allowed)),
        })
    }
}

/// The pattern as SQLite's `GLOB` writes it, which minds the case where its `LIKE` does not.
pub(super) fn glob(pattern: &str) -> String {
    let mut glob = String::with_capacity(pattern.len());
    for c in pattern.chars() {
        match c {
            '%' => glob.push('*'),
            '_' => glob.push('?'),
            '*' | '?' | '[' => glob.extend(['[', c, ']']),
            c => glob.push(c),
        }
    }
    glob
}

/// Looks back to the last `%` alone, so that no pattern makes it slow.
fn is_like(text: &str, pattern: &str, same: impl Fn(char, char) -> bool) -> bool {
    let (mut text, mut pattern) = (text.chars(), pattern.chars());
    let mut last_percent = None;
    loop {
        let before = (text.clone(), pattern.clone());
        match (pattern.next(), text.next()) {
            (None, None) => return true,
            (Some('%'), _) => {
                text = before.0;
                last_percent = Some((text.clone(), pattern.clone()));
            }
            (Some('_'), Some(_)) => {}
            (Some(a), Some(b)) if same(a, b) => {}
            _ => {
                // One more character is the percent's.
                let Some((mut skipped, after)) = last_percent.take() else { return false };
                if skipped.next().is_none() {
                    return false;
                }
                (text, pattern) = (skipped.clone(), after.clone());
                last_percent = Some((skipped, after));
            }
        }
    }
}

/// MLflow's words for a comparator that a value does not have.
pub(super) fn invalid_comparator(comparator: Comparator<'_>, allowed: &str) -> ApiError {
    let name = match comparator {
        Comparator::Equal => "=",
        Comparator::NotEqual => "!=",
        Comparator::Less => "<",
        Comparator::LessOrEqual => "<=",
        Comparator::Greater => ">",
        Comparator::GreaterOrEqual => ">=",
        Comparator::Like => "LIKE",
        Comparator::ILike => "ILIKE",
        Comparator::In => "IN",
        Comparator::NotIn => "NOT IN",
        Comparator::IsNull => "IS NULL",
        Comparator::IsNotNull => "IS NOT NULL",
        Comparator::Other(other) => other,
    };
    ApiError::invalid(format!("Invalid comparator '{name}' not one of {allowed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_the_texts_that_it_is_like() {
        let like = |text: &str, pattern: &str| TextTest::Like(pattern.into()).holds(Some(text));
        for (text, pattern) in
            [("", ""), ("", "%"), ("abc", "a%"), ("abc", "%c"), ("abc", "_b_"), ("aXbXc", "a%X%c")]
        {
            assert!(like(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [("", "_"), ("abc", "A%"), ("abc", "b"), ("abc", "_b"), ("a", "a_")]
        {
            assert!(!like(text, pattern), "{text} {pattern}");
        }
        assert!(TextTest::ILike("A%".into()).holds(Some("abc")));
        assert!(!TextTest::ILike("Ä".into()).holds(Some("ä")), "SQLite knows ASCII alone");
    }

    #[test]
    fn a_pattern_of_many_percents_is_not_slow() {
        let test = TextTest::Like(format!("{}b", "%a".repeat(2_000)));
        assert!(!test.holds(Some(&"a".repeat(8_000))));
    }

    #[test]
    fn a_glob_takes_its_own_signs_literally() {
        assert_eq!(glob("a%b_c*d?e[f]"), "a*b?c[*]d[?]e[[]f]");
    }
}
