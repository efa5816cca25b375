//! Branches one by one, with what a test of complete data asks of each and no more.

use super::{
    Filter, Progress, SqliteStore, StoreError,
    backend::Reader,
    filter::Conditions,
    metric,
    rollup::is_aside,
    row::{Names, value},
};
use crate::{
    assign::Reason,
    branch::{BranchId, FailureKind, Role, Status},
    config::ConfigId,
};
use rusqlite::{Row, ToSql, params, params_from_iter, types::Value};
use std::{ops::ControlFlow, sync::Arc};

/// How many rows are held at a time.
const PAGE: u64 = 1_024;

/// A branch, and what ran beside it for the same request.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    pub(crate) strategy: Arc<str>,
    pub(crate) config_id: ConfigId,
    pub(crate) role: Role,
    /// The fingerprint of its weights and rules.
    pub(crate) epoch: Option<u64>,
    pub(crate) unit: Option<u64>,
    pub(crate) end: Ended,
    /// The baseline's for the same request; of what shares its request with it alone.
    pub(crate) baseline: Option<Ended>,
    /// Whether the control's answer to the same request equals the primary's, if they were compared.
    pub(crate) control_equal: Option<bool>,
}

/// How a branch ended, and what was measured of it.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) id: BranchId,
    pub(crate) status: Status,
    pub(crate) timed_out: bool,
    pub(crate) duration_ns: u64,
    pub(crate) first_byte_ns: Option<u64>,
    /// Its bytes were counted, as they are over HTTP.
    pub(crate) over_http: bool,
    /// Whether its answer equals the primary's, if they were compared.
    pub(crate) equal: Option<bool>,
    pub(crate) metrics: Vec<(Arc<str>, f64)>,
}

const COLUMNS: &str = "b.id, b.config, b.role, b.status, b.failure, b.duration_ns, b.first_byte_ns,
    (SELECT differences FROM comparison WHERE branch = b.id), b.experiment, b.request, b.parent,
    b.unit, b.epoch, b.bytes_in IS NOT NULL, b.reason";

impl SqliteStore {
    /// Calls `with` for each branch that a filter means until it breaks off, in the order of their ids, but for those that
    /// are in no comparison as chance did not assign them; `baseline` is
    /// the config that others are held against. Pages are read each for itself, as by
    /// [`branches`](Self::branches). Without roll-ups, which a file of an older program has not, there are none. Blocks.
    pub(crate) fn observe(
        &self,
        filter: &Filter,
        baseline: (&ConfigId, Role),
        mut with: impl FnMut(Observed) -> ControlFlow<()>,
        mut progress: impl FnMut(Progress),
    ) -> Result<(), StoreError> {
        let reader = self.reader()?;
        if reader.version < super::rollup::SINCE_VERSION {
            return Ok(());
        }
        let failed = |error| self.failed("read", error);
        let conditions = Conditions::new(filter, &reader.connection, &reader.codes, failed)?;
        let mut reading = Reading { reader, names: Names::default(), baseline };
        let (mut last, mut done) = (None, 0);
        loop {
            let page = reading.page(&conditions, last).map_err(failed)?;
            last = page.last;
            done += page.count;
            let ended = page.observed.into_iter().try_for_each(&mut with).is_break();
            progress(Progress { step: "reading branches", done, total: 0 });
            if page.count < PAGE || ended {
                return Ok(());
            }
        }
    }

    /// How many branches of an experiment were removed that were dispatched in the hours of this time. Blocks.
    pub(crate) fn removed_of(
        &self,
        experiment: &str,
        since_ns: Option<u64>,
        until_ns: Option<u64>,
    ) -> Result<u64, StoreError> {
        const HOUR_NS: u64 = 3_600_000_000_000;
        let Reader { connection, version, .. } = self.reader()?;
        if version < super::rollup::SINCE_VERSION {
            return Ok(0);
        }
        let hour = |ns: u64| i64::try_from(ns).unwrap_or(i64::MAX);
        let since = hour(since_ns.unwrap_or(0) / HOUR_NS);
        let until = hour(until_ns.unwrap_or(u64::MAX).div_ceil(HOUR_NS));
        let removed: i64 = connection
            .query_row(
                "SELECT coalesce(sum(removed), 0) FROM held WHERE hour >= ?2 AND hour < ?3
                 AND experiment IN (SELECT key FROM experiment WHERE name = ?1)",
                params![experiment, since, until],
                |row| row.get(0),
            )
            .map_err(|error| self.failed("read", error))?;
        Ok(removed.unsigned_abs())
    }
}

struct Reading<'a> {
    reader: Reader,
    names: Names,
    baseline: (&'a ConfigId, Role),
}

/// So many rows, up to the last of them.
struct Page {
    observed: Vec<Observed>,
    last: Option<BranchId>,
    count: u64,
}

impl Reading<'_> {
    fn page(
        &mut self,
        conditions: &Conditions,
        mut last: Option<BranchId>,
    ) -> rusqlite::Result<Page> {
        let mut conditions = conditions.clone();
        if let Some(last) = last {
            conditions.and("b.id > ?", Value::Blob(last.as_bytes().to_vec()));
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM branch b{} ORDER BY b.id ASC LIMIT {PAGE}",
            conditions.sql
        );
        let Self { reader, names, baseline } = self;
        let mut statement = reader.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(conditions.values))?;
        let (mut page, mut count) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            if let Some(observed) = observed(row, reader, names, *baseline)? {
                page.push(observed);
            }
            last = Some(BranchId::from_bytes(row.get(0)?));
            count += 1;
        }
        Ok(Page { observed: page, last, count })
    }
}

fn observed(
    row: &Row<'_>,
    reader: &Reader,
    names: &mut Names,
    (baseline, of_baseline): (&ConfigId, Role),
) -> rusqlite::Result<Option<Observed>> {
    let role: Role = value(&reader.codes.role, 2, row.get(2)?)?;
    let reason: Option<Reason> = match row.get(14)? {
        Some(code) => Some(value(&reader.codes.reason, 14, code)?),
        None => None,
    };
    if reason.is_some_and(|reason| is_aside(role, reason)) {
        return Ok(None);
    }
    let (config_id, _) = names.config(&reader.connection, row.get(1)?)?;
    let mut beside = Beside { row, reader, names };
    let is_other = config_id != *baseline || role != of_baseline;
    let shares = matches!(role, Role::Shadow | Role::Branch) && is_other;
    let control_equal = if role == Role::Shadow && row.get::<_, Option<i64>>(7)?.is_some() {
        beside.ended(Role::Control, None)?.and_then(|ended| ended.equal)
    } else {
        None
    };
    let baseline = if shares { beside.ended(of_baseline, Some(baseline))? } else { None };
    let (strategy, epoch) = beside.place()?;
    let end = ended(row, reader, names)?;
    Ok(Some(Observed {
        strategy,
        config_id,
        role,
        epoch,
        unit: row.get::<_, Option<i64>>(11)?.map(i64::cast_unsigned),
        end,
        baseline,
        control_equal,
    }))
}

/// What ran for the request of a row.
struct Beside<'a, 'r> {
    row: &'a Row<'r>,
    reader: &'a Reader,
    names: &'a mut Names,
}

impl Beside<'_, '_> {
    /// The first in this role, with this config if one is named.
    fn ended(&mut self, role: Role, config: Option<&ConfigId>) -> rusqlite::Result<Option<Ended>> {
        let row = self.row;
        let request: Option<[u8; 16]> = row.get(9)?;
        let request = match request {
            Some(request) => request,
            None => row.get(0)?,
        };
        let (experiment, parent): (i64, Option<[u8; 16]>) = (row.get(8)?, row.get(10)?);
        let Some(role) = self.reader.codes.role.of(role) else { return Ok(None) };
        // One that begins its request has no other id of it.
        for of_request in ["b.id = ?1 AND b.request IS NULL", "b.request = ?1"] {
            let sql = format!(
                "SELECT {COLUMNS} FROM branch b
                 WHERE {of_request} AND b.experiment = ?2 AND b.role = ?3 AND b.parent IS ?4"
            );
            let values: [&dyn ToSql; 4] = [&request, &experiment, &role, &parent];
            let mut statement = self.reader.connection.prepare_cached(&sql)?;
            let mut rows = statement.query(values)?;
            while let Some(row) = rows.next()? {
                let (id, _) = self.names.config(&self.reader.connection, row.get(1)?)?;
                if config.is_none_or(|config| *config == id) {
                    return ended(row, self.reader, self.names).map(Some);
                }
            }
        }
        Ok(None)
    }

    /// The strategy and the fingerprint of the epoch.
    fn place(&mut self) -> rusqlite::Result<(Arc<str>, Option<u64>)> {
        let (_, strategy) = self.names.experiment(&self.reader.connection, self.row.get(8)?)?;
        let epoch = match self.row.get(12)? {
            Some(key) => Some(self.names.epoch(&self.reader.connection, key)?.fingerprint()),
            None => None,
        };
        Ok((strategy, epoch))
    }
}

fn ended(row: &Row<'_>, reader: &Reader, names: &mut Names) -> rusqlite::Result<Ended> {
    let failure: Option<i64> = row.get(4)?;
    let timed_out = failure.is_some() && failure == reader.codes.failure.of(FailureKind::Timeout);
    let metrics = if reader.version < metric::SINCE_VERSION {
        Vec::new()
    } else {
        metric::values_of(&reader.connection, &row.get(0)?)?
            .into_iter()
            .map(|(key, value)| Ok((names.metric(&reader.connection, key)?, value)))
            .collect::<rusqlite::Result<_>>()?
    };
    Ok(Ended {
        id: BranchId::from_bytes(row.get(0)?),
        status: value(&reader.codes.status, 3, row.get(3)?)?,
        timed_out,
        duration_ns: row.get::<_, i64>(5)?.cast_unsigned(),
        first_byte_ns: row.get::<_, Option<i64>>(6)?.map(i64::cast_unsigned),
        over_http: row.get(13)?,
        equal: row.get::<_, Option<i64>>(7)?.map(|differences| differences == 0),
        metrics,
    })
}
