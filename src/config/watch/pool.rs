//! A pool that follows its files.

use super::follow::{MAX_READS, Watch, blocking};
use crate::config::{ConfigError, ConfigPool, interpolate::Noted};
use arc_swap::ArcSwap;
use futures_util::future::{self, Either};
use pin_project::pin_project;
use std::{
    fmt,
    future::Future,
    path::{Path, PathBuf},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::watch::{self, Receiver, Sender};

/// How many lines of what changed are logged.
const MAX_LOGGED: usize = 20;

/// A pool that follows its files: [`ConfigPool::watch`]. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WatchedPool {
    current: Arc<ArcSwap<Watched>>,
    changes: Receiver<Arc<Watched>>,
}

/// What a [`WatchedPool`] was at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Watched {
    /// The pool in use.
    pub pool: ConfigPool,
    /// Which one it is: 1 for the first, one more with each that came into use.
    pub epoch: u64,
    /// How many changes were not taken, because of a mistake in them.
    pub rejected: u64,
    /// The mistake in the files as they are, if they are not what is in use.
    pub last_error: Option<String>,
}

/// What follows the files of a [`WatchedPool`], as a future: spawn it. Dropped, it stops, and the
/// pool stays as it is; it ends by itself when the pool and all its subscribers are gone.
#[pin_project]
pub struct Watching(#[pin] Pin<Box<dyn Future<Output = ()> + Send>>);

impl ConfigPool {
    /// Reads a pool from a file, or from a directory as [`from_dir`](Self::from_dir) does, and
    /// follows it; see [`config::watch`](crate::config::watch).
    ///
    /// # Errors
    ///
    /// As [`from_yaml_file`](Self::from_yaml_file) and [`from_dir`](Self::from_dir).
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime with time.
    pub async fn watch(path: impl AsRef<Path>) -> Result<(WatchedPool, Watching), ConfigError> {
        let path = path.as_ref().to_owned();
        let watch = Watch::new([&path]).await;
        WatchedPool::follow(watch, move || {
            let noted = Noted::default();
            let pool = Self::read_noting(&path, &noted);
            (noted.files(), pool)
        })
        .await
    }
}

impl WatchedPool {
    /// The pool that `read` gives, and gives again when `watch` tells of a change. The files that
    /// `${file:…}` read for it are watched, too.
    ///
    /// # Errors
    ///
    /// What `read` says, the first time.
    ///
    /// # Panics
    ///
    /// When `read` does, and outside a Tokio runtime.
    pub async fn pair(
        watch: Watch,
        read: impl Fn() -> Result<ConfigPool, ConfigError> + Send + Sync + 'static,
    ) -> Result<(Self, Watching), ConfigError> {
        Self::follow(watch, move || {
            let pool = read();
            let files =
                pool.as_ref().map_or_else(|_| Vec::new(), |pool| pool.drawn_files().to_vec());
            (files, pool)
        })
        .await
    }

    /// `read` says which files it drew from, too, even if something in them is wrong.
    async fn follow(
        mut watch: Watch,
        read: impl Fn() -> Read + Send + Sync + 'static,
    ) -> Result<(Self, Watching), ConfigError> {
        let read = Arc::new(read);
        let first = read.clone();
        let first = blocking(move || first()).await;
        let pool = read_while_watched(&mut watch, &read, first).await?;
        let first = Arc::new(Watched { pool, epoch: 1, rejected: 0, last_error: None });
        let current = Arc::new(ArcSwap::new(first.clone()));
        let (sender, changes) = watch::channel(first);
        let watched = Self { current: current.clone(), changes };
        let follow = async move {
            loop {
                let again = read.clone();
                let next = async {
                    let (_, found) = watch.next(move || again()).await;
                    read_while_watched(&mut watch, &read, found).await
                };
                let next = match until_unused(&sender, next).await {
                    Some(found) => Arc::new(current.load().next(found)),
                    None => return,
                };
                current.store(next.clone());
                sender.send_replace(next);
            }
        };
        Ok((watched, Watching(Box::pin(follow))))
    }

    /// The pool in use.
    pub fn pool(&self) -> ConfigPool {
        self.current.load().pool.clone()
    }

    /// Which pool is in use: 1 for the first, one more with each that came into use.
    pub fn epoch(&self) -> u64 {
        self.current.load().epoch
    }

    /// The pool in use with its epoch and what became of the changes since.
    pub fn current(&self) -> Arc<Watched> {
        self.current.load_full()
    }

    /// Is told of each change, taken or not.
    pub fn subscribe(&self) -> Receiver<Arc<Watched>> {
        let mut changes = self.changes.clone();
        changes.mark_unchanged();
        changes
    }
}

/// Which files a pool drew from, and the pool.
type Read = (Vec<PathBuf>, Result<ConfigPool, ConfigError>);

/// What was read, once all that it was read from is watched: what was not before is read again, since
/// it may have changed in between.
async fn read_while_watched(
    watch: &mut Watch,
    read: &Arc<impl Fn() -> Read + Send + Sync + 'static>,
    (mut files, mut pool): Read,
) -> Result<ConfigPool, ConfigError> {
    for _ in 0..MAX_READS {
        // What is in use is followed, whatever another version reads.
        if !watch.also(&files, pool.is_err()).await {
            break;
        }
        let read = read.clone();
        (files, pool) = blocking(move || read()).await;
    }
    pool
}

async fn until_unused<T>(
    sender: &Sender<Arc<Watched>>,
    next: impl Future<Output = T>,
) -> Option<T> {
    match future::select(pin!(sender.closed()), pin!(next)).await {
        Either::Left(_) => None,
        Either::Right((next, _)) => Some(next),
    }
}

impl Watched {
    /// After a change.
    fn next(&self, found: Result<ConfigPool, ConfigError>) -> Self {
        match found {
            Ok(pool) => {
                let epoch = self.epoch + 1;
                tracing::info!(epoch, "the configs changed");
                let diff = self.pool.diff(&pool);
                for line in diff.first_lines(MAX_LOGGED).to_string().lines() {
                    tracing::info!("{line}");
                }
                Self { pool, epoch, last_error: None, ..*self }
            }
            Err(error) => {
                let rejected = self.rejected + 1;
                tracing::error!(%error, rejected, "a change was not taken; the configs before stay in use");
                let last_error = Some(error.to_string());
                Self { rejected, last_error, pool: self.pool.clone(), epoch: self.epoch }
            }
        }
    }
}

impl Future for Watching {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().0.poll(cx)
    }
}

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watching").finish_non_exhaustive()
    }
}
