use super::*;
use crate::{
    report::effect::TRIALS,
    stats::sequential::means::{self, Estimate},
};

fn arm(count: u64, value: f64, variance: f64) -> Estimate {
    Estimate { value, variance: variance / count as f64, count, smallest: count }
}

/// Units of which nothing is known from before.
fn units(count: u64, x_mean: f64, x_variance: f64) -> Units {
    let joint = JointSummary { count, x_mean, x_variance, ..JointSummary::default() };
    Units { joint, units_before: 0 }
}

fn relative(one: &Estimate, other: &Estimate, positive: bool) -> Interval {
    let arms = [*one, *other];
    Means { plain: arms, adjusted: arms, covariance: 0.0 }.relative(positive, 0.05)
}

/// The units of an arm, as they come.
#[derive(Debug, Clone, Copy, Default)]
struct Followed {
    exposed: u64,
    sum: f64,
    squares: f64,
    units_before: u64,
    sum_before: f64,
    squares_before: f64,
    products: f64,
}

impl Followed {
    /// Another unit that was exposed, and what it did.
    fn unit(&mut self, before: f64, after: f64) {
        self.exposed += 1;
        self.goes_on(0.0, after);
        self.units_before += u64::from(before != 0.0);
        self.sum_before += before;
        self.squares_before += before * before;
        self.products += before * after;
    }

    /// What came after was this, and is that.
    fn goes_on(&mut self, was: f64, is: f64) {
        self.sum += is - was;
        self.squares += is * is - was * was;
    }

    fn units(&self) -> Units {
        let Self { exposed, sum, squares, units_before, sum_before, squares_before, products } =
            *self;
        let joint =
            JointSummary::from_sums(exposed, sum, sum_before, squares, products, squares_before);
        Units { joint: joint.unwrap(), units_before }
    }
}

fn of(epochs: &[[Followed; 2]]) -> Means {
    let units: Vec<_> = epochs.iter().map(|arms| arms.each_ref().map(Followed::units)).collect();
    Means::of(&units)
}

/// Whether both arms are told apart.
fn tells(means: &Means) -> bool {
    !means.relative(true, 0.05).contains(0.0)
}

/// The same numbers from 0 to 1 on every machine (SplitMix64).
fn chances(mut state: u64) -> impl FnMut() -> f64 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) | 1) as f64 / 2_f64.powi(64)
    }
}

/// What a unit does before and after, with a correlation of 0.7; both have a heavy tail, of which the fourth moment
/// is infinite.
fn heavy(chance: &mut impl FnMut() -> f64) -> [f64; 2] {
    let [one, other] = std::array::from_fn(|_| chance().powf(-0.3));
    [one, 0.7 * one + 0.51_f64.sqrt() * other]
}

#[test]
fn of_few_observations_or_near_zero_nothing_is_said() {
    for (one, other) in [
        (arm(99, 10.0, 25.0), arm(5_000, 20.0, 25.0)),
        (arm(5_000, 0.0, 0.0), arm(5_000, 0.1, 0.09)),
    ] {
        assert_eq!(relative(&one, &other, true), Interval::EVERYTHING);
    }
    // One purchase of the baseline's, ten of the candidate's.
    let (one, other) = (arm(5_000, 0.000_2, 0.000_2), arm(5_000, 0.002, 0.002));
    assert!(relative(&one, &other, true).contains(0.0));
}

#[test]
fn of_a_baseline_that_may_be_zero_there_is_no_most() {
    // Two purchases of the baseline's, a hundred of the candidate's.
    let (one, other) = (arm(5_000, 0.000_4, 0.000_4), arm(5_000, 0.02, 0.019_6));
    let Interval { low, high } = relative(&one, &other, true);
    assert!(low > 1.0 && low < 49.0 && high.is_infinite(), "{low} {high}");
    // Nor a least, if the baseline's may be below 0.
    assert_eq!(relative(&one, &other, false), Interval::EVERYTHING);
    // At the end, `b − q a` is as far from 0 as it may be.
    let q = low + 1.0;
    let rest = Estimate {
        value: other.value - q * one.value,
        variance: other.variance + q * q * one.variance,
        count: 10_000,
        smallest: 5_000,
    };
    let end = means::interval(&rest, 0.05, TRIALS).unwrap().low;
    assert!(end.abs() < 1e-9, "{end}");
}

/// Units come at every look, and buy with a delay, some of them again and again.
#[test]
fn units_that_go_on_buying_make_something_of_nothing_in_few_experiments() {
    const EXPERIMENTS: u32 = 1_000;
    let mut chance = chances(5);
    let mut wrong = 0;
    for _ in 0..EXPERIMENTS {
        let mut arms: [[Followed; 2]; 1] = Default::default();
        // Of each unit its arm, how often it buys at a look, and what it bought so far.
        let mut units: Vec<(usize, f64, f64)> = Vec::new();
        let said = (0..40).any(|_| {
            for _ in 0..50 {
                let arm = usize::from(chance() < 0.5);
                units.push((arm, chance().powi(8) * 0.3, 0.0));
                arms[0][arm].exposed += 1;
            }
            for (arm, buying, bought) in &mut units {
                if chance() < *buying {
                    arms[0][*arm].goes_on(*bought, *bought + 1.0);
                    *bought += 1.0;
                }
            }
            tells(&of(&arms))
        });
        wrong += u32::from(said);
    }
    assert!(wrong <= EXPERIMENTS / 20, "{wrong} of {EXPERIMENTS}");
}

/// One in ten gets the candidate, and one in 200 buys: of its first units most often none.
#[test]
fn few_units_of_which_none_bought_yet_are_not_certain_to_buy_less() {
    const EXPERIMENTS: u32 = 1_000;
    let mut chance = chances(7);
    let mut wrong = 0;
    for _ in 0..EXPERIMENTS {
        let mut arms = [Followed::default(); 2];
        let said = (0..40).any(|_| {
            for _ in 0..200 {
                let arm = &mut arms[usize::from(chance() < 0.1)];
                arm.unit(0.0, f64::from(u8::from(chance() < 0.005)));
            }
            tells(&of(&[arms]))
        });
        wrong += u32::from(said);
    }
    assert!(wrong <= EXPERIMENTS / 20, "{wrong} of {EXPERIMENTS}");
}

/// A hundredth gets the candidate at first, of which none buys, and then half.
#[test]
fn an_epoch_in_which_the_candidate_had_few_units_says_little() {
    const EXPERIMENTS: u32 = 300;
    let mut chance = chances(11);
    let mut wrong = 0;
    for _ in 0..EXPERIMENTS {
        let mut epochs = [[Followed::default(); 2]; 2];
        let mut buys = |arm: &mut Followed| arm.unit(0.0, f64::from(u8::from(chance() < 0.005)));
        for unit in 0..10_000 {
            buys(&mut epochs[0][usize::from(unit % 100 == 0)]);
        }
        let said = (0..60).any(|_| {
            (0..500).for_each(|unit| buys(&mut epochs[1][unit % 2]));
            tells(&of(&epochs))
        });
        wrong += u32::from(said);
    }
    assert!(wrong <= EXPERIMENTS / 20, "{wrong} of {EXPERIMENTS}");
}

#[test]
fn a_candidate_of_which_nobody_buys_any_more_is_worse() {
    let bought = |units: u64, buyers: u64| {
        let mut arm = Followed::default();
        (0..units).for_each(|unit| arm.unit(0.0, f64::from(u8::from(unit < buyers))));
        arm
    };
    let within =
        |baseline: Followed, candidate: Followed| of(&[[baseline, candidate]]).relative(true, 0.05);
    let none = within(bought(2_000, 100), bought(2_000, 0));
    assert!(none.high < -0.9, "{none:?}");
    // That may be by chance, and of equal units nobody knows how many.
    assert!(within(bought(2_000, 6), bought(2_000, 0)).contains(0.0));
    assert_eq!(within(bought(2_000, 2_000), bought(2_000, 2_000)), Interval::EVERYTHING);
}

/// The weights change three times, and every unit comes again each time, in its arm.
#[test]
fn units_that_come_back_in_every_epoch_are_no_more_units() {
    const EXPERIMENTS: u32 = 1_000;
    const EPOCHS: usize = 4;
    let mut chance = chances(9);
    let (mut wrong, mut less) = (0, 0.0);
    for _ in 0..EXPERIMENTS {
        let buys =
            |often: f64, chance: &mut dyn FnMut() -> f64| f64::from(u8::from(chance() < often));
        let units: Vec<_> = (0..1_000)
            .map(|_| {
                let often = [0.1, 0.9][usize::from(chance() < 0.3)];
                let arm = usize::from(chance() < 0.5);
                (arm, buys(often, &mut chance), buys(often, &mut chance))
            })
            .collect();
        let mut epochs: Vec<[Followed; 2]> = Vec::new();
        let mut last = None;
        let said = (0..EPOCHS).any(|_| {
            epochs.push(Default::default());
            units.chunks(100).any(|some| {
                for (arm, before, after) in some {
                    epochs.last_mut().unwrap()[*arm].unit(*before, *after);
                }
                let means = of(&epochs);
                let [one, other] = &means.plain;
                assert!(one.count + other.count <= 1_000);
                last = means.variance_less();
                tells(&means)
            })
        });
        wrong += u32::from(said);
        less += last.unwrap_or(0.0) / f64::from(EXPERIMENTS);
    }
    assert!(wrong <= EXPERIMENTS / 20, "{wrong} of {EXPERIMENTS}");
    assert!(less > 0.2, "{less}");
}

#[test]
fn epochs_weigh_as_much_on_both_sides() {
    // A tenth in an epoch in which all buy much, half in one in which few do; no config is better.
    let epochs = [
        [units(900, 5.0, 1.0), units(100, 5.0, 1.0)],
        [units(500, 1.0, 1.0), units(500, 1.0, 1.0)],
    ];
    let [one, other] = Means::of(&epochs).plain;
    assert_eq!(one.value, other.value);
}

#[test]
fn what_scatters_in_every_epoch_scatters_in_all_together() {
    let epoch = [units(900, 5.0, 4.0), units(100, 5.0, 4.0)];
    let [one, other] = Means::of(&[epoch; 4]).plain;
    let [alone, beside] = Means::of(&[epoch]).plain;
    assert!((one.variance - alone.variance).abs() < 1e-12, "{one:?}");
    assert!((other.variance - beside.variance).abs() < 1e-12, "{other:?}");
}

#[test]
fn units_are_counted_in_the_epoch_that_has_the_most() {
    let epochs = [
        [units(900, 5.0, 1.0), units(100, 5.0, 1.0)],
        [units(600, 1.0, 1.0), units(600, 1.0, 1.0)],
    ];
    let [one, other] = Means::of(&epochs).plain;
    assert_eq!((one.count, other.count), (600, 600));
    assert_eq!((one.smallest, other.smallest), (600, 600));
}

/// One in five is the candidate's, and 40 looks are taken.
#[test]
fn what_came_before_makes_something_of_nothing_in_few_experiments() {
    const EXPERIMENTS: u32 = 1_000;
    let mut chance = chances(11);
    let (mut wrong, mut less) = (0, 0.0);
    for _ in 0..EXPERIMENTS {
        let mut arms: [[Followed; 2]; 1] = Default::default();
        let mut said = false;
        for _ in 0..40 {
            for _ in 0..100 {
                let [before, after] = heavy(&mut chance);
                arms[0][usize::from(chance() < 0.2)].unit(before, after);
            }
            said |= tells(&of(&arms));
        }
        wrong += u32::from(said);
        less += of(&arms).variance_less().unwrap() / f64::from(EXPERIMENTS);
    }
    assert!(wrong <= EXPERIMENTS / 20, "{wrong} of {EXPERIMENTS}");
    // The square of the correlation.
    assert!((less - 0.49).abs() < 0.03, "{less}");
}

/// With a correlation of 0.7 about `1 − 0.7²` of the units are enough. (Of far fewer units than the intervals are
/// sharpest at, its root.)
#[test]
fn with_what_came_before_a_difference_is_seen_of_half_as_many_units() {
    const EXPERIMENTS: usize = 40;
    let mut chance = chances(13);
    let mut seen: [Vec<u64>; 2] = Default::default();
    for _ in 0..EXPERIMENTS {
        let mut known: [[Followed; 2]; 1] = Default::default();
        let mut unknown = known;
        let mut at = [None; 2];
        for look in 1.. {
            for _ in 0..500 {
                let [before, after] = heavy(&mut chance);
                let arm = usize::from(chance() < 0.5);
                let after = after * [1.0, 1.012][arm];
                known[0][arm].unit(before, after);
                unknown[0][arm].unit(0.0, after);
            }
            for (at, arms) in at.iter_mut().zip([&known, &unknown]) {
                *at = at.or_else(|| tells(&of(arms)).then_some(look));
            }
            if at.iter().all(Option::is_some) {
                break;
            }
        }
        for (seen, at) in seen.iter_mut().zip(at) {
            seen.extend(at);
        }
    }
    let median = |seen: &mut Vec<u64>| {
        seen.sort_unstable();
        seen[EXPERIMENTS / 2] as f64
    };
    let [known, unknown] = seen.each_mut().map(median);
    assert!((0.4..0.65).contains(&(known / unknown)), "{known} of {unknown}");
}

/// The candidate's units buy twice as much; the deviation of its mean from twice the baseline's is measured in
/// standard errors.
#[test]
fn a_ratio_scatters_as_it_is_said_to() {
    const EXPERIMENTS: u32 = 1_000;
    let mut chance = chances(17);
    let mut squares = 0.0;
    for _ in 0..EXPERIMENTS {
        let mut arms: [[Followed; 2]; 1] = Default::default();
        for _ in 0..800 {
            let before = chance() + chance();
            let arm = usize::from(chance() < 0.3);
            let after = (before + chance()) * [1.0, 2.0][arm];
            arms[0][arm].unit(before, after);
        }
        let means = of(&arms);
        let [one, other] = &means.adjusted;
        let variance = other.variance + 4.0 * one.variance - 4.0 * means.covariance;
        squares += (other.value - 2.0 * one.value).powi(2) / variance / f64::from(EXPERIMENTS);
    }
    assert!((0.9..1.1).contains(&squares), "{squares}");
}

/// Both arms buy alike, but by chance those of the candidate bought more before.
#[test]
fn what_was_there_before_is_not_taken_for_an_effect() {
    let mut arms: [[Followed; 2]; 1] = Default::default();
    for n in 0..4_000_u32 {
        let arm = n as usize % 2;
        let before = f64::from(n / 2 % 10) + arm as f64;
        // Of what one unit buys more than another, most is what it did anyhow.
        arms[0][arm].unit(before, 0.9 * before + f64::from(n / 20 % 7));
    }
    let means = of(&arms);
    assert!(means.plain[1].value > means.plain[0].value + 0.8, "{means:?}");
    assert!(means.difference().unwrap().abs() < 0.01, "{means:?}");
    assert!(means.relative(true, 0.05).contains(0.0));
}

#[test]
fn both_means_move_towards_what_they_would_be_of_equal_units() {
    // Baseline: a quarter of the units. What came after is twice what came before, beside a noise of its own.
    let joint = |count, x_mean, y_mean| JointSummary {
        count,
        x_mean,
        y_mean,
        x_variance: 20.0,
        y_variance: 4.0,
        covariance: 8.0,
    };
    let units = |joint| Units { joint, units_before: 100 };
    let means = Means::of(&[[units(joint(1_000, 10.0, 4.0)), units(joint(3_000, 12.0, 5.0))]]);
    let [one, other] = &means.adjusted;
    // θ = 2, and the candidate had 1 more before: 3/4 of that for the baseline, 1/4 against the candidate.
    assert_eq!((one.value, other.value), (11.5, 11.5));
    assert_eq!(means.difference(), Some(0.0));
    // The variance of what is left is 20 − 2·2·8 + 4·4 = 4, of 20.
    let difference = one.variance + other.variance - 2.0 * means.covariance;
    assert!((difference - (4.0 / 1_000.0 + 4.0 / 3_000.0)).abs() < 1e-12, "{means:?}");
    assert!((means.variance_less().unwrap() - 0.8).abs() < 1e-12);
    // One mean alone: 10 + 1.5 (ȳ₁ − ȳ₀), of which each part has its variance.
    let alone = (20.0 - 3.0 * 8.0 + 2.25 * 4.0) / 1_000.0 + 2.25 * 4.0 / 3_000.0;
    assert!((one.variance - alone).abs() < 1e-12, "{one:?}");
}

#[test]
fn of_what_fewer_than_a_hundred_units_did_before_nothing_is_made() {
    let joint = JointSummary {
        count: 1_000,
        x_mean: 10.0,
        y_mean: 4.0,
        x_variance: 20.0,
        y_variance: 4.0,
        covariance: 8.0,
    };
    let of = |units_before| {
        Means::of(&[[Units { joint, units_before }, Units { joint, units_before: 500 }]])
    };
    assert_eq!(of(99).variance_less(), None);
    assert!(of(100).variance_less().is_some());
    // Nor of what was the same for all, or goes with nothing.
    let same = JointSummary { y_variance: 0.0, covariance: 0.0, ..joint };
    let alike = JointSummary { covariance: 0.0, ..joint };
    for joint in [same, alike] {
        assert_eq!(Means::of(&[[Units { joint, units_before: 500 }; 2]]).variance_less(), None);
    }
}
