//! The evaluators that come with the crate.

mod exact_match;
mod length;
#[cfg(feature = "regex")]
mod pattern;
#[cfg(feature = "schema")]
mod schema;
mod similarity;

pub use exact_match::ExactMatch;
pub use length::{Length, Unit};
#[cfg(feature = "regex")]
pub use pattern::Pattern;
#[cfg(feature = "schema")]
pub use schema::FitsSchema;
pub use similarity::Similarity;
