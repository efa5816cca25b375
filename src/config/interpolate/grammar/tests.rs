//! Printing and parsing undo each other.

use super::{
    super::template::{Argument, Call, Insert, Key, Piece, Reference, Template},
    MAX_NESTING,
    arguments::parse_value,
    parse,
};
use proptest::prelude::*;
use serde_json::Value;
use std::time::{Duration, Instant};

fn insert() -> impl Strategy<Value = Insert> {
    let key = "[a-z0-9_$.\\[ü \\\\:'-]{1,4}".prop_map(Key::Name);
    let keys = prop::collection::vec(key, 1..4);
    let leaf = (0_usize..3, keys).prop_map(|(up, keys)| Insert::Reference(Reference { up, keys }));
    leaf.prop_recursive(4, 24, 4, |inner| {
        let argument = argument(inner.clone());
        let keyed = (any::<bool>(), inner, 0_usize..2).prop_map(|(bracketed, insert, up)| {
            let key = Key::Insert { insert, bracketed };
            Insert::Reference(Reference { up, keys: vec![Key::Name("k".to_owned()), key] })
        });
        let call = ("[a-z]{1,3}(\\.[a-z_-]{1,3}){0,2}", prop::collection::vec(argument, 0..4))
            .prop_filter("a name", |(name, _)| name.split('.').all(|part| !part.starts_with('-')))
            .prop_map(|(name, arguments)| Insert::Call(Call { name, arguments }));
        prop_oneof![keyed, call]
    })
}

fn argument(insert: impl Strategy<Value = Insert> + Clone + 'static) -> BoxedStrategy<Argument> {
    let leaf = prop_oneof![
        Just(Argument::Plain(Value::Null)),
        any::<bool>().prop_map(|b| Argument::Plain(b.into())),
        any::<i64>().prop_map(|n| Argument::Plain(n.into())),
        any::<f64>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(|f| Argument::Plain(f.into())),
        template(insert.clone()).prop_map(Argument::Text),
        insert.prop_map(Argument::Insert),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Argument::List),
            prop::collection::vec(("[a-z' \\\\$]{1,4}", inner), 0..3).prop_map(Argument::Map),
        ]
    })
    .boxed()
}

fn template(insert: impl Strategy<Value = Insert>) -> impl Strategy<Value = Template> {
    let text = r#"([a-z${}\\'" \n]|\$\{){1,6}"#;
    prop::collection::vec((prop::option::of(text), insert), 0..3)
        .prop_flat_map(move |pairs| (Just(pairs), prop::option::of(text)))
        .prop_map(|(pairs, last)| {
            let mut pieces = Vec::new();
            for (text, insert) in pairs {
                pieces.extend(text.map(Piece::Text));
                pieces.push(Piece::Insert(insert));
            }
            pieces.extend(last.map(Piece::Text));
            Template(pieces)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_parses_to_the_same(template in template(insert())) {
        let printed = template.to_string();
        prop_assert_eq!(parse(&printed), Ok(template), "{}", printed);
    }

    #[test]
    fn what_parses_prints_as_a_text_that_parses_to_the_same(
        text in r"([$.\[\]{}:,'\\ a1-]|\$\{|env:|b\.c|'x'){0,24}",
    ) {
        if let Ok(template) = parse(&text) {
            prop_assert_eq!(parse(&template.to_string()), Ok(template));
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in ".{0,64}") {
        let _ = parse(&text);
        let _ = parse_value(&text);
    }

    #[test]
    fn a_literal_text_stands_for_itself(text in r#"([a-z${}\\]|\$\{){0,12}"#) {
        let literal = Template::of_text(&text);
        prop_assert_eq!(parse(&literal.to_string()), Ok(literal));
    }
}

#[test]
fn a_megabyte_is_parsed_in_one_pass() {
    for piece in ["${", "${a}", "\\", "$", "${a:", "${a:'", "${a:[", "${a.", "\\${", "'", "${a:b,"]
    {
        let text = piece.repeat((1 << 20) / piece.len());
        let start = Instant::now();
        let _ = parse(&text);
        // Some ms; a quadratic parser would take minutes.
        assert!(start.elapsed() < Duration::from_secs(5), "{piece}: {:?}", start.elapsed());
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}a{}", "${".repeat(depth), "}".repeat(depth));
    assert!(parse(&nested(MAX_NESTING)).is_ok());
    assert!(parse(&nested(MAX_NESTING + 1)).is_err());
    let lists = format!("${{a:{}{}}}", "[".repeat(40), "]".repeat(40));
    assert_eq!(parse(&lists), Err("nested deeper than 32 levels".to_owned()));
}
