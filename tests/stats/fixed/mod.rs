//! Tests for complete data, against tables that other programs computed.

mod adjust;
mod delta;
mod edges;
mod mcnemar;
mod oracle;
mod power;
mod proportions;
mod quantiles;
mod ranks;
mod relations;
mod resampling;
mod sample_ratio;
mod special;
mod t_tests;
