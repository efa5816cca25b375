//! Outcomes of a file, one after the other.

use std::io::{self, BufRead, Read};
use tower_spearmint::store::{Outcome, OutcomeError};

/// The most bytes of a line of JSON.
const MAX_LINE: u64 = 64 * 1024;

/// A line, and what it says.
pub(super) type Line = (u64, Result<Outcome, OutcomeError>);

/// A table with a header (CSV), or a JSON map in each line.
pub(super) enum Source<R: BufRead> {
    /// `before`: lines that are not counted, since after CR LF a row is taken to begin on the line before.
    Table {
        rows: csv::StringRecordsIntoIter<R>,
        columns: Vec<String>,
        before: u64,
    },
    Lines {
        from: R,
        at: u64,
    },
}

impl<R: BufRead> Source<R> {
    /// # Errors
    ///
    /// What is wrong with the file as a whole, or when it cannot be read.
    pub(super) fn new(mut from: R) -> Result<Self, String> {
        let failed = |error: io::Error| error.to_string();
        // (What editors put in front of UTF-8.)
        if from.fill_buf().map_err(failed)?.starts_with("\u{feff}".as_bytes()) {
            from.consume(3);
        }
        let begins = from.fill_buf().map_err(failed)?;
        if begins.is_empty() {
            return Err("the file is empty".to_owned());
        }
        let header = begins.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let before = u64::from(header.ends_with(b"\r"));
        match begins.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => return Ok(Self::Lines { from, at: 0 }),
            Some(b'[') => {
                return Err("a JSON list is not read by lines; write one outcome in each, as \
                            `jq -c '.[]'` does"
                    .to_owned());
            }
            _ => {}
        }
        let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(from);
        let header = reader.headers().map_err(|error| error.to_string())?;
        let columns: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        for name in &columns {
            if !Outcome::KEYS.contains(&name.as_str()) {
                let known = Outcome::KEYS.join(", ");
                return Err(format!("line 1: there is no column `{name}`; there are {known}"));
            }
        }
        for name in ["id", "name"] {
            if !columns.iter().any(|column| column == name) {
                return Err(format!(
                    "line 1: there is no column `{name}`, which every outcome has"
                ));
            }
        }
        Ok(Self::Table { rows: reader.into_records(), columns, before })
    }

    /// The next one; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        match self {
            Self::Table { rows, columns, before } => {
                let Some(row) = rows.next() else { return Ok(None) };
                let row = match row {
                    Ok(row) => row,
                    Err(error) if error.is_io_error() => return Err(error.into()),
                    Err(error) => {
                        let at = error.position().map_or(0, csv::Position::line) + *before;
                        return Ok(Some((at, Err(OutcomeError::new(why(&error))))));
                    }
                };
                let at = row.position().map_or(0, csv::Position::line) + *before;
                Ok(Some((at, Outcome::from_row(columns.iter().map(String::as_str).zip(&row)))))
            }
            Self::Lines { from, at } => loop {
                let mut line = Vec::new();
                *at += 1;
                if from.take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
                    return Ok(None);
                }
                if !line.ends_with(b"\n") && line.len() as u64 == MAX_LINE {
                    from.skip_until(b'\n')?;
                    let error = format!("the line is longer than {MAX_LINE} bytes");
                    return Ok(Some((*at, Err(OutcomeError::new(error)))));
                }
                let Ok(text) = std::str::from_utf8(&line) else {
                    return Ok(Some((*at, Err(OutcomeError::new("the line is not UTF-8")))));
                };
                if !text.trim().is_empty() {
                    return Ok(Some((*at, Outcome::from_json(text.trim_end()))));
                }
            },
        }
    }
}

fn why(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} cells, and the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "the line is not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}
