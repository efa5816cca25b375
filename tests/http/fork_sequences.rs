//! Any sequence of frames, read in any order.

use crate::{
    fork::{forked, shadow_layer},
    support::{fed, fed_of},
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_shadow_sees_a_prefix_and_if_it_ends_cleanly_all(
        known in any::<bool>(),
        buffer in 0_usize..6_000,
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async move {
            let total: usize = steps.iter().take_while(|s| !matches!(s, Step::End | Step::Fail | Step::Trailers))
                .map(|s| if let Step::Send(len) = s { *len } else { 0 }).sum();
            let fails = steps.iter().find_map(|s| match s { Step::Fail => Some(true), Step::End | Step::Trailers => Some(false), _ => None }).unwrap_or(false);
            let (feed, body) = if known { fed_of(total as u64) } else { fed() };
            let mut feed = Some(feed);
            let layer = shadow_layer(3).body_buffer(buffer);
            let forks = forked(&layer, 3, body).await;
            let mut primary = Reader::new(forks.primary);
            let mut shadows: Vec<_> = forks.shadows.into_iter().map(Reader::new).collect();
            let mut next = 0_u8;
            for step in steps {
                match step {
                    Step::Send(len) => if let Some(feed) = &feed {
                        let data: Vec<u8> = (0..len).map(|_| { next = next.wrapping_add(1); next }).collect();
                        feed.data(data);
                    },
                    Step::Trailers => if let Some(feed) = feed.take() {
                        if !known {
                            feed.trailers(HeaderMap::from_iter([("t".parse().unwrap(), HeaderValue::from_static("1"))]));
                        }
                    },
                    Step::Fail => if let Some(feed) = feed.take() { feed.fail(); },
                    Step::End => feed = None,
                    Step::PrimaryReads => { primary.read(); }
                    Step::ShadowReads(at) => { shadows[at].read(); }
                    Step::PrimaryLeaves => primary.body = None,
                    Step::ShadowLeaves(at) => shadows[at].body = None,
                }
            }
            drop(feed);
            while primary.read() {}
            let primary_done = primary.end == Some(true);
            primary.body = None;
            let all = primary.bytes();
            for shadow in &mut shadows {
                while shadow.read() {}
                prop_assert!(all.starts_with(&shadow.bytes()), "a shadow saw what the primary did not");
                if shadow.body.is_some() {
                    prop_assert!(shadow.end.is_some(), "a shadow waits for ever");
                }
                if shadow.end == Some(true) {
                    prop_assert_eq!(shadow.bytes(), all.clone());
                    prop_assert_eq!(shadow.trailers, primary.trailers);
                    // A known length is whole at its last byte, and any at its trailers.
                    prop_assert!(primary_done || primary.trailers || (known && all.len() == total), "part of a body was taken for the whole");
                    prop_assert!(!fails || known && all.len() == total);
                }
            }
            Ok(())
        })?;
    }
}
