//! Reports as HTML: one file that needs nothing else, and the parts of which a server makes its pages.
//!
//! Whatever comes from outside (names, answers, paths) is escaped where it is put in; the file has no script, and
//! says so to the browser (Content Security Policy), so that nothing in it can run.

mod candidate;
mod certainty;
mod differences;
mod document;
mod durations;
mod figures;
mod finding;
mod interval;
mod looks;
mod missing;
mod numbers;
mod plot;
mod split;

pub(crate) use candidate::{metrics, verdicts};
#[cfg(feature = "server")]
pub(crate) use certainty::NOT_AMONG_ALL;
pub(crate) use differences::differences;
#[cfg(feature = "server")]
pub(crate) use document::STYLE;
pub(crate) use durations::durations;
pub(crate) use figures::figures;
pub(crate) use looks::over_time;
pub(crate) use missing::missing;
pub(crate) use numbers::time;
#[cfg(feature = "server")]
pub(crate) use numbers::{bytes, count, duration, exact_time, percent};
pub(crate) use split::split;

use super::Report;
use crate::store::{ConfigDifferences, DifferenceFilter, Look, SqliteStore, StoreError};
use maud::{Markup, html};
use std::fmt;

/// Paths of a config that a file shows, and examples of each.
const PATHS: usize = 20;
const EXAMPLES: usize = 2;

/// Reports as one HTML file: it loads nothing, runs nothing, and prints well.
///
/// ```
/// use tower_spearmint::{report::{HtmlReport, Plan, Report}, store::SqliteStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let file = std::env::temp_dir().join(format!("spearmint-doc-html-{}.db", std::process::id()));
/// # let _ = std::fs::remove_file(&file);
/// let store = SqliteStore::open(&file)?;
/// let reports = Report::read(&store, &Plan::new())?;
/// let page = HtmlReport::new(&reports).differences_in(&store)?.to_string();
/// assert!(page.starts_with("<!DOCTYPE html>"));
/// # std::fs::remove_file(&file)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct HtmlReport<'a> {
    reports: &'a [Report],
    differences: Vec<ConfigDifferences>,
    /// In the order of the reports; those that are not there have none.
    looks: Vec<Vec<Look>>,
}

impl<'a> HtmlReport<'a> {
    /// Of these reports, in their order.
    pub const fn new(reports: &'a [Report]) -> Self {
        Self { reports, differences: Vec::new(), looks: Vec::new() }
    }

    /// Also with where the answers differ, at up to 20 paths of each config, with examples. Blocks.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn differences_in(mut self, store: &SqliteStore) -> Result<Self, StoreError> {
        for report in self.reports {
            let filter = DifferenceFilter::new()
                .experiment(&*report.experiment)
                .limit(PATHS)
                .examples(EXAMPLES);
            let found = match store.differences(&filter) {
                // Of several stores not each has all experiments.
                Err(StoreError::NoExperiment { .. }) => continue,
                found => found?,
            };
            let of_this = |one: &ConfigDifferences| one.strategy == report.strategy;
            self.differences.extend(found.into_iter().filter(of_this));
        }
        Ok(self)
    }

    /// Also with the intervals over time, at the looks that a store keeps, in place of those of another. Blocks.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn looks_in(mut self, store: &SqliteStore) -> Result<Self, StoreError> {
        // (One that stands alone has none.)
        let history = |report: &Report| {
            if report.looks.is_some() { report.history(store) } else { Ok(Vec::new()) }
        };
        self.looks = self.reports.iter().map(history).collect::<Result<_, _>>()?;
        Ok(self)
    }

    fn one(&self, at: usize, report: &Report) -> Markup {
        let of_this = |one: &&ConfigDifferences| {
            one.experiment == report.experiment && one.strategy == report.strategy
        };
        let found: Vec<_> = self.differences.iter().filter(of_this).collect();
        html! {
            article {
                h1 { (report.experiment) }
                (period(report))
                h2 { "Verdict" }
                (verdicts(report))
                h2 { "Metrics" }
                (metrics(report))
                h2 { "Arms" }
                (figures(report))
                (split(report))
                (missing(report))
                @if let Some(looks) = self.looks.get(at).filter(|looks| !looks.is_empty()) {
                    h2 { "Intervals over time" }
                    (over_time(report, looks))
                }
                h2 { "How long they took" }
                (durations(report))
                @if !found.is_empty() {
                    h2 { "Where answers differ" }
                    (differences(&found, |_, path| html! { code { (path) } }, |id| html! { (id) }))
                }
            }
        }
    }
}

impl fmt::Display for HtmlReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = match self.reports {
            [report] => format!("{}: report", report.experiment),
            _ => "Report".to_owned(),
        };
        let body = html! {
            @for (at, report) in self.reports.iter().enumerate() { (self.one(at, report)) }
            @if self.reports.is_empty() {
                h1 { "Nothing to report" }
                p { "The store has no branch yet that answered anybody. Send requests through the experiment, \
                     and make the report again." }
            }
        };
        f.write_str(&document::alone(&title, &body).into_string())
    }
}

/// What was read: strategy and time.
pub(crate) fn period(report: &Report) -> Markup {
    html! {
        p.muted {
            (report.strategy) ", from " (time(report.since_ns)) " to " (time(report.until_ns))
        }
    }
}
