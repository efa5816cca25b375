//! Scalars as they are written in files, for schemas: what the readers in `units` and elsewhere take.
//!
//! `errorMessage` is what editors show, and what our own messages say.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// The schema of a type that is read through another one.
macro_rules! written_as {
    ($name:ident, $text:ty) => {
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                <$text as schemars::JsonSchema>::json_schema(generator)
            }
        }
    };
}

pub(crate) use written_as;

macro_rules! written {
    ($($(#[doc = $doc:literal])* $name:ident = $schema:tt;)*) => {
        $(
            $(#[doc = $doc])*
            pub(crate) struct $name;

            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!($schema)
                }
            }
        )*
    };
}

written! {
    /// `150ms`.
    Duration = {
        "type": "string",
        "pattern": r"^\s*([0-9]+\.?[0-9]*|\.[0-9]+)\s*(ns|us|µs|ms|s|m|min|h|d)\s*$",
        "errorMessage": "is not a duration; write a number and a unit, as in 150ms, 2s, 5m or 1h",
    };
    /// A share of requests.
    Share = {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "errorMessage": "is not a share of requests; write a number from 0 to 1",
    };
    /// A percentage of units.
    Percent = {
        "type": "number",
        "minimum": 0,
        "maximum": 100,
        "errorMessage": "is not a percentage of units; write a number from 0 to 100",
    };
    /// A time.
    Time = {
        "type": "string",
        "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$",
        "errorMessage": "is not a time; write it as in 2026-01-05T09:00:00Z",
    };
    /// A share of failures, which is never none.
    Rate = {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 1,
        "errorMessage": "is not a failure rate; write a number above 0, up to 1",
    };
}

#[cfg(all(feature = "report", feature = "proxy"))]
written! {
    /// A margin: `5%`, or 0.05.
    Margin = {
        "type": ["number", "string"],
        "minimum": 0,
        "exclusiveMaximum": 1,
        "pattern": r"^\s*([0-9]+\.?[0-9]*\s*%|0*\.[0-9]+|0+\.?|\.[0-9]+\s*%)\s*$",
        "errorMessage": "is not a margin; write a percentage, as in 5%, or a number below 1, as in 0.05",
    };
}

#[cfg(feature = "http")]
written! {
    /// A text, or several.
    OneOrMany = {
        "type": ["string", "array"],
        "items": { "type": "string" },
    };
    /// The status of a response, or a range of them.
    Statuses = {
        "type": ["integer", "string"],
        "minimum": 100,
        "maximum": 999,
        "pattern": r"^\s*[1-9][0-9]{2}\s*(-\s*[1-9][0-9]{2}\s*)?$",
        "errorMessage": "is not a status (429) or a range of them (500-599)",
    };
    /// A code of gRPC, or its name.
    GrpcCode = {
        "type": ["integer", "string"],
        "minimum": 0,
        "maximum": 16,
        "pattern": "^(OK|CANCELLED|UNKNOWN|INVALID_ARGUMENT|DEADLINE_EXCEEDED|NOT_FOUND|\
                    ALREADY_EXISTS|PERMISSION_DENIED|RESOURCE_EXHAUSTED|FAILED_PRECONDITION|\
                    ABORTED|OUT_OF_RANGE|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS|\
                    UNAUTHENTICATED|[0-9]|1[0-6])$",
        "errorMessage": "is not a code of gRPC (14) or its name (UNAVAILABLE)",
    };
}

#[cfg(feature = "compare")]
written! {
    /// `64KiB`, or bytes.
    Size = {
        "type": ["string", "number"],
        "minimum": 0,
        "pattern": r"^\s*([0-9]+\.?[0-9]*|\.[0-9]+)\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)?\s*$",
        "errorMessage":
            "is not a size; write bytes or a number and a unit, as in 512, 64KiB or 8MiB",
    };
    /// The name of a header (RFC 9110 section 5.1).
    HeaderName = {
        "type": "string",
        "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
        "errorMessage": "is not the name of a header, as in content-type",
    };
    /// A JSON pointer in which a segment may be `*`.
    PathPattern = {
        "type": "string",
        "pattern": "^(/([^~]|~[01])*)?$",
        "errorMessage": "is not a path; write a JSON pointer, as in /id or /items/*/id",
    };
}

#[cfg(feature = "proxy")]
written! {
    /// A duration that is not none.
    Bound = {
        "type": "string",
        "pattern": r"^\s*([0-9]*[1-9][0-9]*\.?[0-9]*|[0-9]*\.[0-9]*[1-9][0-9]*)\s*(ns|us|µs|ms|s|m|min|h|d)\s*$",
        "errorMessage": "is not a duration above 0; write a number and a unit, as in 150ms, 2s, 5m or 1h",
    };
    /// What a million tokens cost.
    Price = {
        "type": "number",
        "minimum": 0,
        "errorMessage": "is not a price; write what a million tokens cost, as in 0.15",
    };
    /// A whole number above 0.
    Count = {
        "type": "integer",
        "minimum": 1,
        "errorMessage": "is too few; write a whole number from 1",
    };
    /// An address to listen on.
    Listen = {
        "type": "string",
        "pattern": r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9a-fA-F:.%]+\]):[0-9]{1,5}$",
        "errorMessage":
            "is not an address to listen on; write an IP address and a port, as in 127.0.0.1:8080",
    };
    /// A method of HTTP.
    Method = {
        "type": "string",
        "pattern": "^[!#$%&'*+.^_`|~0-9A-Z-]+$",
        "errorMessage": "is not a method; write it as in GET, POST",
    };
    /// The address of a service.
    Upstream = {
        "type": "string",
        "pattern": "^https?://[^/@?#\\s]+(/[^@?#\\s]*)?$",
        "errorMessage": "is not the address of a service; write one as in http://127.0.0.1:9001",
    };
    /// A JSON pointer.
    Pointer = {
        "type": "string",
        "pattern": "^/",
        "errorMessage":
            "is not a JSON pointer; write a path that begins with a slash, as in /model",
    };
    /// JSON pointers, and the values that are put there.
    Pointers = {
        "type": "object",
        "propertyNames": {
            "pattern": "^/",
            "errorMessage":
                "is not a JSON pointer; write a path that begins with a slash, as in /model",
        },
        "additionalProperties": true,
    };
    /// The path of requests.
    RequestPath = {
        "type": "string",
        "pattern": r"^(/|\*$)",
        "errorMessage": "does not begin with a slash; write it as in /rank or /v2/*",
    };
    /// The beginning of a path of requests.
    Prefix = {
        "type": "string",
        "pattern": "^/[^?#]*$",
        "errorMessage": "is not a path; write one as in /v2, with %20 for a space",
    };
    /// A name that is not empty.
    Name = {
        "type": "string",
        "minLength": 1,
    };
    /// Of a strategy: one that came with the crate, or one that was registered.
    Strategy = {
        "type": "string",
        "anyOf": [{ "enum": ["single", "round_robin", "shadow", "multi_branch"] }, {}],
    };
}
