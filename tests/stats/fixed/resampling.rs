//! Permutation and bootstrap, against scipy with the same random numbers.

use super::oracle::{Case, Numbers, agrees};
use tower_spearmint::stats::fixed::{Resampling, bootstrap, bootstrap_two, permutation};

fn resampling(case: &Case) -> Resampling {
    Resampling { rounds: case.count("rounds").try_into().unwrap(), seed: case.count("seed") }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { 0.5 * (sorted[middle - 1] + sorted[middle]) }
}

#[test]
fn the_permutation_test_is_as_in_scipy() {
    agrees("permutation", 1e-12, |case| {
        let (treatment, control) = (case.numbers("treatment"), case.numbers("control"));
        let test = permutation(&treatment, &control, resampling(case))?;
        let numbers = Numbers::default().with("difference", test.difference).p(test.p);
        Some(numbers.with("exact", f64::from(u8::from(test.exact))))
    });
}

#[test]
fn bootstrap_intervals_are_as_in_scipy() {
    agrees("bootstrap", 1e-9, |case| {
        let samples: Vec<Vec<f64>> = serde_json::from_value(case.given["samples"].clone()).unwrap();
        let (alpha, resampling) = (case.number("alpha"), resampling(case));
        let found = match case.given["statistic"].as_str().unwrap() {
            "mean" => bootstrap(&samples[0], mean, alpha, resampling),
            "median" => bootstrap(&samples[0], median, alpha, resampling),
            "difference" => {
                let difference = |a: &[f64], b: &[f64]| mean(a) - mean(b);
                bootstrap_two(&samples[0], &samples[1], difference, alpha, resampling)
            }
            other => panic!("{other}"),
        }?;
        let mut numbers = Numbers::default().with("estimate", found.estimate);
        numbers = numbers.with("percentile_low", found.percentile.low);
        numbers = numbers.with("percentile_high", found.percentile.high);
        if let Some(bca) = found.bca {
            numbers = numbers.with("bca_low", bca.low).with("bca_high", bca.high);
        }
        Some(numbers)
    });
}

#[test]
fn rounds_are_bounded() {
    let values = [1.0, 2.0, 3.0];
    for rounds in [0, Resampling::MOST_ROUNDS + 1] {
        let resampling = Resampling { rounds, seed: 0 };
        assert_eq!(permutation(&values, &values, resampling), None);
        assert_eq!(bootstrap(&values, mean, 0.05, resampling), None);
    }
}

#[test]
fn the_same_seed_draws_the_same_and_another_one_another() {
    let values: Vec<f64> = (0..30).map(f64::from).collect();
    let draw = |seed| bootstrap(&values, mean, 0.05, Resampling { rounds: 100, seed });
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}
