//! Plans that a store keeps, so that a report needs no file.

use super::{Measure, Metric, MetricRole, Plan};
use crate::store::{SqliteStore, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the JSON that is written.
const VERSION: u64 = 1;

/// A plan as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u64,
    baseline: Option<String>,
    /// None: those that fit all.
    metrics: Vec<KeptMetric>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptMetric {
    measure: String,
    role: String,
    increase: bool,
    margin: f64,
    mde: f64,
}

impl Plan {
    /// Keeps it in the store for its experiment, in place of the one before: what the others are held against,
    /// and the metrics. [`Report::read`](super::Report::read) decides by it where it is told nothing else.
    /// `spearmint serve` does so with what its file says. Blocks.
    ///
    /// # Errors
    ///
    /// When it is for no experiment, or the store was opened for reading or cannot be written.
    pub fn keep(&self, store: &SqliteStore) -> Result<(), StoreError> {
        let Some(experiment) = &self.experiment else { return Err(StoreError::PlanOfAll) };
        let metrics = self.metrics.iter().map(|metric| KeptMetric {
            measure: metric.measure.to_string(),
            role: metric.role.to_string(),
            increase: metric.increase,
            margin: metric.margin,
            mde: metric.mde,
        });
        let baseline = self.baseline.clone();
        let kept = Kept { version: VERSION, baseline, metrics: metrics.collect() };
        let content = serde_json::to_string(&kept)
            .map_err(|error| unreadable(store, experiment, error.to_string()))?;
        store.keep_plan_text(experiment, &content)
    }

    /// The plan that is kept for an experiment, if one is. Blocks.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or a newer version of this crate kept the plan.
    pub fn kept(store: &SqliteStore, experiment: &str) -> Result<Option<Self>, StoreError> {
        let content = store.plan_texts()?.remove(experiment);
        content.map(|content| read(store, experiment, &content)).transpose()
    }
}

/// What a report is asked for, and where it is silent, what its store keeps for the experiment.
pub(super) struct Plans<'a> {
    asked: &'a Plan,
    kept: Option<(&'a SqliteStore, BTreeMap<String, String>)>,
}

impl<'a> Plans<'a> {
    /// What is asked for, whatever was kept.
    pub(super) const fn only(asked: &'a Plan) -> Self {
        Self { asked, kept: None }
    }

    pub(super) fn of_store(asked: &'a Plan, store: &'a SqliteStore) -> Result<Self, StoreError> {
        Ok(Self { asked, kept: Some((store, store.plan_texts()?)) })
    }

    /// The plan for this experiment.
    pub(super) fn of(&self, experiment: &str) -> Result<Plan, StoreError> {
        let mut plan = self.asked.clone();
        if plan.baseline.is_some() && !plan.metrics.is_empty() {
            return Ok(plan);
        }
        let Some((store, kept)) = &self.kept else { return Ok(plan) };
        if let Some(content) = kept.get(experiment) {
            let kept = read(store, experiment, content)?;
            plan.baseline = plan.baseline.or(kept.baseline);
            if plan.metrics.is_empty() {
                plan.metrics = kept.metrics;
            }
        }
        Ok(plan)
    }

    /// Whether an experiment may be left out whose baseline has answered nobody yet: neither it nor the baseline
    /// was asked for.
    pub(super) const fn may_leave_out(&self) -> bool {
        self.asked.baseline.is_none() && self.asked.experiment.is_none()
    }
}

fn read(store: &SqliteStore, experiment: &str, content: &str) -> Result<Plan, StoreError> {
    let wrong = |reason: String| unreadable(store, experiment, reason);
    let value: serde_json::Value =
        serde_json::from_str(content).map_err(|error| wrong(error.to_string()))?;
    let version = value.get("version").and_then(serde_json::Value::as_u64);
    if let Some(version) = version.filter(|version| *version != VERSION) {
        return Err(wrong(format!(
            "it has version {version}, and this program knows version {VERSION}"
        )));
    }
    let kept: Kept = serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
    let metric = |kept: KeptMetric| -> Result<Metric, StoreError> {
        let role: MetricRole =
            kept.role.parse().map_err(|error| wrong(format!("role: {error}")))?;
        let KeptMetric { increase, margin, mde, .. } = kept;
        Ok(Metric {
            measure: Measure::named(&kept.measure),
            role,
            increase,
            undirected: false,
            margin,
            mde,
        })
    };
    let mut plan = Plan::new().experiment(experiment);
    plan.baseline = kept.baseline;
    plan.metrics = kept.metrics.into_iter().map(metric).collect::<Result<_, _>>()?;
    Ok(plan)
}

fn unreadable(store: &SqliteStore, experiment: &str, reason: String) -> StoreError {
    StoreError::Plan { path: store.path().to_owned(), experiment: experiment.to_owned(), reason }
}
