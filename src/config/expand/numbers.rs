//! Numbers by index: sequences and draws. Nothing is kept of them but their bounds; short ones
//! are written out once.

use super::float::{exp, log10, normal_quantile, power, tidy};
use crate::config::canonical_json;
use serde_json::{Number, Value};

/// SplitMix64 by index: the `n`th number (from 1) of the sequence that `seed` begins.
///
/// Source: Steele, Lea and Flood, OOPSLA 2014, doi 10.1145/2660193.2660195.
pub(super) const fn mix(seed: u64, n: u64) -> u64 {
    let state = seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// What the numbers of a generator are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sequence {
    /// `start + i × step`.
    Integers {
        start: i64,
        step: i64,
    },
    /// `start + i × step`.
    Floats {
        start: f64,
        step: f64,
    },
    /// From `start` to `stop` in equal steps.
    Linear {
        start: f64,
        stop: f64,
    },
    /// `base` to the power of what lies between `start` and `stop` in equal steps.
    Powers {
        base: f64,
        start: f64,
        stop: f64,
    },
    /// From `start` to `stop` in equal ratios; their logarithms to the base 10 beside them.
    Geometric {
        start: f64,
        stop: f64,
        log_start: f64,
        log_stop: f64,
    },
    Uniform {
        low: f64,
        high: f64,
    },
    /// Between two natural logarithms.
    LogUniform {
        low: f64,
        high: f64,
    },
    Normal {
        mean: f64,
        deviation: f64,
    },
    IntUniform {
        low: i64,
        span: u64,
    },
}

/// A number as a value and as canonical JSON.
type Written = (Value, Box<str>);

/// The numbers of one generator.
#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) sequence: Sequence,
    pub(super) len: u64,
    /// Of draws: where their sequence of random numbers begins.
    stream: u64,
    /// All of them, if there are few.
    table: Option<Box<[Written]>>,
}

impl Numbers {
    pub(super) const fn new(sequence: Sequence, len: u64, stream: u64) -> Self {
        Self { sequence, len, stream, table: None }
    }

    /// Writes them out. Only for as many as memory may be spent on.
    pub(super) fn write_out(&mut self) {
        let entry = |at| {
            let value = self.compute(at);
            let text = canonical_json(&value).unwrap_or_default().into_boxed_str();
            (value, text)
        };
        self.table = Some((0..self.len).map(entry).collect());
    }

    pub(super) fn value(&self, at: u64) -> Value {
        self.entry(at).map_or_else(|| self.compute(at), |(value, _)| value.clone())
    }

    pub(super) fn write_canonical(&self, at: u64, out: &mut String) {
        match self.entry(at) {
            Some((_, text)) => out.push_str(text),
            None => out.push_str(&canonical_json(&self.compute(at)).unwrap_or_default()),
        }
    }

    fn entry(&self, at: u64) -> Option<&Written> {
        self.table.as_ref()?.get(usize::try_from(at).ok()?)
    }

    fn compute(&self, at: u64) -> Value {
        match self.sequence {
            Sequence::Integers { start, step } => Value::from(
                // Within ±2^53, as both ends are.
                start.wrapping_add(step.wrapping_mul(at as i64)),
            ),
            Sequence::IntUniform { low, span } => {
                // A multiplication in place of a remainder: uniform to within span / 2^64.
                let offset = (u128::from(self.chance(at)) * u128::from(span)) >> 64;
                Value::from(low.wrapping_add(offset as i64))
            }
            _ => Number::from_f64(self.float(at)).map_or(Value::Null, Value::Number),
        }
    }

    /// The `at`th number as a float, rounded to 15 significant digits.
    fn float(&self, at: u64) -> f64 {
        let last = self.len - 1;
        // The ends are what was written, to the last bit.
        match self.sequence {
            Sequence::Linear { start, .. } | Sequence::Geometric { start, .. } if at == 0 => {
                return start;
            }
            Sequence::Linear { stop, .. } | Sequence::Geometric { stop, .. } if at == last => {
                return stop;
            }
            Sequence::Floats { start, step } => return float_step(start, step, at),
            _ => {}
        }
        tidy(match self.sequence {
            Sequence::Linear { start, stop } => between(start, stop, at, last),
            Sequence::Powers { base, start, stop } => power(base, between(start, stop, at, last)),
            Sequence::Geometric { log_start, log_stop, .. } => {
                power(10.0, between(log_start, log_stop, at, last))
            }
            Sequence::Uniform { low, high } => low + (high - low) * self.share(at),
            Sequence::LogUniform { low, high } => exp(low + (high - low) * self.share(at)),
            Sequence::Normal { mean, deviation } => {
                mean + deviation * normal_quantile(self.share(at))
            }
            Sequence::Integers { .. } | Sequence::IntUniform { .. } | Sequence::Floats { .. } => {
                0.0
            }
        })
    }

    fn chance(&self, at: u64) -> u64 {
        mix(self.stream, at.wrapping_add(1))
    }

    /// A random number between 0 and 1, neither included: the middle of one of 2^52 equal parts.
    fn share(&self, at: u64) -> f64 {
        ((self.chance(at) >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }
}

/// What stands `at` steps from `start`, of `last` steps to `stop`. Weighing both ends (instead of
/// adding up steps) keeps 3/10 of the way from 0 to 1 at 0.3.
fn between(start: f64, stop: f64, at: u64, last: u64) -> f64 {
    if last == 0 {
        return start;
    }
    (start * (last - at) as f64 + stop * at as f64) / last as f64
}

/// The value of a range of floats after `at` steps.
pub(super) fn float_step(start: f64, step: f64, at: u64) -> f64 {
    tidy(start + step * at as f64)
}

/// How many numbers a range of floats has: as many as lie, as they will be printed, before `stop`.
/// `None` beyond 2^53.
pub(super) fn float_steps(start: f64, stop: f64, step: f64) -> Option<u64> {
    let steps = ((stop - start) / step).ceil();
    if !(0.0..=9_007_199_254_740_992.0).contains(&steps) {
        return if steps < 0.0 { Some(0) } else { None };
    }
    let before = |at: u64| {
        let value = float_step(start, step, at);
        if step > 0.0 { value < stop } else { value > stop }
    };
    let steps = steps as u64;
    // The division may be off by one rounding.
    Some(if steps > 0 && !before(steps - 1) {
        steps - 1
    } else if before(steps) {
        steps + 1
    } else {
        steps
    })
}

/// The logarithms of a geometric sequence.
pub(super) fn geometric(start: f64, stop: f64) -> Sequence {
    Sequence::Geometric { start, stop, log_start: log10(start), log_stop: log10(stop) }
}
