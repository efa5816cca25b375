//! Which looks stay.

/// The most looks at a question that stay.
const MAX_LOOKS: i64 = 240;

/// The most questions to an experiment whose looks stay: beyond it those go that nobody has looked at for
/// longest.
pub(super) const MAX_SERIES: i64 = 8;

/// Of the looks up to `last`, the first stays and each that comes this much after one that stays; and the last:
/// 240 at most, and from the 120th on never fewer than 120. When they become too many, every other one goes.
pub(super) const fn stride(last: i64) -> i64 {
    let mut stride = 1;
    while (last - 1) / stride + 2 > MAX_LOOKS {
        stride *= 2;
    }
    stride
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_stay_and_others_evenly_between() {
        let mut kept: Vec<i64> = Vec::new();
        for last in 1..5_000 {
            kept.push(last);
            let stride = stride(last);
            kept.retain(|number| *number == last || (number - 1) % stride == 0);
            assert_eq!((kept[0], kept[kept.len() - 1]), (1, last));
            assert!(kept.len() as i64 <= MAX_LOOKS, "{last}");
            assert!(kept.len() as i64 >= last.min(MAX_LOOKS / 2), "{last}: {}", kept.len());
            let gaps = kept.windows(2).map(|pair| pair[1] - pair[0]);
            assert!(gaps.rev().skip(1).all(|gap| gap == stride), "{last}: {kept:?}");
        }
    }
}
