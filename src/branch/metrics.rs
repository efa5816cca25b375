//! Numbers that a service says of its branch.

use serde::{Serialize, Serializer};
use std::{fmt, sync::Arc};

/// Numbers that a service says of its branch, by name: tokens, a score, what it cost. In the order
/// of their names; a name that is said again has its last value.
///
/// Without any it is as small as a pointer, and costs no allocation. It serialises to an object:
/// `{"tokens": 812.0}`.
///
/// ```
/// use tower_spearmint::branch::BranchMetrics;
///
/// let mut metrics = BranchMetrics::new();
/// assert!(metrics.set("tokens", 800.0) && metrics.set("tokens", 812.0));
/// assert!(!metrics.set("tokens per second", 40.0), "a space is in no name");
/// assert_eq!((metrics.get("tokens"), metrics.refused()), (Some(812.0), 1));
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct BranchMetrics {
    said: Option<Arc<Said>>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Said {
    /// In the order of the names.
    values: Vec<(Arc<str>, f64)>,
    refused: u64,
}

impl BranchMetrics {
    /// So many names a branch has at most.
    pub const MAX: usize = 32;

    /// So many bytes a name has at most.
    pub const MAX_NAME: usize = 64;

    /// None yet.
    pub const fn new() -> Self {
        Self { said: None }
    }

    /// Whether a metric can have this name: 1 to 64 letters and digits of ASCII, `_`, `.`, `/` and `-`.
    /// Between slashes stands neither nothing nor `.` or `..`: MLflow refuses what a file system would read as
    /// another name (`validate_metric_name` in its `utils/validation.py`).
    pub fn is_name(name: &str) -> bool {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_./-".contains(&byte);
        name.len() <= Self::MAX_NAME
            && name.bytes().all(fits)
            && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
    }

    /// Sets the value of a name. `false`, and counted as [`refused`](Self::refused), if that is
    /// [no name](Self::is_name) or no finite value, or there are [32](Self::MAX) others already.
    pub fn set(&mut self, name: &str, value: f64) -> bool {
        let said = Arc::make_mut(self.said.get_or_insert_default());
        match said.values.binary_search_by(|(known, _)| (**known).cmp(name)) {
            _ if !value.is_finite() => {}
            Ok(at) => {
                said.values[at].1 = value;
                return true;
            }
            Err(at) if said.values.len() < Self::MAX && Self::is_name(name) => {
                said.values.insert(at, (name.into(), value));
                return true;
            }
            Err(_) => {}
        }
        said.refused = said.refused.saturating_add(1);
        false
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<f64> {
        let said = self.said.as_ref()?;
        let at = said.values.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        Some(said.values[at].1)
    }

    /// The names and their values, in the order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, f64)> + '_ {
        self.values().iter().map(|(name, value)| (&**name, *value))
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.values().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values().is_empty()
    }

    /// How often a number was refused.
    pub fn refused(&self) -> u64 {
        self.said.as_ref().map_or(0, |said| said.refused)
    }

    fn values(&self) -> &[(Arc<str>, f64)] {
        self.said.as_ref().map_or(&[], |said| &said.values)
    }
}

impl fmt::Debug for BranchMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for BranchMetrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_any_it_is_as_small_as_a_pointer() {
        assert_eq!(size_of::<BranchMetrics>(), size_of::<usize>());
        assert_eq!(BranchMetrics::new(), BranchMetrics::default());
    }

    #[test]
    fn they_are_in_the_order_of_their_names_and_the_last_value_of_each_counts() {
        let mut metrics = BranchMetrics::new();
        for (name, value) in [("tokens", 1.0), ("cost", 0.5), ("eval/score", -2.0), ("tokens", 2.0)]
        {
            assert!(metrics.set(name, value));
        }
        let json = serde_json::to_string(&metrics).unwrap();
        assert_eq!(json, r#"{"cost":0.5,"eval/score":-2.0,"tokens":2.0}"#);
        assert_eq!((metrics.len(), metrics.refused()), (3, 0));
    }

    #[test]
    fn what_is_no_name_or_no_number_is_refused_and_counted() {
        let mut metrics = BranchMetrics::new();
        let long = "n".repeat(BranchMetrics::MAX_NAME);
        assert!(metrics.set(&long, 1.0) && metrics.set("a-Z_0/9.x", 1.0));
        let too_long = long.clone() + "n";
        for name in ["", "to kens", "tök", "a:b", "a\n", "/a", "a//b", "a/", "..", "a/.", &too_long]
        {
            assert!(!metrics.set(name, 1.0), "{name:?}");
        }
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(!metrics.set(&long, value));
        }
        assert_eq!((metrics.get(&long), metrics.refused()), (Some(1.0), 14));
    }

    #[test]
    fn a_branch_has_at_most_32_names_whose_values_may_still_change() {
        let mut metrics = BranchMetrics::new();
        for number in 0..40 {
            assert_eq!(metrics.set(&format!("m{number}"), 0.0), number < BranchMetrics::MAX);
        }
        assert!(metrics.set("m0", 1.0) && !metrics.set("m32", 1.0));
        assert_eq!((metrics.len(), metrics.refused()), (32, 9));
        assert_eq!(metrics.get("m0"), Some(1.0));
    }

    #[test]
    fn a_copy_keeps_what_was_said_before_it() {
        let mut metrics = BranchMetrics::new();
        metrics.set("tokens", 1.0);
        let before = metrics.clone();
        metrics.set("tokens", 2.0);
        assert_eq!((before.get("tokens"), metrics.get("tokens")), (Some(1.0), Some(2.0)));
    }
}
