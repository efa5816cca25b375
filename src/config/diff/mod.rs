//! What differs between two configs, by path.
//!
//! ```
//! use serde_json::json;
//! use tower_spearmint::config::diff;
//!
//! let before = json!({ "shadow": { "sample": 0.1, "api_key": "k1" }, "size": 1, "old": true });
//! let after = json!({ "shadow": { "sample": 0.5, "api_key": "k2" }, "size": 1.0, "new": [1] });
//! assert_eq!(
//!     diff(&before, &after).to_string(),
//!     "- old: true\n\
//!      ~ shadow.api_key: [redacted] → [redacted]\n\
//!      ~ shadow.sample: 0.1 → 0.5\n\
//!      + new: [1]\n"
//! );
//! ```
//!
//! With another rule for what is a secret, and only so many lines:
//!
//! ```
//! # use serde_json::json;
//! use tower_spearmint::config::{Diff, SecretKeys};
//!
//! let secrets = SecretKeys::default().and(["salt"]);
//! let diff = Diff::with_secrets(&json!({ "a": 1, "salt": "x" }), &json!({ "a": 2 }), &secrets);
//! assert_eq!(diff.len(), 2);
//! assert_eq!(diff.first_lines(1).to_string(), "~ a: 1 → 2\n… and 1 more\n");
//! assert_eq!(
//!     serde_json::to_value(&diff)?,
//!     json!([
//!         { "path": "a", "kind": "changed", "before": 1, "after": 2 },
//!         { "path": "salt", "kind": "removed", "before": "[redacted]" },
//!     ])
//! );
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! Of what two *answers* differ in, under rules and with tolerances, tells
//! [`compare`](crate::compare).

mod pools;
mod printed;
mod walk;

use super::{Config, SecretKeys};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use serde_json::Value;
use std::ops::ControlFlow;
use walk::{Side, walk};

/// What differs between two values, with the default [`SecretKeys`]. 1 and 1.0 are equal, lists
/// are compared by index, the order of keys does not count.
pub fn diff(before: &Value, after: &Value) -> Diff {
    Diff::with_secrets(before, after, &SecretKeys::default())
}

/// The first path at which two values differ.
pub(super) fn first_difference(a: &Value, b: &Value) -> Option<String> {
    let mut first = None;
    let _ = walk("", Side::open(a), Side::open(b), &mut |path, _, _| {
        first = Some(if path.is_empty() { "." } else { path }.to_owned());
        ControlFlow::Break(())
    });
    first
}

/// What differs between two configs, by path; in the order of the first, then what only the
/// second has. Printed, it is a line for each change (`~ path: before → after`, `+ path: after`,
/// `- path: before`); serialised, a list of them. Secrets never stand in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    changes: Vec<Change>,
}

/// One path at which two configs differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Where, as in `configs[1].upstream`; empty for the whole.
    pub path: String,
    /// What was there, if anything.
    pub before: Option<Value>,
    /// What is there, if anything.
    pub after: Option<Value>,
}

impl Diff {
    /// As [`diff()`], with the caller's rule for what is a secret.
    pub fn with_secrets(before: &Value, after: &Value, secrets: &SecretKeys) -> Self {
        let (before_shown, after_shown) = (secrets.redact(before), secrets.redact(after));
        let mut diff = Self::default();
        diff.add(
            "",
            Side { value: before, shown: &before_shown },
            Side { value: after, shown: &after_shown },
        );
        diff
    }

    fn add(&mut self, path: &str, before: Side<'_>, after: Side<'_>) {
        let _ = walk(path, before, after, &mut |path, before, after| {
            self.push(path, before.cloned(), after.cloned());
            ControlFlow::Continue(())
        });
    }

    fn push(&mut self, path: &str, before: Option<Value>, after: Option<Value>) {
        self.changes.push(Change { path: path.to_owned(), before, after });
    }

    #[cfg(feature = "proxy")]
    pub(crate) fn append(&mut self, mut other: Self) {
        self.changes.append(&mut other.changes);
    }

    /// The changes.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many paths differ.
    pub fn len(&self) -> usize {
        self.changes.len()
    }
}

impl Config {
    /// What differs in `after`; see [`Diff`]. What is a secret in either is shown of neither.
    pub fn diff(&self, after: &Self) -> Diff {
        let mut diff = Diff::default();
        diff.add("", side(self), side(after));
        diff
    }
}

/// A config shows what its own rule for secrets leaves.
fn side(config: &Config) -> Side<'_> {
    Side { value: config.value(), shown: config.redacted() }
}

impl Change {
    /// `added`, `removed` or `changed`.
    pub const fn kind(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        }
    }
}

impl Serialize for Diff {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.changes.serialize(serializer)
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sides = [("before", &self.before), ("after", &self.after)];
        let mut change = serializer.serialize_struct("Change", 4)?;
        change.serialize_field("path", &self.path)?;
        change.serialize_field("kind", self.kind())?;
        for (name, side) in sides {
            match side {
                Some(value) => change.serialize_field(name, value)?,
                None => change.skip_field(name)?,
            }
        }
        change.end()
    }
}

#[cfg(test)]
mod tests {
    use super::{printed::MAX_PRINTED, *};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn lists_are_compared_by_index_and_numbers_by_value() {
        let before = json!({ "a": [1, 2, { "b": 1.0 }], "n": 9_007_199_254_740_993_u64 });
        let after = json!({ "a": [1.0, 3, { "b": 1 }, null], "n": 9_007_199_254_740_992_u64 });
        assert_eq!(
            diff(&before, &after).to_string(),
            "~ a[1]: 2 → 3\n+ a[3]: null\n~ n: 9007199254740993 → 9007199254740992\n"
        );
    }

    #[test]
    fn another_type_is_one_change_and_null_is_something() {
        let (before, after) = (json!({ "a": { "b": 1 }, "c": null }), json!({ "a": [1] }));
        assert_eq!(diff(&before, &after).to_string(), "~ a: {\"b\":1} → [1]\n- c: null\n");
        assert_eq!(diff(&json!(1), &json!(2)).to_string(), "~ .: 1 → 2\n");
    }

    #[test]
    fn a_secret_that_changed_is_named_but_never_shown() {
        let before = json!({
            "auth": { "user": "u-secret", "name": "x-secret" }, "token": null,
            "upstream": "http://u:p-secret@host/", "same": { "password": "s-secret" },
        });
        let after = json!({
            "auth": { "user": "v-secret" }, "token": "t-secret",
            "upstream": "http://u:q-secret@host/", "same": { "password": "s-secret" },
        });
        let diff = diff(&before, &after);
        assert_eq!(
            diff.to_string(),
            "~ auth: [redacted] → [redacted]\n~ token: null → [redacted]\n\
             ~ upstream: \"http://[redacted]@host/\" → \"http://[redacted]@host/\"\n"
        );
        assert!(!format!("{diff:?} {}", serde_json::to_string(&diff).unwrap()).contains("-secret"));
    }

    #[test]
    fn what_is_a_secret_of_one_config_is_not_shown_of_the_other() {
        let value = |salt: &str| json!({ "salt": salt, "n": 1 });
        let keys = SecretKeys::default().and(["salt"]);
        let open = Config::new(value("x-secret")).unwrap();
        let hidden = Config::with_secrets(value("y-secret"), &keys).unwrap();
        let said = "~ salt: [redacted] → [redacted]\n";
        assert_eq!(open.diff(&hidden).to_string(), said);
        assert_eq!(hidden.diff(&open).to_string(), said);
    }

    #[test]
    fn a_key_cannot_forge_a_line() {
        let (before, after) = (json!({}), json!({ "a\n+ b: 1\u{1b}[31m": 1 }));
        assert_eq!(diff(&before, &after).to_string(), "+ a\\n+ b: 1\\u{1b}[31m: 1\n");
    }

    #[test]
    fn a_long_value_is_cut_in_print_and_whole_in_json() {
        let (before, after) = (json!({}), json!({ "a": "ö".repeat(500) }));
        let diff = diff(&before, &after);
        assert_eq!(diff.to_string(), format!("+ a: \"{}…\n", "ö".repeat(MAX_PRINTED - 1)));
        assert_eq!(serde_json::to_value(&diff).unwrap()[0]["after"], after["a"]);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3_i64..3).prop_map(Value::from),
            (-3_i8..3).prop_map(|whole| Value::from(f64::from(whole))),
            "[ab]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[abc]|token", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn equal_is_no_change_and_back_is_the_reverse(a in value(), b in value()) {
            prop_assert!(diff(&a, &a).is_empty());
            let (there, back) = (diff(&a, &b), diff(&b, &a));
            prop_assert_eq!(there.is_empty(), first_difference(&a, &b).is_none());
            let canonical = |value| crate::config::canonical_json(value).unwrap();
            prop_assert_eq!(there.is_empty(), canonical(&a) == canonical(&b));
            let mut reversed: Vec<_> = back
                .changes
                .into_iter()
                .map(|change| (change.path, change.after, change.before))
                .collect();
            let mut changes: Vec<_> = there
                .changes
                .into_iter()
                .map(|change| (change.path, change.before, change.after))
                .collect();
            reversed.sort_by(|a, b| a.0.cmp(&b.0));
            changes.sort_by(|a, b| a.0.cmp(&b.0));
            prop_assert_eq!(changes, reversed);
        }
    }
}
