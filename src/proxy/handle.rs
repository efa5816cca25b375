//! A proxy while it runs: its counters, its switches, and another file.

#[cfg(feature = "store")]
use super::outcomes::Desk;
use super::{
    admin::Readiness,
    file::ExperimentFile,
    listener::Counters,
    load::Load,
    metrics::Exposed,
    stack::{ProxyRequest, ProxyResponse},
    stats::ProxyStats,
    tasks::Tasks,
};
#[cfg(feature = "watch")]
use crate::config::watch::Print;
#[cfg(feature = "report")]
use crate::report::Plan;
use crate::{
    BoxError,
    assign::Epoch,
    config::{ConfigError, Diff},
    evaluate::Evaluating,
    record::Recorder,
    shadow::ShadowHandle,
    strategy::StrategyRegistry,
};
use arc_swap::ArcSwap;
#[cfg(feature = "store")]
use std::sync::OnceLock;
use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};
use tokio::sync::watch;

/// How many lines of what changed are logged.
const MAX_LOGGED: usize = 20;

/// What connections, the operator's listener and the end of the process share.
pub(super) struct Shared {
    pub(super) load: ArcSwap<Load>,
    pub(super) recorder: Recorder,
    pub(super) readiness: Readiness,
    pub(super) counters: Arc<Counters>,
    pub(super) tasks: Tasks,
    pub(super) exposed: Exposed,
    pub(super) stopping: watch::Sender<bool>,
    /// Where outcomes of units go.
    #[cfg(feature = "store")]
    pub(super) outcomes: OnceLock<Desk>,
    registry: StrategyRegistry<ProxyRequest, ProxyResponse>,
    /// The file the process was started with.
    first: ExperimentFile,
    reloads: AtomicU64,
    rejected: AtomicU64,
    last_error: Mutex<Option<String>>,
    /// What the files held that were tried last.
    #[cfg(feature = "watch")]
    tried: Mutex<Option<Print>>,
    /// Held from before the files are read until what they hold is in use: who read them later has
    /// the last word.
    reading: Mutex<()>,
    /// By what a report on the file in use decides.
    #[cfg(feature = "report")]
    plans: watch::Sender<Plan>,
    /// What is left of earlier files, as long as it or their requests go on.
    retired: Mutex<Vec<Retired>>,
}

/// What is left of a file that is not in use any more.
struct Retired {
    load: Weak<Load>,
    shadow: Option<ShadowHandle>,
    evaluating: Option<Evaluating>,
}

impl Retired {
    fn goes_on(&self) -> bool {
        self.load.strong_count() > 0
            || self.shadow.iter().flat_map(ShadowHandle::stats).any(|stats| stats.in_flight > 0)
            || self.evaluating.iter().any(|evaluating| evaluating.stats().waiting > 0)
    }
}

/// A running [`Proxy`](super::Proxy), to look at and to change. Cheap to clone.
#[derive(Clone)]
pub struct ProxyHandle(pub(super) Arc<Shared>);

/// What came of another file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// Which file it is: 1 for the first, one more with each that came into use.
    pub epoch: Epoch,
    /// What differs from the one before.
    pub diff: Diff,
    /// Keys of the file that differ from those the process was started with, and that only a
    /// restart can change.
    pub needs_restart: Vec<&'static str>,
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("reloaded")?;
        if !self.needs_restart.is_empty() {
            let keys = self.needs_restart.join("`, `");
            write!(f, "; `{keys}` changed, too, which needs a restart")?;
        }
        Ok(())
    }
}

impl ProxyHandle {
    pub(super) fn new(
        file: &ExperimentFile,
        recorder: Recorder,
        registry: &StrategyRegistry<ProxyRequest, ProxyResponse>,
    ) -> Result<Self, BoxError> {
        let tasks = Tasks::new();
        let load = Load::new(file, recorder.clone(), registry, &tasks, None)?;
        Ok(Self(Arc::new(Shared {
            load: ArcSwap::from_pointee(load),
            recorder,
            readiness: Readiness::default(),
            counters: Arc::default(),
            tasks,
            exposed: Exposed::new(),
            stopping: watch::Sender::new(false),
            #[cfg(feature = "store")]
            outcomes: OnceLock::new(),
            registry: registry.clone(),
            first: file.clone(),
            reloads: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            last_error: Mutex::default(),
            #[cfg(feature = "watch")]
            tried: Mutex::default(),
            reading: Mutex::default(),
            #[cfg(feature = "report")]
            plans: watch::Sender::new(file.plan()),
            retired: Mutex::default(),
        })))
    }

    /// The file that is in use.
    pub fn file(&self) -> ExperimentFile {
        self.0.load.load().file.clone()
    }

    /// By what a report on the experiment decides: what the file says, and what each file says that comes into use
    /// later, if it is something else.
    #[cfg(feature = "report")]
    pub fn plans(&self) -> watch::Receiver<Plan> {
        self.0.plans.subscribe()
    }

    /// The counters. Those of the shadows begin again with each file; the others go on.
    pub fn stats(&self) -> ProxyStats {
        let load = self.0.load.load();
        ProxyStats {
            experiment: load.file.experiment().to_owned(),
            reloads: self.0.reloads.load(Relaxed),
            rejected: self.0.rejected.load(Relaxed),
            last_error: locked(&self.0.last_error).clone(),
            epoch: load.stack.epoch,
            unknown_overrides: load.stack.unknown_overrides(),
            listener: self.0.counters.stats(),
            recorder: self.0.recorder.stats(),
            shadows_enabled: load.stack.shadow.as_ref().map(ShadowHandle::is_enabled),
            shadows: load.stack.shadow.as_ref().map(ShadowHandle::stats).unwrap_or_default(),
            evaluation: load.stack.evaluating.as_ref().map(Evaluating::stats),
        }
    }

    /// Serves the next request by this file. Requests under way, and their shadows, go on as they
    /// began. Connections stay; `limits` and `tls` hold for new ones. Shadows that were switched
    /// off stay so.
    ///
    /// # Errors
    ///
    /// As [`Proxy::new`](super::Proxy::new); the file in use stays in use then.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn reload(&self, file: &ExperimentFile) -> Result<Reloaded, BoxError> {
        self.put_to_use(file).inspect_err(|error| self.reject(error))
    }

    fn put_to_use(&self, file: &ExperimentFile) -> Result<Reloaded, BoxError> {
        let shared = &*self.0;
        // One at a time.
        let mut retired = locked(&shared.retired);
        let old = shared.load.load_full();
        let (registry, previous) = (&shared.registry, Some(old.stack.epoch));
        let load = Load::new(file, shared.recorder.clone(), registry, &shared.tasks, previous)?;
        let epoch = load.stack.epoch;
        #[cfg(feature = "store")]
        if let Some(desk) = shared.outcomes.get() {
            // Before its first branch.
            desk.reload(file)?;
        }
        if let (Some(old), Some(new)) = (&old.stack.shadow, &load.stack.shadow) {
            // What an operator switched off is not switched on by a new file.
            new.switch_as(old);
        }
        shared.load.store(Arc::new(load));
        #[cfg(feature = "report")]
        shared.plans.send_if_modified(|plan| {
            let new = file.plan();
            *plan != new && {
                *plan = new;
                true
            }
        });
        shared.reloads.fetch_add(1, Relaxed);
        locked(&shared.last_error).take();
        retired.retain(Retired::goes_on);
        if old.stack.shadow.is_some() || old.stack.evaluating.is_some() {
            retired.push(Retired {
                load: Arc::downgrade(&old),
                shadow: old.stack.shadow.clone(),
                evaluating: old.stack.evaluating.clone(),
            });
        }
        let (diff, needs_restart) = (old.file.diff(file), file.needs_restart(&shared.first));
        Ok(Reloaded { epoch, diff, needs_restart })
    }

    /// Counts a file that was not put to use.
    pub(super) fn reject(&self, error: &BoxError) {
        self.0.rejected.fetch_add(1, Relaxed);
        *locked(&self.0.last_error) = Some(error.to_string());
    }

    /// Reads the file in use again from where it came, and [reloads](Self::reload) it.
    ///
    /// # Errors
    ///
    /// As [`reload`](Self::reload), and when the file cannot be read, or came from a text.
    ///
    /// # Cancel safety
    ///
    /// The file may be in use or not.
    pub async fn reread(&self) -> Result<Reloaded, BoxError> {
        let handle = self.clone();
        // Files are read, certificates too: that is not for a thread that serves.
        let read = move || {
            let _reading = locked(&handle.0.reading);
            let file = handle.file();
            #[cfg(feature = "watch")]
            handle.tries(Print::of(file.followed_files()));
            let read = file.reread().map_err(BoxError::from);
            let file = read.inspect_err(|error| handle.reject(error))?;
            handle.reload(&file)
        };
        tokio::task::spawn_blocking(read).await?
    }

    /// [Rereads](Self::reread), and logs what came of it. Returns it in words, too.
    ///
    /// # Errors
    ///
    /// As [`reread`](Self::reread).
    ///
    /// # Cancel safety
    ///
    /// As [`reread`](Self::reread).
    pub async fn reread_and_log(&self) -> Result<String, BoxError> {
        log(self.reread().await)
    }

    /// Switches the shadows on or off, from the next request on: one of them, or all. A shadow
    /// runs when both its own switch and the one for all are on.
    ///
    /// # Errors
    ///
    /// When there is no such shadow.
    pub fn switch_shadows(&self, config_id: Option<&str>, is_on: bool) -> Result<(), ConfigError> {
        let load = self.0.load.load();
        let Some(shadow) = &load.stack.shadow else {
            return Err(load.file.error("strategy", "there are no shadows"));
        };
        match config_id {
            None => shadow.set_enabled(is_on),
            Some(id) => shadow.set_config_enabled(id, is_on)?,
        }
        Ok(())
    }

    /// The shadows of all files.
    pub(super) fn all_shadows(&self) -> Vec<ShadowHandle> {
        let retired = locked(&self.0.retired);
        let retired = retired.iter().filter_map(|retired| retired.shadow.clone());
        self.0.load.load().stack.shadow.clone().into_iter().chain(retired).collect()
    }

    /// What measures the answers, of all files.
    pub(super) fn all_evaluating(&self) -> Vec<Evaluating> {
        let retired = locked(&self.0.retired);
        let retired = retired.iter().filter_map(|retired| retired.evaluating.clone());
        self.0.load.load().stack.evaluating.clone().into_iter().chain(retired).collect()
    }
}

#[cfg(feature = "watch")]
impl ProxyHandle {
    /// Notes what the files hold that are tried now.
    fn tries(&self, print: Print) {
        *locked(&self.0.tried) = Some(print);
    }

    /// As [`reload`](Self::reload), after those who read the files before.
    pub(super) fn reload_next(&self, file: &ExperimentFile) -> Result<Reloaded, BoxError> {
        let _reading = locked(&self.0.reading);
        self.reload(file)
    }

    /// Notes it, and whether the same was tried last, too.
    pub(super) fn tries_again(&self, print: Print) -> bool {
        locked(&self.0.tried).replace(print) == Some(print)
    }
}

/// Logs what came of a file, and returns it in words.
pub(super) fn log(reloaded: Result<Reloaded, BoxError>) -> Result<String, BoxError> {
    let reloaded = reloaded.inspect_err(|error| {
        tracing::error!(%error, "the file was not reloaded; the one before stays in use");
    })?;
    let said = reloaded.to_string();
    tracing::info!(epoch = %reloaded.epoch, "{said}");
    for line in reloaded.diff.first_lines(MAX_LOGGED).to_string().lines() {
        tracing::info!("{line}");
    }
    Ok(said)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for ProxyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let experiment = self.0.load.load().file.experiment().to_owned();
        f.debug_struct("ProxyHandle").field("experiment", &experiment).finish_non_exhaustive()
    }
}
