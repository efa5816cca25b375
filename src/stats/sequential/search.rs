//! Where an interval ends.

/// The end of what is within, between a value that is and one beyond: where `excess`, which is
/// negative within, becomes positive. It is known to 14 digits, and the outer of the two neighbours
/// is taken. If all is within, that is `beyond`.
///
/// By the rule of false position in its Illinois form (Dowell & Jarratt, BIT 11, 1971), with every
/// third step a halving, so that it ends soon for any function.
pub(super) fn end(inside: f64, beyond: f64, excess: impl Fn(f64) -> f64) -> f64 {
    const DIGITS: f64 = 1e-14;
    let (mut near, mut far) = ((inside, excess(inside)), (beyond, excess(beyond)));
    if near.1 >= 0.0 {
        return inside;
    }
    let mut moved_far = None;
    for step in 0..200 {
        // A value that is no number refutes nothing.
        let all_within = far.1 < 0.0 || far.1.is_nan();
        let (width, least) = (far.0 - near.0, 0.5 * DIGITS * far.0.abs().max(near.0.abs()));
        if all_within || width.abs() <= 2.0 * least {
            break;
        }
        // At least a last digit from either end, so that the one which is there already does not
        // stay alone.
        let share =
            if step % 3 == 2 || far.1.is_infinite() { 0.5 } else { near.1 / (near.1 - far.1) };
        let least = (least / width.abs()).min(0.5);
        let between = near.0 + share.clamp(least, 1.0 - least) * width;
        if between == near.0 || between == far.0 {
            break;
        }
        let value = excess(between);
        if value >= 0.0 {
            far = (between, value);
            near.1 *= if moved_far == Some(true) { 0.5 } else { 1.0 };
            moved_far = Some(true);
        } else {
            near = (between, value);
            far.1 *= if moved_far == Some(false) { 0.5 } else { 1.0 };
            moved_far = Some(false);
        }
    }
    far.0
}
