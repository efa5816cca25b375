//! Models over `loom` of what it does not have itself.

use loom::sync::{
    Mutex,
    atomic::{
        AtomicUsize,
        Ordering::{Acquire, Release},
    },
};
use std::task::Waker;

const EMPTY: usize = 0;
const BEING_SET: usize = 1;
const SET: usize = 2;

/// The standard library's `OnceLock`: one of those that set it wins, the others learn of it when
/// the value is there, and whoever sees the value sees what came before it.
#[derive(Debug)]
pub(crate) struct OnceLock<T> {
    state: AtomicUsize,
    value: std::sync::OnceLock<T>,
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self { state: AtomicUsize::new(EMPTY), value: std::sync::OnceLock::new() }
    }
}

impl<T> OnceLock<T> {
    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        if let Err(mut state) = self.state.compare_exchange(EMPTY, BEING_SET, Acquire, Acquire) {
            while state != SET {
                loom::thread::yield_now();
                state = self.state.load(Acquire);
            }
            return Err(value);
        }
        assert!(self.value.set(value).is_ok(), "it was set before");
        self.state.store(SET, Release);
        Ok(())
    }

    pub(crate) fn get(&self) -> Option<&T> {
        if self.state.load(Acquire) == SET { self.value.get() } else { None }
    }
}

/// The `AtomicWaker` of `futures`: the last waker that was registered is woken, once.
#[derive(Debug, Default)]
pub(crate) struct AtomicWaker(Mutex<Option<Waker>>);

impl AtomicWaker {
    pub(crate) fn register(&self, waker: &Waker) {
        *self.0.lock().unwrap() = Some(waker.clone());
    }

    pub(crate) fn wake(&self) {
        let waker = self.0.lock().unwrap().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Tokio's unbounded channel with one sender. As there, a piece that is sent while the receiver
/// goes away may be neither refused nor dropped with it: then it stays until both ends are gone.
#[cfg(feature = "http")]
pub(crate) mod mpsc {
    use super::{AtomicWaker, Mutex};
    use loom::sync::atomic::{
        AtomicBool,
        Ordering::{Acquire, Release},
    };
    use std::{
        collections::VecDeque,
        sync::Arc,
        task::{Context, Poll},
    };

    struct Channel<T> {
        queue: Mutex<Queue<T>>,
        receiver_is_gone: AtomicBool,
        receiver: AtomicWaker,
    }

    struct Queue<T> {
        pieces: VecDeque<T>,
        sender_is_gone: bool,
    }

    pub(crate) struct UnboundedSender<T>(Arc<Channel<T>>);
    pub(crate) struct UnboundedReceiver<T>(Arc<Channel<T>>);

    #[derive(Debug)]
    pub(crate) struct SendError<T>(T);

    #[derive(Debug)]
    pub(crate) struct TryRecvError;

    pub(crate) fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
        let channel = Arc::new(Channel {
            queue: Mutex::new(Queue { pieces: VecDeque::new(), sender_is_gone: false }),
            receiver_is_gone: AtomicBool::new(false),
            receiver: AtomicWaker::default(),
        });
        (UnboundedSender(channel.clone()), UnboundedReceiver(channel))
    }

    impl<T> UnboundedSender<T> {
        pub(crate) fn send(&self, piece: T) -> Result<(), SendError<T>> {
            if self.is_closed() {
                return Err(SendError(piece));
            }
            self.0.queue.lock().unwrap().pieces.push_back(piece);
            self.0.receiver.wake();
            Ok(())
        }

        pub(crate) fn is_closed(&self) -> bool {
            self.0.receiver_is_gone.load(Acquire)
        }
    }

    impl<T> Drop for UnboundedSender<T> {
        fn drop(&mut self) {
            self.0.queue.lock().unwrap().sender_is_gone = true;
            self.0.receiver.wake();
        }
    }

    impl<T> UnboundedReceiver<T> {
        pub(crate) fn poll_recv(&mut self, cx: &Context<'_>) -> Poll<Option<T>> {
            if let Some(piece) = self.pop() {
                return Poll::Ready(piece);
            }
            self.0.receiver.register(cx.waker());
            self.pop().map_or(Poll::Pending, Poll::Ready)
        }

        pub(crate) fn try_recv(&mut self) -> Result<T, TryRecvError> {
            self.pop().flatten().ok_or(TryRecvError)
        }

        /// `Some(None)` at the end.
        fn pop(&self) -> Option<Option<T>> {
            let mut queue = self.0.queue.lock().unwrap();
            match queue.pieces.pop_front() {
                Some(piece) => Some(Some(piece)),
                None => queue.sender_is_gone.then_some(None),
            }
        }
    }

    impl<T> Drop for UnboundedReceiver<T> {
        fn drop(&mut self) {
            self.0.receiver_is_gone.store(true, Release);
            let pieces = std::mem::take(&mut self.0.queue.lock().unwrap().pieces);
            drop(pieces);
        }
    }
}
