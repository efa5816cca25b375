//! A page of metrics, as text.
//!
//! Source: Prometheus, "Exposition formats", text-based format 0.0.4.

use std::fmt::{self, Display, Write};

/// One page of metrics. A family that is named twice is one family: whoever comes later adds to
/// it. The text is its `Display`.
///
/// ```
/// use tower_spearmint::metrics::Exposition;
///
/// let mut page = Exposition::new();
/// page.gauge("cache_entries", "Entries in the cache.").value(&[("cache", "main")], 3);
/// let lines: Vec<_> = page.to_string().lines().map(str::to_owned).collect();
/// assert_eq!(lines[0], "# HELP cache_entries Entries in the cache.");
/// assert_eq!(lines[1], "# TYPE cache_entries gauge");
/// assert_eq!(lines[2], "cache_entries{cache=\"main\"} 3");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Exposition {
    families: Vec<Family>,
}

#[derive(Debug, Clone)]
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    samples: String,
}

/// The lines of one family.
#[derive(Debug)]
pub struct Samples<'a> {
    name: &'static str,
    samples: &'a mut String,
}

impl Exposition {
    /// What the text is, for the header `content-type`.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// A page with nothing on it.
    pub const fn new() -> Self {
        Self { families: Vec::new() }
    }

    /// A family of counters: what only grows. Its name ends in `_total`.
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> Samples<'_> {
        self.family(name, "counter", help)
    }

    /// A family of gauges: what goes up and down.
    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> Samples<'_> {
        self.family(name, "gauge", help)
    }

    /// A family of histograms.
    pub(crate) fn histogram(&mut self, name: &'static str, help: &'static str) -> Samples<'_> {
        self.family(name, "histogram", help)
    }

    fn family(
        &mut self,
        name: &'static str,
        kind: &'static str,
        help: &'static str,
    ) -> Samples<'_> {
        let found = self.families.iter().position(|family| family.name == name);
        let at = found.unwrap_or_else(|| {
            self.families.push(Family { name, kind, help, samples: String::new() });
            self.families.len() - 1
        });
        Samples { name, samples: &mut self.families[at].samples }
    }
}

impl Samples<'_> {
    /// Adds one value, under these labels: each of another name, and no two values of a family
    /// under the same.
    pub fn value(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.line("", labels, None, value);
    }

    /// Adds one line: of the family, or of what `suffix` names of it.
    pub(super) fn line(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        last: Option<(&str, &str)>,
        value: impl Display,
    ) {
        let out = &mut *self.samples;
        out.push_str(self.name);
        out.push_str(suffix);
        for (at, (name, value)) in labels.iter().copied().chain(last).enumerate() {
            out.push(if at == 0 { '{' } else { ',' });
            out.push_str(name);
            out.push_str("=\"");
            escape(out, value, true);
            out.push('"');
        }
        if !labels.is_empty() || last.is_some() {
            out.push('}');
        }
        // Writing to a string never fails.
        let _ = writeln!(out, " {value}");
    }
}

/// A help text has no quotes around it, and in it they stand for themselves.
fn escape(out: &mut String, text: &str, is_quoted: bool) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if is_quoted => out.push_str("\\\""),
            other => out.push(other),
        }
    }
}

impl Display for Exposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut help = String::new();
        for family in &self.families {
            help.clear();
            escape(&mut help, family.help, false);
            writeln!(f, "# HELP {} {help}", family.name)?;
            writeln!(f, "# TYPE {} {}", family.name, family.kind)?;
            f.write_str(&family.samples)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_label_or_a_line_is_escaped() {
        let mut page = Exposition::new();
        page.gauge("g", "a \"b\"\nc\\").value(&[("l", "a \"b\"\nc\\"), ("m", "größe")], 1);
        assert_eq!(
            page.to_string(),
            "# HELP g a \"b\"\\nc\\\\\n# TYPE g gauge\ng{l=\"a \\\"b\\\"\\nc\\\\\",m=\"größe\"} 1\n"
        );
    }

    #[test]
    fn a_family_that_is_named_twice_stands_together() {
        let mut page = Exposition::new();
        page.counter("a_total", "A.").value(&[("of", "x")], 1);
        page.counter("b_total", "B.").value(&[], 2);
        page.counter("a_total", "A.").value(&[("of", "y")], 3);
        assert_eq!(
            page.to_string(),
            "# HELP a_total A.\n# TYPE a_total counter\na_total{of=\"x\"} 1\na_total{of=\"y\"} 3\n\
             # HELP b_total B.\n# TYPE b_total counter\nb_total 2\n"
        );
    }
}
