//! Did each arm get its share?

use crate::sequential::support::{alarms, rows};
use proptest::prelude::*;
use tower_spearmint::stats::sequential::sample_ratio::{Epoch, bayes_factor, evidence};

#[test]
fn the_bayes_factor_is_that_of_fifty_digits() {
    for row in rows("sample_ratio") {
        let (counts, shares) = (row.counts("counts"), row.numbers("shares"));
        let e =
            bayes_factor(&Epoch { counts: &counts, shares: &shares }, row.number("concentration"));
        row.is("ln", e.expect("the input is sound").ln(), 1e-9);
    }
}

#[test]
fn equal_shares_are_called_unequal_in_no_more_streams_than_alpha() {
    let found = alarms(
        400,
        5_000,
        || [0, 0, 0],
        |counts: &mut [u64; 3], chance| counts[(chance.share() * 3.0) as usize] += 1,
        |counts| evidence(&[Epoch { counts, shares: &[1.0; 3] }]).unwrap().rejects(0.05),
    );
    assert!(found <= 20, "{found} of 400");
}

#[test]
fn shares_that_change_are_called_wrong_in_no_more_streams_than_alpha() {
    let shares = [[9.0, 1.0], [1.0, 1.0]];
    let found = alarms(
        400,
        2_000,
        || ([[0_u64; 2]; 2], 0),
        |(counts, seen), chance| {
            let epoch = usize::from(*seen >= 500);
            counts[epoch][usize::from(chance.happens([0.1, 0.5][epoch]))] += 1;
            *seen += 1;
        },
        |(counts, _)| {
            let epochs = [0, 1].map(|at| Epoch { counts: &counts[at], shares: &shares[at] });
            evidence(&epochs).unwrap().rejects(0.05)
        },
    );
    assert!(found <= 20, "{found} of 400");
}

#[test]
fn a_twentieth_of_an_arm_that_is_lost_is_found_in_most_streams() {
    let found = alarms(
        50,
        40_000,
        || [0, 0],
        |counts: &mut [u64; 2], chance| {
            let second = chance.happens(0.5);
            if !(second && chance.happens(0.05)) {
                counts[usize::from(second)] += 1;
            }
        },
        |counts| evidence(&[Epoch { counts, shares: &[1.0; 2] }]).unwrap().rejects(0.05),
    );
    assert!(found >= 40, "{found} of 50");
}

#[test]
fn evidence_of_two_epochs_is_multiplied() {
    let (one, other) = (
        Epoch { counts: &[30, 10], shares: &[1.0, 1.0] },
        Epoch { counts: &[50, 51], shares: &[0.5, 0.5] },
    );
    let both = bayes_factor(&one, 10.0).unwrap().times(&bayes_factor(&other, 10.0).unwrap());
    assert_eq!(
        both.ln(),
        bayes_factor(&one, 10.0).unwrap().ln() + bayes_factor(&other, 10.0).unwrap().ln()
    );
    assert!(both.ln() < bayes_factor(&one, 10.0).unwrap().ln());
}

#[test]
fn no_counts_are_no_evidence() {
    for epochs in [&[][..], &[Epoch { counts: &[0, 0], shares: &[1.0, 0.0] }]] {
        assert!(evidence(epochs).unwrap().ln().abs() < 1e-12);
    }
}

#[test]
fn a_count_where_none_may_be_is_infinite_evidence() {
    let leak = Epoch { counts: &[0, 3], shares: &[1.0, 0.0] };
    let fine = Epoch { counts: &[500, 500], shares: &[1.0, 1.0] };
    let e = evidence(&[fine, leak]).unwrap();
    assert_eq!((e.ln(), e.p_value()), (f64::INFINITY, 0.0));
}

#[test]
fn shares_that_are_none_have_no_evidence() {
    for shares in [&[1.0][..], &[1.0, -1.0], &[0.0, 0.0], &[1.0, f64::NAN], &[1.0, f64::INFINITY]] {
        assert_eq!(evidence(&[Epoch { counts: &[1, 2], shares }]), None, "{shares:?}");
    }
}

proptest! {
    #[test]
    fn nothing_gives_a_number_that_is_none(
        counts in prop::collection::vec(prop_oneof![0..10_u64, 0..=u64::MAX], 2),
        shares in prop::collection::vec(prop_oneof![0.0..1.0, any::<f64>()], 2),
        concentration in any::<f64>(),
    ) {
        let epoch = Epoch { counts: &counts, shares: &shares };
        prop_assert!(!evidence(&[epoch, epoch]).is_some_and(|e| e.ln().is_nan()));
        prop_assert!(!bayes_factor(&epoch, concentration).is_some_and(|e| e.ln().is_nan()));
    }
}
