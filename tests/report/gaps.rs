//! Traffic of which something is missing.

use super::support::{Behaviour, Random, STEADY, Store, Traffic, block_on, split, templates};
use tower_spearmint::{
    Branch,
    branch::{Role, Status},
    record::{LoggerBackend, Loss, LossReason},
};

/// So many branches of the candidate of these 10,000 requests were not recorded.
pub(crate) fn losing(branches: u64) -> Store {
    let store = split(10_000, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, STEADY, 0.0)]);
    let candidate = templates("ranker", &["candidate"]).remove(0);
    let loss = |role, reason, branches| {
        let config_id = candidate.config_id.clone();
        Loss::new("ranker", "round_robin", config_id, role, reason, branches)
    };
    let losses = [
        loss(Role::Primary, LossReason::QueueFull, branches - 5),
        loss(Role::Primary, LossReason::NotWritten, 5),
    ];
    block_on(store.store.log_losses(&losses)).unwrap();
    store
}

/// Traffic of two arms, in which so much of the candidate's that took longest is left by its callers.
pub(crate) fn leaving(share: f64, unit: impl Fn(u64) -> Option<u64>) -> Store {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    templates.iter_mut().for_each(|template| template.probability = 0.5);
    let mut traffic = Traffic::new(3, 20_000);
    let mut chance = Random(5);
    for n in 0..20_000 {
        let unit = unit(n);
        let point = unit.map_or_else(|| chance.unit(), |unit| Random(unit).unit());
        let at = usize::from(point < 0.5);
        let slow = at == 1 && chance.unit() < share;
        let behaviour = Behaviour { ms: if slow { 100.0 } else { 10.0 }, ..STEADY };
        traffic.add(&templates[at], Role::Primary, behaviour, None);
        let branch = traffic.branches.last_mut().unwrap();
        branch.unit = unit.map(|unit| unit.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if slow {
            (branch.status, branch.failure) = (Status::Cancelled, None);
        }
    }
    Store::with(&traffic.branches)
}

/// So many of the 5,000 shadows end so.
pub(crate) fn shadows(count: usize, how: impl Fn(&mut Vec<Branch>)) -> Store {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    for template in &mut templates {
        (template.strategy, template.probability) = ("shadow".into(), 1.0);
    }
    let mut traffic = Traffic::new(7, 5_000);
    let mut all = Vec::new();
    for n in 0..5_000 {
        let request = traffic.add(&templates[0], Role::Primary, STEADY, None);
        traffic.add(&templates[1], Role::Shadow, STEADY, Some(request));
        if n < count {
            how(&mut traffic.branches);
        }
        all.append(&mut traffic.branches);
    }
    Store::with(&all)
}
