//! Tests for complete data.
