//! The table.

use crate::{outcome::Outcomes, scenario::Scenario};

pub(crate) struct Table {
    pub(crate) markdown: bool,
}

const COLUMNS: [(&str, usize); 10] = [
    ("requests", 9),
    ("ship", 9),
    ("harm", 9),
    ("no use", 9),
    ("broken", 9),
    ("undecided", 9),
    ("half by", 9),
    ("80% by", 9),
    ("one look", 9),
    ("seconds", 8),
];

impl Table {
    pub(crate) fn head(&self) -> String {
        let names = COLUMNS.map(|(name, _)| name.to_owned());
        let head = self.line("scenario", &names);
        if self.markdown { format!("{head}\n|---|{}", "--:|".repeat(COLUMNS.len())) } else { head }
    }

    /// What is false has a mark.
    pub(crate) fn row(&self, scenario: &Scenario, outcomes: &Outcomes, seconds: f64) -> String {
        let percent = |share: f64| format!("{:.2}%", share * 100.0);
        let count = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let [ship, harm, no_use, broken] = outcomes.shares().map(|(share, is_false)| {
            let mark = if is_false { "†" } else { "" };
            format!("{}{mark}", percent(share))
        });
        let cells = [
            scenario.requests.to_string(),
            ship,
            harm,
            no_use,
            broken,
            percent(outcomes.undecided()),
            count(outcomes.decided_by(0.5)),
            count(outcomes.decided_by(0.8)),
            count(scenario.planned()),
            format!("{seconds:.1}"),
        ];
        self.line(scenario.name, &cells)
    }

    fn line(&self, name: &str, cells: &[String; COLUMNS.len()]) -> String {
        if self.markdown {
            return format!("| {name} | {} |", cells.join(" | "));
        }
        let cells = cells.iter().zip(COLUMNS).map(|(cell, (_, width))| format!(" {cell:>width$}"));
        format!("{name:46}{}", cells.collect::<String>())
    }
}
