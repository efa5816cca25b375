//! Each request as a trace, once.

use super::{
    parcel::{Parcel, Trouble},
    pass::Pass,
};
use crate::{
    as_trace::{self, Request},
    branch::BranchId,
    mlflow::{Begun, MlflowError},
    store::{BranchRow, Doubt, Fate},
};

/// A request on its way to be a trace.
///
/// It is read when it is sent, so that it is sent as it is then, with all its branches; one that
/// is recorded later sends it again. One after the other: the later has more in it.
pub(super) struct Trace {
    request: BranchId,
    /// Those by which it was found.
    branches: Vec<BranchId>,
    /// A try of which nothing was heard may write over what a later one writes.
    doubtful: bool,
    state: State,
}

enum State {
    Waiting,
    /// Its spans are there.
    Begun(Begun),
    /// It has no branches any more.
    Removed,
}

impl Trace {
    fn of(request: BranchId) -> Self {
        Self { request, branches: Vec::new(), doubtful: false, state: State::Waiting }
    }

    /// Remembers a failure that may be none.
    fn note<T>(&mut self, result: Result<T, MlflowError>) -> Result<T, MlflowError> {
        result.inspect_err(|error| self.doubtful |= error.maybe_done())
    }
}

impl Parcel for Trace {
    type Key = BranchId;
    const WHAT: &str = "a request";
    const WAITS_FOR_END: bool = true;

    fn pack(branches: Vec<(BranchRow, bool)>) -> Vec<Self> {
        let mut traces: Vec<Self> = Vec::new();
        for (row, tried) in branches {
            let at = traces.iter().position(|trace| trace.request == row.request_id);
            let at = at.unwrap_or_else(|| {
                traces.push(Self::of(row.request_id));
                traces.len() - 1
            });
            traces[at].branches.push(row.id);
            traces[at].doubtful |= tried;
        }
        traces
    }

    fn key(&self) -> &BranchId {
        &self.request
    }

    fn branches(&self) -> &[BranchId] {
        &self.branches
    }

    fn has_begun(&self) -> bool {
        !matches!(self.state, State::Waiting)
    }

    async fn begin(&mut self, pass: &Pass<'_>) -> Result<(), Trouble> {
        let id = self.request;
        let branches = pass.blocking(move |outbox| outbox.request(id)).await?;
        let Some(request) = Request::new(id, branches) else {
            self.state = State::Removed;
            return Ok(());
        };
        let begun = pass.backend().send_spans(&request).await;
        self.state = State::Begun(self.note(begun)?);
        Ok(())
    }

    async fn finish(&mut self, pass: &Pass<'_>) -> Result<(), Trouble> {
        let State::Begun(begun) = &self.state else { return Ok(()) };
        let told = pass.backend().send_info(begun).await;
        if !self.note(told)? {
            self.start_again();
            return Err(pass.backend().no_spans().into());
        }
        Ok(())
    }

    fn start_again(&mut self) {
        self.state = State::Waiting;
    }

    fn outcome(&self) -> Fate {
        match self.state {
            State::Removed => Fate::Removed,
            _ if self.doubtful => Fate::Doubtful(as_trace::of_request(self.request)),
            _ => Fate::Sent,
        }
    }

    /// Sends it as it is by now.
    async fn resolve(pass: &Pass<'_>, doubt: &Doubt) -> Result<u64, Trouble> {
        if let Some(request) = as_trace::request_of(&doubt.run_id) {
            let mut trace = Self::of(request);
            trace.begin(pass).await?;
            trace.finish(pass).await?;
        }
        Ok(0)
    }
}
