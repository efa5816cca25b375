//! Several p-values, against statsmodels.

use super::oracle::{Numbers, agrees};
use tower_spearmint::stats::fixed::{benjamini_hochberg, holm};

#[test]
fn holms_adjustment_is_as_in_statsmodels() {
    agrees("holm", 1e-12, |case| {
        holm(&case.numbers("p")).map(|adjusted| Numbers::default().row("adjusted", adjusted))
    });
}

#[test]
fn benjamini_and_hochbergs_adjustment_is_as_in_statsmodels() {
    agrees("benjamini_hochberg", 1e-12, |case| {
        let adjusted = benjamini_hochberg(&case.numbers("p"))?;
        Some(Numbers::default().row("adjusted", adjusted))
    });
}
