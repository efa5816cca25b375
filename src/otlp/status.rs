//! How a span ended.

/// `Status.StatusCode` of OpenTelemetry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Status {
    #[default]
    Unset,
    Ok,
    Error,
}

impl Status {
    /// What a code says; one that is not known says nothing.
    #[cfg(feature = "server")]
    pub(crate) const fn of_code(code: u64) -> Self {
        match code {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }

    #[cfg(any(feature = "otlp", all(feature = "mlflow", feature = "store")))]
    pub(crate) const fn code(self) -> u64 {
        match self {
            Self::Unset => 0,
            Self::Ok => 1,
            Self::Error => 2,
        }
    }

    /// As searches name it.
    #[cfg(feature = "server")]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unset => "UNSET",
            Self::Ok => "OK",
            Self::Error => "ERROR",
        }
    }

    /// How the span of a branch ended.
    pub(crate) const fn of_branch(status: crate::branch::Status) -> Self {
        use crate::branch::Status::{Cancelled, Failed, Skipped, Success};
        match status {
            Success => Self::Ok,
            Failed => Self::Error,
            // Nothing went wrong, and nothing came to its end.
            Skipped | Cancelled => Self::Unset,
        }
    }
}
