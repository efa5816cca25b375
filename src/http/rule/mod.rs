//! Which requests may take part in an experiment.

mod fits;
mod text;

use super::matches::Wanted;
use crate::assign::Percentage;
use http::{HeaderName, HeaderValue, Method};
use serde::Deserialize;
use serde_json::Value;

/// Which requests may take part in an experiment: an expression over header, cookie, path, method,
/// JSON body, gRPC method and a percentage of units.
///
/// ```
/// use http::{HeaderName, Method, Request};
/// use tower_spearmint::{assign::Eligible, http::Rule};
///
/// let rule = Rule::method(Method::POST)
///     .and(Rule::any([Rule::path("/rank"), Rule::path("/v2/*")]))
///     .and(!Rule::has_header(HeaderName::from_static("x-internal")));
/// let request = Request::post("/v2/rank").body(())?;
/// assert!(rule.is_eligible(&request, None));
/// # Ok::<(), http::Error>(())
/// ```
///
/// In a file, what stands beside each other must all hold:
///
/// ```yaml
/// eligible:
///   method: [POST, PUT]                   # one of them
///   path: /v2/*                           # exactly, or with `*` at the end all that begin so
///   header: { x-country: de }             # all of them; true or false: whether it is there
///   cookie: { beta: "1" }
///   json: { /user/plan: pro }             # JSON pointer (RFC 6901) and value
///   grpc_method: rank.Ranker/Rank         # or rank.Ranker/*
///   percentage: { salt: beta, percent: 10 }
///   any: [{ header: { x-team: red } }, { cookie: { team: red } }]
///   all: []
///   not: { path: /v2/health }
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "text::RuleText")]
pub struct Rule(Node);

#[derive(Debug, Clone)]
enum Node {
    All(Vec<Rule>),
    Any(Vec<Rule>),
    Not(Box<Rule>),
    Header(HeaderName, Wanted),
    /// A value, or whether it is there at all.
    Cookie(String, Result<String, bool>),
    Path(String),
    Method(Method),
    Json(String, Value),
    GrpcMethod(String),
    Percentage(Percentage),
}

#[cfg(feature = "schema")]
crate::config::schema::written::written_as!(Rule, text::RuleText);

impl Rule {
    /// All of these hold; of none, every request fits.
    pub fn all(rules: impl IntoIterator<Item = Self>) -> Self {
        Self(Node::All(rules.into_iter().collect()))
    }

    /// At least one of these holds; of none, no request fits.
    pub fn any(rules: impl IntoIterator<Item = Self>) -> Self {
        Self(Node::Any(rules.into_iter().collect()))
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, rule: Self) -> Self {
        match self.0 {
            Node::All(mut rules) => {
                rules.push(rule);
                Self(Node::All(rules))
            }
            node => Self::all([Self(node), rule]),
        }
    }

    /// The header has this value.
    pub const fn header(name: HeaderName, value: HeaderValue) -> Self {
        Self(Node::Header(name, Wanted::Is(value)))
    }

    /// The header is there.
    pub const fn has_header(name: HeaderName) -> Self {
        Self(Node::Header(name, Wanted::There))
    }

    /// The cookie has this value.
    pub fn cookie(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self(Node::Cookie(name.into(), Ok(value.into())))
    }

    /// The cookie is there.
    pub fn has_cookie(name: impl Into<String>) -> Self {
        Self(Node::Cookie(name.into(), Err(true)))
    }

    /// The path is this one or, with a `*` at the end, begins so.
    pub fn path(path: impl Into<String>) -> Self {
        Self(Node::Path(path.into()))
    }

    /// The method is this one.
    pub const fn method(method: Method) -> Self {
        Self(Node::Method(method))
    }

    /// The JSON body has this value at a JSON pointer (RFC 6901). Numbers are compared by value. A
    /// request whose body was not read ([`JsonBody`](crate::http::JsonBody)) does not fit.
    pub fn json(pointer: impl Into<String>, value: Value) -> Self {
        Self(Node::Json(pointer.into(), value))
    }

    /// It calls this gRPC method, `package.Service/Method`, or with a `*` at the end one that begins
    /// so.
    pub fn grpc_method(method: impl Into<String>) -> Self {
        Self(Node::GrpcMethod(method.into()))
    }

    /// Its unit is among a percentage of them. A request without a unit does not fit.
    pub const fn percentage(percentage: Percentage) -> Self {
        Self(Node::Percentage(percentage))
    }

    /// Whether some part of it looks into the JSON body.
    #[cfg(feature = "proxy")]
    pub(crate) fn reads_json(&self) -> bool {
        match &self.0 {
            Node::All(rules) | Node::Any(rules) => rules.iter().any(Self::reads_json),
            Node::Not(rule) => rule.reads_json(),
            node => matches!(node, Node::Json(..)),
        }
    }

    /// Whether some part of it looks at the request, not only at its unit.
    #[cfg(all(feature = "proxy", feature = "open-feature"))]
    pub(crate) fn reads_request(&self) -> bool {
        match &self.0 {
            Node::All(rules) | Node::Any(rules) => rules.iter().any(Self::reads_request),
            Node::Not(rule) => rule.reads_request(),
            node => !matches!(node, Node::Percentage(_)),
        }
    }

    /// Whether some part of it asks for the unit.
    #[cfg(feature = "proxy")]
    pub(crate) fn needs_unit(&self) -> bool {
        match &self.0 {
            Node::All(rules) | Node::Any(rules) => rules.iter().any(Self::needs_unit),
            Node::Not(rule) => rule.needs_unit(),
            node => matches!(node, Node::Percentage(_)),
        }
    }
}

impl std::ops::Not for Rule {
    type Output = Self;

    /// The rule does not hold.
    fn not(self) -> Self {
        Self(Node::Not(Box::new(self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{assign::Eligible, http::JsonBody};
    use http::Request;
    use serde_json::json;

    fn rule(value: Value) -> Result<Rule, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    fn fits(value: Value, request: http::request::Builder) -> bool {
        let request = request.body(()).unwrap();
        rule(value).unwrap().is_eligible(&request, Some(b"user-1"))
    }

    #[test]
    fn each_kind_of_rule_fits_what_it_says_and_nothing_else() {
        let get = Request::get;
        let cases = [
            (json!({}), get("/"), Request::post("/x"), true),
            (json!({ "method": ["POST", "PUT"] }), Request::put("/"), get("/"), false),
            (json!({ "path": "/v2/*" }), get("/v2/a?b"), get("/v1/a"), false),
            (
                json!({ "header": { "x-country": "de" } }),
                get("/").header("x-country", "de"),
                get("/").header("x-country", "dk"),
                false,
            ),
            (
                json!({ "header": { "x-bot": false } }),
                get("/"),
                get("/").header("x-bot", ""),
                false,
            ),
            (
                json!({ "cookie": { "beta": "1" } }),
                get("/").header("cookie", "a=b; beta=1"),
                get("/").header("cookie", "beta=2; xbeta=1"),
                false,
            ),
            (
                json!({ "cookie": { "beta": true } }),
                get("/").header("cookie", "beta="),
                get("/"),
                false,
            ),
            (
                json!({ "json": { "/user/age": 42, "/tags/0": "a" } }),
                get("/")
                    .extension(JsonBody::new(json!({ "user": { "age": 42.0 }, "tags": ["a"] }))),
                get("/").extension(JsonBody::new(json!({ "user": { "age": 42 } }))),
                false,
            ),
            (
                // As doubles they are one.
                json!({ "json": { "/id": 9_007_199_254_740_993_u64 } }),
                get("/").extension(JsonBody::new(json!({ "id": 9_007_199_254_740_993_u64 }))),
                get("/").extension(JsonBody::new(json!({ "id": 9_007_199_254_740_992_u64 }))),
                false,
            ),
            (
                json!({ "not": { "json": { "/a": 1 } } }),
                get("/"),
                get("/").extension(JsonBody::new(json!({ "a": 1 }))),
                false,
            ),
            (
                json!({ "grpc_method": ["rank.Ranker/Rank", "health.*/x", "log.Log/*"] }),
                Request::post("/log.Log/Put").header("content-type", "application/grpc+proto"),
                Request::post("/log.Log/Put"),
                false,
            ),
            (
                json!({ "any": [{ "path": "/a" }, { "all": [{ "path": "/b" }, { "method": "PUT" }] }] }),
                Request::put("/b"),
                get("/b"),
                false,
            ),
            (json!({ "percentage": { "salt": "s", "percent": 100 } }), get("/"), get("/"), true),
            (
                json!({ "not": { "percentage": { "salt": "s", "percent": 0 } } }),
                get("/"),
                get("/"),
                true,
            ),
        ];
        for (rule, yes, no, both) in cases {
            assert!(fits(rule.clone(), yes), "{rule}");
            assert_eq!(fits(rule.clone(), no), both, "{rule}");
        }
    }

    #[test]
    fn a_rule_that_means_nothing_is_refused_in_words() {
        for (value, says) in [
            (json!({ "any": [] }), "`any` is empty; no request would fit"),
            (json!({ "path": [] }), "empty; no request would fit"),
            (json!({ "method": [] }), "empty; no request would fit"),
            (json!({ "grpc_method": [] }), "empty; no request would fit"),
            (
                json!({ "path": "rank" }),
                "`rank` does not begin with a slash; write it as in /rank or /v2/*",
            ),
            (json!({ "method": "get" }), "`get` is not a method; write it as in GET, POST"),
            (json!({ "json": { "a": 1 } }), "`a` is not a JSON pointer; write `/a`"),
            (
                json!({ "grpc_method": "Rank" }),
                "`Rank` is not a gRPC method; write it as in rank.Ranker/Rank or rank.Ranker/*",
            ),
            (
                json!({ "percentage": { "salt": "s", "percent": 101 } }),
                "101 is not a percentage of units; write a number from 0 to 100",
            ),
        ] {
            assert_eq!(rule(value).unwrap_err(), says);
        }
    }
}
