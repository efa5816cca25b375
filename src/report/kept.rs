//! Plans that a store keeps, so that a report needs no file.

use super::{Measure, Metric, MetricRole, Plan};
use crate::store::{KeptPlan, Snapshots, SqliteStore, StoreError};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

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
            .map_err(|error| unreadable(store.path(), experiment, error.to_string()))?;
        store.keep_plan_text(experiment, &content)
    }

    /// The plan that is kept for an experiment, if one is. Blocks.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or a newer version of this crate kept the plan.
    pub fn kept(store: &SqliteStore, experiment: &str) -> Result<Option<Self>, StoreError> {
        let content = store.plan_texts()?.remove(experiment);
        content.map(|content| read(store.path(), experiment, &content)).transpose()
    }
}

impl Plan {
    /// The experiments for which replicas keep different plans. Of these a [report](super::Report::merged) that is told
    /// nothing else decides by the newest.
    pub fn differing(snapshots: &Snapshots) -> Vec<String> {
        let asked = Self::new();
        let differ = |all: &[Found]| all.windows(2).any(|two| two[0].content != two[1].content);
        let kept = Plans::of_replicas(&asked, snapshots).kept.into_iter();
        kept.filter(|(_, all)| differ(all)).map(|(experiment, _)| experiment).collect()
    }
}

/// What a report is asked for, and where it is silent, what is kept for the experiment.
pub(super) struct Plans<'a> {
    asked: &'a Plan,
    /// By experiment.
    kept: BTreeMap<String, Vec<Found>>,
}

/// A plan that somebody keeps.
struct Found {
    /// The file, or the replica.
    by: PathBuf,
    content: String,
    kept_ns: Option<u64>,
}

impl<'a> Plans<'a> {
    /// What is asked for, whatever was kept.
    pub(super) const fn only(asked: &'a Plan) -> Self {
        Self { asked, kept: BTreeMap::new() }
    }

    pub(super) fn of_store(asked: &'a Plan, store: &SqliteStore) -> Result<Self, StoreError> {
        let by = || store.path().to_owned();
        let found = |content| vec![Found { by: by(), content, kept_ns: None }];
        let kept = store.plan_texts()?.into_iter();
        Ok(Self { asked, kept: kept.map(|(name, content)| (name, found(content))).collect() })
    }

    pub(super) fn of_replicas(asked: &'a Plan, snapshots: &Snapshots) -> Self {
        let mut kept: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        for snapshot in snapshots.iter() {
            for KeptPlan { experiment, content, kept_ns } in snapshot.plans() {
                let by = PathBuf::from(format!("replica {}", snapshot.replica()));
                let found = Found { by, content: content.clone(), kept_ns: *kept_ns };
                kept.entry(experiment.clone()).or_default().push(found);
            }
        }
        Self { asked, kept }
    }

    /// The plan for this experiment.
    pub(super) fn of(&self, experiment: &str) -> Result<Plan, StoreError> {
        let mut plan = self.asked.clone();
        if plan.baseline.is_some() && !plan.metrics.is_empty() {
            return Ok(plan);
        }
        if let Some(Found { by, content, .. }) = self.newest(experiment)? {
            let kept = read(by, experiment, content)?;
            plan.baseline = plan.baseline.or(kept.baseline);
            if plan.metrics.is_empty() {
                plan.metrics = kept.metrics;
            }
        }
        Ok(plan)
    }

    fn newest(&self, experiment: &str) -> Result<Option<&Found>, StoreError> {
        let all = self.kept.get(experiment).map(Vec::as_slice).unwrap_or_default();
        let newest_ns = all.iter().filter_map(|found| found.kept_ns).max();
        let newest = || all.iter().filter(|found| found.kept_ns == newest_ns);
        let Some(first) = newest().next() else { return Ok(None) };
        if newest().all(|other| other.content == first.content) {
            return Ok(Some(first));
        }
        let replicas = newest().map(|found| found.by.display().to_string()).collect();
        Err(StoreError::PlansDiffer { experiment: experiment.to_owned(), replicas })
    }

    /// Whether an experiment may be left out whose baseline has answered nobody yet: neither it nor the baseline
    /// was asked for.
    pub(super) const fn may_leave_out(&self) -> bool {
        self.asked.baseline.is_none() && self.asked.experiment.is_none()
    }
}

fn read(by: &Path, experiment: &str, content: &str) -> Result<Plan, StoreError> {
    let wrong = |reason: String| unreadable(by, experiment, reason);
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

fn unreadable(by: &Path, experiment: &str, reason: String) -> StoreError {
    StoreError::Plan { path: by.to_owned(), experiment: experiment.to_owned(), reason }
}
