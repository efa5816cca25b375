//! The stretch of ids, which is one of time, that can hold what is asked for.

use super::{
    super::{
        branch_scan::Stretch,
        search::{Cell, RunCondition, SortKey, TextAttribute, TextTest, TimeAttribute},
    },
    RunId,
    search::Query,
};

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
        let mut stretch = Stretch::default();
        for condition in &query.conditions {
            if let RunCondition::Time { attribute: TimeAttribute::Start, test } = condition {
                stretch.narrow(*test);
            }
        }
        if let Some(Cell::Integer(at)) = after.and_then(|after| after.0.first()) {
            stretch.go_on(*at, ascending);
        }
        let (first, last) = stretch.ids();
        let mut span = Self { first, last };
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
