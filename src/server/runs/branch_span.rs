//! The stretch of ids, which is one of time, that can hold what is asked for.

use super::{
    super::search::{
        Cell, NumberComparator, RunCondition, SortKey, TextAttribute, TextTest, TimeAttribute,
    },
    RunId,
    search::Query,
};

/// An id has the time at which its branch was assigned; its start may differ by this much.
pub(super) const CLOCK_SLACK_MS: i64 = 1_000;

/// From one id to another, both of which are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: RunId,
    pub(super) last: RunId,
}

impl Span {
    const NONE: Self = Self { first: RunId::LAST, last: RunId::FIRST };

    /// What `query` leaves, after the place that a page begins with if the order is by time.
    pub(super) fn of(query: &Query, after: Option<&SortKey>, ascending: bool) -> Self {
        let (mut from, mut to) = (0, i64::MAX);
        for condition in &query.conditions {
            if let RunCondition::Time { attribute: TimeAttribute::Start, test } = condition {
                let at = test.value as i64;
                use NumberComparator::{
                    Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual,
                };
                match test.comparator {
                    Equal => (from, to) = (from.max(at), to.min(at)),
                    Greater | GreaterOrEqual => from = from.max(at),
                    Less | LessOrEqual => to = to.min(at),
                    NotEqual => {}
                }
            }
        }
        if let Some(Cell::Integer(at)) = after.and_then(|after| after.0.first()) {
            if ascending {
                from = from.max(*at);
            } else {
                to = to.min(*at);
            }
        }
        let mut span = Self {
            first: RunId::first_at(from.saturating_sub(CLOCK_SLACK_MS)),
            last: RunId::last_at(to.saturating_add(CLOCK_SLACK_MS)),
        };
        for condition in &query.conditions {
            if let Some(ids) = ids(condition) {
                span.narrow(&ids);
            }
        }
        span
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first > self.last
    }

    /// What is left of it after, or before, a stretch at one of its ends.
    pub(super) fn without(self, stretch: Self, ascending: bool) -> Self {
        let left = if ascending {
            stretch.last.after().map(|first| Self { first, ..self })
        } else {
            stretch.first.before().map(|last| Self { last, ..self })
        };
        left.unwrap_or(Self::NONE)
    }

    fn narrow(&mut self, ids: &[RunId]) {
        match (ids.iter().min(), ids.iter().max()) {
            (Some(first), Some(last)) => {
                self.first = self.first.max(*first);
                self.last = self.last.min(*last);
            }
            _ => *self = Self::NONE,
        }
    }
}

/// The only runs of which a condition can hold, where it names them.
fn ids(condition: &RunCondition) -> Option<Vec<RunId>> {
    match condition {
        RunCondition::Text { attribute: TextAttribute::RunId, test: TextTest::Equals(id) } => {
            RunId::parse(id).map(|id| vec![id])
        }
        RunCondition::Text { attribute: TextAttribute::RunId, test: TextTest::In(ids) } => {
            Some(ids.iter().filter_map(|id| RunId::parse(id)).collect())
        }
        _ => None,
    }
}
