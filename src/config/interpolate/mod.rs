//! References between the values of a config, and to what is around it: `${llm.model}`,
//! `${env:HOME}`.
//!
//! | written | stands for |
//! |---|---|
//! | `${a.b}`, `${a[0]}`, `${a.0}` | the value at a path of the document |
//! | `${.b}`, `${..b}` | the value beside this one, beside what is around it, … |
//! | `${models.${name}}` | a key that is itself looked up |
//! | `${env:NAME}`, `${env:NAME,default}` | what a resolver makes of its arguments |
//! | `\${a}` | the text `${a}` |
//! | `???` | a value that must be given elsewhere |
//!
//! A text that is one reference and nothing else becomes what it refers to, be it a number, a list
//! or a map; a reference in the middle of a text becomes part of the text. The grammar is that of
//! OmegaConf; what differs is listed in `docs/configuration.md`.
//!
//! ```
//! use serde_json::json;
//! use tower_spearmint::config::interpolate::{Resolvers, resolve};
//!
//! let mut value = json!({
//!     "llm": { "model": "small", "temperature": 0.2 },
//!     "fallback": { "model": "${llm.model}-backup", "temperature": "${llm.temperature}" },
//! });
//! resolve(&mut value, &Resolvers::standard())?;
//! assert_eq!(value["fallback"], json!({ "model": "small-backup", "temperature": 0.2 }));
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```
//!
//! With resolvers of one's own, another environment and another clock:
//!
//! ```
//! use serde_json::{Value, json};
//! use std::time::{Duration, UNIX_EPOCH};
//! use tower_spearmint::config::interpolate::{Resolvers, resolve};
//!
//! let resolvers = Resolvers::standard()
//!     .with("sum", |arguments| Ok(arguments.iter().filter_map(Value::as_i64).sum::<i64>().into()))
//!     .with_env(|name| (name == "STAGE").then(|| "test".to_owned()))
//!     .with_clock(|| UNIX_EPOCH + Duration::from_secs(1_000_000_000));
//! let mut value = json!({
//!     "a": 1,
//!     "total": "${sum:${a},2,3}",
//!     "stage": "${env:STAGE}",
//!     "since": "${time.now:}",
//! });
//! let drawn = resolve(&mut value, &resolvers)?;
//! assert_eq!(
//!     value,
//!     json!({ "a": 1, "total": 6, "stage": "test", "since": "2001-09-09T01:46:40Z" })
//! );
//! assert!(drawn.at("stage").is_env() && drawn.at("since").is_time());
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```
//!
//! # Resolvers
//!
//! | name | arguments | |
//! |---|---|---|
//! | `env` | name, default | an environment variable, as a text |
//! | `file` | path | the contents of a file of at most 1 MiB, without the end of its last line |
//! | `decode` | text | the number, boolean, list or map that the text writes |
//! | `path.join`, `path.dirname`, `path.basename` | paths; a path | what they say |
//! | `path.abspath`, `path.exists` | path | relative to the file |
//! | `time.now`, `time.unix` | | RFC 3339 in UTC; whole seconds since 1970 |
//! | `sys.cpu_count`, `sys.hostname`, `sys.platform`, `sys.cwd` | | the machine |
//! | `oc.select` | path, default | the value there, or else the default |
//! | `oc.dict.keys`, `oc.dict.values` | path | of the map there, sorted by key |
//! | `oc.create` | list or map | itself |
//! | `oc.env`, `oc.decode` | | other names of `env` and `decode` |
//!
//! # Secrets
//!
//! What is drawn from a value under a key that holds secrets is a secret, too, wherever it is put:
//! it is redacted, and only its path counts in the id. So is an environment variable or a file with
//! such a name. [`Drawn`] knows what came from where.
//!
//! # Bounds
//!
//! References may lead 128 levels deep, nest 32 deep in one text, and make 32 MiB of a document;
//! what goes further is an error.

mod address;
mod call;
mod copy;
mod document;
mod drawn;
mod engine;
mod follow;
mod grammar;
mod missing;
mod resolve;
mod resolvers;
mod template;
mod tree;

pub use drawn::{Drawn, DrawnFrom};
pub use missing::missing;
pub(crate) use resolve::refers_to;
pub use resolve::{has_references, resolve, resolve_in};
pub(crate) use resolvers::Noted;
pub use resolvers::Resolvers;
