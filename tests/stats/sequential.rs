//! Answers that stay true however often one looks.

mod support;

mod means;
mod pairs;
mod quantiles;
mod rates;
mod sample_ratio;
