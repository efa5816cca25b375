//! Places in an order: comparing them, going on after one, and merging lists.

use super::super::error::ApiError;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Where something stands in an order: a cell for each of the order's clauses. A page token holds
/// that of the last entry of a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::server) struct SortKey(pub(in crate::server) Vec<Cell>);

/// A value that is ordered by. The lower rank comes first in either direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(in crate::server) enum Cell {
    Integer(i64),
    Real(f64),
    Text(String),
    /// No value: of rank 1 if it is not a number, of rank 2 if it is missing.
    Without {
        rank: u8,
    },
}

/// The rank of a metric that is not a number.
pub(in crate::server) const NAN: u8 = 1;
/// The rank of what is missing.
pub(in crate::server) const MISSING: u8 = 2;

impl Cell {
    pub(in crate::server) const fn rank(&self) -> u8 {
        match self {
            Self::Without { rank } => *rank,
            _ => 0,
        }
    }

    fn compare(&self, other: &Self, ascending: bool) -> Ordering {
        let by_value = match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Real(a), Self::Real(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => return self.rank().cmp(&other.rank()),
        };
        if ascending { by_value } else { by_value.reverse() }
    }
}

impl SortKey {
    /// Compares by the directions of an order's clauses.
    pub(in crate::server) fn compare(
        &self,
        other: &Self,
        directions: impl Iterator<Item = bool>,
    ) -> Ordering {
        let mut cells = self.0.iter().zip(&other.0).zip(directions);
        cells
            .find_map(|((a, b), ascending)| {
                Some(a.compare(b, ascending)).filter(|found| found.is_ne())
            })
            .unwrap_or(Ordering::Equal)
    }

    /// # Errors
    ///
    /// When a client sends the token of another order.
    pub(in crate::server) fn check(&self, clauses: usize) -> Result<(), ApiError> {
        if self.0.len() == clauses {
            Ok(())
        } else {
            Err(ApiError::invalid(
                "Invalid page token, it is from a search with another order_by; begin again \
                 without a token",
            ))
        }
    }
}

/// Merges two lists that are in order into their first `size` entries.
pub(in crate::server) fn merge<T>(
    first: Vec<T>,
    second: Vec<T>,
    size: usize,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Vec<T> {
    if second.is_empty() {
        return first.into_iter().take(size).collect();
    }
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    let mut merged = Vec::new();
    while merged.len() < size {
        let next = match (first.peek(), second.peek()) {
            (Some(a), Some(b)) if compare(a, b).is_le() => first.next(),
            (_, Some(_)) => second.next(),
            (_, None) => first.next(),
        };
        match next {
            Some(next) => merged.push(next),
            None => break,
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_last_in_either_direction() {
        let key = |cell| SortKey(vec![cell]);
        let (one, two) = (key(Cell::Real(1.0)), key(Cell::Real(2.0)));
        let (nan, none) = (key(Cell::Without { rank: NAN }), key(Cell::Without { rank: MISSING }));
        for ascending in [true, false] {
            let compare = |a: &SortKey, b| a.compare(b, [ascending].into_iter());
            assert_eq!(compare(&one, &two).is_lt(), ascending);
            assert!(compare(&one, &nan).is_lt() && compare(&nan, &none).is_lt());
        }
    }

    #[test]
    fn two_lists_are_merged_in_order_up_to_a_size() {
        let merged = merge(vec![1, 4, 6], vec![2, 3, 5, 7], 5, i32::cmp);
        assert_eq!(merged, [1, 2, 3, 4, 5]);
        assert_eq!(merge(vec![], vec![1], 5, i32::cmp), [1]);
    }

    #[test]
    fn a_key_survives_its_token() {
        let key = SortKey(vec![
            Cell::Integer(-5),
            Cell::Real(5.0),
            Cell::Real(1e300),
            Cell::Text("5".to_owned()),
            Cell::Without { rank: MISSING },
        ]);
        let written = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<SortKey>(&written).unwrap(), key);
    }
}
