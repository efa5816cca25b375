//! Order alone, against scipy.

use super::oracle::{Case, Numbers, agrees};
use tower_spearmint::stats::fixed::{
    MannWhitney, TwoSamples, hodges_lehmann, mann_whitney, mann_whitney_exact,
};

fn samples(case: &Case) -> TwoSamples {
    TwoSamples::of(&case.numbers("treatment"), &case.numbers("control")).unwrap()
}

fn numbers(test: MannWhitney) -> Numbers {
    Numbers::default().with("u", test.u).with("superiority", test.superiority).p(test.p)
}

#[test]
fn the_mann_whitney_test_is_as_in_scipy() {
    agrees("mann_whitney", 1e-9, |case| mann_whitney(&samples(case)).map(numbers));
}

#[test]
fn the_exact_mann_whitney_test_is_as_in_scipy() {
    agrees("mann_whitney_exact", 1e-9, |case| mann_whitney_exact(&samples(case)).map(numbers));
}

#[test]
fn histograms_of_a_trillion_are_ranked_to_the_last_digits() {
    agrees("mann_whitney_buckets", 1e-9, |case| {
        let buckets = case.given["buckets"].as_array().unwrap();
        let buckets = buckets.iter().map(|bucket| {
            let cell = |at: usize| bucket[at].as_u64().unwrap();
            (cell(0) as f64, cell(1), cell(2))
        });
        mann_whitney(&TwoSamples::from_buckets(buckets).unwrap()).map(numbers)
    });
}

#[test]
fn the_hodges_lehmann_shift_is_the_median_of_all_differences() {
    agrees("hodges_lehmann", 1e-12, |case| {
        let shift = hodges_lehmann(&samples(case), case.number("alpha"))?;
        Some(Numbers::default().with("shift", shift.shift).interval(shift.interval))
    });
}

#[test]
fn a_value_that_is_no_number_has_no_rank() {
    assert_eq!(TwoSamples::of(&[1.0, f64::NAN], &[1.0]), None);
    assert_eq!(TwoSamples::from_buckets([(1.0, u64::MAX, 0), (2.0, 1, 0)]), None);
}
