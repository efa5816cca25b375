//! What was not recorded, as far as it is known.

mod read;
mod tables;
mod write;

pub(super) use read::read;
pub(super) use tables::VERSION_6;
pub(super) use write::add;
