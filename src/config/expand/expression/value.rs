//! What expressions compare and calculate with.

use super::{Calculation, Comparison};
use serde_json::Value;
use std::{borrow::Cow, cmp::Ordering};

#[derive(Debug)]
pub(super) enum Operand<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    /// A list or a map.
    Tree(Cow<'a, Value>),
}

impl<'a> From<Cow<'a, Value>> for Operand<'a> {
    fn from(value: Cow<'a, Value>) -> Self {
        match value {
            Cow::Borrowed(Value::String(text)) => Self::Text(Cow::Borrowed(text)),
            Cow::Owned(Value::String(text)) => Self::Text(Cow::Owned(text)),
            value => match &*value {
                Value::Null | Value::String(_) => Self::Null,
                Value::Bool(yes) => Self::Bool(*yes),
                Value::Number(number) => number.as_f64().map_or(Self::Null, Self::Number),
                Value::Array(_) | Value::Object(_) => Self::Tree(value),
            },
        }
    }
}

impl Operand<'_> {
    pub(super) fn is_equal(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Tree(a), Self::Tree(b)) => a == b,
            _ => false,
        }
    }

    /// Numbers by size, texts by their characters; what is not of one kind has no order.
    fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    pub(super) fn compares(&self, comparison: Comparison, other: &Self) -> bool {
        match comparison {
            Comparison::Equal => self.is_equal(other),
            Comparison::NotEqual => !self.is_equal(other),
            Comparison::Less => self.order(other).is_some_and(Ordering::is_lt),
            Comparison::LessOrEqual => self.order(other).is_some_and(Ordering::is_le),
            Comparison::Greater => self.order(other).is_some_and(Ordering::is_gt),
            Comparison::GreaterOrEqual => self.order(other).is_some_and(Ordering::is_ge),
        }
    }

    /// Whether this is a list with such an item.
    pub(super) fn contains(&self, item: &Self) -> bool {
        let Self::Tree(tree) = self else { return false };
        let mut items = tree.as_array().into_iter().flatten();
        items.any(|other| item.is_equal(&Operand::from(Cow::Borrowed(other))))
    }

    pub(super) const fn negated(&self) -> Self {
        match self {
            Self::Number(number) => Self::Number(-*number),
            _ => Self::Null,
        }
    }

    pub(super) fn calculated(&self, calculation: Calculation, other: &Self) -> Self {
        let (Self::Number(a), Self::Number(b)) = (self, other) else { return Self::Null };
        let result = match calculation {
            Calculation::Add => a + b,
            Calculation::Subtract => a - b,
            Calculation::Multiply => a * b,
            Calculation::Divide => a / b,
        };
        if result.is_finite() { Self::Number(result) } else { Self::Null }
    }
}
