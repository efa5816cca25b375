//! Conditions over a config, as in `temperature > 0.8 and model in ['a', 'b']`.
//!
//! Small and total: every expression has a value for every config. What makes no sense (`'a' + 1`,
//! a division by 0) is `null`; a comparison of unlike kinds is false; only `true` is true.

mod lexer;
mod parser;
mod value;

use super::SpaceError;
use serde_json::Value;
use std::{borrow::Cow, fmt};
use value::Operand;

/// A condition, parsed.
#[derive(Debug)]
pub(super) struct Expression {
    text: String,
    root: Expr,
    /// Every path in it, with its column.
    paths: Vec<(Path, usize)>,
    /// How many tokens it has: what it costs to look at a config.
    weight: u64,
}

type Path = Box<[Box<str>]>;

/// Gives the value at a path.
type Find<'f, 'a> = dyn Fn(&[Box<str>]) -> Option<Cow<'a, Value>> + 'f;

#[derive(Debug)]
enum Expr {
    Literal(Value),
    Path(Path),
    List(Vec<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare(Comparison, Box<Self>, Box<Self>),
    In(Box<Self>, Box<Self>),
    Negate(Box<Self>),
    Calculate(Calculation, Box<Self>, Box<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calculation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExpressionError {
    text: String,
    /// In characters, from 1.
    column: usize,
    message: String,
}

impl Expression {
    pub(super) fn parse(text: &str) -> Result<Self, ExpressionError> {
        parser::parse(text)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = (&[Box<str>], usize)> {
        self.paths.iter().map(|(path, column)| (&**path, *column))
    }

    pub(super) const fn weight(&self) -> u64 {
        self.weight
    }

    /// An error about what stands at a column of it.
    pub(super) fn error(&self, column: usize, message: String) -> ExpressionError {
        ExpressionError { text: self.text.clone(), column, message }
    }

    /// Whether it is true, where `find` gives the value at a path.
    pub(super) fn holds<'a>(&'a self, find: &Find<'_, 'a>) -> bool {
        self.root.holds(find)
    }
}

impl Expr {
    fn holds<'a>(&'a self, find: &Find<'_, 'a>) -> bool {
        match self {
            Self::All(all) => all.iter().all(|expr| expr.holds(find)),
            Self::Any(any) => any.iter().any(|expr| expr.holds(find)),
            Self::Not(expr) => !expr.holds(find),
            Self::Compare(comparison, left, right) => {
                left.value(find).compares(*comparison, &right.value(find))
            }
            Self::In(item, list) => {
                let item = item.value(find);
                match &**list {
                    Self::List(items) => {
                        items.iter().any(|other| item.is_equal(&other.value(find)))
                    }
                    list => list.value(find).contains(&item),
                }
            }
            _ => matches!(self.value(find), Operand::Bool(true)),
        }
    }

    fn value<'a>(&'a self, find: &Find<'_, 'a>) -> Operand<'a> {
        match self {
            Self::Literal(value) => Operand::from(Cow::Borrowed(value)),
            Self::Path(path) => find(path).map_or(Operand::Null, Operand::from),
            Self::Negate(expr) => expr.value(find).negated(),
            Self::Calculate(calculation, left, right) => {
                left.value(find).calculated(*calculation, &right.value(find))
            }
            // The parser puts lists only behind `in`.
            Self::List(_) => Operand::Null,
            _ => Operand::Bool(self.holds(find)),
        }
    }
}

impl ExpressionError {
    /// As an error about what stands at `path` of a template.
    pub(super) fn at(self, path: &str) -> SpaceError {
        SpaceError::new(path, self.to_string())
    }
}

impl fmt::Display for ExpressionError {
    /// The message, and below it the text with a caret under the place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const BEFORE: usize = 50;
        const SHOWN: usize = 76;
        let skipped = self.column.saturating_sub(BEFORE + 1);
        let cut = if skipped > 0 { "…" } else { "" };
        let shown: String = self
            .text
            .chars()
            .skip(skipped)
            .take(SHOWN)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let caret = self.column - skipped + cut.chars().count();
        write!(f, "column {}: {}\n  {cut}{shown}\n  {:>caret$}", self.column, self.message, '^')
    }
}
