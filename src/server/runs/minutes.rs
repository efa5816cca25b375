//! The minutes in which there can be branches as asked, as far as roll-ups tell.

use super::{
    super::{call::Context, error::ApiError},
    RunId,
    branch_span::Span,
    recorded_question::{Question, among, codes},
};
use crate::store;

/// A roll-up of an hour may begin so many minutes before what it is looked up for.
pub(super) const HOUR: i64 = 59;

/// Minutes that follow one another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Minutes {
    pub(super) span: Span,
    /// How many branches there are as asked, or fewer.
    pub(super) most: i64,
}

impl Minutes {
    /// Those within `span`, in order. By how long branches took only if it is told to: that reads far more of
    /// the roll-ups.
    pub(super) fn of(
        context: &Context<'_>,
        question: &Question,
        experiments: &[i64],
        span: Span,
        by_duration: bool,
    ) -> Result<Vec<Self>, ApiError> {
        let Question { configs, roles, statuses, durations, .. } = question;
        let durations = durations.as_ref().filter(|_| by_duration);
        let mut count = String::new();
        for name in ["success", "failed", "skipped", "cancelled"] {
            let key = codes(context, "status", |known| known == name)?;
            if statuses.as_ref().is_none_or(|asked| key.iter().any(|key| asked.contains(key))) {
                count += &format!("r.{name} + ");
            }
        }
        let state = if durations.is_some() { "r.state" } else { "NULL" };
        let mut sql = format!(
            "SELECT r.minute, r.span, {count}0, {state}, r.success, r.failed, r.skipped,
             r.cancelled FROM rollup r WHERE r.minute BETWEEN ?1 AND ?2 AND {count}0 > 0"
        );
        sql += &among("experiment", experiments);
        for (column, keys) in [("config", configs), ("role", roles)] {
            if let Some(keys) = keys {
                sql += &among(column, keys);
            }
        }
        sql += " ORDER BY r.minute";
        let mut statement = context.connection.prepare(&sql)?;
        let mut rows = statement.query([minute(span.first) - HOUR, minute(span.last)])?;
        let mut found: Vec<(i64, i64, i64)> = Vec::new();
        while let Some(row) = rows.next()? {
            let (from, length, most): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if let Some(durations) = durations {
                let statuses = [row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?];
                let state = row.get_ref(3)?.as_blob().unwrap_or_default();
                if !store::can_have_lasted(statuses, state, durations) {
                    continue;
                }
            }
            let to = from + length;
            match found.last_mut() {
                Some(last) if from <= last.1 => {
                    last.1 = last.1.max(to);
                    last.2 += most;
                }
                _ => found.push((from, to, most)),
            }
        }
        let minutes = found.into_iter().map(|(from, to, most)| {
            let first = RunId::first_at(from * 60_000);
            Self { span: Span { first, last: RunId::last_at(to * 60_000 - 1) }, most }
        });
        Ok(minutes.collect())
    }
}

/// The minute in which a branch of that id was assigned.
pub(super) fn minute(id: RunId) -> i64 {
    id.time_ms() / 60_000
}
