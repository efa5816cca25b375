//! Traffic whose truth is known.

use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    Branch, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    assign::Epoch,
    branch::{BranchId, Failure, FailureKind, Role, Status},
    record::{LoggerBackend, MemoryBackend},
    report::{Candidate, Finding, Measure, Plan, Report},
    service_fn,
    store::SqliteStore,
};

/// A store in a directory of its own, gone at its end.
pub(crate) struct Store {
    directory: PathBuf,
    pub(crate) store: SqliteStore,
}

impl Store {
    pub(crate) fn with(branches: &[Branch]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("report-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&directory).unwrap();
        let store = SqliteStore::open(directory.join("s.db")).unwrap();
        let store = Self { directory, store };
        store.add(branches);
        store
    }

    pub(crate) fn add(&self, branches: &[Branch]) {
        for batch in branches.chunks(5_000) {
            block_on(self.store.log_batch(batch)).unwrap();
        }
    }

    /// The same file, by another process.
    pub(crate) fn reopened(mut self) -> Self {
        self.store = SqliteStore::open(self.store.path()).unwrap();
        self
    }

    #[cfg(feature = "cli")]
    pub(crate) fn file(&self) -> PathBuf {
        self.directory.join("s.db")
    }

    #[cfg(feature = "cli")]
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let file = self.directory.join(name);
        fs::write(&file, content).unwrap();
        file
    }

    pub(crate) fn report(&self, plan: &Plan) -> Report {
        let mut reports = Report::read(&self.store, plan).unwrap();
        assert_eq!(reports.len(), 1);
        reports.remove(0)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// What is said of the only candidate.
pub(crate) fn only(report: &Report) -> &Candidate {
    assert_eq!(report.candidates.len(), 1);
    &report.candidates[0]
}

pub(crate) fn of(candidate: &Candidate, measure: Measure) -> &Finding {
    candidate.findings.iter().find(|finding| finding.metric.measure == measure).unwrap()
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// How a service behaves.
#[derive(Clone, Copy)]
pub(crate) struct Behaviour {
    /// Of a request it fails with this probability.
    pub(crate) failing: f64,
    /// Most take about so long, in ms.
    pub(crate) ms: f64,
    /// It never answers with this probability, and times out after ten times as long.
    pub(crate) hanging: f64,
}

pub(crate) const STEADY: Behaviour = Behaviour { failing: 0.01, ms: 10.0, hanging: 0.0 };

/// The same numbers on every machine (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// From 0 to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A branch of each config, to be made others of.
pub(crate) fn templates(experiment: &str, ids: &[&str]) -> Vec<Branch> {
    let pool = ConfigPool::from_values(ids.iter().map(|id| json!({ "config_id": id }))).unwrap();
    block_on(async {
        let memory = MemoryBackend::new();
        let (recorder, recording) = Recorder::pair(memory.clone());
        tokio::spawn(recording);
        let answer = service_fn(|_: Trial<()>| async { Ok::<_, String>(()) });
        let log = LogLayer::new(recorder.clone());
        let mut service =
            RoundRobinLayer::new(pool).experiment(experiment).layer(log.layer(answer));
        for _ in ids {
            service.ready().await.unwrap().call(()).await.unwrap();
        }
        recorder.drain(std::time::Duration::from_secs(60)).await.unwrap();
        memory.take()
    })
}

/// Branches one after the other, ten in a second, the last of them so long ago that nothing is under way.
pub(crate) struct Traffic {
    start_ns: u64,
    number: u64,
    random: Random,
    pub(crate) branches: Vec<Branch>,
}

impl Traffic {
    /// Of that time.
    pub(crate) const BEFORE: Duration = Duration::from_secs(300);

    pub(crate) fn new(seed: u64, requests: u64) -> Self {
        Self::until(SystemTime::now() - Self::BEFORE, seed, requests)
    }

    /// The last of them about `end`.
    pub(crate) fn until(end: SystemTime, seed: u64, requests: u64) -> Self {
        let end_ns = end.duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let start_ns = end_ns - requests * 100_000_000;
        Self { start_ns, number: 0, random: Random(seed), branches: Vec::new() }
    }

    /// Another branch of this kind; `of` is the request it belongs to, if it is not its first.
    pub(crate) fn add(
        &mut self,
        template: &Branch,
        role: Role,
        behaviour: Behaviour,
        of: Option<BranchId>,
    ) -> BranchId {
        let mut branch = template.clone();
        let start_ns = self.start_ns + self.number * 100_000_000;
        self.number += u64::from(of.is_none());
        branch.id = id(start_ns / 1_000_000, self.branches.len() as u32);
        branch.request_id = of.unwrap_or(branch.id);
        branch.role = role;
        branch.epoch = Epoch::recorded(1, 7);
        // Most are about as long, and one in 100 is three times as long.
        let spread = (self.random.unit() * 2.0 - 1.0) * 0.3;
        let long = if self.random.unit() < 0.01 { 3.0 } else { 1.0 };
        let mut ms = behaviour.ms * (1.0 + spread) * long;
        let chance = self.random.unit();
        (branch.status, branch.failure) = if chance < behaviour.hanging {
            ms = behaviour.ms * 10.0;
            (Status::Failed, Some(Failure::new(FailureKind::Timeout, "no response")))
        } else if chance < behaviour.hanging + behaviour.failing {
            (Status::Failed, Some(Failure::new(FailureKind::Error, "no")))
        } else {
            (Status::Success, None)
        };
        branch.duration_ns = (ms * 1e6) as u64;
        branch.start_ns = start_ns;
        branch.end_ns = start_ns + branch.duration_ns;
        let id = branch.id;
        self.branches.push(branch);
        id
    }
}

fn id(at_ms: u64, number: u32) -> BranchId {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&at_ms.to_be_bytes()[2..]);
    bytes[6] = 0x70;
    bytes[8] = 0x80;
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    BranchId::from_bytes(bytes)
}

/// Requests that `stable` answers, each with a shadow.
pub(crate) fn shadowed(requests: u64, stable: Behaviour, candidate: Behaviour) -> Store {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    for template in &mut templates {
        template.strategy = "shadow".into();
        template.probability = 1.0;
    }
    let mut traffic = Traffic::new(7, requests);
    for _ in 0..requests {
        let request = traffic.add(&templates[0], Role::Primary, stable, None);
        traffic.add(&templates[1], Role::Shadow, candidate, Some(request));
    }
    Store::with(&traffic.branches)
}

/// Requests that go to one of two at random, each config with its share, and what of its branches
/// is never recorded.
pub(crate) fn split(requests: u64, arms: [(&str, f64, Behaviour, f64); 2]) -> Store {
    let mut templates = templates("ranker", &[arms[0].0, arms[1].0]);
    for (template, (.., share, _, _)) in templates.iter_mut().zip(&arms) {
        template.probability = *share;
    }
    let mut traffic = Traffic::new(11, requests);
    let mut chance = Random(13);
    for _ in 0..requests {
        let at = usize::from(chance.unit() >= arms[0].1);
        let (_, _, behaviour, lost) = arms[at];
        if chance.unit() >= lost {
            traffic.add(&templates[at], Role::Primary, behaviour, None);
        }
    }
    Store::with(&traffic.branches)
}

/// Requests of which each goes to one of both by turns, as a coin would have it.
pub(crate) struct Halves {
    traffic: Traffic,
    pub(crate) templates: Vec<Branch>,
    number: u64,
}

impl Halves {
    pub(crate) fn new(requests: u64) -> Self {
        let mut templates = templates("ranker", &["stable", "candidate"]);
        templates.iter_mut().for_each(|template| template.probability = 0.5);
        Self { traffic: Traffic::new(3, requests), templates, number: 0 }
    }

    /// So many more requests in the store, of a candidate that behaves so.
    pub(crate) fn go_on(&mut self, store: &Store, requests: u64, candidate: Behaviour) {
        store.add(&self.come(requests, candidate));
    }

    /// So many more.
    pub(crate) fn come(&mut self, requests: u64, candidate: Behaviour) -> Vec<Branch> {
        for _ in 0..requests {
            let at = (self.number % 2) as usize;
            self.number += 1;
            let behaviour = [STEADY, candidate][at];
            self.traffic.add(&self.templates[at], Role::Primary, behaviour, None);
        }
        std::mem::take(&mut self.traffic.branches)
    }
}
