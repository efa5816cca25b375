//! Which of a primary and a branch beside it failed, and how long both took.

use super::{
    facts::{Arm, End, Facts, Meeting, is_timeout},
    gather::Gathered,
};
use crate::{
    branch::Role,
    store::{
        codes::Codes,
        metric::{self, Values},
        row::value,
        write::code,
    },
};
use rusqlite::{Connection, params};
use std::collections::{HashMap, HashSet};

/// Experiments whose primaries may have branches beside them, and those that have none so far.
#[derive(Debug, Default)]
pub(super) struct Paired {
    known: HashMap<i64, bool>,
}

/// The version since which it is known how long those beside primaries took.
pub(super) const PAIRED_SINCE: i32 = 7;

/// More experiments than a program has.
const MAX_KNOWN: usize = 4_096;

/// One that ran beside a primary.
struct Beside {
    id: [u8; 16],
    arm: Arm,
    end: End,
}

impl Paired {
    /// Counts the pairs that `branches` make among themselves and with those that came before.
    pub(super) fn settle(
        &mut self,
        connection: &Connection,
        codes: &Codes,
        gathered: &mut Gathered,
        branches: &[Facts],
    ) -> rusqlite::Result<()> {
        let beside = with_primaries(connection, codes, gathered, branches)?;
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        for facts in branches.iter().filter(|facts| is_beside(facts.role)) {
            self.known.insert(facts.arm.experiment, true);
        }
        for facts in branches.iter().filter(|facts| facts.role == Role::Primary) {
            if !self.is_paired(connection, codes, facts.arm.experiment)? {
                continue;
            }
            for other in beside_of(connection, codes, facts)? {
                if !beside.contains(&other.id) {
                    gathered.pair(other.arm, &other.id, &facts.end(), &other.end, 1);
                }
            }
        }
        Ok(())
    }

    fn is_paired(
        &mut self,
        connection: &Connection,
        codes: &Codes,
        experiment: i64,
    ) -> rusqlite::Result<bool> {
        if let Some(known) = self.known.get(&experiment) {
            return Ok(*known);
        }
        let found = connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM rollup WHERE experiment = ?1 AND role IN (?2, ?3))",
            )?
            .query_row(
                params![
                    experiment,
                    code(&codes.role, Role::Shadow)?,
                    code(&codes.role, Role::Control)?
                ],
                |row| row.get(0),
            )?;
        self.known.insert(experiment, found);
        Ok(found)
    }
}

/// Counts the pairs of those among `branches` that ran beside a primary, wherever that is; and
/// says which these are.
pub(super) fn with_primaries(
    connection: &Connection,
    codes: &Codes,
    gathered: &mut Gathered,
    branches: &[Facts],
) -> rusqlite::Result<HashSet<[u8; 16]>> {
    let mut beside = HashSet::new();
    if !branches.iter().any(|facts| is_beside(facts.role)) {
        return Ok(beside);
    }
    let primaries: HashMap<Meeting, End> = branches
        .iter()
        .filter(|facts| facts.role == Role::Primary)
        .map(|facts| (facts.meeting(), facts.end()))
        .collect();
    for facts in branches.iter().filter(|facts| is_beside(facts.role)) {
        beside.insert(facts.id);
        let primary = match primaries.get(&facts.meeting()) {
            Some(end) => Some(end.clone()),
            None => primary_of(connection, codes, facts)?,
        };
        if let Some(primary) = primary {
            gathered.pair(facts.arm, &facts.id, &primary, &facts.end(), 1);
        }
    }
    Ok(beside)
}

/// Moves the pairs of a branch that has come to another end: what goes, and what comes.
pub(super) fn change(
    connection: &Connection,
    codes: &Codes,
    [out, gathered]: [&mut Gathered; 2],
    before: &Facts,
    now: &Facts,
) -> rusqlite::Result<()> {
    if is_beside(now.role) {
        if let Some(primary) = primary_of(connection, codes, now)? {
            out.pair(now.arm, &now.id, &primary, &before.end(), -1);
            gathered.pair(now.arm, &now.id, &primary, &now.end(), 1);
        }
    } else if now.role == Role::Primary {
        for other in beside_of(connection, codes, now)? {
            out.pair(other.arm, &other.id, &before.end(), &other.end, -1);
            gathered.pair(other.arm, &other.id, &now.end(), &other.end, 1);
        }
    }
    Ok(())
}

const fn is_beside(role: Role) -> bool {
    matches!(role, Role::Shadow | Role::Control)
}

/// How the primary of the same request ended, if it is there.
fn primary_of(
    connection: &Connection,
    codes: &Codes,
    facts: &Facts,
) -> rusqlite::Result<Option<End>> {
    // The primary of an experiment that is nested in none begins its request.
    let sql = if facts.parent.is_none() {
        "SELECT status, duration_ns, failure, id FROM branch
         WHERE id = ?1 AND experiment = ?2 AND role = ?3 AND parent IS ?4"
    } else {
        "SELECT status, duration_ns, failure, id FROM branch
         WHERE request = ?1 AND experiment = ?2 AND role = ?3 AND parent IS ?4"
    };
    let role = code(&codes.role, Role::Primary)?;
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows =
        statement.query(params![facts.request, facts.arm.experiment, role, facts.parent])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(End {
        status: value(&codes.status, 0, row.get(0)?)?,
        duration_ns: row.get::<_, i64>(1)?.cast_unsigned(),
        timed_out: is_timeout(codes, row.get(2)?),
        // Only what both sides have is looked at.
        metrics: if facts.metrics.is_empty() {
            Values::default()
        } else {
            metric::rolled_up_of(connection, &row.get(3)?)?.0
        },
    }))
}

/// Those beside a primary that are there.
fn beside_of(
    connection: &Connection,
    codes: &Codes,
    facts: &Facts,
) -> rusqlite::Result<Vec<Beside>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, config, role, status, epoch, duration_ns, failure FROM branch
         WHERE request = ?1 AND experiment = ?2 AND role IN (?3, ?4) AND parent IS ?5",
    )?;
    let roles = [code(&codes.role, Role::Shadow)?, code(&codes.role, Role::Control)?];
    let experiment = facts.arm.experiment;
    let mut rows =
        statement.query(params![facts.request, experiment, roles[0], roles[1], facts.parent])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (config, role) = (row.get(1)?, row.get(2)?);
        let epoch = rules_of(connection, row.get(4)?)?;
        let arm = Arm { experiment, config, role, epoch };
        let id = row.get(0)?;
        let end = End {
            status: value(&codes.status, 3, row.get(3)?)?,
            duration_ns: row.get::<_, i64>(5)?.cast_unsigned(),
            timed_out: is_timeout(codes, row.get(6)?),
            metrics: if facts.metrics.is_empty() {
                Values::default()
            } else {
                metric::rolled_up_of(connection, &id)?.0
            },
        };
        found.push(Beside { id, arm, end });
    }
    Ok(found)
}

/// The first key of an epoch's fingerprint.
fn rules_of(connection: &Connection, epoch: Option<i64>) -> rusqlite::Result<i64> {
    let Some(epoch) = epoch else { return Ok(0) };
    connection
        .prepare_cached(
            "SELECT coalesce(min(f.key), 0) FROM epoch e JOIN epoch f USING (fingerprint)
             WHERE e.key = ?1",
        )?
        .query_row([epoch], |row| row.get(0))
}
