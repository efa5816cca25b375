//! A body that is kept while it passes, for those that measure it.

use super::{
    Kind,
    completion::DONE,
    decode::{Undecoded, codings, decoded},
    sse::Events,
    streamed,
};
use crate::{
    capture::{Capture, Held},
    trial::{Content, Unread, Unreadable},
};
use http::{HeaderMap, header};
use serde_json::Value;

/// How many times what is kept of it a body may come to when its codings are undone.
const DECODED: usize = 4;

/// Room is asked for by so many bytes.
const STEP: usize = 4 << 10;

/// A body that is kept while it passes: whole, or, of a stream, its end.
pub(crate) struct Body {
    headers: HeaderMap,
    kind: Kind,
    capture: Capture,
    held: Option<Held>,
    bytes: Vec<u8>,
    lost: Lost,
}

/// What of it is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lost {
    Nothing,
    /// The beginning, of a stream.
    Front,
    All(Unreadable),
}

impl Body {
    pub(crate) fn new(capture: &Capture, headers: &HeaderMap) -> Self {
        let known = [header::CONTENT_TYPE, header::CONTENT_ENCODING];
        let of = |name: &http::HeaderName| {
            headers
                .get_all(name)
                .iter()
                .map(|value| (name.clone(), value.clone()))
                .collect::<Vec<_>>()
        };
        let mut own = HeaderMap::new();
        known.iter().flat_map(of).for_each(|(name, value)| {
            own.append(name, value);
        });
        Self {
            kind: Kind::of(&own),
            headers: own,
            capture: capture.clone(),
            held: capture.hold(Some(0)),
            bytes: Vec::new(),
            lost: Lost::Nothing,
        }
    }

    /// Whether its end tells something without its beginning.
    fn is_stream(&self) -> bool {
        matches!(self.kind, Kind::Events | Kind::Ndjson) && codings(&self.headers).next().is_none()
    }

    pub(in crate::http) fn data(&mut self, data: &[u8]) {
        if matches!(self.lost, Lost::All(_)) {
            return;
        }
        let most = self.capture.each;
        if self.is_stream() {
            // Up to twice as much, so that what is there is moved seldom.
            if self.bytes.len() + data.len() > most.saturating_mul(2) {
                let keep = most.saturating_sub(data.len());
                self.bytes.drain(..self.bytes.len().saturating_sub(keep));
                self.lost = Lost::Front;
            }
        } else if self.bytes.len() + data.len() > most {
            return self.lose(Unreadable::TooLarge);
        }
        let data = &data[data.len().saturating_sub(most)..];
        if !self.has_room(self.bytes.len() + data.len()) {
            return self.lose(Unreadable::NoRoom);
        }
        self.bytes.extend_from_slice(data);
    }

    /// What is sent in pieces that do not lie together is not kept.
    pub(in crate::http) fn scattered(&mut self) {
        self.lose(Unreadable::Broken);
    }

    fn has_room(&mut self, bytes: usize) -> bool {
        let Some(held) = &mut self.held else { return false };
        match bytes.checked_sub(held.bytes()) {
            None | Some(0) => true,
            Some(more) => self.capture.grow(held, more.next_multiple_of(STEP)),
        }
    }

    fn lose(&mut self, why: Unreadable) {
        (self.bytes, self.held, self.lost) = (Vec::new(), None, Lost::All(why));
    }

    /// It has come to its end.
    pub(in crate::http) fn unread(self) -> Unread {
        Box::new(move || self.read())
    }

    fn read(self) -> Result<Content, Unreadable> {
        if let Lost::All(why) = self.lost {
            return Err(why);
        }
        let body = decoded(&self.headers, &self.bytes, self.capture.each.saturating_mul(DECODED));
        let body = body.map_err(|why| match why {
            Undecoded::TooLarge(_) => Unreadable::TooLarge,
            Undecoded::Unknown | Undecoded::Broken(_) | Undecoded::TooDeep => Unreadable::Broken,
        })?;
        let is_cut = self.lost == Lost::Front;
        let content = match self.kind {
            _ if body.is_empty() => Content::of(Value::Null),
            Kind::Json => Content::of(json(&body)?),
            Kind::Ndjson => lines(&body, is_cut),
            Kind::Events => events(&body, is_cut),
            Kind::Other if matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) => {
                json(&body).map_or_else(|_| text(&body), Ok).map(Content::of)?
            }
            Kind::Other => Content::of(text(&body)?),
        };
        let bytes = body.len();
        let room = self.held.map(|held| Box::new(held) as _);
        Ok(Content { room, bytes, ..content })
    }
}

fn json(body: &[u8]) -> Result<Value, Unreadable> {
    serde_json::from_slice(body).map_err(|_| Unreadable::Broken)
}

fn text(body: &[u8]) -> Result<Value, Unreadable> {
    str::from_utf8(body).map(Value::from).map_err(|_| Unreadable::Broken)
}

/// Lines of JSON. (The first of those that are left may be half a one, which is none.)
fn lines(body: &[u8], is_cut: bool) -> Content {
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let pieces: Vec<Value> = lines.filter_map(|line| json(line).ok()).collect();
    let whole = (!is_cut).then(|| Value::Array(pieces.clone()));
    Content { whole, pieces, ..Content::default() }
}

fn events(body: &[u8], is_cut: bool) -> Content {
    let body = if is_cut { after_the_first(body) } else { body };
    let data: Vec<_> = Events::new(body).map(|event| event.data).collect();
    let pieces: Vec<Value> = data.iter().filter_map(|data| json(data).ok()).collect();
    let is_json = || {
        let said = data.iter().filter(|data| data.as_slice() != DONE).count();
        said > 0 && pieces.len() == said
    };
    let whole = (!is_cut).then(|| match streamed::whole(&pieces) {
        Some(whole) => whole,
        None if is_json() => Value::Array(pieces.clone()),
        None => Value::from(String::from_utf8_lossy(&data.concat())),
    });
    Content { whole, pieces, ..Content::default() }
}

/// What follows the end of the first event, which may be half a one.
fn after_the_first(body: &[u8]) -> &[u8] {
    let end =
        |mark: &[u8]| body.windows(mark.len()).position(|at| at == mark).map(|at| at + mark.len());
    let first = [&b"\n\n"[..], b"\r\n\r\n", b"\r\r"].into_iter().filter_map(end).min();
    &body[first.unwrap_or(body.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(capture: &Capture, headers: &[(&'static str, &'static str)], frames: &[&str]) -> Body {
        let headers = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        });
        let mut body = Body::new(capture, &headers.collect());
        frames.iter().for_each(|frame| body.data(frame.as_bytes()));
        body
    }

    fn read(media_type: &'static str, frames: &[&str]) -> Result<Content, Unreadable> {
        let capture = Capture::new(64, 1 << 20);
        body(&capture, &[("content-type", media_type)], frames).read()
    }

    fn whole(media_type: &'static str, frames: &[&str]) -> Result<Value, Unreadable> {
        read(media_type, frames).map(|content| content.whole.unwrap())
    }

    #[test]
    fn a_body_is_what_its_type_says() {
        assert_eq!(whole("application/json", &["{\"a\"", ":1}"]), Ok(json!({ "a": 1 })));
        assert_eq!(whole("application/json", &["{"]), Err(Unreadable::Broken));
        assert_eq!(whole("text/plain", &["hi"]), Ok(json!("hi")));
        assert_eq!(whole("text/plain", &["[1]"]), Ok(json!([1])));
        assert_eq!(whole("text/plain", &["[draft]"]), Ok(json!("[draft]")));
        assert_eq!(whole("application/x-ndjson", &["1\n{}\n"]), Ok(json!([1, {}])));
        assert_eq!(
            whole("text/event-stream", &["data: Hel\n\n", "data: lo\n\n"]),
            Ok(json!("Hello"))
        );
        assert_eq!(whole("application/json", &[]), Ok(Value::Null));
    }

    #[test]
    fn of_a_stream_that_is_too_long_the_end_is_kept() {
        let long = "x".repeat(40);
        let frames: Vec<_> =
            (0..100).map(|n| format!("data: {{\"n\":{n},\"x\":\"{long}\"}}\n\n")).collect();
        let frames: Vec<_> = frames.iter().map(String::as_str).collect();
        let content = read("text/event-stream", &frames).unwrap();
        assert_eq!(content.whole, None);
        assert_eq!(content.pointer("/n"), Some(&json!(99)));
        // And of one event that is larger than all that is kept, nothing.
        let huge = format!("data: {{\"n\":1,\"x\":\"{}\"}}\n\n", "x".repeat(500));
        let content = read("text/event-stream", &[&huge]).unwrap();
        assert_eq!((content.whole, content.pieces), (None, Vec::new()));
    }

    #[test]
    fn any_other_body_that_is_too_large_is_not_kept() {
        assert_eq!(
            whole("application/json", &["[", &"1,".repeat(40), "1]"]),
            Err(Unreadable::TooLarge)
        );
    }

    #[test]
    fn what_all_bodies_take_is_bounded_until_they_were_read() {
        let capture = Capture::new(8 << 10, 8 << 10);
        let text = "x".repeat(3_000);
        let first = body(&capture, &[], &[&text]);
        let second = body(&capture, &[], &[&text]);
        let third = body(&capture, &[], &[&text]);
        assert_eq!(third.read().err(), Some(Unreadable::NoRoom));
        let content = first.read().unwrap();
        assert_eq!(capture.used(), 8 << 10);
        drop((content, second));
        assert_eq!(capture.used(), 0);
    }

    #[test]
    fn what_is_encoded_as_nobody_knows_cannot_be_read() {
        let capture = Capture::new(64, 1 << 20);
        let headers = [("content-type", "application/json"), ("content-encoding", "x-own")];
        assert_eq!(body(&capture, &headers, &["{}"]).read().err(), Some(Unreadable::Broken));
    }
}
