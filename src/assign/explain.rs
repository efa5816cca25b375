//! Who gets what, and why, step by step.

use super::{Choice, Epoch, Gate, Line, OfUnit, Plan, Reason, Unit};
use crate::{config::ConfigId, config::ConfigPool};
use serde::Serialize;
use std::fmt;

/// What a request is assigned, and how that came about. Nothing is drawn: where chance decides,
/// no config is named.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The config, unless chance (a draw, a turn) decides.
    pub config_id: Option<ConfigId>,
    /// Why it is this one, or what decides.
    pub reason: Reason,
    /// The probability, from 0 to 1, that is recorded; `None` where the config is not known.
    pub probability: Option<f64>,
    /// The version of the weights and rules.
    pub epoch: Epoch,
    /// What the salt says of the unit, if the request has one.
    pub unit: Option<UnitWords>,
    /// What was asked, in order, down to what decided.
    pub steps: Vec<Step>,
}

/// What the salt says of a unit: 16 hexadecimal digits each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnitWords {
    /// The point on the weights' line.
    pub point: String,
    /// The point against the ramp's share.
    pub entry: String,
    /// What is recorded of the unit.
    pub hash: String,
}

/// One question on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// What was asked: `testers`, `eligible`, `unit`, `holdout`, `namespace`, `ramp`, `weights` or
    /// `shadow`.
    pub step: &'static str,
    /// Whether this step decided.
    pub decided: bool,
    /// The answer, in words.
    pub detail: String,
}

impl Explanation {
    pub(crate) fn new(epoch: Epoch) -> Self {
        Self {
            config_id: None,
            reason: Reason::Primary,
            probability: None,
            epoch,
            unit: None,
            steps: Vec::new(),
        }
    }

    pub(crate) fn step(&mut self, step: &'static str, decided: bool, detail: String) {
        self.steps.push(Step { step, decided, detail });
    }

    pub(crate) fn decided(mut self, id: &ConfigId, reason: Reason, probability: f64) -> Self {
        self.config_id = Some(id.clone());
        self.reason = reason;
        self.probability = Some(probability);
        self
    }

    /// Without a config: chance decides.
    pub(crate) const fn by_chance(mut self, reason: Reason) -> Self {
        self.reason = reason;
        self
    }

    pub(crate) fn has_unit(&mut self, unit: Unit) {
        self.unit = Some(UnitWords {
            point: hex(unit.point),
            entry: hex(unit.entry),
            hash: hex(unit.hash),
        });
    }
}

impl fmt::Display for Explanation {
    /// `candidate (sticky, probability 0.1)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.config_id, self.probability) {
            (Some(id), Some(probability)) => {
                let probability = (probability * 1e6).round() / 1e6;
                write!(f, "{} ({}, probability {probability})", id.short(), self.reason)
            }
            _ => write!(f, "left to chance ({})", self.reason),
        }
    }
}

pub(crate) fn hex(word: u64) -> String {
    format!("{word:016x}")
}

/// A point as a share of the line, to look at.
pub(crate) fn share_of(point: u64) -> f64 {
    (point as f64 / 18_446_744_073_709_551_616.0 * 1e6).round() / 1e6
}

impl Plan {
    /// The rest of an explanation, once the request itself is done with.
    pub(crate) fn explain(
        &self,
        pool: &ConfigPool,
        choice: &Choice,
        keyed: Option<&OfUnit<'_>>,
        now: u64,
        mut told: Explanation,
    ) -> Explanation {
        match keyed {
            Some(keyed) => {
                told.has_unit(keyed.unit);
                told.step("unit", false, "the request has a unit".to_owned());
            }
            None if self.salt.is_some() => {
                told.step("unit", false, "the request has no unit".to_owned());
            }
            None => {}
        }
        if let Some(reason) = self.gate.explain(keyed, now, &mut told) {
            if reason == Reason::Ramp && keyed.is_none() {
                return told.by_chance(reason);
            }
            return told.decided(pool[self.default].id(), reason, 1.0);
        }
        match (choice.line(), keyed) {
            (Some(line), Some(keyed)) => {
                let position = line.locate(keyed.unit.point);
                let share = line.share(position);
                told.step("weights", true, on_line(pool, line, position, keyed.unit.point));
                told.decided(pool[position].id(), Reason::Sticky, share)
            }
            (Some(_), None) => {
                told.step("weights", true, "drawn at random, by weight".to_owned());
                told.by_chance(Reason::Weight)
            }
            (None, _) => {
                told.step("weights", true, "the configs take turns".to_owned());
                told.by_chance(Reason::Cycle)
            }
        }
    }
}

impl Gate {
    fn explain(
        &self,
        keyed: Option<&OfUnit<'_>>,
        now: u64,
        told: &mut Explanation,
    ) -> Option<Reason> {
        let key = keyed.map(|keyed| &*keyed.key);
        let refused = self.refuses(
            key,
            // Without a unit chance decides: whether the ramp refuses is not known.
            || keyed.map_or(u64::MAX, |keyed| keyed.unit.entry),
            || now,
        );
        if refused == Some(Reason::NoUnit) {
            let detail = "a hold-out or a namespace takes units only".to_owned();
            told.step("unit", true, detail);
            return refused;
        }
        if let (Some(holdout), Some(key)) = (&self.holdout, key) {
            let point = holdout.point(key);
            let (share, held) = (holdout.share(), holdout.has(point));
            let outcome = if held { "held out" } else { "not held out" };
            let detail = format!("point {} against the share {share}: {outcome}", share_of(point));
            told.step("holdout", held, detail);
            if held {
                return refused;
            }
        }
        if let (Some(own), Some(key)) = (&self.segment, key) {
            let point = own.point(key);
            let has = own.has(point);
            let detail = format!(
                "point {} in `{}`: {} {:?}",
                share_of(point),
                own.name,
                if has { "in" } else { "not in" },
                own.shares()
            );
            told.step("namespace", !has, detail);
            if !has {
                return refused;
            }
        }
        if let Some(ramp) = &self.ramp {
            let share = ramp.share_at_ns(|| now);
            let Some(keyed) = keyed else {
                let detail = format!("a share of {share} is in, drawn at random");
                told.step("ramp", share < 1.0, detail);
                return refused;
            };
            let outcome = if refused.is_some() { "out" } else { "in" };
            let entry = share_of(keyed.unit.entry);
            let detail = format!("entry {entry} against the share {share}: {outcome}");
            told.step("ramp", refused.is_some(), detail);
        }
        refused
    }
}

fn on_line(pool: &ConfigPool, line: &Line, position: usize, point: u64) -> String {
    let (from, to) = line.stretch(position).unwrap_or_default();
    format!(
        "point {} on the stretch of `{}`, from {} to {}",
        share_of(point),
        pool[position].id().short(),
        share_of(from),
        share_of(to)
    )
}
