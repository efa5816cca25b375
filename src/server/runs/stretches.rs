//! Walking through the branches, stretch by stretch, past those in which nothing can be found.
//!
//! A stretch is one of ids, and so of time. Roll-ups say in which minutes there are branches of a
//! config, in a role, with a status, and how many: once a first look has not found enough, only those
//! are walked through, each until all of its branches are found. They also say, at greater cost, in which
//! minutes a branch can have lasted so long: that is asked when much was looked at in vain.

use super::{
    super::{call::Context, error::ApiError},
    RunId,
    branch_span::Span,
    minutes::{HOUR, Minutes, minute},
    recorded_question::Question,
};
use rusqlite::{OptionalExtension, params};

/// Branches that one call looks at.
const MAX_LOOKED_AT: usize = 20_000_000;
/// Branches of the first stretch, and of the longest.
const SHORTEST: usize = 4_096;
const LONGEST: usize = 1 << 18;
/// Branches that are looked at before it is asked in which minutes some can have lasted so long.
const MANY: usize = 1 << 16;

/// What is to be walked through next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) span: Span,
    /// How many branches as asked are in it at most, if that is known: there is nothing after the last.
    pub(super) most: Option<usize>,
}

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
    minutes: Option<Vec<Minutes>>,
    by_duration: bool,
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
            by_duration: false,
        }
    }

    /// The next stretch; `None` after the last.
    ///
    /// # Errors
    ///
    /// When more branches would have to be looked at than one call may.
    pub(super) fn next(&mut self) -> Result<Option<Stretch>, ApiError> {
        self.look_up()?;
        let Some((within, most)) = self.nearest() else { return Ok(None) };
        if self.looked_at >= MAX_LOOKED_AT {
            return Err(ApiError::invalid(format!(
                "more than {MAX_LOOKED_AT} branches would have to be looked at: narrow the search \
                 by attributes.start_time, or order by it"
            )));
        }
        let (size, edge) = self.measure(within)?;
        self.looked_at += size.max(1);
        let (mut stretch, mut most) = (within, most);
        if size == self.next_size
            && let Some(edge) = edge
        {
            *(if self.ascending { &mut stretch.last } else { &mut stretch.first }) = edge;
            most = None;
        }
        self.next_size = (self.next_size * 4).min(LONGEST);
        self.left = self.left.without(stretch, self.ascending);
        Ok(Some(Stretch { span: stretch, most }))
    }

    /// Looks up the minutes when it is time for that.
    fn look_up(&mut self) -> Result<(), ApiError> {
        let by_duration = self.looked_at >= MANY && self.question.durations.is_some();
        let by_keys = self.looked_at > 0 && self.question.is_narrow();
        let is_known = self.minutes.is_some() && self.by_duration == by_duration;
        if is_known || !by_duration && !by_keys {
            return Ok(());
        }
        let Self { context, question, experiments, left, .. } = *self;
        let mut minutes = Minutes::of(context, question, experiments, left, by_duration)?;
        if self.ascending {
            minutes.reverse();
        }
        (self.minutes, self.by_duration) = (Some(minutes), by_duration);
        Ok(())
    }

    /// What is left, up to the end of the minutes that are next; and how many branches as asked all of
    /// these hold at most, if all of them are left.
    fn nearest(&mut self) -> Option<(Span, Option<usize>)> {
        if self.left.is_empty() {
            return None;
        }
        let Some(minutes) = &mut self.minutes else { return Some((self.left, None)) };
        while let Some(Minutes { span, most }) = minutes.last() {
            let within = Span {
                first: self.left.first.max(span.first),
                last: self.left.last.min(span.last),
            };
            if !within.is_empty() {
                let most = usize::try_from(*most).ok().filter(|_| within == *span);
                return Some((within, most));
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
}
