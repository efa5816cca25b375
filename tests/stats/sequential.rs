//! Answers that stay true however often one looks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

mod betting;
mod clusters;
mod e_values;
mod edges;
mod means;
mod pairs;
mod quantile_clusters;
mod quantiles;
mod rates;
mod sample_ratio;
