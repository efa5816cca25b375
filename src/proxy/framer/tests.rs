use super::*;
use proptest::prelude::*;

/// How many bytes pass when they come in pieces of these lengths.
fn passed(bytes: &[u8], lengths: &[usize]) -> Result<usize, Refused> {
    let mut framer = Framer::new(Phase::default());
    let (mut rest, mut lengths, mut before) = (bytes, lengths.iter().cycle(), 0);
    while !rest.is_empty() {
        let length = rest.len().min(*lengths.next().unwrap_or(&1));
        let (piece, after) = rest.split_at(length);
        framer
            .feed(piece)
            .map_err(|refused| Refused { passed: before + refused.passed, ..refused })?;
        (rest, before) = (after, before + length);
    }
    Ok(before)
}

const PIECES: [&str; 21] = [
    "GET / HTTP/1.1\r\n",
    "CONNECT x:443 HTTP/1.1\r\n",
    "host: x\r\n",
    "\r\n",
    "\r\n",
    "content-length: 5\r\n",
    "transfer-encoding: chunked\r\n",
    "connection: upgrade\r\n",
    "upgrade: websocket\r\n",
    "upgrade: h2c\r\n",
    "hello",
    "5\r\nhello\r\n",
    "5;a=b\r\nhello\r\n",
    "0\r\n\r\n",
    "0\r\nx: y\r\n\r\n",
    "x: y\n",
    "\r",
    "\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "content-length: 5, 5\r\n",
    "\0",
];

proptest! {
    #[test]
    fn it_makes_no_difference_in_which_pieces_the_bytes_come(
        pieces in prop::collection::vec(prop::sample::select(&PIECES), 0..16),
        lengths in prop::collection::vec(1..20_usize, 1..8),
    ) {
        let bytes = pieces.concat().into_bytes();
        let whole = passed(&bytes, &[usize::MAX]);
        prop_assert_eq!(passed(&bytes, &lengths), whole);
        prop_assert_eq!(passed(&bytes, &[1]), whole);
    }

    #[test]
    fn nothing_makes_it_panic(
        bytes in any::<Vec<u8>>(), lengths in prop::collection::vec(1..20_usize, 1..8),
    ) {
        let _ = passed(&bytes, &lengths);
    }
}

#[test]
fn a_head_is_awaited_until_it_has_ended() {
    let mut framer = Framer::new(Phase::default());
    for piece in ["", "\r\n", "GET / HTTP/1.1\r\nhost", ": x\r\ncontent-length: 2\r\n"] {
        framer.feed(piece.as_bytes()).unwrap();
        assert!(framer.awaits_head());
    }
    for piece in ["\r\n", "h", "i"] {
        framer.feed(piece.as_bytes()).unwrap();
        assert!(!framer.awaits_head());
    }
    // The next one is, once it begins.
    framer.feed(b"G").unwrap();
    assert!(framer.awaits_head());
}

#[test]
fn after_a_request_for_an_upgrade_nothing_is_judged_until_it_was_answered() {
    let request = b"GET / HTTP/1.1\r\nupgrade: x\r\n\r\n";
    let mut framer = Framer::new(Phase::default());
    framer.feed(request).unwrap();
    assert!(framer.phase.clone().stays_http());
    assert!(framer.feed(b"\n").is_err());

    let mut framer = Framer::new(Phase::default());
    framer.feed(request).unwrap();
    framer.feed(b"\n\n\n").unwrap();
    assert!(!framer.phase.clone().stays_http());

    let mut framer = Framer::new(Phase::default());
    framer.feed(request).unwrap();
    framer.phase.tunnel();
    framer.feed(b"\n\n\n").unwrap();
}
