//! How runs are ordered.

use super::{
    super::error::{ApiError, ErrorCode},
    clause::{self, Name},
    lexer::{Lexer, Token},
    run_filter::{Subject, TextAttribute, TimeAttribute},
};

/// The most clauses of an order.
const MAX_CLAUSES: usize = 16;

/// What runs are ordered by, the first first. It ends with the id, so that no two are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct OrderBy(pub(in crate::server) Vec<OrderClause>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct OrderClause {
    pub(in crate::server) by: OrderKey,
    pub(in crate::server) ascending: bool,
}

/// A value of a run. Runs without it come last, whichever the direction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::server) enum OrderKey {
    /// What is not a number comes after what is, and before what is not there.
    Metric(String),
    Param(String),
    Tag(String),
    Text(TextAttribute),
    Time(TimeAttribute),
}

impl OrderBy {
    /// Reads `order_by`. Runs that are equal by it, and all if it is empty, come by their start,
    /// the latest first, and then by their id.
    ///
    /// # Errors
    ///
    /// On what MLflow takes for no order of runs.
    pub(in crate::server) fn read(clauses: &[String]) -> Result<Self, ApiError> {
        if clauses.len() > MAX_CLAUSES {
            return Err(ApiError::invalid(format!("order_by has at most {MAX_CLAUSES} clauses")));
        }
        let mut order = Vec::with_capacity(clauses.len() + 2);
        for text in clauses {
            let (name, ascending) = read_clause(text)?;
            let by = match Subject::new(name, false)? {
                Subject::Metric(key) => OrderKey::Metric(key),
                Subject::Param(key) => OrderKey::Param(key),
                Subject::Tag(key) => OrderKey::Tag(key),
                Subject::Text(attribute) => OrderKey::Text(attribute),
                Subject::Time(attribute) => OrderKey::Time(attribute),
                Subject::Dataset(_) => {
                    return Err(ApiError::invalid("Invalid identifier type 'dataset'"));
                }
            };
            if order.iter().any(|clause: &OrderClause| clause.by == by) {
                return Err(ApiError::new(
                    ErrorCode::InternalError,
                    format!("`order_by` contains duplicate fields: ['{}']", clauses.join("', '")),
                ));
            }
            order.push(OrderClause { by, ascending });
        }
        for (by, ascending) in [
            (OrderKey::Time(TimeAttribute::Start), false),
            (OrderKey::Text(TextAttribute::RunId), true),
        ] {
            if order.iter().all(|clause| clause.by != by) {
                order.push(OrderClause { by, ascending });
            }
        }
        Ok(Self(order))
    }
}

/// Reads a name, and a direction if there is one.
///
/// # Errors
///
/// When it is anything else.
pub(super) fn read_clause(text: &str) -> Result<(Name<'_>, bool), ApiError> {
    let unreadable =
        || ApiError::invalid(format!("Invalid order_by clause '{text}'. Could not be parsed."));
    let mut lexer = Lexer::new(text)?;
    let mut next = || lexer.next().map_err(|_| unreadable());
    let name = match next()? {
        Some(Token::Name(name)) if !is_direction(name) => {
            clause::name(name).map_err(|_| unreadable())?
        }
        Some(Token::Quoted(key)) if text.trim_start().starts_with('"') => Name { of: None, key },
        _ => return Err(unreadable()),
    };
    let ascending = match next()? {
        None => return Ok((name, true)),
        Some(Token::Name(word)) if is_direction(word) => word.eq_ignore_ascii_case("asc"),
        Some(Token::Name(_)) => {
            return Err(ApiError::invalid(format!(
                "Invalid ordering key in order_by clause '{text}'."
            )));
        }
        Some(_) => return Err(unreadable()),
    };
    if next()?.is_some() { Err(unreadable()) } else { Ok((name, ascending)) }
}

fn is_direction(word: &str) -> bool {
    word.eq_ignore_ascii_case("asc") || word.eq_ignore_ascii_case("desc")
}
