//! Two JSON values, side by side.

use super::{
    DifferenceKind, Differences, JsonRules,
    pattern::{Active, Scope, Step},
    sample::samples,
    unordered::{Matched, Matcher},
};
use serde_json::{Map, Value};
use std::hash::RandomState;

/// What differs between `primary` and `shadow`, by path.
///
/// Paths are JSON pointers with `*` for the places of an array, so that the same in many items is
/// one path; the whole is `body`. 1 and 1.0 are equal, integers of 64 bits are compared exactly,
/// and the order of keys does not count. The cost is that of reading both values once; see
/// [`JsonRules::unordered`] for the exception.
///
/// ```
/// use serde_json::json;
/// use tower_spearmint::compare::{DifferenceKind, JsonRules, json};
///
/// let differences = json(
///     &json!({ "items": [{ "id": 1, "price": 2.5 }, { "id": 2, "price": 3 }] }),
///     &json!({ "items": [{ "id": 1, "price": 2.0 }, { "id": 2, "price": 3.0 }, { "id": 3 }] }),
///     &JsonRules::default(),
/// );
/// let [price, item] = differences.list() else { panic!() };
/// assert_eq!((price.path.as_str(), price.kind), ("/items/*/price", DifferenceKind::Changed));
/// assert_eq!((price.primary.as_deref(), price.shadow.as_deref()), (Some("2.5"), Some("2.0")));
/// assert_eq!((item.path.as_str(), item.kind), ("/items/*", DifferenceKind::Added));
/// ```
///
/// It recurses as deep as the values are nested; what serde_json reads is at most 128 deep.
pub fn json(primary: &Value, shadow: &Value, rules: &JsonRules) -> Differences {
    let mut differences = Differences::default();
    rules.compare_into(primary, shadow, &mut differences);
    differences
}

impl JsonRules {
    pub(crate) fn compare_into(&self, primary: &Value, shadow: &Value, out: &mut Differences) {
        let mut active = Active::default();
        let scope = active.root(&self.root, self.tolerance);
        if !scope.ignored {
            let mut walk = Walk {
                rules: self,
                active,
                path: Vec::new(),
                text: String::new(),
                keys: None,
                matched: 0,
                out,
            };
            walk.values(primary, shadow, &scope);
        }
    }
}

/// How many unordered arrays may lie in each other before order counts: matching looks at all of an
/// array once, whatever was looked at by those around it.
const MAX_MATCHED: usize = 8;

struct Walk<'a, 'o> {
    rules: &'a JsonRules,
    active: Active<'a>,
    path: Vec<Step<'a>>,
    /// Room for the path as a text.
    text: String,
    keys: Option<RandomState>,
    /// How many arrays around this place were matched.
    matched: usize,
    out: &'o mut Differences,
}

impl<'a> Walk<'a, '_> {
    fn values(&mut self, a: &'a Value, b: &'a Value, scope: &Scope) {
        match (a, b) {
            (Value::Object(a), Value::Object(b)) => self.objects(a, b, scope),
            (Value::Array(a), Value::Array(b)) => self.arrays(a, b, scope),
            (Value::Number(a), Value::Number(b)) if scope.tolerance.covers(a, b) => {}
            (Value::String(a), Value::String(b)) if a == b => {}
            (Value::Bool(a), Value::Bool(b)) if a == b => {}
            (Value::Null, Value::Null) => {}
            _ => {
                let same_type = std::mem::discriminant(a) == std::mem::discriminant(b);
                let kind = if same_type { DifferenceKind::Changed } else { DifferenceKind::Type };
                self.differ(kind, Some(a), Some(b));
            }
        }
    }

    fn objects(&mut self, a: &'a Map<String, Value>, b: &'a Map<String, Value>, scope: &Scope) {
        for (key, a) in a {
            self.below(scope, Step::Key(key), |walk, scope| match b.get(key) {
                Some(b) => walk.values(a, b, scope),
                None => walk.differ(DifferenceKind::Missing, Some(a), None),
            });
        }
        for (key, b) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
            self.below(scope, Step::Key(key), |walk, _| {
                walk.differ(DifferenceKind::Added, None, Some(b));
            });
        }
    }

    fn arrays(&mut self, a: &'a [Value], b: &'a [Value], scope: &Scope) {
        let is_unordered = scope.unordered || self.rules.unordered_everywhere;
        if is_unordered && a.len().max(b.len()) > 1 && self.matched < MAX_MATCHED {
            let keys = self.keys.get_or_insert_default();
            let active = &mut self.active;
            let matched = Matcher { rules: self.rules, active, keys }.matched(a, b, scope);
            self.matched += 1;
            self.pairs(a, b, &matched, scope);
            self.matched -= 1;
            return;
        }
        for (at, (a, b)) in a.iter().zip(b).enumerate() {
            self.below(scope, Step::Index(at), |walk, scope| walk.values(a, b, scope));
        }
        for (at, a) in a.iter().enumerate().skip(b.len()) {
            self.only(scope, at, Some(a), None);
        }
        for (at, b) in b.iter().enumerate().skip(a.len()) {
            self.only(scope, at, None, Some(b));
        }
    }

    fn pairs(&mut self, a: &'a [Value], b: &'a [Value], matched: &Matched, scope: &Scope) {
        for &(at, other) in &matched.pairs {
            self.below(scope, Step::Index(at), |walk, scope| {
                walk.values(&a[at], &b[other], scope);
            });
        }
        for &at in &matched.only_a {
            self.only(scope, at, Some(&a[at]), None);
        }
        for &at in &matched.only_b {
            self.only(scope, at, None, Some(&b[at]));
        }
    }

    /// An item that the other array does not have.
    fn only(&mut self, scope: &Scope, at: usize, a: Option<&'a Value>, b: Option<&'a Value>) {
        let kind = if a.is_some() { DifferenceKind::Missing } else { DifferenceKind::Added };
        self.below(scope, Step::Index(at), |walk, _| walk.differ(kind, a, b));
    }

    fn below(&mut self, scope: &Scope, step: Step<'a>, f: impl FnOnce(&mut Self, &Scope)) {
        let inner = self.active.step(scope, step);
        if !inner.ignored {
            self.path.push(step);
            f(self, &inner);
            self.path.pop();
        }
        self.active.back_to(scope);
    }

    fn differ(&mut self, kind: DifferenceKind, a: Option<&'a Value>, b: Option<&'a Value>) {
        self.text.clear();
        self.path.iter().for_each(|step| step.write(&mut self.text));
        let path = if self.path.is_empty() { "body" } else { &self.text };
        self.out.add(path, kind, 1, || samples(self.rules, &self.path, a, b));
    }
}
