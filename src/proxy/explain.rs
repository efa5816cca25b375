//! Who gets what of an experiment file, and why.

use super::{ExperimentFile, headers::ClientAddr, round_robin, shadow, single};
use crate::{
    BoxError,
    assign::{Epoch, Explanation, Reason},
    http::JsonBody,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::Empty;
use serde_json::Map;
use std::{net::IpAddr, time::SystemTime};

type NoBody = Empty<Bytes>;

/// A request as far as an assignment looks at it: to ask what it [would
/// get](ExperimentFile::explain).
///
/// ```
/// use tower_spearmint::proxy::{AssignRequest, ExperimentFile};
///
/// let file = ExperimentFile::from_yaml_str("
/// experiment: ranker
/// strategy: round_robin
/// round_robin:
///   weights: { stable: 9, candidate: 1 }
///   sticky: { key: { header: x-user-id } }
///   ramp: { share: 0.5 }
///   testers: { header: x-variant }
/// configs:
///   - { config_id: stable, upstream: http://127.0.0.1:9001 }
///   - { config_id: candidate, upstream: http://127.0.0.1:9002 }
/// ")?;
/// let told = file.explain(&AssignRequest::new("/").header("x-user-id", "user-2")?)?;
/// assert_eq!(told.to_string(), "stable (sticky, probability 0.9)");
/// let told = file.explain(&AssignRequest::new("/").header("x-variant", "candidate")?)?;
/// assert_eq!(told.to_string(), "candidate (override, probability 1)");
/// # Ok::<(), tower_spearmint::BoxError>(())
/// ```
#[derive(Debug, Clone)]
pub struct AssignRequest {
    request: Request<NoBody>,
    unit: Option<String>,
    at: Option<SystemTime>,
}

impl AssignRequest {
    /// A GET of this path. One that is no path counts as `/`.
    pub fn new(path: &str) -> Self {
        let mut request = Request::new(NoBody::default());
        if let Ok(uri) = path.parse() {
            *request.uri_mut() = uri;
        }
        Self { request, unit: None, at: None }
    }

    /// With this key of its unit, wherever the file looks for it.
    #[must_use]
    pub fn unit(mut self, key: &str) -> Self {
        self.unit = Some(key.to_owned());
        self
    }

    /// With another method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        *self.request.method_mut() = method;
        self
    }

    /// With a header.
    ///
    /// # Errors
    ///
    /// When it is not one.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, http::Error> {
        let (name, value): (HeaderName, HeaderValue) = (name.parse()?, value.parse()?);
        self.request.headers_mut().append(name, value);
        Ok(self)
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(mut self, body: serde_json::Value) -> Self {
        self.request.extensions_mut().insert(JsonBody::new(body));
        self
    }

    /// From this address.
    #[must_use]
    pub fn client(mut self, address: IpAddr) -> Self {
        self.request.extensions_mut().insert(ClientAddr((address, 0).into()));
        self
    }

    /// At this time; now until then.
    #[must_use]
    pub const fn at(mut self, time: SystemTime) -> Self {
        self.at = Some(time);
        self
    }
}

impl ExperimentFile {
    /// What a request is assigned, and why, step by step. Nothing is drawn, and nothing is sent
    /// anywhere.
    ///
    /// # Errors
    ///
    /// When something in the file is wrong that is seen only when its layers are made.
    pub fn explain(&self, asked: &AssignRequest) -> Result<Explanation, BoxError> {
        let now = asked.at.unwrap_or_else(SystemTime::now);
        let (request, unit) = (&asked.request, asked.unit.as_deref());
        match self.strategy() {
            "round_robin" => {
                let layer = round_robin::asking(self)?;
                Ok(match unit {
                    None => layer.explain(request, now),
                    Some(unit) => {
                        let unit = unit.to_owned();
                        layer
                            .known_as(move |_: &Request<NoBody>| Some(unit.clone()))
                            .explain(request, now)
                    }
                })
            }
            "shadow" => {
                let layer = shadow::layer(self)?;
                Ok(match unit {
                    None => layer.explain(request),
                    Some(unit) => {
                        let unit = unit.to_owned();
                        layer
                            .known_as(move |_: &Request<NoBody>| Some(unit.clone()))
                            .explain(request)
                    }
                })
            }
            "single" => {
                let mut told = Explanation::new(single::layer(self)?.epoch());
                told.step("single", true, "every request gets this one".to_owned());
                Ok(told.decided(single::config(self)?.id(), Reason::Primary, 1.0))
            }
            strategy => {
                // Which configs there are is all that decides.
                let epoch = Epoch::of_rules(strategy, self.pool().iter(), Map::new());
                let mut told = Explanation::new(epoch);
                let (what, reason) = match strategy {
                    "multi_branch" => ("every config runs".to_owned(), Reason::All),
                    custom => (format!("`{custom}` decides for itself"), Reason::Primary),
                };
                told.step("strategy", true, what);
                Ok(told.by_chance(reason))
            }
        }
    }
}
