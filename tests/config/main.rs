//! Configs as they are written: read, checked, expanded.

mod schema;
