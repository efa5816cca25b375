//! The `Idempotency-Key` of a request that is sent more than once
//! (draft-ietf-httpapi-idempotency-key-header).

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

/// What becomes of the `idempotency-key` of a request whose shadows may have effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum IdempotencyKey {
    /// A shadow gets a key of its own, made from the caller's and its config's id: it neither
    /// answers in the primary's place nor makes the primary's request look like a repetition.
    #[default]
    Own,
    /// A shadow gets the caller's key. Only for services that do not share their state: otherwise
    /// whichever comes second, shadow or primary, is taken for a repetition.
    Forward,
    /// A shadow gets no key.
    Remove,
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl IdempotencyKey {
    /// Gives a shadow the key that is meant for it.
    pub(super) fn apply(self, headers: &mut HeaderMap, config_id: &str) {
        if let Some(key) = headers.remove(IDEMPOTENCY_KEY)
            && let Some(key) = self.of(key, config_id)
        {
            headers.insert(IDEMPOTENCY_KEY, key);
        }
    }

    fn of(self, key: HeaderValue, config_id: &str) -> Option<HeaderValue> {
        match self {
            Self::Forward => Some(key),
            Self::Remove => None,
            Self::Own => {
                // Not to be guessed at, and of a length that every service takes.
                let own = blake3::Hasher::new_derive_key("tower-spearmint idempotency key v1")
                    .update(config_id.as_bytes())
                    .update(b"\0")
                    .update(key.as_bytes())
                    .finalize();
                HeaderValue::from_str(&own.to_hex()[..32]).ok()
            }
        }
    }
}
