//! The counters of a proxy, as metrics.

use super::{handle::ProxyHandle, listener::ListenerStats, stats::ProxyStats};
use crate::{
    metrics::Exposition,
    shadow::{BreakerState, ShadowHandle, ShadowStats},
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

type Collect = Arc<dyn Fn(&mut Exposition) + Send + Sync>;

/// What `/metrics` shows beside the counters of the proxy.
pub(super) struct Exposed {
    started: SystemTime,
    others: Mutex<Vec<Collect>>,
}

impl Exposed {
    pub(super) fn new() -> Self {
        Self { started: SystemTime::now(), others: Mutex::default() }
    }

    fn others(&self) -> Vec<Collect> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exposed").finish_non_exhaustive()
    }
}

impl ProxyHandle {
    /// Adds to what `/metrics` shows, whenever it is asked for: the branches that a
    /// [`MetricsBackend`](crate::metrics::MetricsBackend) counts, another recorder, something of one's own.
    pub fn expose(&self, collect: impl Fn(&mut Exposition) + Send + Sync + 'static) {
        let others = &self.0.exposed.others;
        others.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(collect));
    }

    /// What `/metrics` shows. Those counters that belong to a file begin again with each: those of the
    /// shadows, and of the overrides that are not known.
    pub fn metrics(&self) -> Exposition {
        let mut page = Exposition::new();
        let stats = self.stats();
        self.process(&mut page);
        listener(&mut page, &stats.listener);
        file(&mut page, &stats);
        page.recorder("main", &stats.recorder);
        shadows(&mut page, &stats);
        evaluation(&mut page, &stats);
        running(&mut page, &stats.experiment, &self.all_shadows());
        #[cfg(feature = "store")]
        if let Some(desk) = self.0.outcomes.get() {
            desk.collect(&mut page);
        }
        for collect in self.0.exposed.others() {
            collect(&mut page);
        }
        page
    }

    fn process(&self, page: &mut Exposition) {
        page.build();
        page.started(self.0.exposed.started.duration_since(UNIX_EPOCH).unwrap_or_default());
        page.gauge("spearmint_ready", "Whether requests are taken: 1 or 0.")
            .value(&[], u8::from(self.0.readiness.is_ready()));
    }
}

fn listener(page: &mut Exposition, stats: &ListenerStats) {
    page.counter("spearmint_requests_total", "Requests whose head could be read.")
        .value(&[], stats.requests);
    let mut responses = page.counter(
        "spearmint_responses_total",
        "Requests that were answered, by the class of the status.",
    );
    for (code, count) in &stats.responses {
        responses.value(&[("code", code)], count);
    }
    let mut refused = page
        .counter("spearmint_requests_refused_total", "Requests refused before any branch, by why.");
    for (reason, count) in [
        ("malformed", stats.malformed),
        ("too_large", stats.too_large),
        ("not_allowed", stats.not_allowed),
    ] {
        refused.value(&[("reason", reason)], count);
    }
    page.gauge("spearmint_connections", "Connections that are open, tunnels included.")
        .value(&[], stats.connections);
    page.gauge("spearmint_tunnels", "Connections that became tunnels and are open.")
        .value(&[], stats.tunnels);
    let mut closed =
        page.counter("spearmint_connections_closed_total", "Connections that were closed, by why.");
    for (reason, count) in
        [("too_slow", stats.too_slow), ("handshake_failed", stats.handshakes_failed)]
    {
        closed.value(&[("reason", reason)], count);
    }
}

fn file(page: &mut Exposition, stats: &ProxyStats) {
    let experiment = [("experiment", &*stats.experiment)];
    page.gauge("spearmint_epoch", "The number of the epoch: one higher with each file in use.")
        .value(&experiment, stats.epoch.number());
    let mut reloads = page
        .counter("spearmint_reloads_total", "Files that were tried, by whether they are right.");
    for (outcome, count) in [("accepted", stats.reloads), ("rejected", stats.rejected)] {
        reloads.value(&[("outcome", outcome)], count);
    }
    page.gauge(
        "spearmint_last_reload_successful",
        "Whether the file that was tried last is in use: 1 or 0.",
    )
    .value(&[], u8::from(stats.last_error.is_none()));
    page.counter(
        "spearmint_unknown_overrides_total",
        "Times a tester asked for a config that is not there, since this file came into use.",
    )
    .value(&experiment, stats.unknown_overrides);
}

/// The shadows of the file in use.
fn shadows(page: &mut Exposition, stats: &ProxyStats) {
    let experiment = &*stats.experiment;
    let mut enabled =
        page.gauge("spearmint_shadows_enabled", "Whether shadows are switched on: 1 or 0.");
    if let Some(is_on) = stats.shadows_enabled {
        enabled.value(&[("experiment", experiment)], u8::from(is_on));
    }
    let mut enabled =
        page.gauge("spearmint_shadow_enabled", "Whether this shadow is switched on: 1 or 0.");
    for shadow in &stats.shadows {
        enabled.value(&labels(experiment, shadow), u8::from(shadow.enabled));
    }
    let mut requests = page.counter(
        "spearmint_shadow_requests_total",
        "Requests, by what a shadow made of them: let through, or why not.",
    );
    for shadow in &stats.shadows {
        for (outcome, count) in [
            ("admitted", shadow.admitted),
            ("sampled_out", shadow.sampled_out),
            ("unmatched", shadow.unmatched),
            ("switched_off", shadow.switched_off),
        ] {
            let [a, b, c] = labels(experiment, shadow);
            requests.value(&[a, b, c, ("outcome", outcome)], count);
        }
    }
    let mut states = page.gauge(
        "spearmint_shadow_breaker_state",
        "What the breaker of a shadow does: 1 for its state, 0 for the others.",
    );
    for shadow in &stats.shadows {
        let Some(state) = shadow.breaker else { continue };
        for (name, named) in [
            ("closed", BreakerState::Closed),
            ("open", BreakerState::Open),
            ("half_open", BreakerState::HalfOpen),
        ] {
            let [a, b, c] = labels(experiment, shadow);
            states.value(&[a, b, c, ("state", name)], u8::from(state == named));
        }
    }
    let mut not_compared = page.counter(
        "spearmint_shadow_not_compared_total",
        "Answers that were to be compared and were not: the primary's never came to its end, or too \
         many were waiting.",
    );
    for shadow in &stats.shadows {
        not_compared.value(&labels(experiment, shadow), shadow.not_compared);
    }
}

/// What became of the numbers of the file in use.
fn evaluation(page: &mut Exposition, stats: &ProxyStats) {
    let Some(evaluation) = &stats.evaluation else { return };
    let experiment = ("experiment", &*stats.experiment);
    let mut evaluations = page.counter(
        "spearmint_evaluations_total",
        "Numbers that were to be had of answers, by metric: had, or why not.",
    );
    for (metric, counts) in &evaluation.metrics {
        let labels = |outcome| [experiment, ("metric", &**metric), ("outcome", outcome)];
        evaluations.value(&labels("had"), counts.had);
        for (why, count) in &counts.missed {
            evaluations.value(&labels(why.as_str()), count);
        }
    }
    page.gauge(
        "spearmint_evaluations_waiting",
        "Branches that are not recorded yet, because their answers are measured.",
    )
    .value(&[experiment], evaluation.waiting);
}

/// What runs, by whichever file it began.
fn running(page: &mut Exposition, experiment: &str, handles: &[ShadowHandle]) {
    let mut sums = BTreeMap::new();
    for shadow in handles.iter().flat_map(ShadowHandle::stats) {
        let (in_flight, bytes) = (shadow.in_flight, shadow.waiting_bytes);
        let sum = sums.entry((shadow.config_id, shadow.role)).or_insert((0, 0));
        *sum = (sum.0 + in_flight, sum.1 + bytes);
    }
    for ((config_id, role), (in_flight, bytes)) in &sums {
        let labels = [
            ("experiment", experiment),
            ("config_id", config_id.as_str()),
            ("role", role.as_str()),
        ];
        page.gauge("spearmint_shadow_in_flight", "Shadows that run.").value(&labels, in_flight);
        page.gauge(
            "spearmint_shadow_waiting_bytes",
            "Bytes of request bodies that wait for shadows.",
        )
        .value(&labels, bytes);
    }
}

fn labels<'a>(experiment: &'a str, shadow: &'a ShadowStats) -> [(&'static str, &'a str); 3] {
    [
        ("experiment", experiment),
        ("config_id", shadow.config_id.as_str()),
        ("role", shadow.role.as_str()),
    ]
}
