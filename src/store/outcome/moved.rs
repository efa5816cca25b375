//! Units that turn out to be exposed otherwise.

use super::{
    attribute::{has_outcomes, put},
    first::{First, When, places},
    removed_before,
    rules::Spans,
    sums::Sums,
    total,
};
use rusqlite::Connection;
use std::collections::BTreeSet;

/// Attributes the outcomes of these units anew, in whatever they are exposed to: some of their first exposures are
/// later ones now, or are none. So what came before is another stretch of time for all of them.
pub(in crate::store) fn exposed_otherwise(
    connection: &Connection,
    units: &BTreeSet<i64>,
) -> rusqlite::Result<()> {
    if units.is_empty() || !has_outcomes(connection)? {
        return Ok(());
    }
    let (mut spans, mut sums) = (Spans::default(), Sums::default());
    let removed_before = removed_before(connection)?.unwrap_or(i64::MIN);
    for unit in units {
        let places = places(connection, &mut spans, *unit)?;
        for known in known(connection, *unit)? {
            let is_known = |of: First| (of.experiment, of.epoch) == (known.experiment, known.epoch);
            if !places.iter().any(|place| is_known(place.first)) {
                total::take_back(connection, &mut sums, known)?;
            }
        }
        let found = total::of_unit(connection, *unit, &places)?;
        for (place, totals) in places.iter().zip(found) {
            // Where some of its outcomes may be gone, what they came to stays, at the exposure that counts now.
            let known = total::take_back(connection, &mut sums, place.first)?;
            let is_whole = place.begins_ms(When::After) >= removed_before;
            put(connection, &mut sums, place, if is_whole { &totals } else { &known })?;
        }
    }
    sums.write(connection)
}

/// The exposures that outcomes of a unit are said to follow.
fn known(connection: &Connection, unit: i64) -> rusqlite::Result<Vec<First>> {
    connection
        .prepare_cached(
            "SELECT DISTINCT experiment, epoch, config, hour FROM outcome_total WHERE unit = ?1",
        )?
        .query_map([unit], |row| {
            Ok(First {
                unit,
                experiment: row.get(0)?,
                epoch: row.get(1)?,
                config: row.get(2)?,
                at_ms: row.get::<_, i64>(3)? * 3_600_000,
            })
        })?
        .collect()
}
