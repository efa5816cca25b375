//! Answers that stay true however often one looks.

mod support;

mod sample_ratio;
