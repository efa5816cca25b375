//! Paths of rules: JSON pointers in which a segment may be `*`.

use super::Tolerance;
use serde::{Deserialize, Deserializer, de};
use std::{collections::BTreeMap, fmt, ops::Range, str::FromStr};

/// Where a rule holds: a JSON pointer (RFC 6901) in which a segment may be `*`, for any key or
/// any place of an array. `/items/*/id`; the empty pointer is the whole.
///
/// A key that contains `/` or `~` is written with `~1` or `~0`. A key that is itself `*` cannot be
/// told from the wildcard, which covers it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathPattern(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Any,
    Key(Box<str>),
}

/// A text that is not a [`PathPattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a path; write a JSON pointer, as in /id or /items/*/id")]
pub struct PatternError {
    /// The text.
    pub found: String,
}

impl FromStr for PathPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let wrong = || PatternError { found: text.to_owned() };
        let Some(rest) = text.strip_prefix('/') else {
            return if text.is_empty() { Ok(Self(Vec::new())) } else { Err(wrong()) };
        };
        let segments = rest.split('/').map(|segment| match segment {
            "*" => Ok(Segment::Any),
            segment => unescaped(segment).map(Segment::Key).ok_or_else(wrong),
        });
        segments.collect::<Result<_, _>>().map(Self)
    }
}

fn unescaped(segment: &str) -> Option<Box<str>> {
    let mut parts = segment.split('~');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (character, rest) = if let Some(rest) = part.strip_prefix('0') {
            ('~', rest)
        } else {
            ('/', part.strip_prefix('1')?)
        };
        out.push(character);
        out.push_str(rest);
    }
    Some(out.into())
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|segment| match segment {
            Segment::Any => f.write_str("/*"),
            Segment::Key(key) => write!(f, "/{}", key.replace('~', "~0").replace('/', "~1")),
        })
    }
}

impl<'de> Deserialize<'de> for PathPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Rules by their paths, so that a walk through a value knows at each step which hold there.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Node {
    keys: BTreeMap<Box<str>, Self>,
    any: Option<Box<Self>>,
    pub(super) ignore: bool,
    pub(super) redact: bool,
    pub(super) unordered: bool,
    pub(super) tolerance: Option<Tolerance>,
}

impl Node {
    pub(super) fn at(&mut self, pattern: &PathPattern) -> &mut Self {
        pattern.0.iter().fold(self, |node, segment| match segment {
            Segment::Any => node.any.get_or_insert_default(),
            Segment::Key(key) => node.keys.entry(key.clone()).or_default(),
        })
    }

    fn is_leaf(&self) -> bool {
        self.keys.is_empty() && self.any.is_none()
    }
}

/// A step from a value to one inside it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl Step<'_> {
    /// Writes it as a segment of a JSON pointer; the places of an array are all `*`.
    pub(super) fn write(&self, out: &mut String) {
        out.push('/');
        match self {
            Self::Index(_) => out.push('*'),
            Self::Key(key) if !key.contains(['~', '/']) => out.push_str(key),
            Self::Key(key) => out.push_str(&key.replace('~', "~0").replace('/', "~1")),
        }
    }
}

/// The rules that hold at one place.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    active: Range<usize>,
    pub(super) ignored: bool,
    pub(super) redacted: bool,
    pub(super) unordered: bool,
    pub(super) tolerance: Tolerance,
}

/// The nodes that the steps so far lead to, of each place on the way down one after the other.
///
/// Costs nothing while no rule names a path; otherwise at most one entry per rule and level.
#[derive(Debug, Default)]
pub(super) struct Active<'a>(Vec<&'a Node>);

impl<'a> Active<'a> {
    pub(super) fn root(&mut self, root: &'a Node, tolerance: Tolerance) -> Scope {
        self.0.clear();
        let scope =
            Scope { active: 0..0, ignored: false, redacted: false, unordered: false, tolerance };
        self.enter(scope, [root])
    }

    pub(super) fn step(&mut self, from: &Scope, step: Step<'_>) -> Scope {
        let mut scope = Scope { active: self.0.len()..self.0.len(), unordered: false, ..*from };
        let mut digits = String::new();
        for at in from.active.clone() {
            let node = self.0[at];
            let exact = match step {
                _ if node.keys.is_empty() => None,
                Step::Key(key) => node.keys.get(key),
                Step::Index(index) => {
                    if digits.is_empty() {
                        digits = index.to_string();
                    }
                    node.keys.get(digits.as_str())
                }
            };
            // Of two that name the same place, the exact one has the last word.
            scope = self.enter(scope, [node.any.as_deref(), exact].into_iter().flatten());
        }
        scope
    }

    fn enter(&mut self, mut scope: Scope, nodes: impl IntoIterator<Item = &'a Node>) -> Scope {
        for node in nodes {
            scope.ignored |= node.ignore;
            scope.redacted |= node.redact;
            scope.unordered |= node.unordered;
            scope.tolerance = node.tolerance.unwrap_or(scope.tolerance);
            if !node.is_leaf() {
                self.0.push(node);
            }
        }
        scope.active.end = self.0.len();
        scope
    }

    /// Forgets the places below `scope`'s own.
    pub(super) fn back_to(&mut self, scope: &Scope) {
        self.0.truncate(scope.active.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_pointers_and_say_what_they_are_not() {
        for text in ["", "/", "/a", "/a/*/b", "/~01/~1~0", "/a//b"] {
            assert_eq!(text.parse::<PathPattern>().unwrap().to_string(), text);
        }
        for text in ["id", "$.id", "/a~", "/a~2b"] {
            assert!(text.parse::<PathPattern>().is_err(), "{text}");
        }
        assert_eq!(
            "id".parse::<PathPattern>().unwrap_err().to_string(),
            "`id` is not a path; write a JSON pointer, as in /id or /items/*/id"
        );
    }

    #[test]
    fn the_deepest_and_most_exact_tolerance_holds() {
        let mut root = Node::default();
        for (pattern, tolerance) in [("/a", 1.0), ("/a/*", 2.0), ("/*/b", 3.0), ("/a/b", 4.0)] {
            root.at(&pattern.parse().unwrap()).tolerance = Some(Tolerance::absolute(tolerance));
        }
        let at = |path: &[&str]| {
            let mut active = Active::default();
            let root = active.root(&root, Tolerance::absolute(0.5));
            path.iter().fold(root, |scope, key| active.step(&scope, Step::Key(key))).tolerance
        };
        for (path, expected) in [
            (&[][..], 0.5),
            (&["a"], 1.0),
            (&["a", "x"], 2.0),
            (&["a", "b"], 4.0),
            (&["x", "b"], 3.0),
            (&["a", "b", "c"], 4.0),
        ] {
            assert_eq!(at(path), Tolerance::absolute(expected), "{path:?}");
        }
    }
}
