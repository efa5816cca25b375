//! The distributions, against mpmath at 50 digits.

use serde_json::Value;
use tower_spearmint::stats::special::{
    chi_squared_upper, non_central_t_upper, normal_upper, normal_upper_inverse, stirling_error,
    t_upper, t_upper_inverse,
};

fn table(name: &str) -> Vec<Vec<f64>> {
    let tables: Value =
        serde_json::from_str(include_str!("../../oracles/fixed_special.json")).unwrap();
    let rows = tables[name].as_array().unwrap();
    rows.iter()
        .map(|row| row.as_array().unwrap().iter().map(|cell| cell.as_f64().unwrap()).collect())
        .collect()
}

/// That all rows of a table come out with this relative error at most.
fn agrees(name: &str, within: f64, function: impl Fn(&[f64]) -> f64) {
    let rows = table(name);
    assert!(!rows.is_empty());
    for row in rows {
        let (expected, given) = row.split_last().unwrap();
        let came = function(given);
        // Below this a float has fewer digits.
        if *expected > 1e-300 || *expected == 0.0 {
            assert!(
                (came - expected).abs() <= within * expected.abs(),
                "{name}({given:?}): {came:e}, not {expected:e}: off by {:e}",
                (came / expected - 1.0).abs()
            );
        }
    }
}

#[test]
fn the_normal_tail_is_exact_far_out() {
    agrees("normal_upper", 1e-12, |x| normal_upper(x[0]));
}

#[test]
fn the_tail_of_t_is_exact_far_out_and_for_many_degrees_of_freedom() {
    agrees("t_upper", 3e-12, |x| t_upper(x[0], x[1]));
}

#[test]
fn the_tail_of_chi_squared_is_exact_far_out_and_for_many_degrees_of_freedom() {
    agrees("chi_squared_upper", 1e-12, |x| chi_squared_upper(x[0], x[1]));
}

#[test]
fn what_stirlings_formula_leaves_out_is_exact() {
    agrees("stirling_error", 1e-11, |x| stirling_error(x[0]));
}

#[test]
fn the_non_central_tail_of_t_is_exact() {
    agrees("non_central_t_upper", 1e-11, |x| non_central_t_upper(x[0], x[1], x[2]));
}

#[test]
fn the_inverse_of_a_tail_is_where_the_table_was_asked() {
    for row in table("t_upper") {
        let [t, df, q] = row[..] else { panic!() };
        if q > 1e-300 && t > 0.1 {
            let came = t_upper_inverse(q, df);
            assert!((came / t - 1.0).abs() < 3e-12, "{df} {q:e}: {came}, not {t}");
        }
    }
    for row in table("normal_upper") {
        let [z, q] = row[..] else { panic!() };
        if q > 1e-300 && z > 0.1 {
            let came = normal_upper_inverse(q);
            assert!((came / z - 1.0).abs() < 1e-12, "{q:e}: {came}, not {z}");
        }
    }
}
