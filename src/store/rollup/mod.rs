//! What branches come to, summed up while they are written.

mod tables;

pub(super) use tables::VERSION_4;
