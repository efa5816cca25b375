//! From text to documents, within bounds.

use super::tree::Tree;
use crate::config::{
    ConfigError, Document, Spot,
    document::text::{MAX_BYTES, MAX_DEPTH, shortened, syntax},
};
use std::sync::Arc;

const MAX_DOCUMENTS: usize = 100_000;
/// An alias of an alias of an alias … grows fast.
const MAX_ANCHORED: usize = 100_000;
const MAX_ANCHORS: usize = 10_000;
const MAX_ALIASES: usize = 10_000;
/// What all aliases together stand for: reading it again for each takes its time.
const MAX_REPLAYED: usize = 200_000;
/// Some 50 KiB for each level, in a debug build.
const PARSER_STACK: usize = 16 << 20;

/// Reads every document of a YAML text.
///
/// # Errors
///
/// When it is not YAML, is beyond the bounds against hostile files, repeats a key, or has a
/// number that would lose digits.
pub fn parse(text: &str, place: &str) -> Result<Vec<Document>, ConfigError> {
    // The parser's frames are so large that 64 levels overflow the usual stack of a thread.
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(PARSER_STACK)
            .spawn_scoped(scope, || parse_here(text, place))
            .map(|parser| parser.join().ok())
            .unwrap_or_default()
            .unwrap_or_else(|| {
                Err(syntax(place, Spot { line: 1, column: 1 }, "no thread to read it on"))
            })
    })
}

fn parse_here(text: &str, place: &str) -> Result<Vec<Document>, ConfigError> {
    if text.len() > MAX_BYTES {
        return Err(syntax(place, Spot { line: 1, column: 1 }, "larger than 16 MiB"));
    }
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        budget: serde_saphyr::budget! {
            max_nodes: 2_000_000,
            max_events: 8_000_000,
            max_depth: MAX_DEPTH,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_ANCHORS,
            max_recorded_anchor_events: MAX_ANCHORED,
            max_documents: MAX_DOCUMENTS,
            max_total_scalar_bytes: MAX_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_REPLAYED,
        },
    };
    let trees: Vec<Tree> =
        serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
            let spot = error.location().map_or(Spot { line: 1, column: 1 }, |location| Spot {
                line: location.line(),
                column: location.column(),
            });
            let message = shortened(plain_message(&error.without_snippet().to_string()));
            match reference_at_fault(text, spot, &message) {
                Some(advice) => syntax(place, spot, advice),
                None => syntax(place, spot, message),
            }
        })?;
    let place: Arc<str> = place.into();
    trees
        .into_iter()
        .map(|tree| {
            let (value, trace) = tree.read(text, &place)?;
            Ok(Document::read(place.clone(), value, trace))
        })
        .collect()
}

/// What to write instead, if YAML stumbled over a reference.
fn reference_at_fault(text: &str, spot: Spot, message: &str) -> Option<&'static str> {
    let line = text.lines().nth(usize::try_from(spot.line).ok()?.checked_sub(1)?)?;
    let column = usize::try_from(spot.column).ok()?.checked_sub(1)?;
    let at = line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
    if message.contains("parsing a flow")
        && line[..at].ends_with('$')
        && line[at..].starts_with('{')
    {
        return Some("between `{…}` or `[…]` a reference stands in quotes, as in \"${a.b}\"");
    }
    if message.contains("mapping values are not allowed") && line[..at].contains("${") {
        return Some("a reference with `: ` in it stands in quotes, as in \"${a:b: c}\"");
    }
    if message.contains("unknown escape character") && line[at..].contains("\\${") {
        return Some(
            "`\\${` stands in single quotes, as in '\\${a}', or as \"\\\\${a}\" in double ones",
        );
    }
    None
}

/// The parser repeats the position in its text, where ours stands in front already, and speaks to
/// programmers.
fn plain_message(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    let message = message.split(" at line ").next().unwrap_or(message).trim_end_matches([':', ',']);
    let (message, _advice) = message.split_once(", set ").unwrap_or((message, ""));
    if let Some(key) = message.strip_prefix("duplicate mapping key: ") {
        return format!("the key `{key}` is written twice in one map; keep one of them");
    }
    if message.starts_with("recursion limit") {
        return format!("nested deeper than {MAX_DEPTH} levels");
    }
    if message.starts_with("illegal placement of ':'") {
        return "a `:` has no place here; is a bracket, a brace or a quote still open above?"
            .to_owned();
    }
    if message.starts_with("alias replay limit") {
        return format!("aliases that stand for more than {MAX_REPLAYED} values");
    }
    if message.starts_with("expected string scalar") || message.contains("null into string") {
        return "a key must be a text".to_owned();
    }
    if message.starts_with("recursive references") {
        return "an alias stands inside the value it refers to".to_owned();
    }
    if let Some(bound) = message.strip_prefix("budget breached: ") {
        let name = bound.split(' ').next().unwrap_or_default();
        return match name {
            "Depth" => format!("nested deeper than {MAX_DEPTH} levels"),
            "RecordedAnchorEvents" => format!("more than {MAX_ANCHORED} values under anchors"),
            "Anchors" => format!("more than {MAX_ANCHORS} anchors"),
            "Aliases" => format!("more than {MAX_ALIASES} aliases"),
            "Documents" => format!("more than {MAX_DOCUMENTS} documents"),
            _ => format!("beyond the bounds against hostile files: {bound}"),
        };
    }
    match message.strip_prefix("non-finite float ").and_then(|rest| rest.split_once(" rejected")) {
        Some((float, _)) => format!("{float} is not a finite number"),
        None => message.to_owned(),
    }
}
