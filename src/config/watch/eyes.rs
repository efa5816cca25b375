//! What the system tells of changes.

use super::links::{Entry, entries};
use crate::config::yaml;
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind},
};
use std::{
    collections::{HashMap, HashSet, hash_map},
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use tokio::sync::Notify;

/// More directories are only looked at from time to time: the system's watches are few.
const MAX_DIRECTORIES: usize = 1024;

/// From the watcher's thread to the task: no queue, but whether something happened.
#[derive(Debug, Default)]
pub(super) struct Signal {
    pub(super) happened: Notify,
    /// Someone writes, and has not closed the file yet. (Not every system tells.)
    is_being_written: AtomicBool,
    /// Which entries of which directories matter.
    matters: Mutex<HashMap<PathBuf, Names>>,
}

#[derive(Debug, Default)]
struct Names {
    all: bool,
    some: HashSet<OsString>,
}

impl Signal {
    pub(super) fn is_being_written(&self) -> bool {
        self.is_being_written.load(Relaxed)
    }

    pub(super) fn is_written(&self) {
        self.is_being_written.store(false, Relaxed);
    }

    fn hear(&self, event: &Event) {
        let is_closed = event.kind == EventKind::Access(AccessKind::Close(AccessMode::Write));
        // Our own reading is heard, too.
        if matches!(event.kind, EventKind::Access(_)) && !is_closed {
            return;
        }
        if !event.need_rescan() && !event.paths.iter().any(|path| self.matters(path)) {
            return;
        }
        if is_closed {
            self.is_written();
        } else if matches!(event.kind, EventKind::Modify(ModifyKind::Data(_))) {
            self.is_being_written.store(true, Relaxed);
        }
        self.happened.notify_one();
    }

    fn matters(&self, path: &Path) -> bool {
        let matters = self.matters.lock().unwrap_or_else(PoisonError::into_inner);
        // The directory itself may be moved or removed.
        matters.contains_key(path)
            || path.parent().and_then(|directory| matters.get(directory)).is_some_and(|names| {
                names.all || path.file_name().is_some_and(|name| names.some.contains(name))
            })
    }
}

/// The directories that are watched.
#[derive(Debug)]
pub(super) struct Eyes {
    watcher: Option<RecommendedWatcher>,
    watched: HashMap<PathBuf, Option<Identity>>,
    signal: Arc<Signal>,
    /// Something is not watched: it must be looked at more often.
    pub(super) is_blind: bool,
}

impl Eyes {
    pub(super) fn new(signal: &Arc<Signal>) -> Self {
        let heard = signal.clone();
        let watcher =
            notify::recommended_watcher(move |event: notify::Result<Event>| match event {
                Ok(event) => heard.hear(&event),
                Err(_) => heard.happened.notify_one(),
            });
        let watcher = watcher
            .inspect_err(|error| {
                tracing::warn!(%error, "the system tells nothing of changes; the files are looked at now and then");
            })
            .ok();
        let is_blind = watcher.is_none();
        Self { watcher, watched: HashMap::new(), signal: signal.clone(), is_blind }
    }

    #[cfg(test)]
    pub(super) fn blind() -> Self {
        Self { watcher: None, watched: HashMap::new(), signal: Arc::default(), is_blind: true }
    }

    /// Watches whatever leads to `sources` now: links may lead elsewhere than before.
    pub(super) fn turn_to(&mut self, sources: &[PathBuf]) {
        let mut wanted = HashMap::<PathBuf, Names>::new();
        let mut want = |Entry { directory, name }: Entry| {
            wanted.entry(directory).or_default().some.insert(name);
        };
        let mut whole = Vec::new();
        for source in sources {
            entries(source).into_iter().for_each(&mut want);
            if let Ok(below) = yaml::below(source) {
                below.files.iter().flat_map(|file| entries(file)).for_each(&mut want);
                whole.extend(below.directories);
            }
        }
        for directory in whole.into_iter().filter_map(|path| path.canonicalize().ok()) {
            wanted.entry(directory).or_default().all = true;
        }
        let Some(watcher) = &mut self.watcher else { return };
        self.watched.retain(|directory, identity| {
            let stays = wanted.contains_key(directory) && *identity == Identity::of(directory);
            if !stays {
                // It may be gone, which is fine.
                let _ = watcher.unwatch(directory);
            }
            stays
        });
        self.is_blind = wanted.len() > MAX_DIRECTORIES;
        for directory in wanted.keys().take(MAX_DIRECTORIES) {
            if let hash_map::Entry::Vacant(new) = self.watched.entry(directory.clone()) {
                let identity = Identity::of(directory);
                match watcher.watch(directory, RecursiveMode::NonRecursive) {
                    Ok(()) => {
                        new.insert(identity);
                    }
                    Err(error) => {
                        self.is_blind = true;
                        tracing::debug!(%error, directory = %directory.display(), "not watched");
                    }
                }
            }
        }
        *self.signal.matters.lock().unwrap_or_else(PoisonError::into_inner) = wanted;
    }
}

/// Another directory under the same path is not watched yet.
#[derive(Debug, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(directory: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::metadata(directory).ok()?;
        Some(Self(metadata.dev(), metadata.ino()))
    }

    #[cfg(not(unix))]
    fn of(directory: &Path) -> Option<Self> {
        directory.is_dir().then_some(Self(0, 0))
    }
}
