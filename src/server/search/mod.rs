//! The grammar of MLflow's searches.
//!
//! A filter is a list of comparisons, all of which must hold; `AND` may stand between them:
//!
//! ```text
//! metrics.loss < 0.5 AND params.`learning rate` = '0.1' AND tags.team IS NOT NULL
//! ```
//!
//! [`lexer`] knows quotes, numbers and operators, [`clause`] reads them as comparisons of names
//! and values, and what the names mean is told by who searches: [`run_filter`] and [`order`] for runs,
//! [`experiments`] for experiments, [`registry`] for models and their versions, [`logged_models`] for
//! logged models, [`traces`] and [`trace_order`] for traces. What comes out is typed ([`condition`]), can be asked of a value
//! in memory, and writes itself as SQL ([`sql`]); [`sort`] compares, pages and merges what was
//! found.
//!
//! MLflow's own parser is one for SQL. Its accidents are not repeated: a name that is a word of
//! SQL needs no quotes here (`params.values`), and where it lets a name be empty, or begin with a
//! space, that is an error here.

mod clause;
mod condition;
mod experiments;
mod lexer;
mod logged_models;
mod order;
mod registry;
mod run_filter;
mod sort;
mod sql;
#[cfg(test)]
mod tests;
mod trace_order;
mod traces;

pub(super) use condition::{NumberComparator, NumberTest, TextTest};
pub(super) use experiments::{ExperimentCondition, ExperimentKey, ExperimentOrder};
pub(super) use logged_models::{LoggedModelCondition, LoggedModelField, LoggedModelKey};
pub(super) use order::{OrderBy, OrderKey};
pub(super) use registry::{Registered, RegistryCondition, RegistryKey, RegistryOrder};
pub(super) use run_filter::{DatasetField, RunCondition, TextAttribute, TimeAttribute};
pub(super) use sort::{Cell, MISSING, NAN, SortKey, merge};
pub(super) use sql::{SortColumn, Sql};
pub(super) use trace_order::{TraceKey, TraceOrder};
pub(super) use traces::{
    AssessmentTest, SpanCondition, SpanField, TraceCondition, TraceNumber, TraceText,
};
