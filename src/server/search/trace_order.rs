//! How traces are ordered.

use super::{
    super::error::{ApiError, ErrorCode},
    order::read_clause,
    traces::{Subject, TraceNumber, TraceText},
};

/// The most clauses of an order.
const MAX_CLAUSES: usize = 16;

/// What traces are ordered by, the first first. It ends with the id, so that no two are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct TraceOrder(pub(in crate::server) Vec<(TraceKey, bool)>);

/// A value of a trace. Traces without it come last, whichever the direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) enum TraceKey {
    Text(TraceText),
    Number(TraceNumber),
    Experiment,
    Tag(String),
    Metadata(String),
}

impl TraceOrder {
    /// Reads `order_by`. Traces that are equal by it, and all if it is empty, come by their start,
    /// the latest first, and then by their id.
    ///
    /// # Errors
    ///
    /// On what traces are not ordered by.
    pub(in crate::server) fn read(clauses: &[String]) -> Result<Self, ApiError> {
        if clauses.len() > MAX_CLAUSES {
            return Err(ApiError::invalid(format!("order_by has at most {MAX_CLAUSES} clauses")));
        }
        let mut order: Vec<(TraceKey, bool)> = Vec::with_capacity(clauses.len() + 2);
        for text in clauses {
            let (name, ascending) = read_clause(text)?;
            let by = match Subject::new(name)? {
                Subject::Text(attribute) => TraceKey::Text(attribute),
                Subject::Number(attribute) => TraceKey::Number(attribute),
                Subject::Experiment => TraceKey::Experiment,
                Subject::Tag(key) => TraceKey::Tag(key),
                Subject::Metadata(key) => TraceKey::Metadata(key),
                _ => {
                    return Err(ApiError::invalid(format!(
                        "Invalid order_by clause '{text}': traces are ordered by attributes, tags \
                         and metadata"
                    )));
                }
            };
            if order.iter().any(|(known, _)| *known == by) {
                return Err(ApiError::new(
                    ErrorCode::InternalError,
                    format!("`order_by` contains duplicate fields: ['{}']", clauses.join("', '")),
                ));
            }
            order.push((by, ascending));
        }
        for (by, ascending) in
            [(TraceKey::Number(TraceNumber::Start), false), (TraceKey::Text(TraceText::Id), true)]
        {
            if order.iter().all(|(known, _)| *known != by) {
                order.push((by, ascending));
            }
        }
        Ok(Self(order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_ends_with_the_time_and_the_id() {
        let order = TraceOrder::read(&["tags.a DESC".to_owned()]).unwrap();
        assert_eq!(
            order.0,
            [
                (TraceKey::Tag("a".to_owned()), false),
                (TraceKey::Number(TraceNumber::Start), false),
                (TraceKey::Text(TraceText::Id), true),
            ]
        );
        for clauses in [&["span.name"][..], &["nothing"], &["timestamp", "timestamp_ms"]] {
            let clauses: Vec<_> = clauses.iter().map(|clause| (*clause).to_owned()).collect();
            assert!(TraceOrder::read(&clauses).is_err(), "{clauses:?}");
        }
    }
}
