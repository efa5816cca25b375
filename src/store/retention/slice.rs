//! One step of removing.

use super::Retention;
use crate::store::write::signed;
use rusqlite::{Connection, OptionalExtension, params};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const HOUR_MS: u64 = 3_600_000;
/// How many branches are removed at a time, and how many are looked at: those of other experiments
/// stand between them.
const STEP: usize = 250;
const SCAN: usize = 2_000;
/// How many pages a file gives back at a time, and how many may be free before it does.
const SHRINK_PAGES: i64 = 256;
const FREE_PAGES: i64 = 2_048;

/// Up to where the branches of an experiment are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Cut {
    pub(in crate::store) experiment: i64,
    /// Those whose ids are of before this time, in ms since 1970.
    pub(in crate::store) before_ms: u64,
    /// Further ones, as long as there are more bytes than this.
    pub(in crate::store) bytes: Option<u64>,
}

/// Where the next step goes on: what lies before it in its hour was looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::store) struct Cursor {
    hour: u64,
    /// An id as a number: ids sort like numbers.
    next: u128,
    /// The hour was gone through before, and some must have come late.
    again: bool,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::store) struct Slice {
    pub(in crate::store) branches: u64,
    /// There may be more to remove.
    pub(in crate::store) more: bool,
}

impl Cut {
    /// The lowest id that is younger than the age.
    pub(in crate::store) fn before_id(&self) -> [u8; 16] {
        id(self.before_ms).to_be_bytes()
    }
}

/// What an experiment's retention asks for at a time.
pub(in crate::store) fn cut(experiment: i64, retention: Retention, now: SystemTime) -> Cut {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    // An age beyond 1970 removes nothing.
    let before = retention.age.and_then(|age| now.checked_sub(age)).unwrap_or_default();
    let before_ms = u64::try_from(before.as_millis()).unwrap_or(u64::MAX);
    Cut { experiment, before_ms, bytes: retention.size }
}

/// Removes some of the oldest branches that a cut means, with all that belongs to them, for about
/// `time`.
pub(in crate::store) fn remove(
    connection: &Connection,
    cut: Cut,
    cursor: &mut Cursor,
    time: Duration,
) -> rusqlite::Result<Slice> {
    let started = Instant::now();
    let mut slice = Slice::default();
    loop {
        let Some((hour, surplus)) = oldest(connection, cut)? else { return Ok(slice) };
        let begins = hour.number * HOUR_MS;
        // (What the size asks for may be of any age.)
        let before = if surplus > 0 { u64::MAX } else { cut.before_ms };
        let ends = (begins + HOUR_MS).min(before);
        if cursor.hour != hour.number || cursor.next < id(begins) {
            *cursor = Cursor { hour: hour.number, next: id(begins), again: false };
        }
        let (removed, all) = remove_some(connection, cut.experiment, cursor, id(ends))?;
        slice.branches += removed;
        let mut left = hour.branches.saturating_sub(removed);
        let is_over = all && ends == begins + HOUR_MS;
        if is_over && left > 0 {
            // Those that came late are before the cursor. What is not there either is gone.
            left = if cursor.again { 0 } else { left };
            *cursor = Cursor { hour: hour.number, next: id(begins), again: true };
        }
        connection
            .prepare_cached(
                "UPDATE held SET branches = ?3, bytes = ?4, removed = removed + ?5
                 WHERE experiment = ?1 AND hour = ?2",
            )?
            .execute(params![
                cut.experiment,
                signed(hour.number),
                signed(left),
                signed(hour.bytes * left / hour.branches.max(1)),
                signed(removed),
            ])?;
        if left == 0 {
            remove_compared(connection, cut.experiment, id(begins), id(ends))?;
        } else if all && !is_over {
            // The rest of this hour is younger than the cut.
            return Ok(slice);
        }
        if started.elapsed() >= time {
            slice.more = true;
            return Ok(slice);
        }
    }
}

/// Gives free pages back to the file system, some at a time. Whether there may be more.
pub(in crate::store) fn shrink(connection: &Connection, keep: i64) -> rusqlite::Result<bool> {
    let free: i64 = connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    if free <= keep {
        return Ok(false);
    }
    let pages = SHRINK_PAGES.min(free - keep);
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut rows = statement.query([])?;
    // Each step frees a page.
    while rows.next()?.is_some() {}
    let left: i64 = connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    // A file that was not made by this crate may not know how.
    Ok(left > keep && left < free)
}

impl Slice {
    /// How many free pages a file keeps for what comes next.
    pub(in crate::store) const FREE_PAGES: i64 = FREE_PAGES;
}

struct Hour {
    number: u64,
    branches: u64,
    bytes: u64,
}

/// Whether there may be something to remove.
pub(in crate::store) fn is_due(connection: &Connection, cut: Cut) -> rusqlite::Result<bool> {
    oldest(connection, cut).map(|hour| hour.is_some())
}

/// The oldest hour in which there is something to remove, and how many bytes there are too many.
fn oldest(connection: &Connection, cut: Cut) -> rusqlite::Result<Option<(Hour, u64)>> {
    let surplus = match cut.bytes {
        None => 0,
        Some(limit) => {
            let bytes: i64 = connection
                .prepare_cached("SELECT coalesce(sum(bytes), 0) FROM held WHERE experiment = ?1")?
                .query_row([cut.experiment], |row| row.get(0))?;
            bytes.cast_unsigned().saturating_sub(limit)
        }
    };
    let hour = connection
        .prepare_cached(
            "SELECT hour, branches, bytes FROM held WHERE experiment = ?1 AND branches > 0
             ORDER BY hour LIMIT 1",
        )?
        .query_row([cut.experiment], |row| {
            let count = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.max(0));
            let [number, branches, bytes] = [count(0)?, count(1)?, count(2)?];
            Ok(Hour {
                number: number.cast_unsigned(),
                branches: branches.cast_unsigned(),
                bytes: bytes.cast_unsigned(),
            })
        })
        .optional()?;
    Ok(hour
        .filter(|hour| surplus > 0 || hour.number * HOUR_MS < cut.before_ms)
        .map(|hour| (hour, surplus)))
}

/// The lowest id of a time, as a number.
fn id(at_ms: u64) -> u128 {
    u128::from(at_ms.min((1 << 48) - 1)) << 80
}

/// How many were removed, and whether that is all there is before `end`.
fn remove_some(
    connection: &Connection,
    experiment: i64,
    cursor: &mut Cursor,
    end: u128,
) -> rusqlite::Result<(u64, bool)> {
    let mut ids: Vec<[u8; 16]> = Vec::with_capacity(STEP);
    let mut all = true;
    {
        let mut statement = connection.prepare_cached(
            "SELECT id, experiment FROM branch WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3",
        )?;
        let (from, end) = (cursor.next.to_be_bytes(), end.to_be_bytes());
        let mut rows = statement.query(params![from, end, SCAN as i64])?;
        let mut seen = 0;
        while let Some(row) = rows.next()? {
            let id: [u8; 16] = row.get(0)?;
            cursor.next = u128::from_be_bytes(id).saturating_add(1);
            seen += 1;
            if row.get::<_, i64>(1)? == experiment {
                ids.push(id);
            }
            if ids.len() == STEP || seen == SCAN {
                all = false;
                break;
            }
        }
    }
    for sql in [
        "DELETE FROM failure WHERE id = ?1",
        "DELETE FROM output WHERE id = ?1",
        "DELETE FROM branch_metric WHERE branch = ?1",
        "DELETE FROM comparison WHERE branch = ?1",
        "DELETE FROM branch WHERE id = ?1",
    ] {
        let mut statement = connection.prepare_cached(sql)?;
        for id in &ids {
            statement.execute([id])?;
        }
    }
    Ok((ids.len() as u64, all))
}

/// What was compared in an hour without its branch having been recorded, and examples.
fn remove_compared(
    connection: &Connection,
    experiment: i64,
    from: u128,
    before: u128,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM comparison WHERE branch >= ?1 AND branch < ?2 AND experiment = ?3",
        )?
        .execute(params![from.to_be_bytes(), before.to_be_bytes(), experiment])?;
    connection
        .prepare_cached("DELETE FROM difference WHERE experiment = ?1 AND branch < ?2")?
        .execute(params![experiment, before.to_be_bytes()])?;
    Ok(())
}
