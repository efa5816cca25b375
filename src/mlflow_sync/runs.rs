//! Each branch as a run, once.

use super::{
    parcel::{Parcel, Trouble},
    pass::Pass,
};
use crate::{
    as_run::Recorded,
    branch::BranchId,
    config::ConfigId,
    mlflow::Delivery,
    store::{BranchRow, Doubt, Fate},
};

/// A branch on its way to be a run. Those of one config begin in their order.
pub(super) struct Run {
    row: BranchRow,
    delivery: Delivery,
}

impl Parcel for Run {
    type Key = ConfigId;
    const WHAT: &str = "a branch";
    const WAITS_FOR_END: bool = false;

    fn pack(branches: Vec<(BranchRow, bool)>) -> Vec<Self> {
        let run = |(row, tried)| Self { row, delivery: Delivery::new(tried) };
        branches.into_iter().map(run).collect()
    }

    fn key(&self) -> &ConfigId {
        &self.row.config_id
    }

    fn branches(&self) -> &[BranchId] {
        std::slice::from_ref(&self.row.id)
    }

    fn has_begun(&self) -> bool {
        self.delivery.has_run()
    }

    async fn begin(&mut self, pass: &Pass<'_>) -> Result<(), Trouble> {
        let branch = Recorded::from(&self.row);
        Ok(pass.backend().begin_once(&branch, &mut self.delivery).await?)
    }

    async fn finish(&mut self, pass: &Pass<'_>) -> Result<(), Trouble> {
        let branch = Recorded::from(&self.row);
        Ok(pass.backend().finish_once(&branch, &mut self.delivery).await?)
    }

    fn start_again(&mut self) {
        self.delivery.start_again();
    }

    fn outcome(&self) -> Fate {
        self.delivery.doubt().map_or(Fate::Sent, Fate::Doubtful)
    }

    /// Sees to it that there is one run of a branch of which there may be two.
    async fn resolve(pass: &Pass<'_>, doubt: &Doubt) -> Result<u64, Trouble> {
        let experiment = pass.outbox().experiment();
        Ok(pass.backend().keep_one(experiment, doubt.branch, &doubt.run_id).await?)
    }
}
