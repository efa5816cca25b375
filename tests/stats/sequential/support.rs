//! The table of `tests/oracles/sequential.py`, and streams of chance in which nothing is to be
//! found.

use serde_json::Value;
use std::sync::LazyLock;

static TABLE: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../oracles/sequential.json")).expect("the table is JSON")
});

/// A row of a section.
#[derive(Clone, Copy)]
pub(crate) struct Row(&'static Value);

/// All rows of a section.
pub(crate) fn rows(section: &str) -> impl Iterator<Item = Row> {
    TABLE[section].as_array().expect("the section is there").iter().map(Row)
}

impl Row {
    pub(crate) fn number(&self, name: &str) -> f64 {
        number(&self.0[name])
    }

    pub(crate) fn text(&self, name: &str) -> &'static str {
        self.0[name].as_str().unwrap_or_else(|| panic!("{name} of {} is a word", self.0))
    }

    pub(crate) fn count(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap_or_else(|| panic!("{name} of {} is a count", self.0))
    }

    pub(crate) fn numbers(&self, name: &str) -> Vec<f64> {
        self.0[name].as_array().expect("a list").iter().map(number).collect()
    }

    pub(crate) fn counts(&self, name: &str) -> Vec<u64> {
        self.0[name]
            .as_array()
            .expect("a list")
            .iter()
            .map(|count| count.as_u64().expect("a count"))
            .collect()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    /// The lists in a list.
    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = Self> {
        self.0[name].as_array().expect("a list").iter().map(Self)
    }

    /// A number of a list.
    pub(crate) fn at(&self, index: usize) -> f64 {
        number(&self.0[index])
    }

    /// All numbers of a list.
    pub(crate) fn all(&self) -> Vec<f64> {
        self.0.as_array().expect("a list").iter().map(number).collect()
    }

    /// Pairs of an upper edge and a count.
    pub(crate) fn buckets(&self, name: &str) -> Vec<(f64, u64)> {
        self.list(name).map(|bucket| (bucket.at(0), bucket.at(1) as u64)).collect()
    }

    /// Asserts that `found` is the number of that name, up to the relative tolerance (and, below 1,
    /// the absolute one).
    pub(crate) fn is(&self, name: &str, found: f64, tolerance: f64) {
        let expected = self.number(name);
        let close =
            found == expected || (found - expected).abs() <= tolerance * expected.abs().max(1.0);
        assert!(close, "{name} is {found}, not {expected}, of {}", self.0);
    }
}

fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        _ => value.as_f64().unwrap_or_else(|| panic!("{value} is a number")),
    }
}

/// SplitMix64 (Steele, Lea & Flood 2014).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// From 0 to below 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// Of the exponential distribution with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -(1.0 - self.share()).ln()
    }
}

/// In how many of `streams` streams the look is ever alarmed. Each stream is observed
/// `observations` times, and looked at 120 times on the way, at equal ratios.
pub(crate) fn alarms<S>(
    streams: u64,
    observations: u32,
    begin: impl Fn() -> S,
    mut observe: impl FnMut(&mut S, &mut Chance),
    mut alarmed: impl FnMut(&S) -> bool,
) -> u64 {
    let looks: Vec<u32> = (1..=120)
        .map(|look| f64::from(observations).powf(f64::from(look) / 120.0) as u32)
        .collect();
    (0..streams)
        .filter(|stream| {
            let (mut chance, mut state, mut done) = (Chance::new(1_000 + stream), begin(), 0);
            looks.iter().any(|look| {
                while done < *look {
                    observe(&mut state, &mut chance);
                    done += 1;
                }
                alarmed(&state)
            })
        })
        .count() as u64
}
