//! Taking branches to be sent.

use super::Outbox;
use crate::{
    branch::BranchId,
    store::{
        BranchRow, StoreError,
        session::{branch, branches_of_request},
    },
};
use rusqlite::{Connection, params};
use std::collections::HashSet;

/// How many branches are looked at in one transaction: a few milliseconds.
const SCAN: usize = 2_000;

/// Branches to be sent, in the order of their ids.
#[derive(Debug, Default)]
pub(crate) struct Claimed {
    /// Each, and whether an earlier try may have had its effect.
    pub(crate) branches: Vec<(BranchRow, bool)>,
    /// There may be more.
    pub(crate) more: bool,
    /// Passed over: not of the sample.
    pub(crate) left_out: u64,
    /// Noted, and removed from the store before they were sent.
    pub(crate) removed: u64,
}

impl Outbox {
    /// Takes up to `max` branches that are not `under_way`: those that were taken before and not
    /// dealt with, and then further ones, if they are `wanted` by their request's id. Blocks.
    pub(crate) fn claim(
        &self,
        max: usize,
        under_way: &HashSet<BranchId>,
        wanted: &(dyn Fn(BranchId) -> bool + Sync),
    ) -> Result<Claimed, StoreError> {
        self.store().transact(|connection, codes| {
            let mut claimed = Claimed::default();
            let noted = self.noted(connection, max + under_way.len())?;
            claimed.more = noted.len() == max + under_way.len();
            let mut taken: Vec<_> =
                noted.into_iter().filter(|(id, _)| !under_way.contains(id)).take(max).collect();
            if taken.len() < max {
                let wanted_more = max - taken.len();
                claimed.more |= self.advance(
                    connection,
                    wanted_more,
                    wanted,
                    &mut taken,
                    &mut claimed.left_out,
                )?;
            }
            for (id, tried) in taken {
                match branch(connection, codes, id)? {
                    // Late ones were noted whatever the sample is.
                    Some(row) if tried || wanted(row.request_id) => {
                        self.mark_tried(connection, id)?;
                        claimed.branches.push((row, tried));
                    }
                    Some(_) => {
                        claimed.left_out += 1;
                        self.forget(connection, id)?;
                    }
                    None => {
                        claimed.removed += 1;
                        self.forget(connection, id)?;
                    }
                }
            }
            connection
                .prepare_cached(
                    "UPDATE sync_target SET left_out = left_out + ?2, removed = removed + ?3
                     WHERE key = ?1",
                )?
                .execute(params![
                    self.key(),
                    claimed.left_out.cast_signed(),
                    claimed.removed.cast_signed()
                ])?;
            Ok(claimed)
        })
    }

    /// The branches of a request as they are now, whosever they are. Blocks.
    pub(crate) fn request(&self, id: BranchId) -> Result<Vec<BranchRow>, StoreError> {
        let reader = self.store().reader()?;
        branches_of_request(&reader.connection, &reader.codes, id)
            .map_err(|error| self.store().failed("read", error))
    }

    fn noted(
        &self,
        connection: &Connection,
        max: usize,
    ) -> rusqlite::Result<Vec<(BranchId, bool)>> {
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        connection
            .prepare_cached(
                "SELECT branch, tried FROM sync_unsent WHERE target = ?1 ORDER BY branch LIMIT ?2",
            )?
            .query_map(params![self.key(), max], |row| {
                Ok((BranchId::from_bytes(row.get(0)?), row.get::<_, i64>(1)? != 0))
            })?
            .collect()
    }

    /// Moves the cursor over the next branches, whosever they are, until `max` are taken. Whether
    /// there may be more.
    fn advance(
        &self,
        connection: &Connection,
        max: usize,
        wanted: &(dyn Fn(BranchId) -> bool + Sync),
        taken: &mut Vec<(BranchId, bool)>,
        left_out: &mut u64,
    ) -> rusqlite::Result<bool> {
        let own: HashSet<i64> = connection
            .prepare_cached("SELECT key FROM experiment WHERE name = ?1")?
            .query_map([self.experiment()], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut statement = connection.prepare_cached(
            "SELECT id, coalesce(request, id), experiment FROM branch
             WHERE id > (SELECT cursor FROM sync_target WHERE key = ?1) ORDER BY id LIMIT ?2",
        )?;
        let mut rows = statement.query(params![self.key(), SCAN as i64])?;
        let (mut last, mut looked_at, mut found) = (None, 0, 0);
        while found < max
            && let Some(row) = rows.next()?
        {
            let id = BranchId::from_bytes(row.get(0)?);
            (last, looked_at) = (Some(id), looked_at + 1);
            if !own.contains(&row.get(2)?) {
                continue;
            }
            if wanted(BranchId::from_bytes(row.get(1)?)) {
                taken.push((id, false));
                found += 1;
            } else {
                *left_out += 1;
            }
        }
        if let Some(last) = last {
            connection
                .prepare_cached("UPDATE sync_target SET cursor = ?2 WHERE key = ?1")?
                .execute(params![self.key(), last.as_bytes()])?;
        }
        Ok(found == max || looked_at == SCAN)
    }

    fn mark_tried(&self, connection: &Connection, id: BranchId) -> rusqlite::Result<()> {
        connection
            .prepare_cached(
                "INSERT INTO sync_unsent (target, branch, tried) VALUES (?1, ?2, 1)
                 ON CONFLICT DO UPDATE SET tried = 1",
            )?
            .execute(params![self.key(), id.as_bytes()])?;
        Ok(())
    }

    fn forget(&self, connection: &Connection, id: BranchId) -> rusqlite::Result<()> {
        connection
            .prepare_cached("DELETE FROM sync_unsent WHERE target = ?1 AND branch = ?2")?
            .execute(params![self.key(), id.as_bytes()])?;
        Ok(())
    }
}
