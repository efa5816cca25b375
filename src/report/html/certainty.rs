//! Since when a verdict is what it is, and how firmly.

use super::numbers::time;
use crate::report::{Candidate, Decided, Looks, sentence::number};
use maud::{Markup, html};

/// Its date, what was reached before, and what is left of it among several experiments.
pub(super) fn certainty(candidate: &Candidate) -> Markup {
    let Candidate { verdict, decided, reached, .. } = candidate;
    html! {
        @if let Some(decided) = decided { p.muted { "Since " (dated(decided)) "." } }
        @for other in reached.iter().filter(|one| one.verdict != *verdict) {
            p { strong { (other.verdict) } " was reached at " (dated(other)) "." }
        }
        @if let (Some(survives), Some(holds_at)) = (candidate.survives, candidate.holds_at) {
            @if survives {
                p.muted {
                    "Sure enough among all these experiments (of the verdicts that are taken, at most 5% may be false): \
                     it would be the same at an error probability of " (number(holds_at)) "."
                }
            } @else {
                p {
                    strong { (NOT_AMONG_ALL) } " (of the verdicts that are taken, at most 5% may be false). By itself it \
                     would be the same at an error probability of " (number(holds_at)) "."
                }
            }
        }
    }
}

/// Of a verdict that stands by itself, and not in a list of many.
pub(crate) const NOT_AMONG_ALL: &str = "Not sure enough to be taken out of so many experiments";

/// How often an experiment was looked at.
pub(super) fn looks(looks: &Looks) -> Markup {
    html! {
        p.muted {
            @if looks.count == 1 { "1 look, at " } @else { (looks.count) " looks, the first at " }
            (time(looks.first_ns))
            @if looks.has_others { "; those by other metrics, margins, baselines or candidates do not count" }
            "."
        }
    }
}

fn dated(decided: &Decided) -> String {
    format!("{} (look {})", time(decided.at_ns), decided.look)
}
