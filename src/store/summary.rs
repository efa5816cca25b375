//! What the branches of each config come to.

use super::{
    Filter, SqliteStore, StoreError,
    backend::Reader,
    filter::Conditions,
    row::{Names, value},
};
use crate::{
    branch::{FailureKind, Role, Status},
    config::ConfigId,
};
use rusqlite::params_from_iter;
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// What the branches of one config come to, in one role of one experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConfigSummary {
    /// The name of the experiment.
    pub experiment: Arc<str>,
    /// The name of the strategy.
    pub strategy: Arc<str>,
    /// The id of the config.
    pub config_id: ConfigId,
    /// What the branches did for their requests.
    pub role: Role,
    /// Branches: as many as requests that this config had a part in, in this role.
    pub requests: u64,
    /// Those that returned, to the end.
    pub success: u64,
    /// Those that were started and went wrong.
    pub failed: u64,
    /// Those that were refused before they were started.
    pub skipped: u64,
    /// Those whose caller left.
    pub cancelled: u64,
    /// The failed ones by kind.
    pub failures: BTreeMap<FailureKind, u64>,
    /// Half of the branches took this long or less, in ns. The percentiles are of those that
    /// ended by themselves (successful and failed ones), exact, by nearest rank: the shortest
    /// duration that at least this share of them did not exceed. `None` if there are none.
    pub p50_ns: Option<u64>,
    /// 95 % of them took this long or less, in ns.
    pub p95_ns: Option<u64>,
    /// 99 % of them took this long or less, in ns.
    pub p99_ns: Option<u64>,
}

impl SqliteStore {
    /// What the branches that a filter means come to, per experiment, strategy, config and role,
    /// in this order. Blocks.
    ///
    /// It reads every branch meant, once, and holds 8 bytes for each.
    ///
    /// # Errors
    ///
    /// As [`branches`](Self::branches).
    pub fn summary(&self, filter: &Filter) -> Result<Vec<ConfigSummary>, StoreError> {
        let Reader { connection, codes, .. } = self.reader()?;
        let failed = |error| self.failed("read", error);
        let conditions = Conditions::new(filter, &connection, &codes, failed)?;
        let read = || {
            let sql = format!(
                "SELECT b.experiment, b.config, b.role, b.status, b.failure, b.duration_ns
                 FROM branch b{}",
                conditions.sql
            );
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query(params_from_iter(&conditions.values))?;
            let mut arms: HashMap<[i64; 3], Tally> = HashMap::new();
            while let Some(row) = rows.next()? {
                let arm = arms.entry([row.get(0)?, row.get(1)?, row.get(2)?]).or_default();
                let status = value(&codes.status, 3, row.get(3)?)?;
                let kind: Option<i64> = row.get(4)?;
                let kind = kind.map(|code| value(&codes.failure, 4, code)).transpose()?;
                arm.add(status, kind, row.get::<_, i64>(5)?.cast_unsigned());
            }
            let mut names = Names::default();
            let mut named: BTreeMap<_, Tally> = BTreeMap::new();
            for ([experiment, config, role], tally) in arms {
                let (experiment, strategy) = names.experiment(&connection, experiment)?;
                let (config_id, _) = names.config(&connection, config)?;
                let role = value(&codes.role, 2, role)?;
                // Two contents under one id are one config here.
                named.entry((experiment, strategy, config_id, role)).or_default().merge(tally);
            }
            Ok(named.into_iter().map(|(name, tally)| tally.summary(name)).collect())
        };
        read().map_err(failed)
    }
}

#[derive(Debug, Default)]
struct Tally {
    success: u64,
    failed: u64,
    skipped: u64,
    cancelled: u64,
    failures: BTreeMap<FailureKind, u64>,
    durations: Vec<u64>,
}

impl Tally {
    fn add(&mut self, status: Status, kind: Option<FailureKind>, duration_ns: u64) {
        match status {
            Status::Success => self.success += 1,
            Status::Failed => self.failed += 1,
            Status::Skipped => self.skipped += 1,
            Status::Cancelled => self.cancelled += 1,
        }
        if matches!(status, Status::Success | Status::Failed) {
            self.durations.push(duration_ns);
        }
        if let Some(kind) = kind {
            *self.failures.entry(kind).or_default() += 1;
        }
    }

    fn merge(&mut self, mut other: Self) {
        self.success += other.success;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.cancelled += other.cancelled;
        for (kind, count) in other.failures {
            *self.failures.entry(kind).or_default() += count;
        }
        self.durations.append(&mut other.durations);
    }

    fn summary(
        mut self,
        (experiment, strategy, config_id, role): (Arc<str>, Arc<str>, ConfigId, Role),
    ) -> ConfigSummary {
        self.durations.sort_unstable();
        ConfigSummary {
            experiment,
            strategy,
            config_id,
            role,
            requests: self.success + self.failed + self.skipped + self.cancelled,
            success: self.success,
            failed: self.failed,
            skipped: self.skipped,
            cancelled: self.cancelled,
            failures: self.failures,
            p50_ns: nearest_rank(&self.durations, 50),
            p95_ns: nearest_rank(&self.durations, 95),
            p99_ns: nearest_rank(&self.durations, 99),
        }
    }
}

/// The smallest value that at least `percent` of the sorted values do not exceed.
fn nearest_rank(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}
