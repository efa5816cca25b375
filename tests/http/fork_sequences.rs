//! Any body, read by anyone in any order: a copy is exactly the body, or ends in an error.
//!
//! The tee is run beside a model of it. The model says of every copy whether it fell behind, so
//! that one that did not must get the whole of it.

use crate::{
    fork::{forked, shadow_layer},
    support::{FedBody, Feed, Heard, fed, fed_of, hear},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::Body;
use http_body_util::BodyExt;
use proptest::prelude::*;
use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

const SHADOWS: usize = 3;

/// What a frame counts for at least.
const FRAME_COST: usize = 64;

/// What the body says of its length.
#[derive(Debug, Clone, Copy)]
enum Said {
    Nothing,
    /// The truth; and it is at its end with the last byte, or only when asked again.
    Truth {
        eager: bool,
    },
    TooMuch(usize),
    TooLittle(usize),
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    Send(usize),
    Trailers,
    Fail,
    End,
    PrimaryReads,
    ShadowReads(usize),
    PrimaryLeaves,
    ShadowLeaves(usize),
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        2 => Just(Said::Nothing),
        2 => any::<bool>().prop_map(|eager| Said::Truth { eager }),
        1 => (1_usize..2_000).prop_map(Said::TooMuch),
        1 => (1_usize..2_000).prop_map(Said::TooLittle),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_usize..2_000).prop_map(Step::Send),
        // Nothing, one byte, and the buffers to the byte and one beyond.
        4 => prop::sample::select(vec![0, 1, 63, 64, 65, 500, 999, 1_000, 1_001, 3_000, 3_001])
            .prop_map(Step::Send),
        1 => Just(Step::Trailers),
        1 => Just(Step::Fail),
        1 => Just(Step::End),
        8 => Just(Step::PrimaryReads),
        // The first keeps up best, the last hardly reads.
        6 => Just(Step::ShadowReads(0)),
        3 => Just(Step::ShadowReads(1)),
        1 => Just(Step::ShadowReads(2)),
        1 => Just(Step::PrimaryLeaves),
        1 => (0..SHADOWS).prop_map(Step::ShadowLeaves),
    ]
}

/// Everything one reader has seen.
struct Reader<B> {
    body: Option<Pin<Box<B>>>,
    seen: Vec<Bytes>,
    trailers: bool,
    /// `Some(true)` is a clean end.
    end: Option<bool>,
}

impl<B: Body<Data = Bytes>> Reader<B> {
    fn new(body: B) -> Self {
        Self { body: Some(Box::pin(body)), seen: Vec::new(), trailers: false, end: None }
    }

    fn bytes(&self) -> Vec<u8> {
        self.seen.concat()
    }

    fn len(&self) -> usize {
        self.seen.iter().map(Bytes::len).sum()
    }

    /// Reads one frame if there is one, and returns how much it brought.
    fn read(&mut self) -> Option<usize> {
        let body = self.body.as_mut().filter(|_| self.end.is_none())?;
        let mut cx = Context::from_waker(Waker::noop());
        let mut brought = 0;
        match body.as_mut().poll_frame(&mut cx) {
            Poll::Pending => return None,
            Poll::Ready(None) => self.end = Some(true),
            Poll::Ready(Some(Err(_))) => self.end = Some(false),
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    brought = data.len().max(FRAME_COST);
                    self.seen.push(data);
                }
                Err(_) => self.trailers = true,
            },
        }
        if self.end.is_none() && body.is_end_stream() {
            // It said that nothing follows; then nothing may follow.
            assert!(matches!(body.as_mut().poll_frame(&mut cx), Poll::Ready(None)));
            self.end = Some(true);
        }
        Some(brought)
    }
}

/// What one copy should have waiting, and whether it fell behind.
#[derive(Default)]
struct Copy {
    waiting: usize,
    lags: bool,
    left: bool,
}

/// The model: bytes waiting, for each copy and for all.
struct Buffers {
    each: usize,
    all: usize,
    copies: [Copy; SHADOWS],
}

impl Buffers {
    fn used(&self) -> usize {
        self.copies.iter().map(|copy| copy.waiting).sum()
    }

    /// The primary has read so much.
    fn heard(&mut self, cost: usize) {
        for at in 0..SHADOWS {
            if self.copies[at].lags || self.copies[at].left {
                continue;
            }
            let own = self.copies[at].waiting + cost;
            // Each copy is of a config of its own.
            let free = self.all.saturating_sub(self.used() + cost);
            if own > self.each || own > free {
                self.copies[at].lags = true;
            } else {
                self.copies[at].waiting += cost;
            }
        }
    }
}

/// The bytes that are sent before the body ends in whatever way.
fn total(steps: &[Step]) -> usize {
    let going_on = |step: &&Step| !matches!(step, Step::End | Step::Fail | Step::Trailers);
    let len = |step: &Step| if let Step::Send(len) = step { *len } else { 0 };
    steps.iter().take_while(going_on).map(len).sum()
}

fn body_that_says(said: Said, total: usize) -> (Feed, FedBody, Option<usize>) {
    let of = |len: usize| {
        let (feed, body) = fed_of(len as u64);
        (feed, body.not_at_end_with_the_last_byte(), Some(len))
    };
    match said {
        Said::Truth { eager: true } => {
            let (feed, body) = fed_of(total as u64);
            (feed, body, Some(total))
        }
        Said::Truth { eager: false } => of(total),
        Said::TooMuch(by) => of(total + by),
        Said::TooLittle(by) => of(total.saturating_sub(by)),
        Said::Nothing => {
            let (feed, body) = fed();
            (feed, body, None)
        }
    }
}

async fn run(
    said: Said,
    (each, all): (usize, usize),
    steps: Vec<Step>,
) -> Result<(), TestCaseError> {
    let (feed, body, length) = body_that_says(said, total(&steps));
    let mut feed = Some(feed);
    let layer = shadow_layer(SHADOWS).body_buffer(each).body_buffer_total(all);
    let forks = forked(&layer, SHADOWS, body).await;
    let mut primary = Reader::new(forks.primary);
    let mut shadows: Vec<_> = forks.shadows.into_iter().map(Reader::new).collect();
    let mut buffers = Buffers { each, all, copies: Default::default() };
    let mut sent = 0_usize;
    for step in steps {
        match step {
            Step::Send(len) => {
                if let Some(feed) = &feed {
                    feed.data((sent..sent + len).map(|at| at as u8).collect::<Vec<_>>());
                    sent += len;
                }
            }
            Step::Trailers => {
                if let Some(feed) = feed.take() {
                    let name = "x-end".parse().unwrap();
                    feed.trailers(HeaderMap::from_iter([(name, HeaderValue::from_static("1"))]));
                }
            }
            Step::Fail => feed.take().iter().for_each(Feed::fail),
            Step::End => feed = None,
            Step::PrimaryReads => {
                if let Some(cost @ 1..) = primary.read() {
                    buffers.heard(cost);
                }
            }
            Step::ShadowReads(at) => {
                buffers.copies[at].waiting -= shadows[at].read().unwrap_or(0);
            }
            Step::PrimaryLeaves => primary.body = None,
            Step::ShadowLeaves(at) => {
                shadows[at].body = None;
                buffers.copies[at] = Copy { left: true, ..Copy::default() };
            }
        }
    }
    drop(feed);
    while let Some(cost) = primary.read() {
        if cost > 0 {
            buffers.heard(cost);
        }
    }
    primary.body = None;
    // A length that was said is whole at its last byte (whoever knows it stops reading there), and
    // any body at its trailers.
    let ended = primary.end == Some(true) || primary.trailers;
    let is_whole = ended || primary.end.is_none() && length == Some(primary.len());
    let all_bytes = primary.bytes();
    for (shadow, copy) in shadows.iter_mut().zip(&buffers.copies) {
        while shadow.read().is_some() {}
        prop_assert!(all_bytes.starts_with(&shadow.bytes()), "it saw what the primary did not");
        prop_assert!(copy.left || shadow.end.is_some(), "it waits for ever");
        if !copy.left {
            prop_assert_eq!(shadow.end, Some(is_whole && !copy.lags), "lags: {}", copy.lags);
        }
        if shadow.end == Some(true) {
            prop_assert_eq!(&shadow.bytes(), &all_bytes, "a part for the whole");
            prop_assert_eq!(shadow.trailers, primary.trailers);
        }
    }
    drop(shadows);

    // All of the budget is there again: so much fits, to the byte.
    let (feed, body) = fed();
    let mut forks = forked(&layer, SHADOWS, body).await;
    let fits = all / (SHADOWS + 1);
    feed.data(vec![1; fits]);
    drop(feed);
    prop_assert!(hear_all(&mut forks.primary).whole);
    for shadow in forks.shadows {
        let heard = hear(shadow).await;
        prop_assert_eq!(
            (heard.data.len(), heard.whole),
            (fits, true),
            "some of it was not given back"
        );
    }
    Ok(())
}

/// What is there, without waiting.
fn hear_all<B: Body<Data = Bytes> + Unpin>(body: &mut B) -> Heard {
    let mut reader = Reader::new(body);
    while reader.read().is_some() {}
    Heard { data: reader.bytes(), trailers: None, whole: reader.end == Some(true) }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_copy_is_exactly_the_body_or_ends_in_an_error(
        said in said(),
        each in prop::sample::select(vec![1_000_usize, 3_000, 6_000]),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        // Together they may have three times what one may.
        let budget = (each, 3 * each);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(run(said, budget, steps))?;
    }
}

/// The same on several threads at once, where the order is the system's.
#[test]
fn a_copy_is_exactly_the_body_or_ends_in_an_error_on_any_thread() {
    const FRAMES: usize = 200;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .unwrap();
    let layer = shadow_layer(SHADOWS).body_buffer(20_000).body_buffer_total(40_000);
    for round in 0..200 {
        let (feed, body) = if round % 2 == 0 { fed() } else { fed_of(FRAMES as u64 * 300) };
        let forks = runtime.block_on(forked(&layer, SHADOWS, body));
        let feeding = runtime.spawn(async move {
            for at in 0..FRAMES {
                feed.data(vec![at as u8; 300]);
                if at % 16 == round % 16 {
                    tokio::task::yield_now().await;
                }
            }
            if round % 5 == 4 {
                feed.fail();
            }
        });
        let shadows: Vec<_> = (forks.shadows.into_iter().enumerate())
            .map(|(at, mut shadow)| {
                runtime.spawn(async move {
                    // The second may start late, the third may leave early.
                    if at == 1 && round % 3 == 0 {
                        std::thread::sleep(std::time::Duration::from_micros(300));
                    }
                    if at == 2 && round % 3 == 1 {
                        for _ in 0..round / 2 {
                            let _ = shadow.frame().await;
                        }
                        return None;
                    }
                    Some(hear(shadow).await)
                })
            })
            .collect();
        let (primary, shadows) = runtime.block_on(async {
            let primary = hear(forks.primary).await;
            feeding.await.unwrap();
            let mut heard = Vec::new();
            for shadow in shadows {
                heard.extend(shadow.await.unwrap());
            }
            (primary, heard)
        });
        // (One of a length that is known is whole before it can fail.)
        assert_eq!(primary.whole, round % 5 != 4 || round % 2 == 1);
        for shadow in shadows {
            assert!(primary.data.starts_with(&shadow.data), "it saw what the primary did not");
            assert!(!shadow.whole || shadow == primary, "a part for the whole");
        }
    }
    // All of the budget is there again.
    let (feed, body) = fed();
    let mut forks = runtime.block_on(forked(&layer, SHADOWS, body));
    feed.data(vec![1; 40_000 / (SHADOWS + 1)]);
    drop(feed);
    assert!(hear_all(&mut forks.primary).whole);
    for shadow in forks.shadows {
        assert!(runtime.block_on(hear(shadow)).whole, "some of it was not given back");
    }
}
