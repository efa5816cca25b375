//! A request, the config assigned to it, and its place in the experiment.
//!
//! A strategy calls the service under it with a [`Trial`]; the service reads its config from it.
//! (Around HTTP services the same facts travel in the request's extensions instead, see
//! [`http`](crate::http).)
//!
//! ```
//! use serde_json::json;
//! use tower_spearmint::{Config, Trial};
//!
//! fn greet(trial: &Trial<&str>) -> String {
//!     let greeting: String = trial.config().get_or("greeting", "Hello".into()).unwrap();
//!     format!("{greeting}, {}!", trial.request())
//! }
//!
//! let trial = Trial::new("world", Config::new(json!({ "greeting": "Hi" }))?);
//! assert_eq!(greet(&trial), "Hi, world!");
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```

mod arm;
mod end;
mod kept;
mod meter;
mod name_and_epoch;
mod origin;
mod place;
mod reason;
mod seat;

pub(crate) use arm::{Arm, Arms, UNNAMED};
pub(crate) use end::{End, Record, Sink};
pub(crate) use kept::{Content, Kept, Room, Unread, Unreadable};
pub(crate) use meter::Meter;
pub(crate) use name_and_epoch::name_and_epoch;
pub use origin::Origin;
pub use place::Place;
pub use reason::Reason;
pub(crate) use seat::{Duty, Seat};

use crate::config::Config;

/// A request, the config assigned to it, and its place in the experiment.
///
/// A clone is a copy to look at or to try again with: only the original stands for the branch,
/// so that a branch is recorded once however often its trial is cloned.
#[derive(Debug, Clone)]
pub struct Trial<R> {
    request: R,
    pub(crate) seat: Seat,
}

impl<R> Trial<R> {
    /// A trial outside any strategy: of an unnamed experiment with this one config.
    pub fn new(request: R, config: Config) -> Self {
        Self { request, seat: Seat::alone(UNNAMED, config) }
    }

    pub(crate) const fn seated(request: R, seat: Seat) -> Self {
        Self { request, seat }
    }

    /// The request.
    pub const fn request(&self) -> &R {
        &self.request
    }

    /// The request, to change.
    pub const fn request_mut(&mut self) -> &mut R {
        &mut self.request
    }

    /// The config assigned to this request.
    pub fn config(&self) -> &Config {
        self.seat.place.config()
    }

    /// Where this trial stands: experiment, role, ids, probability.
    pub const fn place(&self) -> &Place {
        &self.seat.place
    }

    /// Says a number of this branch, by its name: it is recorded with the branch, and a report holds
    /// its mean against the baseline's. See [`Place::metric`] for what is a name, and the bounds.
    ///
    /// ```
    /// use serde_json::json;
    /// use tower_layer::Layer;
    /// use tower_service::Service;
    /// use tower_spearmint::record::MemoryBackend;
    /// use tower_spearmint::{ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let memory = MemoryBackend::new();
    /// let (recorder, recording) = Recorder::pair(memory.clone());
    /// tokio::spawn(recording);
    ///
    /// let answer = service_fn(|trial: Trial<&'static str>| async move {
    ///     let answer = trial.request().to_uppercase();
    ///     trial.metric("tokens", answer.split(' ').count() as f64);
    ///     Ok::<_, String>(answer)
    /// });
    /// let pool = ConfigPool::from_values([json!({ "config_id": "stable" })])?;
    /// let mut service =
    ///     RoundRobinLayer::new(pool).layer(LogLayer::new(recorder.clone()).layer(answer));
    ///
    /// assert_eq!(service.call("so it goes").await?, "SO IT GOES");
    /// recorder.drain(std::time::Duration::from_secs(1)).await?;
    /// assert_eq!(memory.branches()[0].metrics.get("tokens"), Some(3.0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn metric(&self, name: &str, value: f64) {
        self.seat.place.metric(name, value);
    }

    /// The request alone. If a logging layer waits for this branch further down and never sees
    /// it, the branch ends as cancelled here.
    pub fn into_request(self) -> R {
        self.request
    }

    /// The same trial with its request changed.
    pub fn map<Q>(self, f: impl FnOnce(R) -> Q) -> Trial<Q> {
        Trial { request: f(self.request), seat: self.seat }
    }
}
