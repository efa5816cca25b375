//! What differs between one file and another.

use super::{ExperimentFile, read::secrets};
use crate::{config::Diff, strategy::BUILT_IN};
use serde_json::Value;

impl ExperimentFile {
    /// What differs in `after`, by path. Configs are paired as in
    /// [`ConfigPool::diff`](crate::ConfigPool::diff): `configs[candidate].upstream`.
    pub fn diff(&self, after: &Self) -> Diff {
        let keys = after.settings.secrets.iter().map(String::as_str);
        let secrets = secrets(&self.document)
            .and(keys)
            .and_drawn(self.document.drawn(), "")
            .and_drawn(after.document.drawn(), "");
        let mut diff = Diff::with_secrets(&self.plain(), &after.plain(), &secrets);
        diff.append(self.pool.diff_at("configs", &after.pool));
        diff
    }

    /// All but the configs.
    fn plain(&self) -> Value {
        let mut value = self.document.value().clone();
        if let Some(map) = value.as_object_mut() {
            map.remove("configs");
            if !BUILT_IN.contains(&self.strategy()) {
                map.insert(self.strategy().to_owned(), self.custom.value().clone());
            }
        }
        value
    }

    /// The keys that differ from `first` and cannot change while the process runs.
    pub(in super::super) fn needs_restart(&self, first: &Self) -> Vec<&'static str> {
        let (new, old) = (&self.settings, &first.settings);
        let differs = [
            ("listen", new.listen != old.listen),
            ("admin", new.admin != old.admin),
            ("store", new.store != old.store),
            ("durable", new.durable != old.durable),
            #[cfg(feature = "store")]
            ("outcomes", new.outcomes != old.outcomes),
            ("retention", new.retention != old.retention),
            ("ui", new.ui != old.ui),
            ("mlflow", new.mlflow != old.mlflow),
            ("sync", new.sync != old.sync),
            ("otlp", new.otlp != old.otlp),
            ("threads", new.threads != old.threads),
            ("watch", new.watch != old.watch),
            ("limits.max_connections", new.limits.max_connections != old.limits.max_connections),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }
}
