//! What bodies say: for those that compare answers, and those that measure them.

pub(super) mod completion;
pub(super) mod decode;
mod kind;
mod read;
pub(super) mod sse;
mod streamed;

pub(super) use kind::Kind;
pub(crate) use read::Body;
