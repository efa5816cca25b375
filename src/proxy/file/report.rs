//! What a report on the experiment decides by.

use super::ExperimentFile;
use crate::{
    config::ConfigError,
    report::{Metric, Plan},
};

impl ExperimentFile {
    /// The plan for a report: the experiment, what the others are held against (`baseline`, else the
    /// `primary`, else the first config), and its `metrics`.
    pub fn plan(&self) -> Plan {
        let settings = &self.settings;
        let baseline = settings.baseline.as_ref().or(settings.primary.as_ref());
        let baseline = baseline.map_or_else(|| self.pool[0].id().as_str(), String::as_str);
        Plan::new().experiment(self.experiment()).baseline(baseline).metrics(self.metrics(|_| ()))
    }

    pub(super) fn check_metrics(&self, wrong: &mut Vec<ConfigError>) {
        if let Some(id) = &self.settings.baseline {
            wrong.extend(self.pool.get(id).err().map(|error| self.error("baseline", error)));
        }
        self.metrics(|error| wrong.push(error));
    }

    fn metrics(&self, mut wrong: impl FnMut(ConfigError)) -> Vec<Metric> {
        let mut metrics = Vec::new();
        for (name, settings) in &self.settings.metrics {
            match settings.metric(name) {
                Ok(metric) => metrics.push(metric),
                Err((key, message)) => {
                    let key = key.map(|key| format!(".{key}")).unwrap_or_default();
                    wrong(self.error(&format!("metrics.{name}{key}"), message));
                }
            }
        }
        metrics
    }
}
