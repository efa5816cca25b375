//! The numbers of the fields that are read or written here
//! (<https://github.com/open-telemetry/opentelemetry-proto>, `trace.proto`, `common.proto`,
//! `resource.proto`, `trace_service.proto`).

/// `ExportTraceServiceRequest`
pub(crate) mod request {
    pub(crate) const RESOURCE_SPANS: u64 = 1;
}

/// `ResourceSpans`
pub(crate) mod resource_spans {
    pub(crate) const RESOURCE: u64 = 1;
    pub(crate) const SCOPE_SPANS: u64 = 2;
}

/// `Resource`
pub(crate) mod resource {
    pub(crate) const ATTRIBUTES: u64 = 1;
}

/// `ScopeSpans`
pub(crate) mod scope_spans {
    #[cfg(feature = "otlp")]
    pub(crate) const SCOPE: u64 = 1;
    pub(crate) const SPANS: u64 = 2;
}

/// `InstrumentationScope`
#[cfg(feature = "otlp")]
pub(crate) mod scope {
    pub(crate) const NAME: u64 = 1;
    pub(crate) const VERSION: u64 = 2;
}

/// `Span`
pub(crate) mod span {
    pub(crate) const TRACE_ID: u64 = 1;
    pub(crate) const SPAN_ID: u64 = 2;
    pub(crate) const PARENT_SPAN_ID: u64 = 4;
    pub(crate) const NAME: u64 = 5;
    #[cfg(feature = "otlp")]
    pub(crate) const KIND: u64 = 6;
    pub(crate) const START: u64 = 7;
    pub(crate) const END: u64 = 8;
    pub(crate) const ATTRIBUTES: u64 = 9;
    pub(crate) const EVENTS: u64 = 11;
    #[cfg(feature = "server")]
    pub(crate) const LINKS: u64 = 13;
    pub(crate) const STATUS: u64 = 15;
    #[cfg(feature = "otlp")]
    pub(crate) const FLAGS: u64 = 16;
}

/// `Span.Event`
pub(crate) mod event {
    pub(crate) const TIME: u64 = 1;
    pub(crate) const NAME: u64 = 2;
    pub(crate) const ATTRIBUTES: u64 = 3;
}

/// `Span.Link`
#[cfg(feature = "server")]
pub(crate) mod link {
    pub(crate) const TRACE_ID: u64 = 1;
    pub(crate) const SPAN_ID: u64 = 2;
    pub(crate) const ATTRIBUTES: u64 = 4;
}

/// `Status`
pub(crate) mod status {
    pub(crate) const MESSAGE: u64 = 2;
    pub(crate) const CODE: u64 = 3;
}

/// `KeyValue`
pub(crate) mod key_value {
    pub(crate) const KEY: u64 = 1;
    pub(crate) const VALUE: u64 = 2;
}

/// `AnyValue`
pub(crate) mod any_value {
    pub(crate) const TEXT: u64 = 1;
    #[cfg(feature = "server")]
    pub(crate) const BOOL: u64 = 2;
    pub(crate) const INT: u64 = 3;
    pub(crate) const DOUBLE: u64 = 4;
    #[cfg(feature = "server")]
    pub(crate) const ARRAY: u64 = 5;
    #[cfg(feature = "server")]
    pub(crate) const KEY_VALUES: u64 = 6;
    #[cfg(feature = "server")]
    pub(crate) const BYTES: u64 = 7;
}

/// `ArrayValue` and `KeyValueList`
#[cfg(feature = "server")]
pub(crate) mod list {
    pub(crate) const VALUES: u64 = 1;
}

/// `ExportTraceServiceResponse`
pub(crate) mod response {
    pub(crate) const PARTIAL_SUCCESS: u64 = 1;
}

/// `ExportTracePartialSuccess`
pub(crate) mod partial_success {
    pub(crate) const REJECTED_SPANS: u64 = 1;
    pub(crate) const ERROR_MESSAGE: u64 = 2;
}
