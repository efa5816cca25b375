//! What the branches of each config come to.

use super::{
    Filter, Histogram, RollupFilter, SqliteStore, StoreError,
    backend::Reader,
    codes::Codes,
    filter::Conditions,
    rollup::{self, State, Whole},
    row::{Names, value},
};
use crate::{
    branch::{FailureKind, Role, Status},
    config::ConfigId,
};
use rusqlite::{Connection, params_from_iter, types::Value};
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
    /// ended by themselves (successful and failed ones), by nearest rank: the shortest duration
    /// that at least this share of them did not exceed; from roll-ups within 1 %, and with
    /// time-outs as the longest. `None` if there are none.
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
    /// It reads roll-ups, so that a month takes little longer than an hour, and counts branches
    /// that were removed since; of the branches it reads only those in the minutes in which the
    /// filter's time begins and ends. A filter by status, reason, request or trace, and a file of a
    /// version before 4, make it read every branch meant and hold 8 bytes for each; the
    /// percentiles are exact then.
    ///
    /// # Errors
    ///
    /// As [`branches`](Self::branches).
    pub fn summary(&self, filter: &Filter) -> Result<Vec<ConfigSummary>, StoreError> {
        let rolled_up = filter.status.is_none()
            && filter.reason.is_none()
            && !filter.by_chance
            && filter.request_id.is_none()
            && filter.trace.is_none();
        let Reader { mut connection, codes, version } = self.reader()?;
        let failed = |error| self.failed("read", error);
        // One state of the file for all that is read.
        let connection = connection.transaction().map_err(failed)?;
        let mut arms = Arms::default();
        if rolled_up && version >= rollup::SINCE_VERSION {
            let whole = Whole::new(&connection, filter.since_ns, filter.until_ns);
            let whole = whole.map_err(failed)?;
            arms.add_rollups(&connection, &codes, filter, &whole, failed)?;
            let timeless = Filter { since_ns: None, until_ns: None, ..filter.clone() };
            let Conditions { sql, values } =
                Conditions::new(&timeless, &connection, &codes, failed)?;
            for edge in whole.edges() {
                arms.add_branches(&connection, &codes, &(sql.clone() + &edge), &values, true)
                    .map_err(failed)?;
            }
        } else {
            let Conditions { sql, values } = Conditions::new(filter, &connection, &codes, failed)?;
            arms.add_branches(&connection, &codes, &sql, &values, false).map_err(failed)?;
        }
        arms.named(&connection, &codes).map_err(failed)
    }
}

/// By experiment, config and role.
#[derive(Debug, Default)]
struct Arms(HashMap<[i64; 3], Tally>);

impl Arms {
    /// The roll-ups of whole minutes.
    fn add_rollups(
        &mut self,
        connection: &Connection,
        codes: &Codes,
        filter: &Filter,
        whole: &Whole,
        failed: impl Fn(rusqlite::Error) -> StoreError,
    ) -> Result<(), StoreError> {
        let mut arms = RollupFilter::new();
        arms.experiment.clone_from(&filter.experiment);
        arms.config.clone_from(&filter.config);
        (arms.role, arms.epoch) = (filter.role, filter.epoch);
        let conditions = arms.arms(connection, codes, &failed)? + &whole.minutes();
        rollup::each(connection, &conditions, |arm, _, _, state| {
            let arm = [arm.experiment, arm.config, arm.role];
            let tally = self.0.entry(arm).or_default();
            // (It tells nothing apart by who assigned it.)
            state.parts().for_each(|part| tally.add_state(part, codes));
        })
        .map_err(failed)
    }

    /// Single branches; `into_buckets` where they are added to roll-ups.
    fn add_branches(
        &mut self,
        connection: &Connection,
        codes: &Codes,
        conditions: &str,
        values: &[Value],
        into_buckets: bool,
    ) -> rusqlite::Result<()> {
        let sql = format!(
            "SELECT b.experiment, b.config, b.role, b.status, b.failure, b.duration_ns
             FROM branch b{conditions}"
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let arm = self.0.entry([row.get(0)?, row.get(1)?, row.get(2)?]).or_default();
            let status = value(&codes.status, 3, row.get(3)?)?;
            let kind: Option<i64> = row.get(4)?;
            let kind = kind.map(|code| value(&codes.failure, 4, code)).transpose()?;
            arm.add(status, kind, row.get::<_, i64>(5)?.cast_unsigned(), into_buckets);
        }
        Ok(())
    }

    fn named(
        self,
        connection: &Connection,
        codes: &Codes,
    ) -> Result<Vec<ConfigSummary>, rusqlite::Error> {
        let mut names = Names::default();
        let mut named: BTreeMap<_, Tally> = BTreeMap::new();
        for ([experiment, config, role], tally) in self.0 {
            // (A minute whose only record is that something was compared.)
            if tally.requests() == 0 {
                continue;
            }
            let (experiment, strategy) = names.experiment(connection, experiment)?;
            let (config_id, _) = names.config(connection, config)?;
            let role = value(&codes.role, 2, role)?;
            // Two contents under one id are one config here.
            named.entry((experiment, strategy, config_id, role)).or_default().merge(tally);
        }
        Ok(named.into_iter().map(|(name, tally)| tally.summary(name)).collect())
    }
}

#[derive(Debug, Default)]
struct Tally {
    /// Success, failed, skipped, cancelled.
    statuses: [u64; 4],
    failures: BTreeMap<FailureKind, u64>,
    /// One of the two is empty.
    durations: Vec<u64>,
    histogram: Histogram,
}

impl Tally {
    fn add(&mut self, status: Status, kind: Option<FailureKind>, ns: u64, into_buckets: bool) {
        self.statuses[rollup::status_index(status)] += 1;
        if matches!(status, Status::Success | Status::Failed) {
            match (into_buckets, kind) {
                (false, _) => self.durations.push(ns),
                (true, Some(FailureKind::Timeout)) => self.histogram.add_timeout(ns),
                (true, _) => self.histogram.add(ns),
            }
        }
        if let Some(kind) = kind {
            *self.failures.entry(kind).or_default() += 1;
        }
    }

    fn add_state(&mut self, state: &State, codes: &Codes) {
        for (sum, count) in self.statuses.iter_mut().zip(state.statuses) {
            *sum += u64::try_from(count).unwrap_or(0);
        }
        for (kind, count) in state.failures(codes) {
            *self.failures.entry(kind).or_default() += count;
        }
        self.histogram.merge(&state.duration);
    }

    fn merge(&mut self, mut other: Self) {
        for (sum, count) in self.statuses.iter_mut().zip(other.statuses) {
            *sum += count;
        }
        for (kind, count) in other.failures {
            *self.failures.entry(kind).or_default() += count;
        }
        self.durations.append(&mut other.durations);
        self.histogram.merge(&other.histogram);
    }

    fn requests(&self) -> u64 {
        self.statuses.iter().sum()
    }

    fn summary(
        mut self,
        (experiment, strategy, config_id, role): (Arc<str>, Arc<str>, ConfigId, Role),
    ) -> ConfigSummary {
        self.durations.sort_unstable();
        let percentile = |percent: u32| {
            nearest_rank(&self.durations, percent as usize)
                .or_else(|| self.histogram.quantile(f64::from(percent) / 100.0))
        };
        let [success, failed, skipped, cancelled] = self.statuses;
        ConfigSummary {
            experiment,
            strategy,
            config_id,
            role,
            requests: self.requests(),
            success,
            failed,
            skipped,
            cancelled,
            p50_ns: percentile(50),
            p95_ns: percentile(95),
            p99_ns: percentile(99),
            failures: self.failures,
        }
    }
}

/// The smallest value that at least `percent` of the sorted values do not exceed.
fn nearest_rank(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}
