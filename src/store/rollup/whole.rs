//! A stretch of time, in whole roll-ups and the rest.

use rusqlite::Connection;

const MINUTE_NS: u64 = 60_000_000_000;

/// The minutes of a stretch of time that roll-ups stand for as a whole, and the edges before and
/// behind them, of which only the branches tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Whole {
    /// Minutes since 1970, from the first to the one behind the last.
    first: u64,
    beyond: u64,
    /// From and to, in ns since 1970.
    edges: Vec<(u64, u64)>,
}

impl Whole {
    /// Of the time since `since_ns` and before `until_ns`.
    pub(in crate::store) fn new(
        connection: &Connection,
        since_ns: Option<u64>,
        until_ns: Option<u64>,
    ) -> rusqlite::Result<Self> {
        let since = since_ns.unwrap_or(0);
        // (Times end in 2262.)
        let until = until_ns.unwrap_or(i64::MAX.cast_unsigned());
        let (mut first, mut beyond) = (since.div_ceil(MINUTE_NS), until / MINUTE_NS);
        // An hour that has one row is all in or all out.
        if is_coarse(connection, first)? {
            first = first.next_multiple_of(60);
        }
        if is_coarse(connection, beyond)? {
            beyond -= beyond % 60;
        }
        if first >= beyond {
            return Ok(Self { first: 0, beyond: 0, edges: vec![(since, until)] });
        }
        let ends = |minute: u64| minute.saturating_mul(MINUTE_NS);
        let mut edges = vec![(since, ends(first))];
        if until_ns.is_some() {
            edges.push((ends(beyond), until));
        }
        edges.retain(|(from, to)| from < to);
        Ok(Self { first, beyond, edges })
    }

    /// The condition on roll-ups.
    pub(in crate::store) fn minutes(&self) -> String {
        format!(" AND minute >= {} AND minute < {}", self.first, self.beyond)
    }

    /// For each edge the condition on branches, as `b`: by their ids, as it is with roll-ups.
    pub(in crate::store) fn edges(&self) -> impl Iterator<Item = String> + '_ {
        let id = |ns: u64| format!("x'{:012x}'", ns / 1_000_000);
        self.edges
            .iter()
            .map(move |(from, to)| format!(" AND b.id >= {} AND b.id < {}", id(*from), id(*to)))
    }
}

fn is_coarse(connection: &Connection, minute: u64) -> rusqlite::Result<bool> {
    let hour = minute - minute % 60;
    connection
        .prepare("SELECT EXISTS (SELECT 1 FROM rollup WHERE minute = ?1 AND span > 1)")?
        .query_row([i64::try_from(hour).unwrap_or(i64::MAX)], |row| row.get(0))
}
