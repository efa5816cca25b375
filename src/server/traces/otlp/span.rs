//! A span, as it comes and as it is kept.

use super::value;
use crate::{
    as_trace::Span,
    otlp::{
        Status,
        number::{event as of_event, link as of_link, span as of_span, status as of_status},
        protobuf::{Field, Malformed, Reader, text},
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

impl Span {
    /// The plain value of an attribute.
    pub(in crate::server::traces) fn get(&self, key: &str) -> Option<Value> {
        value::get(&self.attributes, key)
    }

    /// The same as a text; JSON where it is none.
    pub(in crate::server::traces) fn text(&self, key: &str) -> Option<String> {
        Some(match self.get(key)? {
            Value::Null => return None,
            Value::String(text) => text,
            other => other.to_string(),
        })
    }

    /// As it is answered, with the names of OpenTelemetry's `trace.proto`.
    pub(in crate::server::traces) fn json(&self) -> Value {
        let mut json = json!({
            "trace_id": STANDARD.encode(self.trace_id),
            "span_id": STANDARD.encode(self.span_id),
            "name": self.name,
            "start_time_unix_nano": self.start_ns,
            "end_time_unix_nano": self.end_ns,
            "attributes": self.attributes,
            "status": { "code": format!("STATUS_CODE_{}", self.status.name()) },
        });
        if let Some(parent) = self.parent {
            json["parent_span_id"] = STANDARD.encode(parent).into();
        }
        if !self.status_message.is_empty() {
            json["status"]["message"] = (&*self.status_message).into();
        }
        for (name, list) in [("events", &self.events), ("links", &self.links)] {
            if !list.is_empty() {
                json[name] = list.clone().into();
            }
        }
        json
    }

    /// Reads a span of the protocol.
    ///
    /// # Errors
    ///
    /// When it is none, or has no id.
    pub(super) fn read(message: &[u8]) -> Result<Self, Malformed> {
        let mut span = Self::default();
        let (mut trace, mut own) = (None, None);
        let mut reader = Reader::new(message);
        while let Some(field) = reader.next()? {
            match field {
                (of_span::TRACE_ID, Field::Bytes(bytes)) => trace = bytes.try_into().ok(),
                (of_span::SPAN_ID, Field::Bytes(bytes)) => own = bytes.try_into().ok(),
                (of_span::PARENT_SPAN_ID, Field::Bytes(bytes)) if !bytes.is_empty() => {
                    span.parent = Some(bytes.try_into().map_err(|_| Malformed)?);
                }
                (of_span::NAME, Field::Bytes(bytes)) => span.name = text(bytes),
                (of_span::START, Field::Fixed64(time)) => span.start_ns = time,
                (of_span::END, Field::Fixed64(time)) => span.end_ns = time,
                (of_span::ATTRIBUTES, Field::Bytes(message)) => {
                    span.attributes.push(value::attribute(message)?);
                }
                (of_span::EVENTS, Field::Bytes(message)) => span.events.push(event(message)?),
                (of_span::LINKS, Field::Bytes(message)) => span.links.push(link(message)?),
                (of_span::STATUS, Field::Bytes(message)) => span.read_status(message)?,
                _ => {}
            }
        }
        (span.trace_id, span.span_id) = (trace.ok_or(Malformed)?, own.ok_or(Malformed)?);
        span.named()
    }

    /// If it has ids, under [the name](Self::named_here) of its trace.
    pub(super) fn named(self) -> Result<Self, Malformed> {
        if self.trace_id == [0; 16] || self.span_id == [0; 8] {
            return Err(Malformed);
        }
        Ok(self.named_here())
    }

    fn read_status(&mut self, message: &[u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(message);
        while let Some(field) = reader.next()? {
            match field {
                (of_status::MESSAGE, Field::Bytes(bytes)) => self.status_message = text(bytes),
                (of_status::CODE, Field::Varint(code)) => self.status = Status::of_code(code),
                _ => {}
            }
        }
        Ok(())
    }
}

fn event(message: &[u8]) -> Result<Value, Malformed> {
    let (mut time, mut name, mut attributes) = (0, String::new(), Vec::new());
    let mut reader = Reader::new(message);
    while let Some(field) = reader.next()? {
        match field {
            (of_event::TIME, Field::Fixed64(value)) => time = value,
            (of_event::NAME, Field::Bytes(bytes)) => name = text(bytes),
            (of_event::ATTRIBUTES, Field::Bytes(message)) => {
                attributes.push(value::attribute(message)?);
            }
            _ => {}
        }
    }
    Ok(json!({ "time_unix_nano": time, "name": name, "attributes": attributes }))
}

fn link(message: &[u8]) -> Result<Value, Malformed> {
    let (mut trace, mut span, mut attributes) = (String::new(), String::new(), Vec::new());
    let mut reader = Reader::new(message);
    while let Some(field) = reader.next()? {
        match field {
            (of_link::TRACE_ID, Field::Bytes(bytes)) => trace = STANDARD.encode(bytes),
            (of_link::SPAN_ID, Field::Bytes(bytes)) => span = STANDARD.encode(bytes),
            (of_link::ATTRIBUTES, Field::Bytes(message)) => {
                attributes.push(value::attribute(message)?);
            }
            _ => {}
        }
    }
    Ok(json!({ "trace_id": trace, "span_id": span, "attributes": attributes }))
}
