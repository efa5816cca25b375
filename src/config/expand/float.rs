//! Logarithm, exponential and the normal distribution's quantile, the same to the last bit on
//! every machine.
//!
//! The functions of the standard library call the platform's `libm`, and those differ in their
//! last bits. What stands here uses only `+ − × ÷ √`, which IEEE 754 defines to the last bit (and
//! which the compiler neither reorders nor fuses). On top, what is handed out is rounded to 15
//! significant digits ([`tidy`]): 0.3 rather than 0.30000000000000004, so that a rule may say
//! `temperature == 0.3`.

/// The logarithm of 2 in two parts, the first with 32 bits, so that its multiples are exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
const TWO_54: f64 = 18_014_398_509_481_984.0;

/// The float with the 15 significant decimal digits nearest to `x`. Every decimal text of so many
/// digits survives the way into a float and back.
pub(super) fn tidy(x: f64) -> f64 {
    format!("{x:.14e}").parse().unwrap_or(x)
}

/// The natural logarithm of a positive, finite number, to about 2 units in the last place.
pub(super) fn ln(x: f64) -> f64 {
    let (x, below) = if x < f64::MIN_POSITIVE { (x * TWO_54, 54.0) } else { (x, 0.0) };
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as f64 - 1023.0 - below;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1.0;
    }
    // ln m = 2 artanh s with s = (m − 1) / (m + 1), |s| < 0.172: 12 terms of its series are enough.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let mut sum = 0.0;
    for term in (1..=12).rev() {
        sum = (sum + 1.0 / f64::from(2 * term + 1)) * square;
    }
    exponent * LN_2_HIGH + (2.0 * s + (2.0 * s * sum + exponent * LN_2_LOW))
}

/// e to the power of `x`, for |x| up to 700, to about 2 units in the last place.
pub(super) fn exp(x: f64) -> f64 {
    let halvings = (x * std::f64::consts::LOG2_E).round();
    let rest = (x - halvings * LN_2_HIGH) - halvings * LN_2_LOW;
    // |rest| < 0.347: Taylor's series to the 14th power.
    let mut sum = 1.0;
    for term in (1..=14).rev() {
        sum = 1.0 + sum * rest / f64::from(term);
    }
    let power = |exponent: i64| f64::from_bits(((1023 + exponent) as u64) << 52);
    let exponent = halvings as i64;
    // In two steps, so that results below the smallest normal float work, too.
    sum * power(exponent / 2) * power(exponent - exponent / 2)
}

/// `base` to the power of `x`; whole powers of ten are exact.
pub(super) fn power(base: f64, x: f64) -> f64 {
    let whole = x.trunc();
    let (mut result, part) = (1.0, x - whole);
    if base == 10.0 {
        result = format!("1e{whole}").parse().unwrap_or(f64::INFINITY);
    } else {
        let (mut factor, mut left) = (base, whole.abs() as u64);
        while left > 0 {
            if left & 1 == 1 {
                result *= factor;
            }
            factor *= factor;
            left >>= 1;
        }
        if whole < 0.0 {
            result = 1.0 / result;
        }
    }
    if part == 0.0 { result } else { result * exp(part * ln(base)) }
}

/// The logarithm to the base 10; of a power of ten exactly a whole number.
pub(super) fn log10(x: f64) -> f64 {
    let log = ln(x) / std::f64::consts::LN_10;
    if power(10.0, log.round()) == x { log.round() } else { log }
}

/// The point below which a share `p` (0 < p < 1) of the standard normal distribution lies.
///
/// Source: M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988), 477–484;
/// relative error about 10⁻¹⁶.
pub(super) fn normal_quantile(p: f64) -> f64 {
    let centred = p - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        return centred * polynomial(&CENTRE.0, r) / polynomial(&CENTRE.1, r);
    }
    let tail = if centred < 0.0 { p } else { 1.0 - p };
    let r = (-ln(tail)).sqrt();
    let quantile = if r <= 5.0 {
        polynomial(&MIDDLE.0, r - 1.6) / polynomial(&MIDDLE.1, r - 1.6)
    } else {
        polynomial(&FAR.0, r - 5.0) / polynomial(&FAR.1, r - 5.0)
    };
    if centred < 0.0 { -quantile } else { quantile }
}

fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

type Rational = ([f64; 8], [f64; 8]);

#[allow(clippy::excessive_precision, reason = "as published")]
const CENTRE: Rational = (
    [
        3.387_132_872_796_366_608_0,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083_0e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061_0e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561_0e3,
    ],
);

#[allow(clippy::excessive_precision, reason = "as published")]
const MIDDLE: Rational = (
    [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_90,
        5.769_497_221_460_691_405_50,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_70e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_40e-4,
    ],
    [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_40,
        6.897_673_349_851_000_045_50e-1,
        1.481_039_764_274_800_745_90e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946_00e-4,
        1.050_750_071_644_416_843_24e-9,
    ],
);

#[allow(clippy::excessive_precision, reason = "as published")]
const FAR: Rational = (
    [
        6.657_904_643_501_103_777_20,
        5.463_784_911_164_114_369_90,
        1.784_826_539_917_291_335_80,
        2.965_605_718_285_048_912_30e-1,
        2.653_218_952_657_612_309_30e-2,
        1.242_660_947_388_078_438_60e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ],
    [
        1.0,
        5.998_322_065_558_879_376_90e-1,
        1.369_298_809_227_358_053_10e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591_00e-4,
        1.846_318_317_510_054_681_80e-5,
        1.421_511_758_316_445_888_70e-7,
        2.044_263_103_389_939_785_64e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64, relative: f64) -> bool {
        (a - b).abs() <= relative * b.abs() + 1e-300
    }

    proptest! {
        #[test]
        fn logarithm_and_exponential_agree_with_the_platform(x in -700.0..700.0_f64) {
            prop_assert!(close(exp(x), x.exp(), 1e-15), "{x}: {} {}", exp(x), x.exp());
            let y = x.exp();
            prop_assert!((ln(y) - y.ln()).abs() <= 1e-15 * y.ln().abs().max(1.0), "{y}");
        }

        #[test]
        fn the_quantile_is_odd_and_grows(p in 1e-12..0.499_f64) {
            prop_assert!((normal_quantile(p) + normal_quantile(1.0 - p)).abs() < 1e-3);
            prop_assert!(normal_quantile(p) < normal_quantile(p + 1e-4));
        }

        #[test]
        fn what_is_tidy_has_at_most_15_digits_and_stays(x in any::<f64>()) {
            prop_assume!(x.is_finite() && x.abs() < 1e300);
            let tidied = tidy(x);
            prop_assert_eq!(tidy(tidied), tidied);
            let digits = format!("{tidied:e}").chars().take_while(|c| *c != 'e')
                .filter(char::is_ascii_digit).count();
            prop_assert!(digits <= 15, "{tidied:e}");
        }
    }

    #[test]
    fn the_quantile_is_that_of_published_tables() {
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.001, -3.090_232_306_167_813),
            (1e-10, -6.361_340_902_404_056),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-14, "{p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn powers_of_ten_are_exact() {
        for exponent in -300..=300 {
            let x = format!("1e{exponent}").parse::<f64>().unwrap();
            assert_eq!(power(10.0, f64::from(exponent)), x);
            assert_eq!(log10(x), f64::from(exponent));
        }
        assert_eq!(power(2.0, -3.0), 0.125);
        assert_eq!(tidy(power(10.0, 0.5)), 3.162_277_660_168_38);
    }

    /// These bits must never change: drawn configs would.
    #[test]
    fn the_last_bits_are_the_same_everywhere() {
        let bits =
            [ln(3.7), exp(-4.2), normal_quantile(0.9), normal_quantile(1e-8)].map(f64::to_bits);
        assert_eq!(bits, PINNED, "{bits:?}");
    }

    const PINNED: [u64; 4] = [
        4_608_571_026_371_700_048,
        4_579_797_983_276_209_796,
        4_608_450_414_325_689_652,
        13_841_376_606_960_180_798,
    ];
}
