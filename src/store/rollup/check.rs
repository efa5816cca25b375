//! Whether roll-ups are what the branches come to, hour by hour.

use super::{
    facts::{Arm, Facts, lowest_id, minute},
    gather::Gathered,
    pairs::{self, PAIRED_SINCE},
    read, set_aside,
    state::State,
    unit_bucket::Bucket,
    unit_metric::UnitMetrics,
};
use crate::{
    branch::Role,
    store::{
        CheckReport,
        codes::Codes,
        metric,
        row::{Names, value},
        write::code,
    },
};
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many branches are in memory at a time, and between two words of progress.
const CHUNK: usize = 20_000;
/// How many hours after some whose branches were removed a pair may miss its primary.
const PAIR_HOURS: i64 = 24;

/// Adds what does not agree to the report, and counts its branches. `progress` is told how many
/// it has looked at.
pub(in crate::store) fn disagreements(
    connection: &Connection,
    codes: &Codes,
    version: i32,
    report: &mut CheckReport,
    mut progress: impl FnMut(u64),
) -> rusqlite::Result<()> {
    let mut check = Check {
        connection,
        codes,
        version,
        exposures: exposures(connection, codes)?,
        removed: removed(connection)?,
        buckets: HashMap::new(),
        unit_metrics: UnitMetrics::default(),
        has_metrics: metric::any(connection, version)?,
        sets_aside: version >= set_aside::SINCE_VERSION,
        names: Names::default(),
    };
    for hour in hours(connection)? {
        check.hour(hour, report, &mut progress)?;
    }
    let all: i64 = connection.query_row("SELECT count(*) FROM branch", [], |row| row.get(0))?;
    let missed = all.unsigned_abs().saturating_sub(report.branches);
    if missed > 0 {
        report.fault(format!("{missed} branches are of hours without any roll-up"));
    }
    if check.removed.is_empty() {
        check.unit_buckets(version, report)?;
    }
    Ok(())
}

struct Check<'a> {
    connection: &'a Connection,
    codes: &'a Codes,
    version: i32,
    /// By arm and hour.
    exposures: HashMap<(Arm, i64), i64>,
    /// By experiment: the hours of which branches were removed.
    removed: BTreeMap<i64, BTreeSet<i64>>,
    buckets: HashMap<(Arm, i64), Bucket>,
    unit_metrics: UnitMetrics,
    has_metrics: bool,
    /// An older program counted all, whoever assigned them.
    sets_aside: bool,
    names: Names,
}

impl Check<'_> {
    fn hour(
        &mut self,
        hour: i64,
        report: &mut CheckReport,
        progress: &mut impl FnMut(u64),
    ) -> rusqlite::Result<()> {
        let mut counted: BTreeMap<i64, i64> = BTreeMap::new();
        let mut expected = self.branches(hour, &mut counted, report, progress)?;
        for ((arm, _), count) in self.exposures.iter().filter(|((_, at), _)| *at == hour) {
            expected.entry(*arm).or_default().exposures += count;
        }
        let mut stored: BTreeMap<Arm, State> = BTreeMap::new();
        let rows = format!(" WHERE minute >= {} AND minute < {}", hour * 60, hour * 60 + 60);
        read::each(self.connection, &rows, |arm, _, _, state| {
            stored.entry(arm).or_default().merge(&state);
        })?;
        self.held(hour, &counted, &stored, report)?;
        let arms: BTreeSet<_> = expected.keys().chain(stored.keys()).copied().collect();
        for arm in arms {
            let removed = self.removed.get(&arm.experiment);
            if removed.is_some_and(|hours| hours.contains(&hour)) {
                continue;
            }
            let mut expected = expected.remove(&arm).unwrap_or_default();
            let stored = stored.remove(&arm).unwrap_or_default();
            let removed_before =
                |hours: &BTreeSet<i64>| hours.range(hour - PAIR_HOURS..hour).next().is_some();
            if removed.is_some_and(removed_before) {
                expected.pairs = stored.pairs;
                expected.primary_duration = stored.primary_duration.clone();
                expected.metric_pairs = stored.metric_pairs.clone();
                expected.take_paired(&stored);
            }
            if self.version < PAIRED_SINCE {
                expected.take_paired(&stored);
            }
            if !stored.agrees(&expected) {
                let [is, should] = [&stored, &expected].map(|state| state.all_statuses());
                let what = if is == should {
                    "the sums of its roll-ups are not those of its branches".to_owned()
                } else {
                    format!(
                        "its roll-ups count {} branches, and {} are there",
                        is.iter().sum::<i64>(),
                        should.iter().sum::<i64>()
                    )
                };
                let name = self.name(arm, hour)?;
                report.fault(format!("{name}: {what}"));
            }
        }
        Ok(())
    }

    /// What the branches and comparisons of an hour come to; counts those of each experiment.
    fn branches(
        &mut self,
        hour: i64,
        counted: &mut BTreeMap<i64, i64>,
        report: &mut CheckReport,
        progress: &mut impl FnMut(u64),
    ) -> rusqlite::Result<BTreeMap<Arm, State>> {
        let mut sums = BTreeMap::new();
        let mut chunk = Vec::new();
        let sql = format!(
            "SELECT {} FROM branch b WHERE b.id >= ?1 AND b.id < ?2 ORDER BY b.id",
            Facts::COLUMNS
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let range = [hour, hour + 1].map(|hour| lowest_id(hour * 60));
        let mut rows = statement.query(params![range[0], range[1]])?;
        loop {
            let row = rows.next()?;
            let is_last = row.is_none();
            if let Some(row) = row {
                let mut facts = Facts::read(row, self.codes)?;
                if self.has_metrics {
                    facts = facts.with_metrics(self.connection)?;
                }
                if !self.sets_aside {
                    facts.aside = None;
                }
                *counted.entry(facts.arm.experiment).or_default() += 1;
                report.branches += 1;
                chunk.push(facts);
            }
            if is_last || chunk.len() >= CHUNK {
                let mut gathered = Gathered::default();
                chunk.iter().for_each(|facts| gathered.add(facts));
                pairs::with_primaries(self.connection, self.codes, &mut gathered, &chunk)?;
                chunk.clear();
                for ((arm, bucket), sum) in &gathered.buckets {
                    self.buckets.entry((*arm, *bucket)).or_default().merge(sum);
                }
                self.unit_metrics.merge(&gathered.unit_metrics);
                add_all(&mut sums, &gathered);
                progress(report.branches);
            }
            if is_last {
                break;
            }
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT experiment, config, role, coalesce(epoch, 0), branch, differences
             FROM comparison WHERE branch >= ?1 AND branch < ?2",
        )?;
        let mut rows = statement.query(params![range[0], range[1]])?;
        let mut gathered = Gathered::default();
        while let Some(row) = rows.next()? {
            let (experiment, config) = (row.get(0)?, row.get(1)?);
            let arm = Arm { experiment, config, role: row.get(2)?, epoch: row.get(3)? };
            gathered.compared(arm, &row.get(4)?, row.get::<_, i64>(5)? == 0);
        }
        add_all(&mut sums, &gathered);
        Ok(sums)
    }

    /// Whether the numbers of branches agree that are there, were removed, and are rolled up.
    fn held(
        &self,
        hour: i64,
        counted: &BTreeMap<i64, i64>,
        stored: &BTreeMap<Arm, State>,
        report: &mut CheckReport,
    ) -> rusqlite::Result<()> {
        let mut rolled_up: BTreeMap<i64, i64> = BTreeMap::new();
        for (arm, state) in stored {
            *rolled_up.entry(arm.experiment).or_default() +=
                state.all_statuses().iter().sum::<i64>();
        }
        let mut held: BTreeMap<i64, [i64; 2]> = BTreeMap::new();
        let mut statement = self
            .connection
            .prepare_cached("SELECT experiment, branches, removed FROM held WHERE hour = ?1")?;
        let mut rows = statement.query([hour])?;
        while let Some(row) = rows.next()? {
            held.insert(row.get(0)?, [row.get(1)?, row.get(2)?]);
        }
        let experiments: BTreeSet<_> =
            counted.keys().chain(rolled_up.keys()).chain(held.keys()).collect();
        for experiment in experiments {
            let number = |of: &BTreeMap<i64, i64>| of.get(experiment).copied().unwrap_or(0);
            let [branches, removed] = held.get(experiment).copied().unwrap_or_default();
            let (there, rolled_up) = (number(counted), number(&rolled_up));
            if branches != there || removed > 0 && branches + removed != rolled_up {
                let at = self.time(hour)?;
                let (name, _) = Names::default().experiment(self.connection, *experiment)?;
                report.fault(format!(
                    "experiment {name}, {at}: {there} branches are there, {branches} are said to \
                     be, {removed} were removed, and {rolled_up} are in roll-ups"
                ));
            }
        }
        Ok(())
    }

    fn unit_buckets(&mut self, version: i32, report: &mut CheckReport) -> rusqlite::Result<()> {
        let mut faults = 0_u64;
        self.buckets.values_mut().for_each(|bucket| bucket.as_of(version));
        let mut statement = self.connection.prepare(&Bucket::select(version))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (arm, number, stored) = Bucket::read(row)?;
            let expected = self.buckets.remove(&(arm, number)).unwrap_or_default();
            faults += u64::from(!stored.agrees(&expected));
        }
        faults +=
            self.buckets.values().filter(|left| !left.agrees(&Bucket::default())).count() as u64;
        if version >= metric::SINCE_VERSION {
            faults += std::mem::take(&mut self.unit_metrics).disagreements(self.connection)?;
        }
        if faults > 0 {
            report.fault(format!("{faults} buckets of units are not the sums of their branches"));
        }
        Ok(())
    }

    fn name(&mut self, arm: Arm, hour: i64) -> rusqlite::Result<String> {
        let (experiment, _) = self.names.experiment(self.connection, arm.experiment)?;
        let (config, _) = self.names.config(self.connection, arm.config)?;
        let role = value(&self.codes.role, 0, arm.role)?;
        let at = self.time(hour)?;
        Ok(format!("experiment {experiment}, config {config}, role {role}, {at}"))
    }

    fn time(&self, hour: i64) -> rusqlite::Result<String> {
        let sql = "SELECT strftime('%Y-%m-%dT%H:00Z', ?1, 'unixepoch')";
        self.connection.query_row(sql, [hour * 3_600], |row| row.get(0))
    }
}

fn add_all(sums: &mut BTreeMap<Arm, State>, gathered: &Gathered) {
    for ((arm, _), state) in &gathered.states {
        sums.entry(*arm).or_default().merge(state);
    }
}

/// Hours with something in them.
fn hours(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT minute / 60 FROM rollup UNION SELECT hour FROM held ORDER BY 1";
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

fn removed(connection: &Connection) -> rusqlite::Result<BTreeMap<i64, BTreeSet<i64>>> {
    let mut removed: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    let mut statement =
        connection.prepare("SELECT experiment, hour FROM held WHERE removed > 0")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        removed.entry(row.get(0)?).or_default().insert(row.get(1)?);
    }
    Ok(removed)
}

fn exposures(connection: &Connection, codes: &Codes) -> rusqlite::Result<HashMap<(Arm, i64), i64>> {
    let mut counts = HashMap::new();
    let role = code(&codes.role, Role::Primary)?;
    let mut statement =
        connection.prepare("SELECT experiment, config, epoch, branch FROM exposure")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (experiment, config) = (row.get(0)?, row.get(1)?);
        let arm = Arm { experiment, config, role, epoch: row.get(2)? };
        *counts.entry((arm, minute(&row.get(3)?).div_euclid(60))).or_default() += 1;
    }
    Ok(counts)
}
