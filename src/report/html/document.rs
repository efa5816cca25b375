//! A file that needs no other.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// How reports and pages look.
pub(crate) const STYLE: &str = include_str!("style.css");

/// Nothing runs, and nothing is loaded.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(super) fn alone(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                // Our own file, in which nothing ends the element.
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    }
}
