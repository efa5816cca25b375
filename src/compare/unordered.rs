//! Which items of two arrays belong together when their order does not count.
//!
//! Each item is hashed, under the rules that hold for it, and equal hashes are matched by sorting:
//! O(n log n), whatever the items. Of what is left, items that differ only in numbers with a
//! tolerance are matched in the order of those numbers. What is left then is paired in its own
//! order, so that an item with one changed field shows that field. Where unordered arrays lie in
//! unordered arrays, an item that has changed is hashed once for each, up to eight times.

use super::{
    JsonRules, Tolerance,
    pattern::{Active, Scope, Step},
};
use crate::config::Exact;
use serde_json::Value;
use std::{
    cmp::Ordering,
    hash::{BuildHasher, Hash, Hasher, RandomState},
};

/// The items that belong together, by their places, and those that have no other.
pub(super) struct Matched {
    /// Those that are not known to be equal.
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) only_a: Vec<usize>,
    pub(super) only_b: Vec<usize>,
}

/// Hashes with keys drawn once for a comparison: nobody can prepare items that collide.
pub(super) struct Matcher<'w, 'a> {
    pub(super) rules: &'a JsonRules,
    pub(super) active: &'w mut Active<'a>,
    pub(super) keys: &'w RandomState,
}

/// A number that may differ, and by how much.
type Loose = (Exact, Tolerance);

impl<'a> Matcher<'_, 'a> {
    /// `scope` is that of the arrays.
    pub(super) fn matched(&mut self, a: &'a [Value], b: &'a [Value], scope: &Scope) -> Matched {
        let (mut only_a, mut only_b, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
        let (hashes_a, hashes_b) = (self.hashes(a, scope), self.hashes(b, scope));
        merge(
            &hashes_a,
            &hashes_b,
            |a, b| a.0.cmp(&b.0),
            |a, b| match (a, b) {
                (Some(_), Some(_)) => {}
                (a, b) => {
                    only_a.extend(a.map(|a| a.1));
                    only_b.extend(b.map(|b| b.1));
                }
            },
        );
        if self.rules.is_tolerant && !only_a.is_empty() && !only_b.is_empty() {
            let (loose_a, loose_b) = (self.loose(a, &only_a, scope), self.loose(b, &only_b, scope));
            only_a.clear();
            only_b.clear();
            merge(&loose_a, &loose_b, nearly, |a, b| match (a, b) {
                (Some(a), Some(b)) => pairs.push((a.2, b.2)),
                (a, b) => {
                    only_a.extend(a.map(|a| a.2));
                    only_b.extend(b.map(|b| b.2));
                }
            });
        }
        only_a.sort_unstable();
        only_b.sort_unstable();
        let rest = only_a.len().min(only_b.len());
        pairs.extend(only_a.drain(..rest).zip(only_b.drain(..rest)));
        pairs.sort_unstable();
        Matched { pairs, only_a, only_b }
    }

    fn hashes(&mut self, items: &'a [Value], scope: &Scope) -> Vec<(u64, usize)> {
        let hashed = items.iter().enumerate();
        let mut hashes: Vec<_> = hashed
            .map(|(at, item)| (self.step(scope, Step::Index(at), item, None).unwrap_or(0), at))
            .collect();
        hashes.sort_unstable();
        hashes
    }

    /// The items at `places`, by what they are but for their loose numbers, then by those.
    fn loose(
        &mut self,
        items: &'a [Value],
        places: &[usize],
        scope: &Scope,
    ) -> Vec<(u64, Vec<Loose>, usize)> {
        let mut out: Vec<_> = places
            .iter()
            .map(|at| {
                let mut loose = Vec::new();
                let step = Step::Index(*at);
                let hash = self.step(scope, step, &items[*at], Some(&mut loose)).unwrap_or(0);
                (hash, loose, *at)
            })
            .collect();
        out.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| by_size(&a.1, &b.1)));
        out
    }

    /// The hash of what is one step below `scope`; none if that is ignored.
    fn step(
        &mut self,
        scope: &Scope,
        step: Step<'_>,
        value: &'a Value,
        loose: Option<&mut Vec<Loose>>,
    ) -> Option<u64> {
        let inner = self.active.step(scope, step);
        let hash = (!inner.ignored).then(|| self.hash(value, &inner, loose));
        self.active.back_to(scope);
        hash
    }

    /// Equal for values without a difference; if `loose` is given, also for those that differ
    /// only in the numbers that it gets.
    fn hash(&mut self, value: &'a Value, scope: &Scope, mut loose: Option<&mut Vec<Loose>>) -> u64 {
        let mut hasher = self.keys.build_hasher();
        match value {
            Value::Null => hasher.write_u8(0),
            Value::Bool(value) => (1_u8, value).hash(&mut hasher),
            Value::String(text) => (2_u8, text).hash(&mut hasher),
            Value::Number(number) => {
                hasher.write_u8(3);
                match (loose, Exact::of(number)) {
                    (Some(loose), number) if !scope.tolerance.is_exact() => {
                        loose.push((number, scope.tolerance));
                    }
                    (_, Exact::Integer(integer)) => hasher.write_i128(integer),
                    (_, Exact::Float(float)) => hasher.write_u64(float.to_bits()),
                }
            }
            Value::Array(items) => {
                hasher.write_u8(4);
                let mut hashes: Vec<_> = items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| {
                        let step = Step::Index(at);
                        self.step(scope, step, item, loose.as_deref_mut()).unwrap_or(0)
                    })
                    .collect();
                if scope.unordered || self.rules.unordered_everywhere {
                    hashes.sort_unstable();
                }
                hashes.hash(&mut hasher);
            }
            Value::Object(map) => {
                hasher.write_u8(5);
                // The sum, because the order of the keys depends on how serde_json was built.
                let mut sum = 0_u64;
                for (key, value) in map {
                    let step = Step::Key(key);
                    if let Some(hash) = self.step(scope, step, value, loose.as_deref_mut()) {
                        sum = sum.wrapping_add(self.keys.hash_one((key, hash)));
                    }
                }
                hasher.write_u64(sum);
            }
        }
        hasher.finish()
    }
}

/// Walks two sorted lists side by side; `equal` says which come together.
fn merge<T>(
    a: &[T],
    b: &[T],
    order: impl Fn(&T, &T) -> Ordering,
    mut take: impl FnMut(Option<&T>, Option<&T>),
) {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let order = match (a.peek(), b.peek()) {
            (Some(a), Some(b)) => order(a, b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return,
        };
        take(a.next_if(|_| order.is_le()), b.next_if(|_| order.is_ge()));
    }
}

fn by_size(a: &[Loose], b: &[Loose]) -> Ordering {
    let sizes = |list: &[Loose]| list.iter().map(|(number, _)| number.float()).collect::<Vec<_>>();
    sizes(a)
        .iter()
        .zip(&sizes(b))
        .map(|(a, b)| a.total_cmp(b))
        .find(|o| o.is_ne())
        .unwrap_or(a.len().cmp(&b.len()))
}

/// Equal if no number is further from its other than it may be.
fn nearly(a: &(u64, Vec<Loose>, usize), b: &(u64, Vec<Loose>, usize)) -> Ordering {
    let near = |(a, b): (&Loose, &Loose)| a.1.spans(a.0, b.0);
    a.0.cmp(&b.0).then_with(|| {
        if a.1.len() == b.1.len() && a.1.iter().zip(&b.1).all(near) {
            Ordering::Equal
        } else {
            // Not equal, so never to be taken together.
            by_size(&a.1, &b.1).then(Ordering::Less)
        }
    })
}
