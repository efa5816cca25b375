//! Any sequence of frames, read in any order.

use crate::{
    fork::{forked, shadow_layer},
    support::{Feed, fed, fed_of},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::Body;
use proptest::prelude::*;
use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

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

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_usize..2_000).prop_map(Step::Send),
        1 => Just(Step::Trailers),
        1 => Just(Step::Fail),
        1 => Just(Step::End),
        6 => Just(Step::PrimaryReads),
        6 => (0_usize..3).prop_map(Step::ShadowReads),
        1 => Just(Step::PrimaryLeaves),
        1 => (0_usize..3).prop_map(Step::ShadowLeaves),
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

    /// Reads one frame if there is one.
    fn read(&mut self) -> bool {
        let Some(body) = self.body.as_mut().filter(|_| self.end.is_none()) else { return false };
        let mut cx = Context::from_waker(Waker::noop());
        let before = body.size_hint().exact();
        match body.as_mut().poll_frame(&mut cx) {
            Poll::Pending => return false,
            Poll::Ready(None) => self.end = Some(true),
            Poll::Ready(Some(Err(_))) => self.end = Some(false),
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    assert!(before.is_none_or(|before| data.len() as u64 <= before));
                    self.seen.push(data);
                }
                Err(_) => self.trailers = true,
            },
        }
        if self.body.as_ref().is_some_and(|body| body.is_end_stream()) {
            let body = self.body.as_mut().unwrap();
            if self.end.is_none() {
                // It said that nothing follows; then nothing may follow.
                match body.as_mut().poll_frame(&mut cx) {
                    Poll::Ready(None) => self.end = Some(true),
                    _ => panic!("something after the end"),
                }
            }
        }
        true
    }
}

/// The bytes that are sent before the body ends in whatever way.
fn total(steps: &[Step]) -> usize {
    let going_on = |step: &&Step| !matches!(step, Step::End | Step::Fail | Step::Trailers);
    let len = |step: &Step| if let Step::Send(len) = step { *len } else { 0 };
    steps.iter().take_while(going_on).map(len).sum()
}

async fn run(known: bool, buffer: usize, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let total = total(&steps);
    let (feed, body) = if known { fed_of(total as u64) } else { fed() };
    let mut feed = Some(feed);
    let layer = shadow_layer(3).body_buffer(buffer);
    let forks = forked(&layer, 3, body).await;
    let mut primary = Reader::new(forks.primary);
    let mut shadows: Vec<_> = forks.shadows.into_iter().map(Reader::new).collect();
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
                let end = feed.take().filter(|_| !known);
                if let Some(feed) = end {
                    let name = "x-end".parse().unwrap();
                    feed.trailers(HeaderMap::from_iter([(name, HeaderValue::from_static("1"))]));
                }
            }
            Step::Fail => feed.take().iter().for_each(Feed::fail),
            Step::End => feed = None,
            Step::PrimaryReads => {
                primary.read();
            }
            Step::ShadowReads(at) => {
                shadows[at].read();
            }
            Step::PrimaryLeaves => primary.body = None,
            Step::ShadowLeaves(at) => shadows[at].body = None,
        }
    }
    drop(feed);
    while primary.read() {}
    primary.body = None;
    let all = primary.bytes();
    // A known length is whole at its last byte, and any at its trailers.
    let is_whole = primary.end == Some(true) || primary.trailers || known && all.len() == total;
    for shadow in &mut shadows {
        while shadow.read() {}
        prop_assert!(all.starts_with(&shadow.bytes()), "a shadow saw what the primary did not");
        prop_assert!(shadow.body.is_none() || shadow.end.is_some(), "a shadow waits for ever");
        if shadow.end == Some(true) {
            prop_assert!(is_whole, "part of a body was taken for the whole");
            prop_assert_eq!(&shadow.bytes(), &all);
            prop_assert_eq!(shadow.trailers, primary.trailers);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_shadow_sees_a_prefix_and_if_it_ends_cleanly_all(
        known in any::<bool>(),
        buffer in 0_usize..6_000,
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(run(known, buffer, steps))?;
    }
}
