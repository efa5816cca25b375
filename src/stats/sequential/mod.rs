//! Answers that stay true however often one looks, and whenever one stops.
//!
//! A textbook's p-value is right for one look. Read every minute until it is small, it is small at
//! some minute in far more than 5 % of the experiments in which nothing differs. The methods here
//! may be read after every observation: a *confidence sequence* at level `alpha` misses the truth
//! at **any** time in at most that share of experiments, and an [`EValue`] reaches `1 / alpha` at
//! any time in at most that share of those in which there is nothing to find (Ville's inequality;
//! Ramdas et al., *Game-theoretic statistics and safe anytime-valid inference*, arXiv 2210.01948).
//!
//! | question | module | what it is made of |
//! |---|---|---|
//! | did each arm get its share? | [`sample_ratio`] | counts per arm |
//! | does one arm fail more often? | [`rates`] | events per arm, and the split |
//! | the same, where units were assigned, not requests? | [`clusters`] | failures and requests by bucket of units |
//! | does the shadow fail where its primary does not? | [`pairs`] | discordant pairs |
//! | is the 95th percentile higher? | [`quantiles`] | counts per bucket |
//! | is the mean higher? | [`means`] | sums and sums of squares (asymptotic: for 100 and more) |
//! | the mean of a score between 0 and 1, for few observations? | [`betting`] | a state that is fed |
//! | several questions at once? | [`e_values`] | e-values, intervals |
//!
//! Most take a `target`: the number of observations at which the answer is to be sharpest. Any
//! gives a true answer. An interval for a mean at a level of 5 % is 7 % wider than it could be at
//! ten times the target, and a quarter wider at a tenth of it: rather too small a target than too
//! large a one.
//!
//! With a shadow, both arms have the same requests, and what is seen of one depends on the other:
//! what compares two arms asks whether the [`Requests`] are shared, or is made for pairs.
//!
//! Nothing here divides by zero or answers `NaN`. What makes no sense (an `alpha` outside 0 to 1,
//! shares that are negative) is `None`; what says nothing is an e-value of 1 or the interval
//! without ends.

pub mod betting;
pub mod clusters;
pub mod e_values;
pub mod means;
mod mixture;
pub mod pairs;
pub mod quantiles;
pub mod rates;
mod requests;
pub mod sample_ratio;
mod search;

pub use e_values::EValue;
pub use requests::Requests;

pub use super::Interval;

/// An error probability, if it is one.
fn checked(alpha: f64) -> Option<f64> {
    (alpha > 0.0 && alpha < 1.0).then_some(alpha)
}
