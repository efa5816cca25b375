//! First exposures of units, and when what happened counts for one.

use super::rules::{Span, Spans};
use crate::store::rollup::millis;
use rusqlite::Connection;

/// The first exposure of a unit in an epoch of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct First {
    pub(super) unit: i64,
    pub(super) experiment: i64,
    pub(super) epoch: i64,
    pub(super) config: i64,
    pub(super) at_ms: i64,
}

impl First {
    pub(super) const fn hour(&self) -> i64 {
        self.at_ms.div_euclid(3_600_000)
    }
}

/// On which side of an exposure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// It may be what came of the config.
    After,
    /// No config can have to do with it.
    Before,
}

/// A first exposure, with all that says what counts for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) first: First,
    span: Span,
    /// The first time that the unit was exposed to anything: what came later may have been caused by it.
    earliest_ms: i64,
}

/// On which side of an exposure what happened at this time counts; `earliest_ms` is the first one of the unit to anything.
pub(super) const fn side(
    span: Span,
    exposed_ms: i64,
    earliest_ms: i64,
    at_ms: i64,
) -> Option<When> {
    let (after, before) = (at_ms - exposed_ms, earliest_ms - at_ms);
    if after >= 0 && after <= span.window_ms {
        Some(When::After)
    } else if before > 0 && before <= span.before_ms {
        Some(When::Before)
    } else {
        None
    }
}

impl Place {
    /// On which side of it what happened at this time counts; `None` if on neither.
    pub(super) const fn counts(&self, at_ms: i64) -> Option<When> {
        side(self.span, self.first.at_ms, self.earliest_ms, at_ms)
    }

    pub(super) const fn is_earliest(&self) -> bool {
        self.first.at_ms == self.earliest_ms
    }

    /// From when on outcomes count on this side.
    pub(super) const fn begins_ms(&self, when: When) -> i64 {
        match when {
            When::After => self.first.at_ms,
            When::Before => self.earliest_ms.saturating_sub(self.span.before_ms),
        }
    }
}

/// The first exposures of a unit, one for each experiment and epoch.
///
/// A hash is that of one salt. So experiments in which it was exposed share the salt, and assign the unit by the
/// same draw: what came after its exposure in one of them is no covariate in another.
pub(super) fn places(
    connection: &Connection,
    spans: &mut Spans,
    unit: i64,
) -> rusqlite::Result<Vec<Place>> {
    let firsts: Vec<First> = connection
        .prepare_cached(
            "SELECT unit, experiment, epoch, config, branch FROM exposure WHERE unit = ?1",
        )?
        .query_map([unit], |row| {
            Ok(First {
                unit: row.get(0)?,
                experiment: row.get(1)?,
                epoch: row.get(2)?,
                config: row.get(3)?,
                at_ms: millis(&row.get(4)?),
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let Some(earliest_ms) = firsts.iter().map(|first| first.at_ms).min() else {
        return Ok(Vec::new());
    };
    let place = |first: First| {
        let span = spans.of(connection, first.experiment)?;
        Ok(Place { first, span, earliest_ms })
    };
    firsts.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_between_two_exposures_counts_on_no_side_of_the_second() {
        let first = First { unit: 1, experiment: 1, epoch: 2, config: 1, at_ms: 5_000 };
        let span = Span { window_ms: 100, before_ms: 50 };
        let place = Place { first, span, earliest_ms: 1_000 };
        for (at_ms, expected) in [
            (949, None),
            (950, Some(When::Before)),
            (999, Some(When::Before)),
            (1_000, None),
            (4_999, None),
            (5_000, Some(When::After)),
            (5_100, Some(When::After)),
            (5_101, None),
        ] {
            assert_eq!(place.counts(at_ms), expected, "{at_ms}");
        }
        let alone = Place { earliest_ms: 5_000, ..place };
        assert_eq!(
            [4_999, 5_000].map(|at| alone.counts(at)),
            [Some(When::Before), Some(When::After)]
        );
        let none = Place { span: Span { before_ms: 0, ..span }, ..alone };
        assert_eq!(none.counts(4_999), None);
    }
}
