//! Who takes part, and who gets what.

use super::{Cycle, Draws, Holdout, Line, Ramp, Reason, Salt, Unit, namespace::Segment};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// What was chosen for a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Chosen {
    pub(crate) position: usize,
    pub(crate) probability: f64,
    pub(crate) reason: Reason,
    pub(crate) unit: Option<u64>,
}

impl Chosen {
    /// Chosen by rule, not by chance.
    pub(crate) const fn surely(position: usize, reason: Reason) -> Self {
        Self { position, probability: 1.0, reason, unit: None }
    }
}

/// How one config of several is chosen. What is not asked for costs nothing: the plain ways are
/// kinds of their own.
#[derive(Debug)]
pub(crate) enum Choice {
    Cycle(Cycle),
    Weighted(Line, Draws),
    /// Only some take part.
    Gated(Box<Gated>),
}

/// Only some take part; the others get the default.
#[derive(Debug)]
pub(crate) struct Gated {
    pub(crate) gate: Gate,
    pub(crate) default: usize,
    /// In turn, where it has no line.
    pub(crate) line: Option<Line>,
    pub(crate) cycle: Cycle,
    pub(crate) draws: Draws,
}

/// Who takes part, but for what the request itself says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate {
    pub(crate) holdout: Option<Holdout>,
    pub(crate) segment: Option<Segment>,
    pub(crate) ramp: Option<Ramp>,
}

impl Gate {
    pub(crate) fn is_open(&self) -> bool {
        self.holdout.is_none() && self.segment.is_none() && self.ramp.is_none()
    }

    /// Why a request does not take part, if it does not. `entry`: its point against the ramp.
    pub(crate) fn refuses(
        &self,
        key: Option<&[u8]>,
        entry: impl FnOnce() -> u64,
        now: impl FnOnce() -> u64,
    ) -> Option<Reason> {
        if self.holdout.is_some() || self.segment.is_some() {
            let Some(key) = key else { return Some(Reason::NoUnit) };
            if self.holdout.as_ref().is_some_and(|holdout| holdout.holds(key)) {
                return Some(Reason::Holdout);
            }
            if self.segment.as_ref().is_some_and(|own| !own.has(own.point(key))) {
                return Some(Reason::NotInNamespace);
            }
        }
        let ramp = self.ramp.as_ref()?;
        (!ramp.admits(entry(), now)).then_some(Reason::Ramp)
    }

    /// What of it decides, for the epoch.
    fn rules(&self, rules: &mut Map<String, Value>) {
        if let Some(holdout) = &self.holdout {
            rules.insert("holdout".to_owned(), holdout.rules());
        }
        if let Some(segment) = &self.segment {
            rules.insert("namespace".to_owned(), segment.rules());
        }
        if let Some(ramp) = &self.ramp {
            rules.insert("ramp".to_owned(), ramp.rules());
        }
    }
}

/// A request's unit: its key, and what the salt says of it.
pub(crate) struct OfUnit<'a> {
    pub(crate) key: Cow<'a, [u8]>,
    pub(crate) unit: Unit,
}

impl Choice {
    /// `unit` is asked for once, and only where it matters.
    #[inline(always)]
    pub(crate) fn choose<'a>(
        &self,
        count: usize,
        unit: impl FnOnce() -> Option<OfUnit<'a>>,
        now: impl FnOnce() -> u64,
    ) -> Chosen {
        match self {
            Self::Cycle(cycle) => by_turn(cycle, count),
            Self::Weighted(line, draws) => on_line(line, draws, unit().map(|keyed| keyed.unit)),
            Self::Gated(gated) => gated.choose(count, unit(), now),
        }
    }

    /// The weights' line, if the configs do not just take turns.
    pub(crate) fn line(&self) -> Option<&Line> {
        match self {
            Self::Cycle(_) => None,
            Self::Weighted(line, _) => Some(line),
            Self::Gated(gated) => gated.line.as_ref(),
        }
    }
}

impl Gated {
    /// Apart, so that the plain ways stay short.
    #[cold]
    fn choose(&self, count: usize, keyed: Option<OfUnit<'_>>, now: impl FnOnce() -> u64) -> Chosen {
        let unit = keyed.as_ref().map(|keyed| keyed.unit);
        let key = keyed.as_ref().map(|keyed| &*keyed.key);
        let entry = || unit.map_or_else(|| self.draws.next(), |unit| unit.entry);
        if let Some(reason) = self.gate.refuses(key, entry, now) {
            let unit = unit.map(|unit| unit.hash);
            return Chosen { unit, ..Chosen::surely(self.default, reason) };
        }
        match &self.line {
            None => by_turn(&self.cycle, count),
            Some(line) => on_line(line, &self.draws, unit),
        }
    }
}

#[inline]
fn by_turn(cycle: &Cycle, count: usize) -> Chosen {
    let position = cycle.next(count);
    Chosen { position, probability: 1.0 / count as f64, reason: Reason::Cycle, unit: None }
}

#[inline]
fn on_line(line: &Line, draws: &Draws, unit: Option<Unit>) -> Chosen {
    let (point, reason) = match unit {
        Some(unit) => (unit.point, Reason::Sticky),
        None => (draws.next(), Reason::Weight),
    };
    let position = line.locate(point);
    let (probability, unit) = (line.share(position), unit.map(|unit| unit.hash));
    Chosen { position, probability, reason, unit }
}

/// All that decides an assignment, as it was set up: what a [`Choice`] is made from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    /// Equal stretches, where there are none but the configs do not take turns.
    pub(crate) line: Option<Line>,
    pub(crate) seed: Option<u64>,
    pub(crate) salt: Option<Salt>,
    pub(crate) gate: Gate,
    /// The config of those who do not take part.
    pub(crate) default: usize,
    /// Some request may be left out by what it says itself.
    pub(crate) screened: bool,
    /// What closures decide by, in their owner's words.
    pub(crate) version: Option<String>,
}

impl Plan {
    pub(crate) fn choice(&self, count: usize) -> Choice {
        let drawn = self.line.is_some() || self.seed.is_some() || self.salt.is_some();
        let line = drawn.then(|| self.line.clone().unwrap_or_else(|| Line::equal(count)));
        let draws = Draws::new(self.seed.unwrap_or(0));
        match line {
            line if !self.gate.is_open() => Choice::Gated(Box::new(Gated {
                gate: self.gate.clone(),
                default: self.default,
                line,
                cycle: Cycle::default(),
                draws,
            })),
            None => Choice::Cycle(Cycle::default()),
            Some(line) => Choice::Weighted(line, draws),
        }
    }

    /// All that decides, for the epoch: `docs/assignment.md` says what stands here.
    pub(crate) fn rules(&self) -> Map<String, Value> {
        let mut rules = Map::new();
        let mut add = |name: &str, value: Value| rules.insert(name.to_owned(), value);
        if let Some(line) = &self.line {
            add("weights", json!(line.weights()));
        }
        if let Some(seed) = self.seed {
            // It may be beyond what JSON's readers hold exactly.
            add("seed", json!(seed.to_string()));
        }
        if let Some(salt) = &self.salt {
            add("salt", json!(salt.as_str()));
        }
        if let Some(version) = &self.version {
            add("version", json!(version));
        }
        if !self.gate.is_open() || self.screened {
            add("default", json!(self.default));
        }
        self.gate.rules(&mut rules);
        rules
    }
}
