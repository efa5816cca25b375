//! Who is shadowed, and why.

use super::{GenericShadowLayer, arm::ShadowArm};
use crate::{
    assign::{Explanation, Reason, UnitKey, inside, share_of},
    carrier::{Fork, MayShadow},
};

impl<C, K, V> GenericShadowLayer<C, K, V> {
    /// Whether a request is shadowed, and why, step by step. The config is the primary's, which
    /// answers. Nothing is drawn, and nothing is counted.
    pub fn explain<R>(&self, request: &R) -> Explanation
    where
        C: Fork<R>,
        K: UnitKey<R>,
    {
        let mut told = Explanation::new(self.epoch());
        let key = self.key.unit_key(request);
        let name = &self.primary.experiment.name;
        let may = self.carrier.may_shadow(request, name, key.as_deref());
        let unit = self.unit(key.as_deref());
        if let Some(unit) = unit {
            told.has_unit(unit);
        }
        let said = match may {
            MayShadow::Yes => "the request may be shadowed".to_owned(),
            MayShadow::No => "the request is none of those that are shadowed".to_owned(),
            MayShadow::Skip(reason) => format!("the request cannot be shadowed: {reason}"),
        };
        told.step("eligible", may != MayShadow::Yes, said);
        if may == MayShadow::Yes {
            for shadow in &self.state.shadows {
                let said = sampled(shadow, unit.map(|unit| unit.entry));
                told.step("shadow", true, said);
            }
        }
        told.decided(self.primary.config.id(), Reason::Primary, 1.0)
    }
}

fn sampled(shadow: &ShadowArm, entry: Option<u64>) -> String {
    let (id, share) = (shadow.arm.config.id().short(), shadow.bounds.sample);
    let role = shadow.role;
    match entry {
        None => format!("`{id}` ({role}): a share of {share}, evenly spread"),
        Some(entry) => {
            let outcome = if inside(entry, share) { "runs" } else { "does not run" };
            format!("`{id}` ({role}) {outcome}: entry {} against {share}", share_of(entry))
        }
    }
}
