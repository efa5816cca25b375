//! Units that come back in another epoch.
//!
//! Under sticky assignment a unit keeps its arm when weights or rules change, and is exposed for the first time in
//! the new epoch, too. So the counts of epochs may be those of the same units, and one that is out of
//! balance by chance is so in all of them: their evidence must not be multiplied.

use crate::stats::sequential::{
    EValue,
    sample_ratio::{self, Epoch},
};

/// The evidence against the shares of epochs that may hold the same units; each with its place among all epochs,
/// from 0, which is to stay the same when others are added. 1 if there are none.
///
/// That of the epoch with the most, after the epoch at place `k` (from 1) is divided by `k (k + 1)`. Each
/// reaches `1 / alpha` in `alpha` of all experiments at most, and the inverses of `k (k + 1)` add up to 1: so does
/// the largest, however epochs depend on one another and however often one looks. (Their sum would do
/// for one look: what is an even bet within an epoch is none for who has seen the one before.)
pub(super) fn evidence<'a>(epochs: impl IntoIterator<Item = (usize, Epoch<'a>)>) -> Option<EValue> {
    let each = epochs.into_iter().map(|(place, epoch)| {
        let place = place as f64;
        EValue::from_ln(
            sample_ratio::evidence(&[epoch])?.ln() - ((place + 1.0) * (place + 2.0)).ln(),
        )
    });
    each.reduce(|one, other| {
        let (one, other) = (one?, other?);
        Some(if one.ln() >= other.ln() { one } else { other })
    })
    .unwrap_or(Some(EValue::ONE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVEN: &[f64] = &[0.5, 0.5];

    fn epoch(counts: &[u64]) -> Epoch<'_> {
        Epoch { counts, shares: EVEN }
    }

    #[test]
    fn the_same_counts_again_are_no_more_evidence() {
        let counts = [560, 440];
        let once = evidence([(0, epoch(&counts))]).unwrap();
        let often = evidence((0..10).map(|place| (place, epoch(&counts)))).unwrap();
        assert_eq!(often, once);
        let alone = sample_ratio::evidence(&[epoch(&counts)]).unwrap();
        assert!((alone.value() / once.value() - 2.0).abs() < 1e-9, "{alone:?} {once:?}");
    }

    #[test]
    fn an_epoch_counts_by_its_place() {
        let (even, broken) = ([500, 500], [600, 400]);
        let found = evidence([(0, epoch(&even)), (2, epoch(&broken))]).unwrap();
        let alone = sample_ratio::evidence(&[epoch(&broken)]).unwrap();
        assert!((alone.value() / found.value() - 12.0).abs() < 1e-6, "{alone:?} {found:?}");
    }

    #[test]
    fn what_cannot_be_cannot_be_in_any_epoch() {
        let none = Epoch { counts: &[10, 1], shares: &[1.0, 0.0] };
        assert_eq!(evidence([(0, epoch(&[5, 5])), (1, none)]), Some(EValue::INFINITE));
        assert_eq!(evidence([]), Some(EValue::ONE));
        let unsound = Epoch { counts: &[1], shares: EVEN };
        assert_eq!(evidence([(0, epoch(&[5, 5])), (1, unsound)]), None);
    }

    /// A thousand units, all of which come in each of ten epochs, beginning with any of them.
    #[test]
    fn units_that_come_back_are_called_a_broken_split_in_few_experiments() {
        const EXPERIMENTS: u32 = 4_000;
        let mut state = 3_u64;
        let mut chance = move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ mixed >> 31
        };
        let mut wrong = 0;
        for _ in 0..EXPERIMENTS {
            let units: Vec<usize> = (0..1_000).map(|_| usize::from(chance() % 2 == 0)).collect();
            let mut epochs: Vec<[u64; 2]> = Vec::new();
            let said = (0..10).any(|_| {
                epochs.push([0; 2]);
                let from = (chance() % 1_000) as usize;
                let (late, early) = units.split_at(from);
                [early, late].into_iter().any(|some| {
                    for arm in some {
                        epochs.last_mut().unwrap()[*arm] += 1;
                    }
                    let seen = epochs.iter().map(|counts| epoch(counts));
                    evidence(seen.enumerate()).unwrap().rejects(0.01)
                })
            });
            wrong += u32::from(said);
        }
        assert!(wrong <= EXPERIMENTS / 100, "{wrong} of {EXPERIMENTS}");
        assert!(wrong > 0);
    }
}
