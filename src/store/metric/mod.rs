//! Numbers that services say of their branches.
//!
//! Each value is a row beside its branch; a branch without any costs nothing. A name has a small
//! key in its experiment. The first 64 names of an experiment are rolled up; the values of
//! others stay with their branch only, and beyond 1,024 names they are not kept. How many were left
//! out stands in `metric_beyond`.

mod names;
mod tables;
mod values;

pub use values::MetricsBeyond;

#[cfg(feature = "server")]
pub(crate) use values::{is_metric, metric_of};

pub(super) use names::MetricNames;
pub(super) use tables::{SINCE_VERSION, VERSION_6};
#[cfg(feature = "report")]
pub(super) use values::values_of;
pub(super) use values::{ROW_BYTES, Values, any, beyond, insert, name_of, of_branch, rolled_up_of};
