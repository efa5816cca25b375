//! The `$` words: what there are, and what each takes.

use super::{
    SpaceError,
    numbers::{Numbers, Sequence, float_steps, geometric},
};
use crate::config::{nearest, path};
use serde_json::{Map, Value};

/// A generator's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Choice,
    Grid,
    Zip,
    Numbers(Kind),
}

/// Of a generator of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Range,
    Linspace,
    Logspace,
    Geomspace,
    Uniform,
    LogUniform,
    Normal,
    IntUniform,
}

const WORDS: [(&str, Word); 11] = [
    ("$choice", Word::Choice),
    ("$geomspace", Word::Numbers(Kind::Geomspace)),
    ("$grid", Word::Grid),
    ("$int_uniform", Word::Numbers(Kind::IntUniform)),
    ("$linspace", Word::Numbers(Kind::Linspace)),
    ("$log_uniform", Word::Numbers(Kind::LogUniform)),
    ("$logspace", Word::Numbers(Kind::Logspace)),
    ("$normal", Word::Numbers(Kind::Normal)),
    ("$range", Word::Numbers(Kind::Range)),
    ("$uniform", Word::Numbers(Kind::Uniform)),
    ("$zip", Word::Zip),
];

/// Where the rules of a template stand: at its top.
pub(super) const RULES: &str = "$expand";

/// Bounds are not beyond this, so that no sum of two of them overflows.
const MAX_BOUND: f64 = 1e200;
/// The largest whole number that every JSON reader holds exactly.
const MAX_INTEGER: i64 = (1 << 53) - 1;

impl Word {
    /// The word that `key` is; the error knows which it may have been meant to be.
    pub(super) fn read(key: &str, at: &str) -> Result<Self, SpaceError> {
        if let Some((_, word)) = WORDS.iter().find(|(name, _)| *name == key) {
            return Ok(*word);
        }
        let message = if key == RULES {
            format!("`{RULES}` stands at the top of a config only")
        } else {
            let known = WORDS.iter().map(|(name, _)| *name).chain([RULES]);
            let meant = match nearest(key, known.clone()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
            };
            format!(
                "unknown word `{key}`; {meant} (a key that really begins with $ is written `${key}`)"
            )
        };
        Err(SpaceError::new(&path::join(at, key), message))
    }

    /// The keys that may stand beside it.
    pub(super) const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Numbers(Kind::Logspace) => &["base"],
            Self::Numbers(kind) if kind.is_drawn() => &["count", "seed"],
            _ => &[],
        }
    }
}

impl Kind {
    pub(super) const fn is_drawn(self) -> bool {
        matches!(self, Self::Uniform | Self::LogUniform | Self::Normal | Self::IntUniform)
    }

    const fn form(self) -> &'static str {
        match self {
            Self::Range => "[start, stop] or [start, stop, step], as in [0, 10]",
            Self::Linspace => "[start, stop, count], as in [0, 1, 5]",
            Self::Logspace => "[start, stop, count] with exponents of 10, as in [-5, -2, 4]",
            Self::Geomspace => "[start, stop, count] with positive numbers, as in [1e-5, 1e-2, 4]",
            Self::Uniform | Self::LogUniform => {
                "[low, high], as in [0.1, 1], and `count` beside it"
            }
            Self::Normal => "[mean, deviation], as in [0, 1], and `count` beside it",
            Self::IntUniform => {
                "[low, high] with whole numbers, as in [0, 10], and `count` beside it"
            }
        }
    }

    /// Reads the generator whose map is `map` and whose word, at the path `at`, holds `value`.
    pub(super) fn read(
        self,
        map: &Map<String, Value>,
        value: &Value,
        place: &str,
        at: &str,
    ) -> Result<Numbers, SpaceError> {
        let wrong = |message: String| SpaceError::new(at, message);
        let form = || wrong(format!("{} is not {}", shown(value), self.form()));
        let items = value.as_array().ok_or_else(form)?;
        let mut bounds = Vec::with_capacity(3);
        for item in items {
            let bound = item.as_f64().ok_or_else(form)?;
            if bound.abs() > MAX_BOUND {
                return Err(wrong(format!("{item} is beyond ±{MAX_BOUND:e}")));
            }
            bounds.push(bound);
        }
        let integers: Option<Vec<i64>> = items.iter().map(Value::as_i64).collect();
        if let Some(large) =
            integers.iter().flatten().find(|i| i.unsigned_abs() > MAX_INTEGER as u64)
        {
            return Err(wrong(format!("{large} is a whole number beyond ±(2^53−1)")));
        }
        let positive = |bounds: &[f64]| match bounds.iter().find(|bound| **bound <= 0.0) {
            Some(bound) => {
                Err(wrong(format!("{bound} is not positive; a logarithm is taken of it")))
            }
            None => Ok(()),
        };
        let (sequence, len) = match (self, &*bounds) {
            (Self::Range, [_, _] | [_, _, _]) => match integers.as_deref() {
                Some(integers) => {
                    let step = integers.get(2).copied().unwrap_or(1);
                    integer_range(integers[0], integers[1], step).map_err(wrong)?
                }
                None => {
                    let step = bounds.get(2).copied().unwrap_or(1.0);
                    float_range(bounds[0], bounds[1], step).map_err(wrong)?
                }
            },
            (Self::Linspace, [start, stop, _]) => {
                let len = whole(&items[2], &format!("{at}[2]"))?;
                (Sequence::Linear { start: *start, stop: *stop }, len)
            }
            (Self::Geomspace, [start, stop, _]) => {
                positive(&bounds[..2])?;
                (geometric(*start, *stop), whole(&items[2], &format!("{at}[2]"))?)
            }
            (Self::Logspace, [start, stop, _]) => {
                let base = base(map, place)?;
                if let Some(large) =
                    [start, stop].into_iter().find(|x| (**x * super::float::ln(base)).abs() > 460.0)
                {
                    return Err(wrong(format!("{base} to the power of {large} is beyond 1e±200")));
                }
                let sequence = Sequence::Powers { base, start: *start, stop: *stop };
                (sequence, whole(&items[2], &format!("{at}[2]"))?)
            }
            (Self::Normal, [mean, deviation]) => {
                if *deviation <= 0.0 {
                    return Err(wrong(format!("{deviation} is not a positive deviation")));
                }
                (Sequence::Normal { mean: *mean, deviation: *deviation }, count(map, place, at)?)
            }
            (Self::Uniform | Self::LogUniform | Self::IntUniform, [low, high]) => {
                if low >= high {
                    return Err(wrong(format!("empty: {} is not below {}", items[0], items[1])));
                }
                let sequence = match (self, integers.as_deref()) {
                    (Self::Uniform, _) => Sequence::Uniform { low: *low, high: *high },
                    (Self::LogUniform, _) => {
                        positive(&bounds)?;
                        Sequence::LogUniform {
                            low: super::float::ln(*low),
                            high: super::float::ln(*high),
                        }
                    }
                    (_, Some([low, high])) => {
                        Sequence::IntUniform { low: *low, span: high.abs_diff(*low) }
                    }
                    _ => return Err(form()),
                };
                (sequence, count(map, place, at)?)
            }
            _ => return Err(form()),
        };
        Ok(Numbers::new(sequence, len, stream(map, place)?))
    }
}

fn integer_range(start: i64, stop: i64, step: i64) -> Result<(Sequence, u64), String> {
    let span = if step > 0 { stop - start } else { start - stop };
    if step == 0 {
        return Err("the step is 0; it would never end".to_owned());
    }
    if span <= 0 {
        return Err(empty_range(start, stop, step > 0));
    }
    let len = span.unsigned_abs().div_ceil(step.unsigned_abs());
    Ok((Sequence::Integers { start, step }, len))
}

fn float_range(start: f64, stop: f64, step: f64) -> Result<(Sequence, u64), String> {
    if step == 0.0 {
        return Err("the step is 0; it would never end".to_owned());
    }
    match float_steps(start, stop, step) {
        Some(0) => Err(empty_range(start, stop, step > 0.0)),
        Some(len) => Ok((Sequence::Floats { start, step }, len)),
        None => Err("more than 2^53 numbers".to_owned()),
    }
}

fn empty_range<T: std::fmt::Display>(start: T, stop: T, up: bool) -> String {
    let (side, other) = if up { ("below", "start") } else { ("above", "stop") };
    let advice = if up {
        "give a negative step to count down".to_owned()
    } else {
        format!("with a negative step the {other} is the smaller number")
    };
    format!("empty: {start} is not {side} {stop}; {advice}")
}

/// A number of values: whole, from 1.
fn whole(value: &Value, at: &str) -> Result<u64, SpaceError> {
    value.as_u64().filter(|count| (1..=MAX_INTEGER as u64).contains(count)).ok_or_else(|| {
        SpaceError::new(at, format!("{} is not a count; write a whole number from 1", shown(value)))
    })
}

fn count(map: &Map<String, Value>, place: &str, at: &str) -> Result<u64, SpaceError> {
    match map.get("count") {
        Some(value) => whole(value, &path::join(place, "count")),
        None => {
            Err(SpaceError::new(at, "no `count` beside it; say how many to draw, as in `count: 8`"))
        }
    }
}

fn base(map: &Map<String, Value>, place: &str) -> Result<f64, SpaceError> {
    let Some(value) = map.get("base") else { return Ok(10.0) };
    let is_base = |base: &f64| *base > 0.0 && *base <= MAX_BOUND && *base != 1.0;
    value.as_f64().filter(is_base).ok_or_else(|| {
        let message =
            format!("{} is not a base; write a positive number other than 1", shown(value));
        SpaceError::new(&path::join(place, "base"), message)
    })
}

/// Where the random numbers of a generator begin. Its path counts, so that two generators with
/// one seed draw independently.
fn stream(map: &Map<String, Value>, place: &str) -> Result<u64, SpaceError> {
    let seed = match map.get("seed") {
        None => 0,
        Some(value) => value.as_u64().ok_or_else(|| {
            let message = format!("{} is not a seed; write a whole number from 0", shown(value));
            SpaceError::new(&path::join(place, "seed"), message)
        })?,
    };
    let hash = blake3::hash(place.as_bytes());
    let word = hash.as_bytes()[..8].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    Ok(seed ^ word)
}

/// A value as an error quotes it: short.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
