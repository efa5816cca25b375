//! Times in narrow columns.

use maud::{Markup, html};

/// A time that breaks between its date and the rest, and nowhere else.
pub(super) fn when(time: &str) -> Markup {
    let (date, rest) = time.split_once(' ').unwrap_or((time, ""));
    html! { span.whole { (date) } " " span.whole { (rest) } }
}
