//! Tails of the distributions, to a relative error below 3e-12 however far out, as long as the
//! result is a normal `f64` (about 1e-307).
//!
//! The crates that there are have the error function to ten digits, and an incomplete beta function
//! that subtracts logarithms of the gamma function, which for a million degrees of freedom leaves
//! seven; so the normal, Student's t, χ² and the beta distribution are here, from forms in which
//! nothing cancels.

mod beta_fraction;
mod beta_tail;
mod binomial;
mod chi_squared;
mod non_central_t;
mod normal;
mod stirling;
mod student_t;

pub(crate) use beta_tail::ln_beta_upper;
pub(crate) use binomial::ln_binomial;
pub use chi_squared::chi_squared_upper;
pub use non_central_t::non_central_t_upper;
pub use normal::{normal_density, normal_upper, normal_upper_inverse};
pub(crate) use stirling::deviance;
pub use stirling::stirling_error;
pub use student_t::{t_upper, t_upper_inverse};
