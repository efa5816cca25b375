//! How many tokens a model says that it read and wrote.
//!
//! The names are those of the APIs:
//! [OpenAI's chat completions](https://platform.openai.com/docs/api-reference/chat/object) (`prompt_tokens`, of which
//! `prompt_tokens_details.cached_tokens`), its
//! [responses](https://platform.openai.com/docs/api-reference/responses/object) (`input_tokens`, of which
//! `input_tokens_details.cached_tokens`; streamed, under `response`),
//! [Anthropic's messages](https://docs.claude.com/en/api/messages) (`input_tokens`, beside them
//! `cache_read_input_tokens` and `cache_creation_input_tokens`; streamed, the first under `message`), and
//! [Gemini's](https://ai.google.dev/api/generate-content#UsageMetadata) `usageMetadata`.

use crate::trial::Content;

/// Tokens, each counted once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usage {
    /// Read, and not from a cache.
    pub(super) input: f64,
    /// Read from a cache.
    pub(super) cached: f64,
    /// Read, and written to a cache.
    pub(super) cache_write: f64,
    /// Written.
    pub(super) output: f64,
}

/// Where the usage stands, and the model: in what comes whole, and in the events of streams.
const PLACES: [&str; 3] = ["", "/message", "/response"];

impl Usage {
    /// `None` where nothing is said of tokens read or of tokens written.
    pub(super) fn of(content: &Content) -> Option<Self> {
        Self::named(content).or_else(|| Self::of_gemini(content))
    }

    fn named(content: &Content) -> Option<Self> {
        let said = |names: &[&str]| {
            let places = names.iter().flat_map(|name| PLACES.map(|place| (place, *name)));
            let pointers = places.map(|(place, name)| format!("{place}/usage/{name}"));
            first(content, pointers)
        };
        let read = said(&["prompt_tokens", "input_tokens"]);
        let output = said(&["completion_tokens", "output_tokens"]);
        let part =
            said(&["prompt_tokens_details/cached_tokens", "input_tokens_details/cached_tokens"]);
        let beside = said(&["cache_read_input_tokens"]);
        let cache_write = said(&["cache_creation_input_tokens"]).unwrap_or(0.0);
        if read.is_none() && output.is_none() {
            return None;
        }
        let read = read.unwrap_or(0.0);
        // Anthropic counts what came from a cache beside the input, the others count it in.
        let (input, cached) = match (beside, part) {
            (Some(beside), _) => (read, beside),
            (None, Some(part)) => ((read - part).max(0.0), part),
            (None, None) => (read, 0.0),
        };
        Some(Self { input, cached, cache_write, output: output.unwrap_or(0.0) })
    }

    fn of_gemini(content: &Content) -> Option<Self> {
        let said = |name: &str| first(content, [format!("/usageMetadata/{name}")]);
        let (read, written) = (said("promptTokenCount"), said("candidatesTokenCount"));
        if read.is_none() && written.is_none() {
            return None;
        }
        let cached = said("cachedContentTokenCount").unwrap_or(0.0);
        let thoughts = said("thoughtsTokenCount").unwrap_or(0.0);
        Some(Self {
            input: (read.unwrap_or(0.0) - cached).max(0.0),
            cached,
            cache_write: 0.0,
            output: written.unwrap_or(0.0) + thoughts,
        })
    }
}

/// The model that answered.
pub(super) fn model(content: &Content) -> Option<&str> {
    let places = PLACES.iter().map(|place| format!("{place}/model"));
    let mut places = places.chain(["/modelVersion".to_owned()]);
    places.find_map(|place| content.pointer(&place)?.as_str())
}

/// The first of these that is a number of tokens.
fn first(content: &Content, pointers: impl IntoIterator<Item = String>) -> Option<f64> {
    let number = |pointer: String| content.pointer(&pointer)?.as_f64();
    pointers.into_iter().find_map(number).filter(|tokens| *tokens >= 0.0 && tokens.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn usage(body: Value) -> Option<(f64, f64, f64, f64)> {
        let usage = Usage::of(&Content::of(body))?;
        Some((usage.input, usage.cached, usage.cache_write, usage.output))
    }

    #[test]
    fn a_cached_token_is_counted_once_whoever_answers() {
        let openai = json!({ "usage": { "prompt_tokens": 100, "completion_tokens": 20,
            "prompt_tokens_details": { "cached_tokens": 60 } } });
        assert_eq!(usage(openai), Some((40.0, 60.0, 0.0, 20.0)));
        let responses = json!({ "usage": { "input_tokens": 100, "output_tokens": 20,
            "input_tokens_details": { "cached_tokens": 60 } } });
        assert_eq!(usage(responses), Some((40.0, 60.0, 0.0, 20.0)));
        let anthropic = json!({ "usage": { "input_tokens": 40, "output_tokens": 20,
            "cache_read_input_tokens": 60, "cache_creation_input_tokens": 7 } });
        assert_eq!(usage(anthropic), Some((40.0, 60.0, 7.0, 20.0)));
        let gemini = json!({ "usageMetadata": { "promptTokenCount": 100, "candidatesTokenCount": 15,
            "cachedContentTokenCount": 60, "thoughtsTokenCount": 5 } });
        assert_eq!(usage(gemini), Some((40.0, 60.0, 0.0, 20.0)));
        assert_eq!(usage(json!({ "usage": { "cost": 1 } })), None);
        assert_eq!(usage(json!({ "usage": { "prompt_tokens": -1 } })), None);
    }

    #[test]
    fn streams_say_it_in_their_own_places() {
        let of = |pieces: Vec<Value>| {
            let content = Content { pieces, ..Content::default() };
            let usage = Usage::of(&content).unwrap();
            (model(&content).unwrap().to_owned(), usage.input, usage.output)
        };
        let anthropic = vec![
            json!({ "type": "message_start", "message": { "model": "c", "usage": { "input_tokens": 25, "output_tokens": 1 } } }),
            json!({ "type": "message_delta", "usage": { "output_tokens": 15 } }),
            json!({ "type": "message_stop" }),
        ];
        assert_eq!(of(anthropic), ("c".to_owned(), 25.0, 15.0));
        let responses = vec![
            json!({ "type": "response.created", "response": { "model": "r", "usage": null } }),
            json!({ "type": "response.completed", "response": { "model": "r", "usage": { "input_tokens": 3, "output_tokens": 4 } } }),
        ];
        assert_eq!(of(responses), ("r".to_owned(), 3.0, 4.0));
        let chat = vec![
            json!({ "model": "m", "choices": [{}], "usage": null }),
            json!({ "model": "m", "choices": [], "usage": { "prompt_tokens": 5, "completion_tokens": 6 } }),
        ];
        assert_eq!(of(chat), ("m".to_owned(), 5.0, 6.0));
    }
}
