//! Every branch recorded, once, without delaying it.

use crate::support::{Before, SECOND, call, eventually, records, single};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;
use tower_spearmint::{Recorder, record::MemoryBackend};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_threads_with_ten_thousand_branches_each_are_recorded_exactly_once() {
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::with_capacity(memory.clone(), 100_000);
    tokio::spawn(recording);
    let service = single(&recorder);
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let mut service = service.clone();
            thread::spawn(move || (0..10_000).for_each(|_| call(&mut service)))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    recorder.drain(10 * SECOND).await.unwrap();
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.written), (80_000, 80_000));
    assert_eq!((stats.dropped, stats.lost, stats.waiting()), (0, 0, 0));
    let mut ids: Vec<_> = memory.branches().iter().map(|branch| branch.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 80_000);
}

#[tokio::test]
async fn a_full_queue_drops_and_counts_and_never_blocks() {
    let memory = MemoryBackend::new();
    let permits = Arc::new(Semaphore::new(0));
    let held = Before::permission(&memory, &permits);
    let (recorder, recording) = Recorder::with_capacity(held, 100);
    let task = tokio::spawn(recording);
    let mut service = single(&recorder);
    let start = Instant::now();
    for _ in 0..1_000 {
        call(&mut service);
    }
    assert!(start.elapsed() < SECOND);
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.dropped, stats.written), (100, 900, 0));
    permits.add_permits(1_000);
    recorder.drain(SECOND).await.unwrap();
    assert_eq!(memory.branches().len(), 100);
    // There is room again.
    call(&mut service);
    recorder.drain(SECOND).await.unwrap();
    assert_eq!(recorder.stats().written, 101);
    drop((service, recorder));
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_fails_or_panics_loses_exactly_its_batch_and_recovers() {
    for panics in [false, true] {
        let memory = MemoryBackend::new();
        let out = Arc::new(AtomicBool::new(true));
        let flaky = Before::failing(&memory, &out, panics);
        let (recorder, recording) = Recorder::pair(flaky);
        tokio::spawn(recording);
        let mut service = single(&recorder);
        (0..7).for_each(|_| call(&mut service));
        recorder.drain(SECOND).await.unwrap();
        assert_eq!((recorder.stats().written, recorder.stats().lost), (0, 7));
        out.store(false, SeqCst);
        (0..5).for_each(|_| call(&mut service));
        recorder.drain(SECOND).await.unwrap();
        assert_eq!((recorder.stats().written, recorder.stats().lost), (5, 7));
        assert_eq!(memory.branches().len(), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn drain_gives_up_at_its_deadline_and_says_how_many_wait() {
    let permits = Arc::new(Semaphore::new(0));
    let held = Before::permission(&MemoryBackend::new(), &permits);
    let (recorder, recording) = Recorder::pair(held);
    tokio::spawn(recording);
    let mut service = single(&recorder);
    (0..3).for_each(|_| call(&mut service));
    let start = tokio::time::Instant::now();
    let error = recorder.drain(2 * SECOND).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!(error.to_string(), "3 branches and 0 comparisons were not written in time");
    permits.add_permits(1);
    recorder.drain(SECOND).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn drain_does_not_wait_for_what_comes_after_it() {
    let records = records();
    let mut service = single(&records.recorder);
    call(&mut service);
    let start = tokio::time::Instant::now();
    records.recorder.drain(SECOND).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO, "a drain does not wait for branches to gather");
    records.recorder.drain(SECOND).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_recording_ends_with_everything_written_when_the_last_recorder_is_gone() {
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    let task = tokio::spawn(recording);
    let mut service = single(&recorder);
    (0..10).for_each(|_| call(&mut service));
    drop(recorder);
    tokio::time::sleep(SECOND).await;
    assert!(!task.is_finished(), "the service still has a recorder");
    call(&mut service);
    drop(service);
    task.await.unwrap();
    assert_eq!(memory.branches().len(), 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorders_dropped_on_many_threads_at_once_end_the_recording() {
    for _ in 0..500 {
        let memory = MemoryBackend::new();
        let (recorder, recording) = Recorder::pair(memory.clone());
        let task = tokio::spawn(recording);
        let barrier = Arc::new(std::sync::Barrier::new(3));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (recorder, barrier) = (recorder.clone(), barrier.clone());
                thread::spawn(move || {
                    barrier.wait();
                    drop(recorder);
                })
            })
            .collect();
        drop(recorder);
        for thread in threads {
            thread.join().unwrap();
        }
        tokio::time::timeout(10 * SECOND, task).await.expect("the recording ends").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_recording_wakes_for_every_branch_however_they_come() {
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let service = single(&recorder);
    for round in 1..=60 {
        let mut service = service.clone();
        tokio::task::spawn_blocking(move || call(&mut service)).await.unwrap();
        eventually("written without a drain", || recorder.stats().written == round).await;
    }
    assert_eq!(memory.branches().len(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_was_dropped_drops_and_counts() {
    let (recorder, recording) = Recorder::pair(MemoryBackend::new());
    let mut service = single(&recorder);
    (0..4).for_each(|_| call(&mut service));
    drop(recording);
    (0..3).for_each(|_| call(&mut service));
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.written, stats.lost, stats.dropped), (4, 0, 4, 3));
    assert_eq!(stats.waiting(), 0);
    let start = tokio::time::Instant::now();
    recorder.drain(SECOND).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_recording_aborted_in_the_middle_of_a_batch_counts_it_as_lost() {
    let held = Before::permission(&MemoryBackend::new(), &Arc::new(Semaphore::new(0)));
    let (recorder, recording) = Recorder::pair(held);
    let task = tokio::spawn(recording);
    let mut service = single(&recorder);
    (0..2).for_each(|_| call(&mut service));
    recorder.drain(SECOND).await.unwrap_err();
    (0..3).for_each(|_| call(&mut service));
    task.abort();
    let _ = task.await;
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.lost, stats.waiting()), (5, 5, 0));
}
