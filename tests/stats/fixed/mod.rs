//! Tests for complete data, against tables that other programs computed.

mod delta;
mod edges;
mod oracle;
mod proportions;
mod ranks;
mod special;
mod t_tests;
