//! Counts against shares, against scipy.

use super::oracle::{Numbers, agrees};
use tower_spearmint::stats::fixed::sample_ratio;

#[test]
fn the_chi_squared_test_of_a_sample_ratio_is_as_in_scipy() {
    agrees("sample_ratio", 1e-9, |case| {
        let test = sample_ratio(&case.counts("counts"), &case.numbers("shares"))?;
        let numbers = Numbers::default().with("statistic", test.statistic).with("p", test.p);
        Some(numbers.with("df", test.df as f64))
    });
}

#[test]
fn counts_and_shares_must_be_as_many_and_no_share_negative() {
    assert_eq!(sample_ratio(&[1, 2], &[1.0]), None);
    assert_eq!(sample_ratio(&[1, 2], &[1.0, -1.0]), None);
    assert_eq!(sample_ratio(&[1, 2], &[1.0, f64::INFINITY]), None);
}
