//! What is shown of two values that differ: their beginning, without what must not be shown.

use super::{
    JsonRules,
    difference::{MAX_SAMPLE, floor},
    pattern::{Active, Scope, Step},
};
use crate::config::REDACTED;
use serde_json::Value;

/// How much of two texts is shown before the place where they part.
const BEFORE: usize = 32;

/// Samples of the values at `path`.
pub(super) fn samples<'a>(
    rules: &'a JsonRules,
    path: &[Step<'_>],
    primary: Option<&'a Value>,
    shadow: Option<&'a Value>,
) -> (Option<String>, Option<String>) {
    let mut active = Active::default();
    let root = active.root(&rules.root, rules.tolerance);
    let scope = path.iter().fold(root, |scope, step| active.step(&scope, *step));
    let secret =
        path.iter().any(|step| matches!(step, Step::Key(key) if rules.secrets.matches(key)));
    if !scope.redacted
        && !secret
        && let (Some(Value::String(primary)), Some(Value::String(shadow))) = (primary, shadow)
    {
        let (primary, shadow) = texts(primary, shadow);
        return (Some(primary), Some(shadow));
    }
    let mut sample = |value: Option<&'a Value>| {
        let value = value?;
        let mut out = String::new();
        Writer { rules, active: &mut active, out: &mut out }.value(value, &scope, secret);
        Some(out)
    };
    (sample(primary), sample(shadow))
}

/// Samples of two texts, as JSON strings; of long ones the parts around the place where they part.
pub(crate) fn texts(primary: &str, shadow: &str) -> (String, String) {
    let same = primary.bytes().zip(shadow.bytes()).take_while(|(a, b)| a == b).count();
    let fits = primary.len().max(shadow.len()) <= MAX_SAMPLE / 2;
    let start = if fits { 0 } else { floor(primary, same.saturating_sub(BEFORE)) };
    let sample = |text: &str| {
        let mut out = String::new();
        if start > 0 {
            out.push('…');
        }
        write_text(&mut out, &text[start..]);
        out
    };
    (sample(primary), sample(shadow))
}

fn write_text(out: &mut String, text: &str) {
    // One byte more than is kept, so that the cut shows.
    let text = &text[..floor(text, MAX_SAMPLE + 1)];
    // A text always serialises.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

struct Writer<'w, 'a> {
    rules: &'a JsonRules,
    active: &'w mut Active<'a>,
    out: &'w mut String,
}

impl<'a> Writer<'_, 'a> {
    fn value(&mut self, value: &'a Value, scope: &Scope, secret: bool) {
        if self.out.len() > MAX_SAMPLE {
            return;
        }
        // Nothing is hidden by hiding that a secret is not set.
        if scope.redacted || (secret && !(value.is_null() || value.is_boolean())) {
            self.out.push_str(REDACTED);
            return;
        }
        match value {
            Value::Object(map) => {
                let entries = map.iter().map(|(key, value)| (Step::Key(key), value));
                self.container('{', entries, '}', scope);
            }
            Value::Array(items) => {
                let items = items.iter().enumerate().map(|(at, item)| (Step::Index(at), item));
                self.container('[', items, ']', scope);
            }
            Value::String(text) => write_text(self.out, text),
            scalar => self.out.push_str(&scalar.to_string()),
        }
    }

    fn container(
        &mut self,
        open: char,
        entries: impl Iterator<Item = (Step<'a>, &'a Value)>,
        close: char,
        scope: &Scope,
    ) {
        self.out.push(open);
        for (at, (step, value)) in entries.enumerate() {
            if self.out.len() > MAX_SAMPLE {
                return;
            }
            if at > 0 {
                self.out.push(',');
            }
            let mut secret = false;
            if let Step::Key(key) = step {
                write_text(self.out, key);
                self.out.push(':');
                secret = self.rules.secrets.matches(key);
            }
            let inner = self.active.step(scope, step);
            self.value(value, &inner, secret);
            self.active.back_to(scope);
        }
        self.out.push(close);
    }
}
