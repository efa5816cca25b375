//! Every class of edge that the table has cases of.

use super::support::rows;
use std::collections::BTreeSet;

const EDGES: [(&str, [&str; 6]); 12] = [
    ("sample_ratio", ["ordinary", "none", "one", "equal", "zero", "huge"]),
    ("rates", ["ordinary", "none", "one", "equal", "zero", "huge"]),
    ("rate_ratio", ["ordinary", "none", "one", "equal", "zero", "huge"]),
    ("rate", ["ordinary", "none", "one", "equal", "zero", "huge"]),
    ("rate_difference", ["ordinary", "none", "one", "equal", "zero", "huge"]),
    ("pairs", ["ordinary", "none", "one", "equal", "zero", "huge"]),
    ("quantile", ["ordinary", "none", "one", "equal", "zero", "huge"]),
    ("two_quantiles", ["ordinary", "none", "one", "equal", "zero", "huge"]),
    ("quantile_region", ["ordinary", "none", "one", "equal", "zero", "huge"]),
    ("means", ["ordinary", "none", "one", "equal", "zero", "huge"]),
    ("betting", ["ordinary", "none", "one", "equal", "zero", "huge"]),
    ("clusters", ["ordinary", "none", "one", "equal", "zero", "huge"]),
];

#[test]
fn every_method_has_a_case_of_every_edge() {
    for (method, edges) in EDGES {
        let found: BTreeSet<_> = rows(method).map(|row| row.text("edge")).collect();
        assert_eq!(found, BTreeSet::from(edges), "{method}");
    }
}
