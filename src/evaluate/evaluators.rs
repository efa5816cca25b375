//! What is to be measured of answers, and within which bounds.

use super::{
    Evaluating, Evaluator, EvaluatorError, Expected, Missed, Prices, counts::Counts,
    evaluator::AnyEvaluator, measures::Reading, pending::Underway,
};
use crate::branch::BranchMetrics;
use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// The name of the metric that [`Prices`] make.
pub(super) const COST: &str = "cost";

/// How many calls of an evaluator run for each branch that may be judged at once: those that were given up end when
/// their thread comes to it.
const CALLS: usize = 4;

/// What is to be measured of answers in the background: numbers that stand in them, what they cost, and what
/// evaluators say; see [the module](super).
#[must_use = "nothing is measured until a logging layer has it"]
pub struct Evaluators {
    readings: Vec<Reading>,
    prices: Prices,
    judges: Vec<(Arc<str>, Arc<dyn AnyEvaluator>)>,
    expected: Option<Expected>,
    bounds: Bounds,
    wrong: Option<EvaluatorError>,
}

/// How much may be under way.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    pub(super) at_once: usize,
    pub(super) timeout: Duration,
    pub(super) waiting: usize,
    pub(super) patience: Duration,
    pub(super) max_body: usize,
    pub(super) max_bytes: usize,
}

/// One that judges, and what became of it.
pub(super) struct Judge {
    pub(super) evaluator: Arc<dyn AnyEvaluator>,
    pub(super) counts: Counts,
    /// What its calls hold until they have ended, given up or not.
    pub(super) free: Arc<Semaphore>,
}

/// All of it, put to use.
pub(super) struct Plan {
    pub(super) readings: Vec<(Reading, Counts)>,
    pub(super) prices: Option<(Prices, Counts)>,
    pub(super) judges: Vec<Judge>,
    pub(super) expected: Option<Expected>,
    pub(super) bounds: Bounds,
    pub(super) underway: Arc<Underway>,
}

impl Plan {
    /// All that is measured.
    pub(super) fn counts(&self) -> impl Iterator<Item = &Counts> {
        let readings = self.readings.iter().map(|(_, counts)| counts);
        let cost = self.prices.iter().map(|(_, counts)| counts);
        readings.chain(cost).chain(self.judges.iter().map(|judge| &judge.counts))
    }

    pub(super) fn miss_all(&self, why: Missed) {
        self.counts().for_each(|counts| counts.missed(why));
    }

    /// Whether shadows are held against what their primaries answered.
    pub(super) fn pairs_up(&self) -> bool {
        matches!(self.expected, Some(Expected::Primary))
            && self.judges.iter().any(|judge| judge.evaluator.needs_expected())
    }
}

impl Evaluators {
    /// Nothing is measured yet.
    pub const fn new() -> Self {
        Self {
            readings: Vec::new(),
            prices: Prices::NONE,
            judges: Vec::new(),
            expected: None,
            bounds: Bounds {
                at_once: 16,
                timeout: Duration::from_secs(5),
                waiting: 1_024,
                patience: Duration::from_secs(10),
                max_body: 256 << 10,
                max_bytes: 32 << 20,
            },
            wrong: None,
        }
    }

    /// Reads a number in the response, by a JSON pointer
    /// ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)): `/usage/total_tokens`. A truth is 1 or 0. Of events and
    /// of lines of JSON, the last one counts that has a value there.
    pub fn measure(mut self, name: &str, pointer: &str) -> Self {
        match Reading::new(name, pointer) {
            Ok(reading) => self.readings.push(reading),
            Err(error) => self.wrong = self.wrong.or(Some(error)),
        }
        self
    }

    /// Makes the metric `cost` of the tokens that the response says were read and written.
    pub fn prices(mut self, prices: Prices) -> Self {
        self.prices = prices;
        self
    }

    /// Has answers judged. Those that failed are not.
    pub fn with(mut self, evaluator: impl Evaluator) -> Self {
        self.judges.push((evaluator.name().into(), Arc::new(evaluator)));
        self
    }

    /// Where it stands what should have been answered, unless that is
    /// [noted](crate::Place::note_expected); nowhere until then.
    pub fn expected(mut self, expected: Expected) -> Self {
        self.expected = Some(expected);
        self
    }

    /// How many branches are judged at once; 16 until then (at least 1).
    pub const fn at_once(mut self, branches: usize) -> Self {
        self.bounds.at_once = if branches == 0 { 1 } else { branches };
        self
    }

    /// How long each evaluator may take; 5 s until then.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.bounds.timeout = timeout;
        self
    }

    /// How many branches wait at most: to be looked at, and as many for their turn or for their primary's answer;
    /// 1,024 until then (at least 1). What comes beyond is recorded without.
    pub const fn waiting(mut self, branches: usize) -> Self {
        self.bounds.waiting = if branches == 0 { 1 } else { branches };
        self
    }

    /// How long a shadow waits for its primary's answer to end, and that is kept for shadows to come; 10 s until then.
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.bounds.patience = patience;
        self
    }

    /// How many bytes of a body are kept; 256 KiB until then. Of a longer stream its end is kept, where its usage stands;
    /// nothing is measured of any other body that is larger.
    pub const fn max_body(mut self, bytes: usize) -> Self {
        self.bounds.max_body = bytes;
        self
    }

    /// How many bytes of bodies are kept at one time; 32 MiB until then. (Read as JSON they may take some ten times that.)
    /// As many of what primaries answered are kept for shadows to come; outputs count as their JSON.
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.bounds.max_bytes = bytes;
        self
    }

    /// Ready for [`LogLayer::evaluate`](crate::LogLayer::evaluate).
    ///
    /// # Errors
    ///
    /// When a name is not one of a metric or stands twice, a pointer is none, or there are more than
    /// [a branch may have](BranchMetrics::MAX).
    pub fn build(self) -> Result<Evaluating, EvaluatorError> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        let has_prices = !self.prices.is_empty();
        let names = self.readings.iter().map(|reading| &*reading.name);
        let names = names.chain(has_prices.then_some(COST));
        let mut known = BTreeSet::new();
        for name in names.chain(self.judges.iter().map(|(name, _)| &**name)) {
            if !BranchMetrics::is_name(name) {
                return Err(EvaluatorError::Name(name.to_owned()));
            }
            if !known.insert(name) {
                return Err(EvaluatorError::Twice(name.to_owned()));
            }
        }
        if known.len() > BranchMetrics::MAX {
            return Err(EvaluatorError::TooMany(known.len()));
        }
        let calls = self.bounds.at_once.saturating_mul(CALLS).min(Semaphore::MAX_PERMITS);
        let readings = self.readings.into_iter();
        let judges = self.judges.into_iter();
        Ok(Evaluating::new(Plan {
            readings: readings
                .map(|reading| {
                    let counts = Counts::new(reading.name.clone());
                    (reading, counts)
                })
                .collect(),
            prices: has_prices.then(|| (self.prices, Counts::new(COST.into()))),
            judges: judges
                .map(|(name, evaluator)| Judge {
                    evaluator,
                    counts: Counts::new(name),
                    free: Arc::new(Semaphore::new(calls)),
                })
                .collect(),
            expected: self.expected,
            bounds: self.bounds,
            underway: Arc::default(),
        }))
    }
}

impl Default for Evaluators {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Evaluators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.judges.iter().map(|(name, _)| name).collect();
        f.debug_struct("Evaluators")
            .field("readings", &self.readings)
            .field("prices", &self.prices)
            .field("judges", &names)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}
