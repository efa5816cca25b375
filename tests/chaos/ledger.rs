//! What an upstream was asked, and what it got.

use crate::errand::Errand;
use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;
use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex},
    time::Instant,
};

#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    begun: Vec<usize>,
    received: Vec<Received>,
    /// When which event of which errand was sent.
    events: HashMap<(usize, usize), Instant>,
}

/// A request body, read as far as it went.
#[derive(Debug, Clone, Copy)]
pub struct Received {
    pub errand: Errand,
    pub len: usize,
    /// What came is what was sent, as far as it went.
    pub equal: bool,
    /// It ended as a whole one does.
    pub whole: bool,
}

impl Received {
    pub fn is_as_sent(&self) -> bool {
        self.whole && self.equal && self.len == self.errand.sent().len()
    }
}

impl Ledger {
    pub fn begin(&self, errand: Errand) -> Reading {
        self.0.lock().unwrap().begun.push(errand.seed);
        Reading { ledger: self.clone(), sent: errand.sent(), errand, len: 0, equal: true }
    }

    pub fn has_begun(&self, seed: usize) -> bool {
        self.0.lock().unwrap().begun.contains(&seed)
    }

    pub fn received(&self) -> Vec<Received> {
        self.0.lock().unwrap().received.clone()
    }

    pub fn sending_event(&self, seed: usize, number: usize) {
        self.0.lock().unwrap().events.insert((seed, number), Instant::now());
    }

    pub fn event_sent(&self, seed: usize, number: usize) -> Instant {
        self.0.lock().unwrap().events[&(seed, number)]
    }
}

/// A request body that is being read.
pub struct Reading {
    ledger: Ledger,
    errand: Errand,
    sent: Bytes,
    len: usize,
    equal: bool,
}

impl Reading {
    pub fn data(&mut self, data: &[u8]) {
        let end = self.len + data.len();
        self.equal &= self.sent.get(self.len..end).is_some_and(|sent| sent == data);
        self.len = end;
    }

    pub fn end(self, whole: bool) -> Received {
        let received = Received { errand: self.errand, len: self.len, equal: self.equal, whole };
        self.ledger.0.lock().unwrap().received.push(received);
        received
    }

    /// Reads it to its end, whichever that is.
    pub async fn all(mut self, body: impl Body<Data = Bytes>) -> Received {
        let mut body = pin!(body);
        loop {
            match body.frame().await {
                None => return self.end(true),
                Some(Err(_)) => return self.end(false),
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.data(data);
                    }
                }
            }
        }
    }
}
