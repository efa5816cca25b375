//! Who gets what, and why.

use super::{GenericRoundRobinLayer, layer::Setup};
use crate::assign::{Eligible, Explanation, OfUnit, Reason, Testers, UnitKey};
use std::time::{SystemTime, UNIX_EPOCH};

impl<C, K, E, T> GenericRoundRobinLayer<C, K, E, T> {
    /// What a request is assigned at a time, and why, step by step. Nothing is drawn, and no turn
    /// is taken.
    ///
    /// ```
    /// use serde_json::json;
    /// use std::time::SystemTime;
    /// use tower_spearmint::{ConfigPool, RoundRobinLayer, assign::{Ramp, Reason}};
    ///
    /// let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })])?;
    /// let layer = RoundRobinLayer::new(pool)
    ///     .sticky("ranker", |user: &&str| Some(user.to_string()))
    ///     .ramp(Ramp::share(0.5));
    /// let told = layer.explain(&"user-1", SystemTime::now());
    /// assert_eq!(told.to_string(), "a (ramp, probability 1)");
    /// assert_eq!(told.steps.last().unwrap().detail, "entry 0.704816 against the share 0.5: out");
    /// # Ok::<(), tower_spearmint::config::ConfigError>(())
    /// ```
    pub fn explain<R>(&self, request: &R, now: SystemTime) -> Explanation
    where
        K: UnitKey<R>,
        E: Eligible<R>,
        T: Testers<R>,
    {
        let Setup { pool, plan, .. } = &*self.setup;
        let mut told = Explanation::new(self.epoch());
        if let Some(wanted) = self.testers.wanted(request) {
            let position = pool.position(&wanted).ok();
            let found = if position.is_some() { "in" } else { "not in" };
            let detail = format!("asks for `{wanted}`, which is {found} the pool");
            told.step("testers", position.is_some(), detail);
            if let Some(position) = position {
                return told.decided(pool[position].id(), Reason::Override, 1.0);
            }
        }
        let key = self.key.unit_key(request);
        if plan.screened {
            let eligible = self.eligible.is_eligible(request, key.as_deref());
            let detail = if eligible { "the rules let it in" } else { "the rules leave it out" };
            told.step("eligible", !eligible, detail.to_owned());
            if !eligible {
                return told.decided(pool[plan.default].id(), Reason::Ineligible, 1.0);
            }
        }
        let keyed = plan
            .salt
            .as_ref()
            .and_then(|salt| key.map(|key| OfUnit { unit: salt.unit(&key), key }));
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        plan.explain(pool, &self.choice, keyed.as_ref(), now, told)
    }
}
