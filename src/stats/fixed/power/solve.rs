//! Where a rising function is 0.

/// Between `low` and `high`; `None` if it is not below 0 at `low` and above it at `high`, or has no
/// value on the way.
///
/// Bisection and the secant in turn, the weight of an end that stays halved (Dowell and Jarratt, "A
/// modified regula falsi method for computing the root of an equation", BIT 11, 1971).
pub(super) fn rising(low: f64, high: f64, function: impl Fn(f64) -> Option<f64>) -> Option<f64> {
    let (mut low, mut high) = (low, high);
    let (mut below, mut above) = (function(low)?, function(high)?);
    if !(below < 0.0 && above >= 0.0) {
        return None;
    }
    for step in 0..200 {
        let secant = low + (high - low) * (below / (below - above));
        let middle = 0.5 * (low + high);
        let at = if step % 3 == 2 || !(low < secant && secant < high) { middle } else { secant };
        if high - low <= 1e-14 * high.abs().max(low.abs()) || at <= low || at >= high {
            break;
        }
        let value = function(at)?;
        if value == 0.0 {
            return Some(at);
        }
        if value < 0.0 {
            (low, below) = (at, value);
            above *= 0.5;
        } else {
            (high, above) = (at, value);
            below *= 0.5;
        }
    }
    Some(high)
}
