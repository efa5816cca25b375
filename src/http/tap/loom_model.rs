//! Every order in which the ends of a copy can go on; see [`crate::sync`].

use super::{Budget, Owner, Tap};
use crate::{
    branch::{Failure, FailureKind},
    http::{listener::Listener, tee::Tee},
    sync::AtomicUsize,
    trial::Reason,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use loom::{future::block_on, thread};
use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll, Waker},
};

const FRAME: Bytes = Bytes::from_static(&[7; 100]);

/// With at most this many switches away from a thread that could have gone on (unless
/// `LOOM_MAX_PREEMPTIONS` says otherwise).
const PREEMPTIONS: usize = 3;

fn in_every_order(test: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(PREEMPTIONS));
    model.check(test);
}

fn budget(each: usize, all: usize) -> Budget {
    Budget { each, all, used: Arc::default() }
}

fn owner(waiting: &Arc<AtomicUsize>, reason: Option<&Reason>) -> Owner {
    Owner { waiting: waiting.clone(), reason: reason.cloned() }
}

/// What a copy has heard of its body.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    bytes: usize,
    trailers: bool,
    /// `false` when it broke off, `None` when the copy left.
    whole: Option<bool>,
}

/// Reads at most so many frames, and leaves then.
fn hear(mut listener: Listener, at_most: usize) -> Heard {
    let mut heard = Heard::default();
    for _ in 0..at_most {
        listener.look_ahead();
        if listener.is_end_stream() {
            heard.whole = Some(true);
            break;
        }
        match block_on(poll_fn(|cx| listener.poll_frame(cx))) {
            Some(Ok(frame)) => match frame.data_ref() {
                Some(data) => heard.bytes += data.len(),
                None => heard.trailers = true,
            },
            end => {
                heard.whole = Some(end.is_none());
                break;
            }
        }
    }
    heard
}

/// What its sender was told to be there.
struct Script {
    frames: VecDeque<Result<Frame<Bytes>, BrokeOff>>,
    length: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
#[error("the body broke off")]
struct BrokeOff;

impl Body for Script {
    type Data = Bytes;
    type Error = BrokeOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokeOff>>> {
        Poll::Ready(self.frames.pop_front())
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

fn data() -> Result<Frame<Bytes>, BrokeOff> {
    Ok(Frame::data(FRAME))
}

fn trailers() -> Result<Frame<Bytes>, BrokeOff> {
    let name = http::HeaderName::from_static("x-end");
    Ok(Frame::trailers(HeaderMap::from_iter([(name, HeaderValue::from_static("1"))])))
}

/// The primary polls so often and leaves then.
fn read(tee: Tee<Script>, polls: usize) {
    let mut tee = pin!(tee);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if !matches!(tee.as_mut().poll_frame(&mut cx), Poll::Ready(Some(Ok(_)))) {
            break;
        }
    }
}

#[test]
fn what_waits_is_counted_off_once_whichever_end_goes_first() {
    for (frames_read, finishes) in [(0, true), (1, true), (1, false), (2, false), (9, true)] {
        in_every_order(move || {
            let (config, budget) = (Arc::default(), budget(1000, 1000));
            let (mut tap, listener) = Tap::pair(&budget, owner(&config, None), None);
            let level = tap.level.clone();
            let sending = thread::spawn(move || {
                tap.data(&FRAME);
                tap.data(&FRAME);
                if finishes {
                    tap.finish();
                }
            });
            hear(listener, frames_read);
            sending.join().unwrap();
            let left = [&level.own, &*config, &*budget.used].map(|at| at.load(Relaxed));
            assert_eq!(left, [0; 3]);
        });
    }
}

/// Two that are let through at the same time, and would not be one after the other.
#[test]
fn copies_of_one_config_are_let_through_together_as_they_are_in_turn() {
    in_every_order(|| {
        // 100 <= 300 - 100, but 200 > 300 - 200.
        let (config, budget) = (Arc::default(), budget(1000, 300));
        let (mut tap, _listener) = Tap::pair(&budget, owner(&config, None), None);
        let (mut other, _other_listener) = Tap::pair(&budget, owner(&config, None), None);
        let sending = thread::spawn(move || {
            other.data(&FRAME);
            other
        });
        tap.data(&FRAME);
        let other = sending.join().unwrap();
        let through = [&tap, &other].iter().filter(|tap| tap.sender.is_some()).count();
        assert!(through <= 1, "200 bytes wait where 100 are free");
    });
}

#[test]
fn copies_of_several_configs_never_have_more_than_there_is() {
    in_every_order(|| {
        // One frame fits: 100 <= 250 - 100, but 100 > 250 - 200.
        let budget = budget(1000, 250);
        let (mut tap, _listener) = Tap::pair(&budget, owner(&Arc::default(), None), None);
        let (mut other, _other_listener) = Tap::pair(&budget, owner(&Arc::default(), None), None);
        let sending = thread::spawn(move || {
            for _ in 0..3 {
                other.data(&FRAME);
            }
            other
        });
        tap.data(&FRAME);
        tap.data(&FRAME);
        // What is there, and one frame for each that is finding out whether it fits.
        let seen = budget.used.load(Relaxed);
        assert!(seen <= 250 + 2 * 100, "{seen}");
        let other = sending.join().unwrap();
        let waiting = budget.used.load(Relaxed);
        assert!(waiting <= 100, "{waiting} wait");
        assert!(tap.sender.is_none() && other.sender.is_none(), "more than one were let through");
    });
}

#[test]
fn a_copy_that_lags_finds_the_reason_at_its_end() {
    in_every_order(|| {
        let (reason, budget) = (Reason::default(), budget(150, 1000));
        let owner = owner(&Arc::default(), Some(&reason));
        let (mut tap, listener) = Tap::pair(&budget, owner, None);
        let sending = thread::spawn(move || {
            // Fits only if the first has been read.
            tap.data(&FRAME);
            tap.data(&FRAME);
            assert!(tap.level.own.load(Relaxed) <= 150);
            tap.finish();
        });
        let heard = hear(listener, 9);
        let kind = reason.failure().map(|failure| failure.kind);
        match heard.whole {
            Some(true) => assert_eq!((heard.bytes, kind), (200, None)),
            _ => assert_eq!((heard.bytes, kind), (100, Some(FailureKind::Lagging))),
        }
        sending.join().unwrap();
    });
}

#[test]
fn the_first_reason_stays_and_is_seen_by_all() {
    in_every_order(|| {
        let (reason, budget) = (Reason::default(), budget(50, 1000));
        let owner = owner(&Arc::default(), Some(&reason));
        let (mut tap, listener) = Tap::pair(&budget, owner, None);
        let sending = thread::spawn(move || tap.data(&FRAME));
        let strategy = reason.clone();
        let timing_out = thread::spawn(move || {
            strategy.failed(Failure::new(FailureKind::Timeout, "too late"));
            strategy.failure().map(|failure| failure.kind)
        });
        assert_eq!(hear(listener, 9).whole, Some(false));
        let seen = reason.failure().map(|failure| failure.kind);
        assert!(matches!(seen, Some(FailureKind::Lagging | FailureKind::Timeout)), "{seen:?}");
        assert_eq!(timing_out.join().unwrap(), seen);
        sending.join().unwrap();
        assert_eq!(reason.failure().map(|failure| failure.kind), seen);
    });
}

#[test]
fn whoever_waits_for_a_reason_is_woken_by_it() {
    in_every_order(|| {
        let reason = Reason::default();
        let giver = reason.clone();
        let giving = thread::spawn(move || giver.failed(Failure::new(FailureKind::Lagging, "")));
        block_on(poll_fn(|cx| reason.poll_given(cx)));
        assert!(reason.failure().is_some());
        giving.join().unwrap();
    });
}

/// However far the primary reads before it leaves, and whether the length was said.
#[test]
fn a_copy_is_whole_only_if_the_primary_had_the_whole() {
    for length in [None, Some(200)] {
        for polls in 0..=3 {
            in_every_order(move || {
                let body = Script { frames: [data(), data()].into(), length };
                let (budget, reason) = (budget(1000, 1000), Reason::default());
                let owner = owner(&Arc::default(), Some(&reason));
                let (tap, listener) = Tap::pair(&budget, owner, length);
                let tee = Tee::new(body, vec![tap], length);
                let reading = thread::spawn(move || read(tee, polls));
                let heard = hear(listener, 9);
                let kind = reason.failure().map(|failure| failure.kind);
                reading.join().unwrap();
                // A length that was said is whole at its last byte.
                let whole = polls == 3 || polls == 2 && length.is_some();
                assert_eq!(
                    heard,
                    Heard { bytes: 100 * polls.min(2), trailers: false, whole: Some(whole) }
                );
                assert_eq!(kind, (!whole).then_some(FailureKind::Incomplete));
            });
        }
    }
}

#[test]
fn a_copy_of_a_body_that_broke_off_is_not_whole_even_with_all_its_bytes() {
    for length in [None, Some(100), Some(200)] {
        in_every_order(move || {
            let body = Script { frames: [data(), Err(BrokeOff)].into(), length };
            let (budget, reason) = (budget(1000, 1000), Reason::default());
            let owner = owner(&Arc::default(), Some(&reason));
            let (tap, listener) = Tap::pair(&budget, owner, length);
            let tee = Tee::new(body, vec![tap], length);
            let reading = thread::spawn(move || read(tee, 9));
            assert_eq!(hear(listener, 9).whole, Some(false));
            assert_eq!(reason.failure().map(|it| it.kind), Some(FailureKind::Incomplete));
            reading.join().unwrap();
        });
    }
}

#[test]
fn trailers_are_heard_before_the_end() {
    for length in [None, Some(100)] {
        in_every_order(move || {
            let body = Script { frames: [data(), trailers()].into(), length };
            let budget = budget(1000, 1000);
            let (tap, listener) = Tap::pair(&budget, Owner::nobody(), length);
            let tee = Tee::new(body, vec![tap], length);
            let reading = thread::spawn(move || read(tee, 9));
            let heard = hear(listener, 9);
            assert_eq!(heard, Heard { bytes: 100, trailers: true, whole: Some(true) });
            reading.join().unwrap();
        });
    }
}
