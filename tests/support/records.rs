//! Branches recorded to memory, and how they ended.
#![allow(dead_code, reason = "each test binary uses some of it")]

use serde_json::json;
use std::time::Duration;
use tower_spearmint::{
    Branch, ConfigPool, LogLayer, Recorder, branch::Status, record::MemoryBackend,
};

/// A pool of configs with these ids.
pub fn pool(ids: &[&str]) -> ConfigPool {
    ConfigPool::from_values(ids.iter().map(|id| json!({ "config_id": id }))).unwrap()
}

/// A recorder into memory. Needs a Tokio runtime.
pub struct Records {
    pub layer: LogLayer,
    pub recorder: Recorder,
    memory: MemoryBackend,
}

pub fn records() -> Records {
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    Records { layer: LogLayer::new(recorder.clone()), recorder, memory }
}

impl Records {
    /// All branches recorded so far, in the order of their ids. Fails if one is there twice.
    pub async fn all(&self) -> Vec<Branch> {
        self.recorder.drain(Duration::from_secs(10)).await.unwrap();
        let mut branches = self.memory.branches();
        branches.sort_by_key(|branch| branch.id);
        let mut ids: Vec<_> = branches.iter().map(|branch| branch.id).collect();
        ids.dedup();
        assert_eq!(ids.len(), branches.len(), "a branch was recorded twice");
        branches
    }

    /// Config id, role, and how it ended, of all branches: sorted.
    pub async fn ends(&self) -> Vec<String> {
        let mut ends: Vec<_> = self.all().await.iter().map(end).collect();
        ends.sort();
        ends
    }

    /// As [`Records::ends`], once there are so many.
    pub async fn ends_of(&self, count: usize) -> Vec<String> {
        for _ in 0..5_000 {
            let ends = self.ends().await;
            if ends.len() >= count {
                return ends;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("not {count} branches within ten seconds: {:?}", self.ends().await);
    }
}

/// `a primary success`, `b shadow failed/timeout`, `c shadow skipped/not_ready`
pub fn end<T>(branch: &Branch<T>) -> String {
    let more = match (branch.status, &branch.failure, branch.skip) {
        (Status::Failed, Some(failure), None) => format!("/{}", failure.kind),
        (Status::Skipped, None, Some(reason)) => format!("/{reason}"),
        (Status::Success | Status::Cancelled, None, None) => String::new(),
        _ => panic!("status and reasons do not agree: {:?} {:?}", branch.status, branch.failure),
    };
    format!("{} {} {}{more}", branch.config_id, branch.role, branch.status)
}
