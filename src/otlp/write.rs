//! Spans as they are sent: `ExportTraceServiceRequest` in protocol buffers
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).

use super::{
    number::{
        any_value, event, key_value, request, resource, resource_spans, scope, scope_spans, span,
        status,
    },
    protobuf::Message,
    status::Status,
};

/// A span that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpanMessage(Message);

/// What a span is to the one it calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanKind {
    /// It calls nobody over a network.
    #[default]
    Internal,
    /// It calls another service, whose own span stands below it.
    Client,
}

impl SpanKind {
    const fn code(self) -> u64 {
        match self {
            Self::Internal => 1,
            Self::Client => 3,
        }
    }
}

impl SpanMessage {
    pub(crate) fn new(trace_id: &[u8; 16], span_id: &[u8; 8], name: &str) -> Self {
        let mut message = Message::default();
        message.bytes(span::TRACE_ID, trace_id);
        message.bytes(span::SPAN_ID, span_id);
        message.bytes(span::NAME, name.as_bytes());
        Self(message)
    }

    pub(crate) fn parent(&mut self, span_id: &[u8; 8]) {
        self.0.bytes(span::PARENT_SPAN_ID, span_id);
    }

    pub(crate) fn kind(&mut self, kind: SpanKind) {
        self.0.varint(span::KIND, kind.code());
    }

    /// In nanoseconds since 1970.
    pub(crate) fn times(&mut self, start_ns: u64, end_ns: u64) {
        self.0.fixed64(span::START, start_ns);
        self.0.fixed64(span::END, end_ns);
    }

    /// The flags of its `traceparent`, and above them whether its parent is in another process.
    pub(crate) fn flags(&mut self, flags: u32) {
        self.0.fixed32(span::FLAGS, flags);
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.0.message(span::ATTRIBUTES, &text(key, value));
    }

    pub(crate) fn int(&mut self, key: &str, value: i64) {
        let mut any = Message::default();
        any.varint(any_value::INT, value.cast_unsigned());
        self.0.message(span::ATTRIBUTES, &pair(key, &any));
    }

    pub(crate) fn double(&mut self, key: &str, value: f64) {
        let mut any = Message::default();
        any.fixed64(any_value::DOUBLE, value.to_bits());
        self.0.message(span::ATTRIBUTES, &pair(key, &any));
    }

    /// Something that happened at a time; its attributes are texts.
    pub(crate) fn event(&mut self, name: &str, at_ns: u64, attributes: &[(&str, &str)]) {
        let mut message = Message::default();
        message.fixed64(event::TIME, at_ns);
        message.bytes(event::NAME, name.as_bytes());
        for (key, value) in attributes {
            message.message(event::ATTRIBUTES, &text(key, value));
        }
        self.0.message(span::EVENTS, &message);
    }

    /// How it ended; the message only says something of an error.
    pub(crate) fn status(&mut self, status: Status, why: &str) {
        let mut message = Message::default();
        if !why.is_empty() {
            message.bytes(status::MESSAGE, why.as_bytes());
        }
        message.varint(status::CODE, status.code());
        self.0.message(span::STATUS, &message);
    }

    /// How many bytes it has.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }
}

/// Where spans come from: the same in each request.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    resource: Message,
    scope: Message,
}

impl Source {
    /// Of a service with these attributes.
    pub(crate) fn new<'a>(attributes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut of_resource = Message::default();
        for (key, value) in attributes {
            of_resource.message(resource::ATTRIBUTES, &text(key, value));
        }
        let mut of_scope = Message::default();
        of_scope.bytes(scope::NAME, env!("CARGO_PKG_NAME").as_bytes());
        of_scope.bytes(scope::VERSION, env!("CARGO_PKG_VERSION").as_bytes());
        Self { resource: of_resource, scope: of_scope }
    }

    /// The body of a request that sends them.
    pub(crate) fn request(&self, spans: &[SpanMessage]) -> Vec<u8> {
        let mut of_scope = Message::default();
        of_scope.message(scope_spans::SCOPE, &self.scope);
        for SpanMessage(span) in spans {
            of_scope.message(scope_spans::SPANS, span);
        }
        let mut of_resource = Message::default();
        of_resource.message(resource_spans::RESOURCE, &self.resource);
        of_resource.message(resource_spans::SCOPE_SPANS, &of_scope);
        let mut whole = Message::default();
        whole.message(request::RESOURCE_SPANS, &of_resource);
        whole.into_bytes()
    }
}

fn text(key: &str, value: &str) -> Message {
    let mut any = Message::default();
    any.bytes(any_value::TEXT, value.as_bytes());
    pair(key, &any)
}

fn pair(key: &str, any: &Message) -> Message {
    let mut pair = Message::default();
    pair.bytes(key_value::KEY, key.as_bytes());
    pair.message(key_value::VALUE, any);
    pair
}
