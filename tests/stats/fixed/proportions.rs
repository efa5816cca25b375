//! Shares, against statsmodels and scipy.

use super::oracle::{Case, Numbers, agrees};
use tower_spearmint::stats::fixed::{
    Proportion, fisher_exact, newcombe, pooled_z, relative_risk, wilson,
};

fn sides(case: &Case) -> (Proportion, Proportion) {
    (case.proportion("treatment"), case.proportion("control"))
}

#[test]
fn wilsons_interval_is_as_in_statsmodels() {
    agrees("wilson", 1e-9, |case| {
        let interval = wilson(case.proportion("proportion"), case.number("alpha"))?;
        Some(Numbers::default().interval(interval))
    });
}

#[test]
fn newcombes_interval_is_as_in_statsmodels() {
    agrees("newcombe", 1e-9, |case| {
        let (treatment, control) = sides(case);
        let apart = newcombe(treatment, control, case.number("alpha"))?;
        Some(Numbers::default().with("difference", apart.difference).interval(apart.interval))
    });
}

#[test]
fn the_pooled_z_test_is_as_in_statsmodels() {
    agrees("pooled_z", 1e-9, |case| {
        let (treatment, control) = sides(case);
        let test = pooled_z(treatment, control)?;
        Some(Numbers::default().with("z", test.z).p(test.p))
    });
}

#[test]
fn fishers_exact_test_is_as_in_scipy() {
    agrees("fisher_exact", 1e-9, |case| {
        let (treatment, control) = sides(case);
        Some(Numbers::default().p(fisher_exact(treatment, control)?))
    });
}

#[test]
fn the_relative_risk_is_as_in_statsmodels() {
    agrees("relative_risk", 1e-9, |case| {
        let (treatment, control) = sides(case);
        let risk = relative_risk(treatment, control, case.number("alpha"))?;
        Some(Numbers::default().with("ratio", risk.ratio).interval(risk.interval))
    });
}
