//! Whether the visit was as if the shadows were not there, and every branch is recorded.

use crate::{
    ledger::Ledger,
    records, support,
    visit::{Visit, Work},
};
use std::{collections::BTreeMap, time::Duration};
use tower_spearmint::{
    Branch,
    branch::{BranchId, Failure},
    store::BranchRow,
};

/// A branch: config and role, and how it ended.
#[derive(Debug)]
pub struct Row {
    request: BranchId,
    end: String,
    /// What to show where the end is not as it should be.
    message: String,
}

impl Row {
    fn new(request: BranchId, end: String, failure: Option<&Failure>) -> Self {
        let message = failure.map(|failure| format!(" ({})", failure.trace)).unwrap_or_default();
        Self { request, end, message }
    }
}

impl From<&BranchRow> for Row {
    fn from(row: &BranchRow) -> Self {
        Self::new(row.request_id, support::end(row), row.failure.as_ref())
    }
}

impl From<&Branch> for Row {
    fn from(branch: &Branch) -> Self {
        Self::new(branch.request_id, records::end(branch), branch.failure.as_ref())
    }
}

/// One visit at a time: each is measured.
pub async fn quiet() -> tokio::sync::MutexGuard<'static, ()> {
    static QUIET: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    QUIET.lock().await
}

/// Harm shows as seconds: the shadow's own, or its time-out. All that is less may be the machine's.
const NOISE: Duration = Duration::from_millis(600);

/// What a shadow does to a caller it does each time; what a busy machine does, hardly three times. An
/// error: a caller that was late.
pub async fn not_each_time<F: Future<Output = Result<(), String>>>(visit: impl Fn() -> F) {
    let mut late = Vec::new();
    while late.len() < 3 {
        match visit().await {
            Ok(()) => return,
            Err(caller) => late.push(caller),
        }
    }
    panic!("late each time: {late:#?}");
}

impl Visit {
    /// No caller waited longer than without shadows, but for noise.
    pub fn is_as_quick_as(&self, alone: &Self) -> Result<(), String> {
        for (what, with, without) in [
            ("a GET", self.get, alone.get),
            ("an event", self.event, alone.event),
            ("an upload", self.upload, alone.upload * 2),
            ("one of many at once", self.loaded, alone.loaded * 2),
        ] {
            if with >= without + NOISE {
                return Err(format!("{what} took {with:?}; allowed: {without:?} + {NOISE:?}"));
            }
        }
        Ok(())
    }

    /// What was sent to the end arrived as it was, and nothing else was taken for whole.
    pub fn reached(&self, primary: &Ledger) {
        let received = primary.received();
        assert!(received.iter().all(|one| one.equal), "other bytes than were sent");
        let whole = received.iter().filter(|one| one.is_as_sent()).count();
        let aborted = self.count(Work::Aborted);
        assert_eq!(whole, self.asked.len() - aborted + self.load);
        assert!(received.iter().all(|one| !one.whole || one.is_as_sent()), "a part for the whole");
    }

    /// A healthy shadow got at least 99 % of what was sent to the end.
    pub fn reached_nearly_all(&self, shadow: &Ledger) {
        let sent = self.asked.len() - self.count(Work::Aborted) + self.load;
        let whole = shadow.received().iter().filter(|one| one.is_as_sent()).count();
        assert!(whole * 100 >= sent * 99, "{whole} of {sent}");
    }

    fn count(&self, work: Work) -> usize {
        self.asked.iter().filter(|(asked, _)| *asked == work).count()
    }

    /// Each request has one branch of the primary, and one of each shadow with an end that is
    /// allowed: `ends` says which, by config and work, and `aborted` which of the primary's whose
    /// caller left.
    pub fn is_recorded(
        &self,
        rows: &[Row],
        shadows: &[&str],
        aborted: &[&str],
        ends: impl Fn(&str, Work) -> &'static [&'static str],
    ) {
        let mut requests: BTreeMap<BranchId, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            requests.entry(row.request).or_default().push(row);
        }
        // Ids are in the order of time.
        let asked = self.asked.iter().map(|(work, _)| *work);
        let asked: Vec<_> = asked.chain(std::iter::repeat_n(Work::Load, self.load)).collect();
        assert_eq!(requests.len(), asked.len(), "requests recorded");
        let mut wrong = BTreeMap::new();
        for (work, mut recorded) in asked.into_iter().zip(requests.into_values()) {
            recorded.sort_unstable_by_key(|row| &row.end);
            let primary: &[&str] = if work == Work::Aborted { aborted } else { &["success"] };
            let fits = recorded.len() == 1 + shadows.len()
                && recorded[0]
                    .end
                    .strip_prefix("a primary ")
                    .is_some_and(|end| primary.contains(&end))
                && shadows.iter().zip(&recorded[1..]).all(|(shadow, row)| {
                    let end = row.end.strip_prefix(&format!("{shadow} shadow "));
                    end.is_some_and(|end| ends(shadow, work).contains(&end))
                });
            if !fits {
                let ends = recorded.iter().map(|row| row.end.clone() + &row.message);
                let ends = ends.collect::<Vec<_>>().join(", ");
                *wrong.entry(format!("{work:?}: {ends}")).or_insert(0) += 1;
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// No shadow took a part for the whole, or saw what was not sent.
pub fn no_part_was_taken_for_the_whole(shadow: &Ledger) {
    for one in shadow.received() {
        assert!(one.equal, "{one:?}: other bytes than were sent");
        assert!(!one.whole || one.is_as_sent(), "{one:?}: a part for the whole");
    }
}
