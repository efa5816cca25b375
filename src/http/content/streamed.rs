//! An answer that was streamed, as it would have come whole.

use super::completion;
use serde_json::{Map, Value, json};

/// What these events are when they come whole: a chat completion, a response, or a message, as the APIs of models
/// have them; `None` for any other events.
pub(super) fn whole(events: &[Value]) -> Option<Value> {
    let kind = |event: &Value| event.get("type").and_then(Value::as_str).map(str::to_owned);
    if completion::is_one(events) {
        return Some(chat(events));
    }
    // OpenAI's responses end with the whole.
    let last = |event: &&Value| {
        matches!(kind(event).as_deref(), Some("response.completed" | "response.incomplete"))
    };
    if let Some(response) = events.iter().rev().find(last).and_then(|event| event.get("response")) {
        return Some(response.clone());
    }
    let start = events.iter().find(|event| kind(event).as_deref() == Some("message_start"))?;
    message(start.get("message")?, events)
}

/// OpenAI's chat completions: what is a `delta` in the chunks is a `message` in the whole.
fn chat(events: &[Value]) -> Value {
    let (mut whole, _) = completion::added_up(events.to_vec());
    if let Some(choices) = whole.get_mut("choices").and_then(Value::as_array_mut) {
        for choice in choices.iter_mut().filter_map(Value::as_object_mut) {
            if let Some(delta) = choice.remove("delta") {
                choice.insert("message".to_owned(), delta);
            }
        }
    }
    for key in ["model", "usage"] {
        let mut said = events.iter().rev().filter_map(|event| event.get(key));
        if let (Some(said), Some(whole)) =
            (said.find(|said| !said.is_null()), whole.as_object_mut())
        {
            whole.insert(key.to_owned(), said.clone());
        }
    }
    whole
}

/// Anthropic's messages: blocks that begin, grow, and end.
fn message(start: &Value, events: &[Value]) -> Option<Value> {
    let mut whole = start.as_object()?.clone();
    let mut blocks = Map::new();
    for event in events {
        let index = event.get("index").and_then(Value::as_u64).map(|index| format!("{index:010}"));
        match (event.get("type").and_then(Value::as_str), index) {
            (Some("content_block_start"), Some(index)) => {
                blocks.insert(index, event.get("content_block").cloned().unwrap_or_default());
            }
            (Some("content_block_delta"), Some(index)) => {
                if let (Some(block), Some(delta)) = (blocks.get_mut(&index), event.get("delta")) {
                    grow(block, delta);
                }
            }
            (Some("message_delta"), _) => {
                let delta = event.get("delta").and_then(Value::as_object);
                whole.extend(
                    delta.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())),
                );
                let usage = event.get("usage").and_then(Value::as_object).into_iter().flatten();
                if let Some(into) =
                    whole.entry("usage").or_insert_with(|| json!({})).as_object_mut()
                {
                    into.extend(usage.map(|(key, value)| (key.clone(), value.clone())));
                }
            }
            _ => {}
        }
    }
    // In the order of their index.
    whole.insert("content".to_owned(), blocks.into_iter().map(|(_, block)| block).collect());
    Some(Value::Object(whole))
}

/// Joins the next piece of a text to a block.
fn grow(block: &mut Value, delta: &Value) {
    for key in ["text", "thinking", "partial_json"] {
        let Some(more) = delta.get(key).and_then(Value::as_str) else { continue };
        let Some(block) = block.as_object_mut() else { return };
        match block.entry(key).or_insert_with(|| Value::from("")) {
            Value::String(text) => text.push_str(more),
            other => *other = Value::from(more),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completion_in_chunks_looks_like_one_that_came_whole() {
        let chunk = |delta: Value| json!({ "model": "m", "usage": null, "choices": [{ "index": 0, "delta": delta }] });
        let events = [
            chunk(json!({ "role": "assistant", "content": "Hel" })),
            chunk(json!({ "content": "lo" })),
            json!({ "model": "m", "choices": [], "usage": { "total_tokens": 7 } }),
        ];
        assert_eq!(
            whole(&events),
            Some(json!({
                "model": "m",
                "usage": { "total_tokens": 7 },
                "choices": [{ "index": 0, "message": { "role": "assistant", "content": "Hello" } }],
            }))
        );
    }

    #[test]
    fn a_message_in_blocks_and_a_response_look_like_ones_that_came_whole() {
        let events = [
            json!({ "type": "message_start", "message": { "model": "c", "content": [], "usage": { "input_tokens": 3, "output_tokens": 1 } } }),
            json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
            json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "Hel" } }),
            json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "lo" } }),
            json!({ "type": "content_block_stop", "index": 0 }),
            json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 2 } }),
        ];
        assert_eq!(
            whole(&events),
            Some(json!({
                "model": "c",
                "content": [{ "type": "text", "text": "Hello" }],
                "stop_reason": "end_turn",
                "usage": { "input_tokens": 3, "output_tokens": 2 },
            }))
        );
        let response = json!({ "output": [{ "content": [{ "text": "Hello" }] }] });
        let events = [
            json!({ "type": "response.output_text.delta", "delta": "Hello" }),
            json!({ "type": "response.completed", "response": response }),
        ];
        assert_eq!(whole(&events), Some(response));
        assert_eq!(whole(&[json!({ "type": "tick" })]), None);
    }
}
