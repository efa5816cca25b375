//! Two pools, config by config.

use super::{Diff, side};
use crate::config::{Config, ConfigId, ConfigPool};
use serde_json::Value;
use std::{collections::HashMap, fmt};

impl ConfigPool {
    /// What differs in `after`; see [`Diff`]. Configs that have a `config_id` of their own are
    /// paired by it (paths begin with `[id]`), others in their order (`[0]`, `[1]`, … among
    /// themselves). If each pool is of one config, the two are compared as they are.
    ///
    /// ```
    /// use serde_json::json;
    /// use tower_spearmint::ConfigPool;
    ///
    /// let before = ConfigPool::from_values([
    ///     json!({ "config_id": "a", "size": 1 }),
    ///     json!({ "config_id": "b", "size": 1 }),
    /// ])?;
    /// let after = ConfigPool::from_values([
    ///     json!({ "config_id": "b", "size": 2 }),
    ///     json!({ "config_id": "c" }),
    /// ])?;
    /// assert_eq!(
    ///     before.diff(&after).to_string(),
    ///     "- [a]: {\"config_id\":\"a\",\"size\":1}\n~ [b].size: 1 → 2\n+ [c]: {\"config_id\":\"c\"}\n"
    /// );
    /// # Ok::<(), tower_spearmint::config::ConfigError>(())
    /// ```
    pub fn diff(&self, after: &Self) -> Diff {
        if let ([before], [after]) = (&**self, &**after) {
            return before.diff(after);
        }
        self.diff_at("", after)
    }

    /// As [`ConfigPool::diff`], below `path`, and however many there are.
    pub(crate) fn diff_at(&self, path: &str, after: &Self) -> Diff {
        let mut diff = Diff::default();
        let (old, new) = (labelled(self), labelled(after));
        let (in_old, in_new): (HashMap<_, _>, HashMap<_, _>) =
            (old.iter().cloned().collect(), new.iter().cloned().collect());
        for (label, config) in &old {
            let path = format!("{path}{label}");
            match in_new.get(label) {
                Some(other) => diff.add(&path, side(config), side(other)),
                None => diff.push(&path, Some(config.redacted().clone()), None),
            }
        }
        for (label, config) in new.iter().filter(|(label, _)| !in_old.contains_key(label)) {
            diff.push(&format!("{path}{label}"), None, Some(config.redacted().clone()));
        }
        // The order counts: the first config answers, or they take turns.
        let order = |these: &[(Label, &Config)], those: &HashMap<Label, &Config>| {
            let common = these.iter().filter(|(label, _)| those.contains_key(label));
            common.map(|(label, _)| label.as_value()).collect::<Vec<_>>()
        };
        let (before, after) = (order(&old, &in_new), order(&new, &in_old));
        if before != after {
            diff.push(path, Some(before.into()), Some(after.into()));
        }
        diff
    }
}

/// What a config is called in a diff.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Label {
    Id(ConfigId),
    /// Its place among those without an id of their own.
    At(usize),
}

impl Label {
    fn as_value(&self) -> Value {
        match self {
            Self::Id(id) => id.as_str().into(),
            Self::At(at) => (*at).into(),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "[{id}]"),
            Self::At(at) => write!(f, "[{at}]"),
        }
    }
}

fn labelled(pool: &ConfigPool) -> Vec<(Label, &Config)> {
    let mut unnamed = 0..;
    let mut label = |config: &Config| {
        if config.has("config_id") {
            Label::Id(config.id().clone())
        } else {
            Label::At(unnamed.next().unwrap_or_default())
        }
    };
    pool.iter().map(|config| (label(config), config)).collect()
}

#[cfg(test)]
mod tests {
    use crate::ConfigPool;
    use serde_json::json;

    fn pool<const N: usize>(values: [serde_json::Value; N]) -> ConfigPool {
        ConfigPool::from_values(values).unwrap()
    }

    #[test]
    fn one_config_each_is_compared_as_it_is() {
        let (before, after) = (pool([json!({ "a": 1 })]), pool([json!({ "a": 2 })]));
        assert_eq!(before.diff(&after).to_string(), "~ a: 1 → 2\n");
        assert!(before.diff(&before).is_empty());
    }

    #[test]
    fn configs_without_an_id_are_paired_in_their_order() {
        let before = pool([json!({ "config_id": "x" }), json!({ "a": 1 }), json!({ "a": 2 })]);
        let after = pool([json!({ "a": 1 }), json!({ "a": 3 }), json!({ "config_id": "x" })]);
        assert_eq!(
            before.diff(&after).to_string(),
            "~ [1].a: 2 → 3\n~ .: [\"x\",0,1] → [0,1,\"x\"]\n"
        );
    }

    #[test]
    fn another_order_is_a_difference() {
        let (a, b) = (json!({ "config_id": "a" }), json!({ "config_id": "b" }));
        let (before, after) = (pool([a.clone(), b.clone()]), pool([b, a]));
        let diff = before.diff_at("configs", &after);
        assert_eq!(diff.to_string(), "~ configs: [\"a\",\"b\"] → [\"b\",\"a\"]\n");
    }
}
