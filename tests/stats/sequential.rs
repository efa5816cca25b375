//! Sequential methods.
