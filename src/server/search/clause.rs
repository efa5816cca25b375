//! Comparisons of names and values, whatever the names mean.

use super::{
    super::error::ApiError,
    lexer::{Lexer, Token, invalid_clause},
};

/// The most comparisons in a filter.
const MAX_CLAUSES: usize = 200;

/// A comparison.
#[derive(Debug, PartialEq)]
pub(super) struct Clause<'a> {
    pub(super) name: Name<'a>,
    pub(super) comparator: Comparator<'a>,
    pub(super) value: Operand<'a>,
}

/// A name: what it is of (`metrics` in `metrics.loss`), if that is said, and its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name<'a> {
    pub(super) of: Option<&'a str>,
    /// Without quotes.
    pub(super) key: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparator<'a> {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    ILike,
    In,
    NotIn,
    IsNull,
    IsNotNull,
    /// One that no search takes.
    Other(&'a str),
}

/// What stands on the right.
#[derive(Debug, PartialEq)]
pub(super) enum Operand<'a> {
    /// Of `IS NULL`.
    None,
    Number(&'a str),
    Text(&'a str),
    List(Vec<String>),
    /// A word that is not quoted.
    Word(&'a str),
}

/// Reads a filter.
///
/// # Errors
///
/// On what is no list of comparisons, and on one that is too long.
pub(super) fn read(filter: &str) -> Result<Vec<Clause<'_>>, ApiError> {
    let mut lexer = Lexer::new(filter)?;
    let mut clauses = Vec::new();
    while let Some(token) = lexer.next()? {
        if matches!(token, Token::Name(word) if is(word, "AND")) {
            continue;
        }
        if clauses.len() == MAX_CLAUSES {
            return Err(ApiError::invalid(format!(
                "a filter has at most {MAX_CLAUSES} comparisons"
            )));
        }
        clauses.push(clause(token, &mut lexer)?);
    }
    Ok(clauses)
}

fn clause<'a>(first: Token<'a>, lexer: &mut Lexer<'a>) -> Result<Clause<'a>, ApiError> {
    let name = match first {
        Token::Name(text) => name(text)?,
        Token::Quoted(key) => Name { of: None, key },
        Token::Number(text) | Token::Operator(text) => return Err(not_a_name(text)),
        Token::Mark(mark) => return Err(invalid_clause(&mark.to_string())),
    };
    let comparator = comparator(lexer)?.ok_or_else(|| invalid_clause(written(first)))?;
    let value = match comparator {
        Comparator::IsNull | Comparator::IsNotNull => Operand::None,
        _ => operand(lexer)?.ok_or_else(|| invalid_clause(written(first)))?,
    };
    if matches!(comparator, Comparator::In | Comparator::NotIn)
        && !matches!(value, Operand::List(_))
    {
        return Err(invalid_clause(written(first)));
    }
    Ok(Clause { name, comparator, value })
}

fn comparator<'a>(lexer: &mut Lexer<'a>) -> Result<Option<Comparator<'a>>, ApiError> {
    let Some(token) = lexer.next()? else { return Ok(None) };
    let known = match token {
        Token::Operator("=") => Comparator::Equal,
        Token::Operator("!=") => Comparator::NotEqual,
        Token::Operator("<") => Comparator::Less,
        Token::Operator("<=") => Comparator::LessOrEqual,
        Token::Operator(">") => Comparator::Greater,
        Token::Operator(">=") => Comparator::GreaterOrEqual,
        Token::Operator(other) => Comparator::Other(other),
        Token::Name(word) if is(word, "LIKE") => Comparator::Like,
        Token::Name(word) if is(word, "ILIKE") => Comparator::ILike,
        Token::Name(word) if is(word, "RLIKE") => Comparator::Other("RLIKE"),
        Token::Name(word) if is(word, "IN") => Comparator::In,
        Token::Name(word) if is(word, "NOT") => match lexer.next()? {
            Some(Token::Name(word)) if is(word, "IN") => Comparator::NotIn,
            Some(Token::Name(word)) if is(word, "LIKE") => Comparator::Other("NOT LIKE"),
            Some(Token::Name(word)) if is(word, "ILIKE") => Comparator::Other("NOT ILIKE"),
            _ => return Err(invalid_clause(word)),
        },
        Token::Name(word) if is(word, "IS") => match lexer.next()? {
            Some(Token::Name(word)) if is(word, "NULL") => Comparator::IsNull,
            Some(Token::Name(not)) if is(not, "NOT") => match lexer.next()? {
                Some(Token::Name(word)) if is(word, "NULL") => Comparator::IsNotNull,
                _ => return Err(invalid_clause(word)),
            },
            _ => return Err(invalid_clause(word)),
        },
        other => return Err(invalid_clause(written(other))),
    };
    Ok(Some(known))
}

fn operand<'a>(lexer: &mut Lexer<'a>) -> Result<Option<Operand<'a>>, ApiError> {
    let before = lexer.rest().trim_start();
    Ok(match lexer.next()? {
        None => None,
        Some(Token::Number(text)) => Some(Operand::Number(text)),
        Some(Token::Quoted(text)) => Some(Operand::Text(text)),
        Some(Token::Name(word)) => Some(Operand::Word(word)),
        Some(Token::Mark('(')) => Some(Operand::List(list(lexer, before)?)),
        Some(Token::Mark(mark)) => return Err(invalid_clause(&mark.to_string())),
        Some(Token::Operator(text)) => return Err(invalid_clause(text)),
    })
}

/// Strings between parentheses, as Python writes a tuple of them.
fn list<'a>(lexer: &mut Lexer<'a>, from: &'a str) -> Result<Vec<String>, ApiError> {
    let mut texts: Vec<String> = Vec::new();
    let mut after_comma = true;
    loop {
        match lexer.next()? {
            Some(Token::Quoted(text)) => {
                // As in Python, strings that touch are one.
                match texts.last_mut().filter(|_| !after_comma) {
                    Some(last) => last.push_str(&unescaped(text)),
                    None => texts.push(unescaped(text)),
                }
                after_comma = false;
            }
            Some(Token::Mark(',')) if !after_comma => after_comma = true,
            Some(Token::Mark(')')) if texts.is_empty() => {
                return Err(ApiError::invalid(
                    "While parsing a list in the query, expected a non-empty list of string \
                     values, but got empty list",
                ));
            }
            Some(Token::Mark(')')) => return Ok(texts),
            Some(Token::Number(_)) => {
                let list = from.split_inclusive(')').next().unwrap_or(from);
                return Err(ApiError::invalid(format!(
                    "While parsing a list in the query, expected string value, punctuation, or \
                     whitespace, but got different type in list: {list}"
                )));
            }
            _ => {
                return Err(ApiError::invalid(
                    "While parsing a list in the query, expected a non-empty list of string \
                     values, but got ill-formed list.",
                ));
            }
        }
    }
}

/// A string of a list: there, and only there, a backslash means what it means in Python.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c != '\\' {
            // A doubled quote is two strings that touch.
            if (c == '\'' || c == '"') && characters.peek() == Some(&c) {
                characters.next();
            } else {
                plain.push(c);
            }
            continue;
        }
        match characters.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some(c @ ('\\' | '\'' | '"')) => plain.push(c),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}

/// Splits a name at its first point, and takes the quotes off its key.
pub(super) fn name(text: &str) -> Result<Name<'_>, ApiError> {
    let (of, key) = match text.split_once('.') {
        // The point of a name that is quoted as a whole is none.
        Some((of, _)) if of.starts_with('`') && !closes(of) => (None, text),
        Some((of, key)) => (Some(unquoted(of, &['`'])), key),
        None => (None, text),
    };
    let key = unquoted(key, &['`', '"', '\'']);
    if key.is_empty() {
        return Err(invalid_clause(text));
    }
    Ok(Name { of, key })
}

fn closes(text: &str) -> bool {
    text.len() > 1 && text.ends_with('`')
}

fn unquoted<'a>(text: &'a str, quotes: &[char]) -> &'a str {
    quotes.iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(text)
}

fn not_a_name(text: &str) -> ApiError {
    ApiError::invalid(format!("Invalid comparison clause. Expected 'Identifier' found '{text}'"))
}

const fn written(token: Token<'_>) -> &str {
    match token {
        Token::Name(text) | Token::Quoted(text) | Token::Number(text) | Token::Operator(text) => {
            text
        }
        Token::Mark(_) => "(",
    }
}

fn is(word: &str, keyword: &str) -> bool {
    word.eq_ignore_ascii_case(keyword)
}
