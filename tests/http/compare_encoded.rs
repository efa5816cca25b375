//! How a body is encoded does not count, and what cannot be decoded is never a panic.

use crate::compare::{Answer, answer, diff, paths, with};
use bytes::Bytes;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use http::HeaderValue;
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::Write;
use tower_spearmint::http::CompareRules;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn bare_deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn br(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    brotli::CompressorWriter::new(&mut out, 4096, 5, 22).write_all(body).unwrap();
    out
}

fn zstd(body: &[u8]) -> Vec<u8> {
    compress_to_vec(body, CompressionLevel::Fastest)
}

type Encode = fn(&[u8]) -> Vec<u8>;

const CODECS: [(&str, Encode); 5] =
    [("gzip", gzip), ("deflate", zlib), ("deflate", bare_deflate), ("br", br), ("zstd", zstd)];

fn encoded(coding: &'static str, media_type: &str, body: impl Into<Bytes>) -> Answer {
    with(answer(media_type, body), &[("content-encoding", coding)])
}

#[test]
fn how_a_body_is_encoded_does_not_count() {
    let body = format!("{{\"text\":\"{}\"}}", "one two three ".repeat(500));
    let plain = answer("application/json", body.clone());
    let other = answer("application/json", body.replace("two", "tow"));
    for (coding, encode) in CODECS {
        let same = encoded(coding, "application/json", encode(body.as_bytes()));
        assert!(diff(&plain, &same).is_empty(), "{coding}");
        assert!(diff(&same, &plain).is_empty(), "{coding}");
        assert_eq!(paths(&other, &same), ["/text"], "{coding}");
        for (second, encode_again) in CODECS {
            let twice = encoded(coding, "application/json", encode_again(&encode(body.as_bytes())));
            let twice = with(twice, &[("content-encoding", second)]);
            assert!(diff(&plain, &twice).is_empty(), "{coding}, {second}");
        }
    }
    let stacked = encoded("identity,  X-GZIP ,br", "application/json", br(&gzip(body.as_bytes())));
    assert!(diff(&plain, &stacked).is_empty());
    // Several members, several frames.
    let members = |encode: Encode| [encode(b"{\"a\":"), encode(b"1}")].concat();
    let short = answer("application/json", "{\"a\":1}");
    assert!(diff(&short, &encoded("gzip", "application/json", members(gzip))).is_empty());
    assert!(diff(&short, &encoded("zstd", "application/json", members(zstd))).is_empty());
}

#[test]
fn the_same_bytes_said_to_be_encoded_otherwise_differ_unless_there_are_none() {
    let body = gzip(b"hello");
    assert_eq!(
        paths(&encoded("gzip", "text/plain", body.clone()), &answer("text/plain", body)),
        ["body"]
    );
    assert!(diff(&encoded("gzip", "text/plain", ""), &answer("text/plain", "")).is_empty());
    assert!(
        !CompareRules::default()
            .is_same(&encoded("gzip", "text/plain", "x"), &answer("text/plain", "x"))
    );
    assert!(
        CompareRules::default()
            .is_same(&encoded("gzip", "text/plain", ""), &answer("text/plain", ""))
    );
    let unknown = |body: &'static str| encoded("rot13", "text/plain", body);
    assert!(diff(&unknown("a"), &unknown("a")).is_empty());
    assert_eq!(
        diff(&unknown("a"), &unknown("b")),
        ["body changed 1 bytes in an unknown coding | 1 bytes in an unknown coding"]
    );
}

#[test]
fn a_body_that_is_cut_off_damaged_or_followed_by_more_is_not_decoded() {
    let body = b"one two three one two three one two three";
    let plain = answer("text/plain", body.as_slice());
    for (coding, encode) in CODECS {
        let whole = encode(body);
        for len in 0..whole.len() {
            let cut = encoded(coding, "text/plain", whole[..len].to_vec());
            assert_eq!(paths(&plain, &cut), ["body"], "{coding} cut to {len}");
        }
        let longer = encoded(coding, "text/plain", [whole.as_slice(), b"trailing"].concat());
        assert_eq!(paths(&plain, &longer), ["body"], "{coding}");
    }
    // The checksum of a zstd frame, and that of a gzip member.
    for (coding, encode) in [("zstd", zstd as Encode), ("gzip", gzip)] {
        let mut damaged = encode(body);
        let at = damaged.len() - if coding == "gzip" { 6 } else { 1 };
        damaged[at] ^= 1;
        assert_eq!(paths(&plain, &encoded(coding, "text/plain", damaged)), ["body"], "{coding}");
    }
    let often = encoded("gzip, gzip, gzip, gzip, gzip", "text/plain", gzip(body));
    assert_eq!(
        diff(&plain, &often)[0].split(" | ").last().unwrap(),
        format!("{} bytes, encoded too often", gzip(body).len())
    );
}

#[test]
fn a_bomb_is_not_unpacked() {
    let zeros = vec![0; 64 << 20];
    for (coding, encode) in CODECS {
        let bomb = encode(&zeros);
        assert!(bomb.len() < 1 << 20, "{coding}: {}", bomb.len());
        let primary = answer("text/plain", "hello");
        let shadow = encoded(coding, "text/plain", bomb.clone());
        let line = format!("{} bytes of {coding}, too large when decoded", bomb.len());
        assert!(diff(&primary, &shadow)[0].ends_with(&line), "{coding}");

        // In layers, each of which is small.
        let bomb = encode(&bomb);
        let shadow = encoded(coding, "text/plain", bomb);
        let shadow = with(shadow, &[("content-encoding", coding)]);
        assert!(diff(&primary, &shadow)[0].ends_with("too large when decoded"), "{coding}");
    }
}

#[test]
fn the_bound_is_exact() {
    let body = vec![b'x'; 1000];
    let plain = answer("text/plain", body.clone());
    for (coding, encode) in CODECS {
        let same = encoded(coding, "text/plain", encode(&body));
        assert!(
            CompareRules::default().max_decoded(1000).compare(&plain, &same).is_empty(),
            "{coding}"
        );
        assert!(
            !CompareRules::default().max_decoded(999).compare(&plain, &same).is_empty(),
            "{coding}"
        );
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_said_to_be_encoded_are_never_more_than_the_bound_and_never_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        headers in proptest::sample::subsequence(vec!["gzip", "deflate", "br", "zstd"], 1..4),
        media_type in prop_oneof![
            Just("application/json"), Just("text/event-stream"), Just("application/x-ndjson"), Just("text/plain"),
        ],
    ) {
        let mut shadow = answer(media_type, bytes.clone());
        for coding in headers {
            shadow.headers_mut().append("content-encoding", HeaderValue::from_static(coding));
        }
        let primary = answer(media_type, "no body above starts like this one");
        prop_assert!(!diff(&primary, &shadow).is_empty());
        prop_assert!(!diff(&answer(media_type, bytes), &primary).is_empty());
        prop_assert!(diff(&shadow, &shadow.clone()).is_empty());
        prop_assert!(CompareRules::default().is_same(&shadow, &shadow.clone()));
        prop_assert!(!CompareRules::default().is_same(&shadow, &primary));
    }

    #[test]
    fn damaged_bodies_are_never_a_panic(
        body in proptest::collection::vec(prop_oneof![Just(b'a'), any::<u8>()], 0..2000),
        codec in 0..CODECS.len(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (coding, encode) = CODECS[codec];
        let mut damaged = encode(&body);
        for (at, byte) in damage {
            let at = at.index(damaged.len());
            damaged[at] ^= byte;
        }
        let shadow = encoded(coding, "text/plain", damaged);
        // What comes out of it is either the same or a difference.
        CompareRules::default().max_decoded(4096).compare(&answer("text/plain", body), &shadow);
    }
}
