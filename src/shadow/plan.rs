//! What the shadows of a layer are made from.

use super::{ShadowSettings, arm::ShadowArm, settings::Bounds, state::State};
use crate::{
    assign::{Epoch, Salt},
    branch::Role,
    config::Primary,
    trial::{Arm, Arms, UNNAMED},
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What the shadows are made from.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) arms: Arms,
    pub(super) primary_at: usize,
    pub(super) base: Bounds,
    pub(super) own: Vec<ShadowSettings>,
    pub(super) control: Option<ShadowSettings>,
    pub(super) keep_results: usize,
    pub(super) enabled: bool,
    pub(super) salt: Option<Salt>,
    pub(super) version: Option<String>,
    pub(super) previous: Option<Epoch>,
}

impl Plan {
    pub(super) fn new(primary: &Primary) -> Self {
        let arms = Arms::new(UNNAMED, "shadow", primary.pool());
        Self {
            own: vec![ShadowSettings::default(); arms.len()],
            arms,
            primary_at: primary.position(),
            base: Bounds::default(),
            control: None,
            keep_results: 64,
            enabled: true,
            salt: None,
            version: None,
            previous: None,
        }
    }

    pub(super) fn primary(&self) -> Arc<Arm> {
        self.arms[self.primary_at].clone()
    }

    /// What decides who is shadowed, for the epoch: `docs/assignment.md` says what stands here.
    pub(super) fn rules(&self) -> Map<String, Value> {
        let sample = |own: &ShadowSettings| own.over(&self.base).sample;
        let samples: Vec<_> = self.own.iter().map(sample).collect();
        let mut rules = Map::new();
        let mut add = |name: &str, value: Value| rules.insert(name.to_owned(), value);
        add("primary", json!(self.primary_at));
        add("sample", json!(samples));
        if let Some(control) = &self.control {
            add("control", json!(sample(control)));
        }
        if let Some(salt) = &self.salt {
            add("salt", json!(salt.as_str()));
        }
        if let Some(version) = &self.version {
            add("version", json!(version));
        }
        rules
    }

    pub(super) fn state(&self) -> Arc<State> {
        let own = self.arms.iter().zip(&self.own).enumerate();
        let shadows = own
            .filter(|(at, _)| *at != self.primary_at)
            .map(|(_, (arm, own))| ShadowArm::new(arm, Role::Shadow, own.over(&self.base)));
        let control = self.control.iter().map(|own| {
            ShadowArm::new(&self.arms[self.primary_at], Role::Control, own.over(&self.base))
        });
        State::new(shadows.chain(control).collect(), self.keep_results, self.enabled)
    }
}
