//! Walking through the branches, stretch by stretch, past those in which nothing can be found.
//!
//! A stretch is one of ids, and so of time. Roll-ups say in which minutes there are branches of a
//! config, in a role, with a status: once a first look has not found enough, only those are walked
//! through.

use super::{
    super::{call::Context, error::ApiError},
    RunId,
    branch_span::Span,
    recorded_question::{Question, among, codes},
};
use rusqlite::{OptionalExtension, params};

/// Branches that one call looks at.
const MAX_LOOKED_AT: usize = 20_000_000;
/// Branches of the first stretch, and of the longest.
const SHORTEST: usize = 4_096;
const LONGEST: usize = 1 << 18;
/// A roll-up of an hour may begin so many minutes before what it is looked up for.
const HOUR: i64 = 59;

pub(super) struct Stretches<'a> {
    context: &'a Context<'a>,
    question: &'a Question,
    experiments: &'a [i64],
    ascending: bool,
    /// What is left to walk through.
    left: Span,
    next_size: usize,
    looked_at: usize,
    /// The minutes that can hold something, once they were looked up; the nearest last.
    minutes: Option<Vec<Span>>,
}

impl<'a> Stretches<'a> {
    pub(super) fn new(
        context: &'a Context<'a>,
        question: &'a Question,
        experiments: &'a [i64],
        span: Span,
        ascending: bool,
    ) -> Self {
        Self {
            context,
            question,
            experiments,
            ascending,
            left: span,
            next_size: SHORTEST,
            looked_at: 0,
            minutes: None,
        }
    }

    /// The next stretch; `None` after the last.
    ///
    /// # Errors
    ///
    /// When more branches would have to be looked at than one call may.
    pub(super) fn next(&mut self) -> Result<Option<Span>, ApiError> {
        if self.looked_at > 0 && self.minutes.is_none() && self.question.is_narrow() {
            self.minutes = Some(self.minutes()?);
        }
        let Some(within) = self.nearest() else { return Ok(None) };
        if self.looked_at >= MAX_LOOKED_AT {
            return Err(ApiError::invalid(format!(
                "more than {MAX_LOOKED_AT} branches would have to be looked at: narrow the search \
                 by attributes.start_time, or order by it"
            )));
        }
        let (size, edge) = self.measure(within)?;
        self.looked_at += size.max(1);
        let mut stretch = within;
        if size == self.next_size
            && let Some(edge) = edge
        {
            *(if self.ascending { &mut stretch.last } else { &mut stretch.first }) = edge;
        }
        self.next_size = (self.next_size * 4).min(LONGEST);
        self.left = self.left.without(stretch, self.ascending);
        Ok(Some(stretch))
    }

    /// What is left, up to the end of the minutes that are next.
    fn nearest(&mut self) -> Option<Span> {
        if self.left.is_empty() {
            return None;
        }
        let Some(minutes) = &mut self.minutes else { return Some(self.left) };
        while let Some(next) = minutes.last() {
            let within = Span {
                first: self.left.first.max(next.first),
                last: self.left.last.min(next.last),
            };
            if !within.is_empty() {
                return Some(within);
            }
            minutes.pop();
        }
        None
    }

    /// How many branches there are next, up to the size of a stretch, and the id of the last.
    fn measure(&self, within: Span) -> Result<(usize, Option<RunId>), ApiError> {
        if self.minutes.is_some() {
            let most = self.rolled_up(within)?;
            if most < self.next_size {
                return Ok((most, None));
            }
        }
        let (edge, order) = if self.ascending { ("max", "ASC") } else { ("min", "DESC") };
        let sql = format!(
            "SELECT count(*), {edge}(id) FROM (SELECT id FROM branch WHERE id BETWEEN ?1 AND ?2
             ORDER BY id {order} LIMIT ?3)"
        );
        let size = i64::try_from(self.next_size).unwrap_or(i64::MAX);
        let measured = self
            .context
            .connection
            .prepare_cached(&sql)?
            .query_row(params![within.first, within.last, size], |row| {
                Ok((row.get::<_, i64>(0)?, row.get(1)?))
            })
            .optional()?;
        let (size, edge) = measured.unwrap_or_default();
        Ok((usize::try_from(size).unwrap_or(usize::MAX), edge))
    }

    /// How many branches there are at most, whatever they are.
    fn rolled_up(&self, within: Span) -> Result<usize, ApiError> {
        let sql = "SELECT coalesce(sum(success + failed + skipped + cancelled), 0) FROM rollup
             WHERE minute BETWEEN ?1 - ?3 AND ?2 AND minute + span > ?1";
        let most: i64 = self
            .context
            .connection
            .prepare_cached(sql)?
            .query_row([minute(within.first), minute(within.last), HOUR], |row| row.get(0))?;
        Ok(usize::try_from(most).unwrap_or(usize::MAX))
    }

    /// The minutes in which there are branches as asked, as far as roll-ups tell; those that follow
    /// one another as one.
    fn minutes(&self) -> Result<Vec<Span>, ApiError> {
        let Question { configs, roles, statuses, .. } = self.question;
        let mut sql =
            "SELECT DISTINCT r.minute, r.span FROM rollup r WHERE r.minute BETWEEN ?1 AND ?2"
                .to_owned();
        sql += &among("experiment", self.experiments);
        for (column, keys) in [("config", configs), ("role", roles)] {
            if let Some(keys) = keys {
                sql += &among(column, keys);
            }
        }
        if let Some(statuses) = statuses {
            sql += " AND (0";
            for name in ["success", "failed", "skipped", "cancelled"] {
                let key = codes(self.context, "status", |known| known == name)?;
                if key.iter().any(|key| statuses.contains(key)) {
                    sql += &format!(" OR r.{name} > 0");
                }
            }
            sql += ")";
        }
        sql += " ORDER BY r.minute";
        let mut statement = self.context.connection.prepare(&sql)?;
        let mut rows = statement.query([minute(self.left.first) - HOUR, minute(self.left.last)])?;
        let mut found: Vec<(i64, i64)> = Vec::new();
        while let Some(row) = rows.next()? {
            let (from, span): (i64, i64) = (row.get(0)?, row.get(1)?);
            let to = from + span;
            match found.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => found.push((from, to)),
            }
        }
        let mut spans: Vec<_> = found
            .into_iter()
            .map(|(from, to)| Span {
                first: RunId::first_at(from * 60_000),
                last: RunId::last_at(to * 60_000 - 1),
            })
            .collect();
        if self.ascending {
            spans.reverse();
        }
        Ok(spans)
    }
}

/// The minute in which a branch of that id was assigned.
fn minute(id: RunId) -> i64 {
    id.time_ms() / 60_000
}
