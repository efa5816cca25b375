//! Runs beside each other.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// What comes of each run, in any order, on as many threads as there are cores.
pub(crate) fn all<T: Send>(runs: usize, run: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut found = Vec::new();
                    loop {
                        let next = next.fetch_add(1, Ordering::Relaxed);
                        if next >= runs {
                            return found;
                        }
                        found.push(run(next as u64));
                    }
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no run panics")).collect()
    })
}
