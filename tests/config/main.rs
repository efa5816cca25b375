//! Configs as they are written: read, checked, documented.

mod documented;
mod experiment;
mod fuzz;
mod schema;
mod validate;
