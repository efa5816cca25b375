//! Many questions at once: p-values that count how many were asked.

/// Holm's adjusted p-values: those at most alpha may be rejected, and the chance that any of them
/// is wrongly so is at most alpha, however they depend on each other.
///
/// In ascending order, the i-th (from 1) of m becomes the largest of (m − j + 1) pⱼ for j ≤ i, at
/// most 1 (Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6,
/// 1979). In the order given. `None` if one is not between 0 and 1.
///
/// ```
/// use tower_spearmint::stats::fixed::holm;
///
/// assert_eq!(holm(&[0.25, 0.125, 0.5]), Some(vec![0.5, 0.375, 0.5]));
/// assert_eq!(holm(&[0.25, f64::NAN]), None);
/// ```
pub fn holm(p: &[f64]) -> Option<Vec<f64>> {
    let order = ascending(p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut largest = 0.0_f64;
    for (before, (at, p)) in order.iter().enumerate() {
        largest = largest.max((order.len() - before) as f64 * p).min(1.0);
        *adjusted.get_mut(*at)? = largest;
    }
    Some(adjusted)
}

/// Benjamini and Hochberg's adjusted p-values: of those at most alpha that are rejected, at most
/// the share alpha is wrongly so on average, if they are independent (or depend on each other
/// positively).
///
/// In ascending order, the i-th (from 1) of m becomes the smallest of m pⱼ/j for j ≥ i, at most 1
/// (Benjamini and Hochberg, "Controlling the false discovery rate", J. R. Stat. Soc. B 57, 1995).
/// In the order given. `None` if one is not between 0 and 1.
///
/// ```
/// use tower_spearmint::stats::fixed::benjamini_hochberg;
///
/// assert_eq!(benjamini_hochberg(&[0.25, 0.125, 0.5]), Some(vec![0.375, 0.375, 0.5]));
/// ```
pub fn benjamini_hochberg(p: &[f64]) -> Option<Vec<f64>> {
    let order = ascending(p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut smallest = 1.0_f64;
    for (before, (at, p)) in order.iter().enumerate().rev() {
        smallest = smallest.min(order.len() as f64 / (before + 1) as f64 * p);
        *adjusted.get_mut(*at)? = smallest;
    }
    Some(adjusted)
}

/// Their places and values, the smallest first.
fn ascending(p: &[f64]) -> Option<Vec<(usize, f64)>> {
    let mut order: Vec<(usize, f64)> = p.iter().copied().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    p.iter().all(|p| (0.0..=1.0).contains(p)).then_some(order)
}
