//! Reads an event stream, as the HTML standard says (section 9.2.6, "Interpreting an event
//! stream"): lines end with LF, CR or both, a byte order mark at the start is passed over, lines
//! of data are joined by LF, and an event that no empty line ends is no event. Its bytes are taken
//! as they are.

/// One event with data; `id` and `retry` are passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Event<'a> {
    /// `message` if it does not say.
    pub(in crate::http) name: &'a [u8],
    pub(in crate::http) data: Vec<u8>,
}

/// The events of a stream, and then what is left of one that was not ended.
#[derive(Debug)]
pub(in crate::http) struct Events<'a> {
    rest: &'a [u8],
    name: &'a [u8],
    data: Vec<u8>,
}

impl<'a> Events<'a> {
    pub(in crate::http) fn new(body: &'a [u8]) -> Self {
        let rest = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        Self { rest, name: b"", data: Vec::new() }
    }

    /// The data after the last event.
    pub(in crate::http) fn unfinished(mut self) -> Vec<u8> {
        let last = self.rest;
        self.line(last);
        self.data.pop();
        self.data
    }

    fn line(&mut self, line: &'a [u8]) {
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = colon.map_or((line, &b""[..]), |at| (&line[..at], &line[at + 1..]));
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => self.name = value,
            b"data" => {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            // A comment, or a field that does not matter here.
            _ => {}
        }
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        while let Some(line) = next_line(&mut self.rest) {
            if !line.is_empty() {
                self.line(line);
                continue;
            }
            let name = std::mem::take(&mut self.name);
            let mut data = std::mem::take(&mut self.data);
            // The last LF is not part of it; without one there was no data at all.
            if data.pop().is_some() {
                let name = if name.is_empty() { b"message" } else { name };
                return Some(Event { name, data });
            }
        }
        None
    }
}

/// The next line that has an end.
fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
    let (line, after) = rest.split_at(end);
    *rest = after.strip_prefix(b"\r\n").unwrap_or(&after[1..]);
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &str) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Events::new(body.as_bytes()).map(|event| (text(event.name), text(&event.data))).collect()
    }

    fn messages(data: &[&str]) -> Vec<(String, String)> {
        data.iter().map(|data| ("message".to_owned(), (*data).to_owned())).collect()
    }

    #[test]
    fn the_examples_of_the_standard_are_read_as_it_says() {
        assert_eq!(read("data: YHOO\ndata: +2\ndata: 10\n\n"), messages(&["YHOO\n+2\n10"]));
        assert_eq!(
            read(
                ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n"
            ),
            messages(&["first event", "second event"])
        );
        assert_eq!(read("data\n\ndata\ndata\n\ndata:\n"), messages(&["", "\n"]));
        assert_eq!(read("data:test\n\ndata: test\n\n"), messages(&["test", "test"]));
    }

    #[test]
    fn names_hold_for_one_event_and_lines_end_in_three_ways() {
        assert_eq!(
            read("\u{feff}event: add\r\ndata: 1\r\n\r\nevent: lost\r\rdata: 2\n\n"),
            [("add".to_owned(), "1".to_owned()), ("message".to_owned(), "2".to_owned())]
        );
        assert_eq!(read("data: a\r\r\ndata: b\n\r"), messages(&["a", "b"]));
    }

    /// The standard's algorithm, written for clearness: on characters, with whole copies.
    fn reference(body: &str) -> Vec<(String, String)> {
        let body = body.strip_prefix('\u{feff}').unwrap_or(body);
        let body = body.replace("\r\n", "\n").replace('\r', "\n");
        let mut lines: Vec<&str> = body.split('\n').collect();
        lines.pop();
        let (mut out, mut name, mut data) = (Vec::new(), String::new(), String::new());
        for line in lines {
            if line.is_empty() {
                if !data.is_empty() {
                    let name = if name.is_empty() { "message" } else { &name };
                    out.push((name.to_owned(), data[..data.len() - 1].to_owned()));
                }
                data.clear();
                name.clear();
            } else if !line.starts_with(':') {
                let (field, value) = line.split_once(':').unwrap_or((line, ""));
                let value = value.strip_prefix(' ').unwrap_or(value);
                match field {
                    "event" => name = value.to_owned(),
                    "data" => data += &format!("{value}\n"),
                    _ => {}
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn reads_what_a_simple_reader_reads(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("\n"), Just("\r"), Just("\r\n"), Just("data"), Just("data:"), Just("data: "),
                    Just("event: x"), Just("event"), Just(":"), Just(" "), Just("id: 1"), Just("é"),
                    Just("\u{feff}"), Just("\0"), Just("a"), Just("\n\n"), Just("data: y\n"),
                ],
                0..40,
            ),
        ) {
            let body = parts.concat();
            prop_assert_eq!(read(&body), reference(&body));
        }
    }
}
