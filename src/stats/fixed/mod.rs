//! Tests for data that are complete, and looked at once.
