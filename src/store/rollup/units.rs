//! Reading what is known of units.

use super::{RollupFilter, UnitLatencies, UnitSums, read::SINCE_VERSION, unit_bucket::Bucket};
use crate::{
    assign::Epoch,
    branch::{BranchId, Role},
    config::ConfigId,
    store::{
        SqliteStore, StoreError,
        backend::Reader,
        codes::Codes,
        metric,
        row::{Names, value},
    },
};
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// What the branches of the units in one bucket come to: units (users, sessions) hash into 4,096
/// buckets for each config, and are independent of one another where their requests are not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnitBucket {
    /// The name of the experiment.
    pub experiment: Arc<str>,
    /// The name of the strategy.
    pub strategy: Arc<str>,
    /// The id of the config.
    pub config_id: ConfigId,
    /// What the branches did for their requests.
    #[serde(deserialize_with = "crate::named::read")]
    pub role: Role,
    /// The weights and rules they were chosen by, if they are known.
    pub epoch: Option<Epoch>,
    /// From 0 to 4,095.
    pub bucket: u32,
    /// Branches that returned, to the end.
    pub success: u64,
    /// Those that went wrong.
    pub failed: u64,
    /// Those among the failed that timed out.
    pub timed_out: u64,
    /// How long the successful and the failed took together, in µs, each in whole µs.
    pub duration_us: u64,
    /// The sum of the squares of the same.
    pub duration_us_squares: f64,
    /// Branches without an end of their own: skipped, or left by their callers.
    pub unfinished: u64,
    /// How long each of the successful and the failed took, in ns, but for those that timed out. Of fewer where an
    /// older program counted and branches were removed since.
    #[serde(default)]
    pub latencies: UnitLatencies,
    /// The numbers that services said of the same branches, by their names.
    #[serde(default)]
    pub metrics: BTreeMap<Arc<str>, UnitSums>,
}

/// The first answer that a unit got in an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Exposure {
    /// The name of the experiment.
    pub experiment: Arc<str>,
    /// The name of the strategy.
    pub strategy: Arc<str>,
    /// The weights and rules it was assigned by, if they are known.
    pub epoch: Option<Epoch>,
    /// The id of the config that answered.
    pub config_id: ConfigId,
    /// The branch, whose id tells the time; it may have been removed since.
    pub branch: BranchId,
}

impl UnitBucket {
    /// The bucket with this number of an arm, without any branches yet.
    pub fn new(
        experiment: impl Into<Arc<str>>,
        strategy: impl Into<Arc<str>>,
        config_id: ConfigId,
        role: Role,
        epoch: Option<Epoch>,
        bucket: u32,
    ) -> Self {
        let (experiment, strategy) = (experiment.into(), strategy.into());
        Self {
            experiment,
            strategy,
            config_id,
            role,
            epoch,
            bucket,
            success: 0,
            failed: 0,
            timed_out: 0,
            duration_us: 0,
            duration_us_squares: 0.0,
            unfinished: 0,
            latencies: UnitLatencies::new(),
            metrics: BTreeMap::new(),
        }
    }

    /// Adds all sums of `other`; whose they are is not looked at. Of one unit on several replicas all stands
    /// in the bucket of the same number, so that merged buckets are those of all its requests.
    pub fn merge(&mut self, other: &Self) {
        self.success += other.success;
        self.failed += other.failed;
        self.timed_out += other.timed_out;
        self.duration_us = self.duration_us.saturating_add(other.duration_us);
        self.duration_us_squares += other.duration_us_squares;
        self.unfinished += other.unfinished;
        self.latencies.merge(&other.latencies);
        for (name, sums) in &other.metrics {
            self.metrics.entry(name.clone()).or_default().merge(sums);
        }
    }
}

impl SqliteStore {
    /// The sums by bucket of the unit, of the experiment, config, role and epoch that a filter
    /// means. They are of all times; the filter's own are not looked at. Blocks.
    ///
    /// # Errors
    ///
    /// As [`rollups`](Self::rollups).
    pub fn unit_buckets(&self, filter: &RollupFilter) -> Result<Vec<UnitBucket>, StoreError> {
        let Reader { connection, codes, version } = self.reader()?;
        let failed = |error| self.failed("read", error);
        let conditions = filter.arms(&connection, &codes, failed)?;
        if version < SINCE_VERSION {
            return Ok(Vec::new());
        }
        unit_buckets(&connection, &codes, version, &conditions, &mut Names::default())
            .map_err(failed)
    }

    /// The first answers that a unit got, by its hash: one for each experiment and epoch. Blocks.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn exposures(&self, unit: u64) -> Result<Vec<Exposure>, StoreError> {
        let Reader { connection, version, .. } = self.reader()?;
        if version < SINCE_VERSION {
            return Ok(Vec::new());
        }
        let read = || {
            let mut statement = connection.prepare(
                "SELECT experiment, epoch, config, branch FROM exposure WHERE unit = ?1
                 ORDER BY branch",
            )?;
            let mut rows = statement.query([unit.cast_signed()])?;
            let mut names = Names::default();
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let (experiment, strategy) = names.experiment(&connection, row.get(0)?)?;
                let (config_id, _) = names.config(&connection, row.get(2)?)?;
                found.push(Exposure {
                    experiment,
                    strategy,
                    epoch: epoch(&mut names, &connection, row.get(1)?)?,
                    config_id,
                    branch: BranchId::from_bytes(row.get(3)?),
                });
            }
            Ok(found)
        };
        read().map_err(|error| self.failed("read", error))
    }
}

/// Experiment, config, role, epoch and bucket.
type BucketKey = [i64; 5];

fn bucket_key(row: &Row<'_>) -> rusqlite::Result<BucketKey> {
    Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
}

/// The metrics of the buckets that `conditions` mean.
fn metrics(
    connection: &Connection,
    version: i32,
    conditions: &str,
    names: &mut Names,
) -> rusqlite::Result<HashMap<BucketKey, BTreeMap<Arc<str>, UnitSums>>> {
    let mut found: HashMap<_, BTreeMap<_, _>> = HashMap::new();
    if version < metric::SINCE_VERSION {
        return Ok(found);
    }
    let sql = format!(
        "SELECT experiment, config, role, epoch, bucket, metric, count, sum FROM unit_metric{conditions}"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name = names.metric(connection, row.get(5)?)?;
        let count = row.get::<_, i64>(6)?.max(0).unsigned_abs();
        let sums = UnitSums { count, sum: row.get(7)? };
        found.entry(bucket_key(row)?).or_default().insert(name, sums);
    }
    Ok(found)
}

fn epoch(names: &mut Names, connection: &Connection, key: i64) -> rusqlite::Result<Option<Epoch>> {
    if key == 0 { Ok(None) } else { names.epoch(connection, key).map(Some) }
}

/// The rows that `conditions` on the table mean.
pub(in crate::store) fn unit_buckets(
    connection: &Connection,
    codes: &Codes,
    version: i32,
    conditions: &str,
    names: &mut Names,
) -> rusqlite::Result<Vec<UnitBucket>> {
    let sql = Bucket::select(version) + conditions;
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut metrics = metrics(connection, version, conditions, names)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let count = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.cast_unsigned());
        let (experiment, strategy) = names.experiment(connection, row.get(0)?)?;
        let (config_id, _) = names.config(connection, row.get(1)?)?;
        found.push(UnitBucket {
            experiment,
            strategy,
            config_id,
            role: value(&codes.role, 2, row.get(2)?)?,
            epoch: epoch(names, connection, row.get(3)?)?,
            bucket: row.get(4)?,
            success: count(5)?,
            failed: count(6)?,
            timed_out: count(7)?,
            duration_us: count(8)?,
            duration_us_squares: row.get(9)?,
            unfinished: count(10)?,
            latencies: Bucket::latencies(row)?,
            metrics: metrics.remove(&bucket_key(row)?).unwrap_or_default(),
        });
    }
    Ok(found)
}
