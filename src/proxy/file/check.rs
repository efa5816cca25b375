//! What would be wrong, beyond what the types say.

use super::ExperimentFile;
use crate::{
    config::ConfigError,
    proxy::{round_robin, shadow, target::header_name},
};

impl ExperimentFile {
    /// What the types do not say.
    pub(super) fn check(&self, wrong: &mut Vec<ConfigError>) {
        #[cfg(feature = "report")]
        self.check_metrics(wrong);
        self.check_evaluation(wrong);
        #[cfg(feature = "store")]
        self.check_outcomes(wrong);
        let named = [
            ("primary", &self.settings.primary),
            ("fallback", &self.settings.fallback),
            ("single.config", &self.settings.single.config),
        ];
        for (path, id) in named {
            if let Some(id) = id {
                wrong.extend(self.pool.get(id).err().map(|error| self.document.error(path, error)));
            }
        }
        if self.settings.strategy == "shadow" && self.settings.primary.is_none() {
            wrong.push(self.document.error(
                "primary",
                format!(
                    "not set; name the config that answers, as in `primary: {}`",
                    self.pool[0].id().short()
                ),
            ));
        }
        if self.settings.fallback.is_some()
            && !matches!(self.settings.strategy.as_str(), "single" | "round_robin")
        {
            wrong.push(self.document.error(
                "fallback",
                "only for the strategies `single` and `round_robin`, where one config answers",
            ));
        }
        if self.settings.experiment.trim().is_empty() {
            wrong.push(self.document.error("experiment", "empty; give the experiment a name"));
        }
        if self.document.drawn().at("experiment").is_secret() {
            let message = "made of a secret; the name of an experiment is shown everywhere";
            wrong.push(self.document.error("experiment", message));
        }
        let limits = &self.settings.limits;
        for (path, is_none) in [
            ("limits.max_connections", limits.max_connections == 0),
            ("limits.max_headers", limits.max_headers == 0),
            ("limits.max_streams", limits.max_streams == 0),
        ] {
            if is_none {
                wrong.push(self.document.error(path, "0; nobody could be served"));
            }
        }
        if self.settings.threads == Some(0) {
            wrong.push(self.document.error("threads", "0; at least one thread must serve"));
        }
        if let Some(sync) = &self.settings.sync {
            if sync.mode.is_empty() {
                let message = "empty; name what is sent: runs, traces, summary";
                wrong.push(self.document.error("sync.mode", message));
            }
            if sync.rate.is_some_and(|rate| !(rate > 0.0 && rate.is_finite())) {
                let message = "not a rate; write a number of runs a second above 0";
                wrong.push(self.document.error("sync.rate", message));
            }
            if self.settings.mlflow.is_some() {
                let message = "set beside `mlflow`, which gets every branch as well; take one of \
                               them out";
                wrong.push(self.document.error("sync", message));
            }
        }
        if let Some(name) = &self.settings.variant_header {
            wrong.extend(header_name(&self.document, "variant_header", name).err());
        }
        match self.strategy() {
            "round_robin" => round_robin::check(self, wrong),
            "shadow" => shadow::check(self, wrong),
            _ => {}
        }
    }
}
