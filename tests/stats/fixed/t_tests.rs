//! Two means, against scipy.

use super::oracle::{Numbers, agrees};
use tower_spearmint::stats::fixed::{TTest, paired_t, welch};

fn numbers(test: TTest) -> Numbers {
    let numbers = Numbers::default().with("difference", test.difference).with("df", test.df);
    numbers.with("t", test.t).interval(test.interval).p(test.p)
}

#[test]
fn welchs_t_test_is_as_in_scipy() {
    agrees("welch", 1e-9, |case| {
        welch(case.summary("treatment"), case.summary("control"), case.number("alpha")).map(numbers)
    });
}

#[test]
fn the_paired_t_test_is_as_in_scipy() {
    agrees("paired_t", 1e-9, |case| {
        paired_t(case.summary("differences"), case.number("alpha")).map(numbers)
    });
}
