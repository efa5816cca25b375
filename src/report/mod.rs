//! What an experiment has shown so far, and whether that is enough to decide.
//!
//! A report is read from [roll-ups](crate::store::Rollup) alone, so that it takes as long for a
//! month as for a day. Each candidate is held against the baseline, metric by metric, by methods that stay
//! true however often one looks ([`stats::sequential`](crate::stats::sequential)); and what that
//! comes to is one word:
//!
//! | [`Verdict`] | |
//! |---|---|
//! | `broken` | the traffic was not split as it should have been: nothing below can be trusted |
//! | `keep` | the baseline: the candidate does harm, or cannot bring what it was to bring |
//! | `ship` | the candidate: it harms nothing beyond the margins, and is better where it was to be |
//! | `undecided` | neither yet; the report says what it waits for |
//!
//! ```
//! use tower_spearmint::{report::{Plan, Report}, store::SqliteStore};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let file = std::env::temp_dir().join(format!("spearmint-doc-report-{}.db", std::process::id()));
//! # let _ = std::fs::remove_file(&file);
//! # let store = SqliteStore::open(&file)?;
//! for report in Report::read(&store, &Plan::new())? {
//!     for candidate in &report.candidates {
//!         println!("{}: {} {}", report.experiment, candidate.config_id, candidate.verdict);
//!     }
//! }
//! # std::fs::remove_file(&file)?;
//! # Ok(())
//! # }
//! ```
//!
//! With metrics of one's own choice:
//!
//! ```
//! use tower_spearmint::report::{Measure, Metric, Plan};
//!
//! let plan = Plan::new().experiment("ranker").baseline("stable").metrics([
//!     Metric::guardrail(Measure::ErrorRate, 0.001),
//!     Metric::guardrail(Measure::LatencyP99, 0.05),
//!     Metric::success(Measure::LatencyP50, 0.02),
//! ]);
//! ```

mod across;
mod arms;
mod aside;
mod beside;
mod completions;
mod coverage;
mod effect;
mod failing;
mod finding;
pub mod fixed;
pub(crate) mod html;
mod kept;
mod levels;
mod look;
mod looker;
mod losses;
mod mean;
mod merged;
mod metric;
mod outcome;
mod plan;
mod quantile;
mod question;
mod rates;
mod ratio;
mod returning;
mod sample_ratio;
mod sampled;
mod sentence;
#[cfg(feature = "proxy")]
mod settings;
mod settled;
mod trust;
mod unit_means;
mod unit_times;
mod units;
mod verdict;
mod withheld;

pub use arms::ArmFigures;
pub use aside::SetAside;
pub use coverage::Coverage;
pub use finding::{Finding, Standing};
pub use fixed::OneLook;
pub use html::HtmlReport;
pub use look::{Decided, Looks};
pub use looker::{LookThread, Looker};
pub use losses::ArmLosses;
pub use metric::{Measure, Metric, MetricRole, Unit};
pub use plan::Plan;
pub use sample_ratio::{ArmShare, Counted, SampleRatio};
pub use verdict::Verdict;

#[cfg(feature = "proxy")]
pub(crate) use settings::MetricSettings;

use crate::{
    config::ConfigId,
    store::{LookedAt, OutcomeSum, Rollup, RollupFilter, SqliteStore, StoreError, UnitBucket},
};
use kept::Plans;
use outcome::Outcomes;
use serde::Serialize;
use settled::{Clock, UnderWay};
use std::{sync::Arc, time::SystemTime};

/// An hour: older roll-ups, and outcomes, know nothing shorter.
const HOUR_NS: u64 = 3_600_000_000_000;

/// What one experiment has shown so far.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The name of the experiment.
    pub experiment: Arc<str>,
    /// The name of the strategy.
    pub strategy: Arc<str>,
    /// Where the first minute begins that was read, in ns since the Unix epoch.
    pub since_ns: u64,
    /// Where the last minute ends that was read, in ns since the Unix epoch.
    pub until_ns: u64,
    /// What the candidates are held against.
    pub baseline: ArmFigures,
    /// The second run of the baseline beside a shadow, whose differences are noise.
    pub control: Option<ArmFigures>,
    /// Whether the traffic was split as it should have been; `None` where every request goes to all.
    pub sample_ratio: Option<SampleRatio>,
    /// The looks at it that are kept and count here; `None` without any.
    pub looks: Option<Looks>,
    /// Whether the requests of each arm came to an end of their own as often as the others'; `None` if all did, or
    /// every request goes to all.
    pub completions: Option<SampleRatio>,
    /// Of several stores, outcomes are those of one of so many units, drawn by a hash that knows nothing of the
    /// assignment: 1 where all are counted.
    pub outcomes_one_of: u64,
    /// What was not recorded, arm by arm, as far as it is known.
    pub losses: Vec<ArmLosses>,
    /// Requests that are in none of this, as chance did not assign them: a rule did, a ramp that did not admit them, a
    /// tester.
    pub aside: Vec<SetAside>,
    /// The others, each with what it has shown.
    pub candidates: Vec<Candidate>,
    /// Of several stores: which, and how far each had come.
    #[serde(skip)]
    replicas: LookedAt,
}

/// A config, held against the baseline.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Candidate {
    /// The id of the config.
    pub config_id: ConfigId,
    /// What to do.
    pub verdict: Verdict,
    /// Since when it is that, as far as the looks that are kept know; `None` if it is `undecided`.
    pub decided: Option<Decided>,
    /// When each verdict was reached for the first time, by when.
    pub reached: Vec<Decided>,
    /// Where several experiments are reported at once: the smallest error probability of 5 %, 2.5 %, 1.25 % … at
    /// which the verdict would be the same, if one was reached.
    pub holds_at: Option<f64>,
    /// Whether the verdict is left among those of all these experiments, if of the verdicts that are taken at most 5 %
    /// are to be false in expectation (e-BH). (`None` of a verdict that only all looks together come to.)
    pub survives: Option<bool>,
    /// Why, in a sentence.
    pub because: String,
    /// What its branches come to.
    pub figures: ArmFigures,
    /// Of a shadow: whether its pairs are those that it was to have.
    pub coverage: Option<Coverage>,
    /// Metric by metric.
    pub findings: Vec<Finding>,
}

impl Report {
    /// A report of each experiment that the plan means and that has branches, by name. Where the plan is silent,
    /// the one that is [kept](Plan::keep) for the experiment holds. Looks that were [kept](Self::look) count, unless it is
    /// since a certain time. Blocks.
    ///
    /// Branches are recorded when they end, so that of the last minutes some may be missing. Whether the traffic was split
    /// as it should have been is asked of the minutes that ended longer ago, by the clock of this machine, than twice the
    /// longest time a branch took or was waited for (at least a minute, at most a day).
    ///
    /// # Errors
    ///
    /// When the store does not have the experiment or the baseline, or cannot be read.
    pub fn read(store: &SqliteStore, plan: &Plan) -> Result<Vec<Self>, StoreError> {
        let mut reports = Self::now(store, plan)?;
        if plan.since_ns.is_none() {
            for report in &mut reports {
                report.recall(store, SystemTime::now())?;
            }
        }
        Ok(reports)
    }

    /// As if nobody had looked before.
    fn now(store: &SqliteStore, plan: &Plan) -> Result<Vec<Self>, StoreError> {
        let mut filter = RollupFilter::new();
        filter.experiment.clone_from(&plan.experiment);
        filter.since_ns = plan.since_ns;
        let buckets = store.unit_buckets(&filter)?;
        let outcomes = Outcomes::new(store.outcome_sums(&filter)?, plan.since_ns);
        let plans = Plans::of_store(plan, store)?;
        let rollups = store.rollups(&filter)?;
        Self::over(rollups, buckets, outcomes, &plans, &mut { store }, UnderWay::at(Clock::wall()))
    }

    /// The same of roll-ups that come from elsewhere, as from a simulation (of several stores: [`merged`](Self::merged));
    /// under sticky assignment with their buckets of units, each once. `share` says what share of the requests a config was to get under the
    /// weights and rules with this fingerprint, if it is known. All counts: nothing is under way here.
    ///
    /// # Errors
    ///
    /// When there is no such baseline.
    pub fn of(
        rollups: impl IntoIterator<Item = Rollup>,
        buckets: impl IntoIterator<Item = UnitBucket>,
        plan: &Plan,
        share: impl FnMut(&ConfigId, u64) -> Option<f64>,
    ) -> Result<Vec<Self>, StoreError> {
        Self::with_outcomes(rollups, buckets, [], plan, share)
    }

    /// The same, with what the units that these roll-ups exposed did later.
    ///
    /// # Errors
    ///
    /// When there is no such baseline.
    pub fn with_outcomes(
        rollups: impl IntoIterator<Item = Rollup>,
        buckets: impl IntoIterator<Item = UnitBucket>,
        outcomes: impl IntoIterator<Item = OutcomeSum>,
        plan: &Plan,
        share: impl FnMut(&ConfigId, u64) -> Option<f64>,
    ) -> Result<Vec<Self>, StoreError> {
        let wanted = |rollup: &Rollup| {
            plan.experiment.as_deref().is_none_or(|name| *rollup.experiment == *name)
                && plan.since_ns.is_none_or(|since| rollup.start_ns >= since)
        };
        let rollups = rollups.into_iter().filter(wanted).map(Ok);
        let outcomes = Outcomes::new(outcomes.into_iter().collect(), plan.since_ns);
        let mut share = sample_ratio::Told(share);
        Self::over(
            rollups,
            buckets,
            outcomes,
            &Plans::only(plan),
            &mut share,
            UnderWay::at(Clock::NONE),
        )
    }

    /// How many requests are in no comparison, and why, in words; `None` if there are none.
    pub fn set_aside(&self) -> Option<String> {
        aside::in_words(&self.aside, |count| count.to_string())
    }

    fn over(
        rollups: impl IntoIterator<Item = Result<Rollup, StoreError>>,
        buckets: impl IntoIterator<Item = UnitBucket>,
        outcomes: Outcomes,
        plans: &Plans<'_>,
        share: &mut impl sample_ratio::Share,
        under_way: UnderWay,
    ) -> Result<Vec<Self>, StoreError> {
        let experiments = arms::gather(rollups, buckets, outcomes, plans, under_way)?;
        let reports = experiments.iter().map(|(plan, arms)| verdict::report(plan, arms, share));
        let mut reports: Vec<_> = reports.collect::<Result<_, _>>()?;
        across::mark(&experiments, &mut reports);
        Ok(reports)
    }
}
