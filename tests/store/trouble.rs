//! Full disks and locked files.

use super::support::{Dir, Second, block_on, branches, write};
use std::{
    fs,
    io::stdin,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};
use tower_spearmint::{
    Branch, Recorder,
    record::LoggerBackend,
    store::{SqliteStore, StoreOptions},
};

/// Writes until a batch is refused; returns how many branches were kept.
fn fill(store: &SqliteStore, batches: &mut dyn Iterator<Item = &[Branch]>) -> u64 {
    let mut kept = 0;
    for batch in batches {
        match write(store, batch) {
            Ok(()) => kept += batch.len() as u64,
            Err(error) => {
                assert_eq!(error.lost, batch.len());
                let text = error.source.to_string();
                assert!(text.contains("cannot write: the disk is full"), "{text}");
                return kept;
            }
        }
    }
    panic!("it was never full");
}

fn integrity(file: &Path) -> String {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap()
}

#[test]
fn a_file_at_its_size_limit_loses_exactly_the_batches_that_do_not_fit() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let all = branches("limit", 20_000);
    let mut batches = all.chunks(1_000);
    let store = StoreOptions::new().max_size(1024 * 1024).open(&file).unwrap();
    let kept = fill(&store, &mut batches);
    assert!(kept > 0);
    assert_eq!(store.counts().unwrap().branches, kept);
    // Still full, and still only this batch's loss.
    assert_eq!(write(&store, batches.next().unwrap()).unwrap_err().lost, 1_000);
    drop(store);
    assert!(fs::metadata(&file).unwrap().len() <= 1024 * 1024);
    let store = StoreOptions::new().max_size(2048 * 1024).open(&file).unwrap();
    write(&store, batches.next().unwrap()).unwrap();
    assert_eq!(store.counts().unwrap().branches, kept + 1_000);
    assert_eq!(integrity(&file), "ok");
}

/// A file system of 8 MiB.
struct SmallDisk(Dir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let dir = Dir::new();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(dir.path())
            .status()
            .is_ok_and(|status| status.success());
        done.then_some(Self(dir))
    }

    fn remount(&self, how: &str) {
        let how = format!("remount,{how}");
        let done = Command::new("mount").args(["-o", &how]).arg(self.0.path()).status();
        assert!(done.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_loses_exactly_the_batches_it_had_no_room_for_and_then_goes_on() {
    let Some(disk) = SmallDisk::mount() else {
        // Only root may mount; the test above makes SQLite meet the same error by its own limit.
        eprintln!(
            "no file system could be mounted: run as root to test a disk that is really full"
        );
        return;
    };
    let file = disk.0.file("s.db");
    let ballast = disk.0.file("ballast");
    let all = branches("disk", 60_000);
    let mut batches = all.chunks(1_000);
    let store = SqliteStore::open(&file).unwrap();
    fs::write(&ballast, vec![1; 7 * 1024 * 1024]).unwrap();
    let kept = fill(&store, &mut batches);
    assert!(kept > 0);
    assert_eq!(store.counts().unwrap().branches, kept);

    // Through a recorder: counted, and nothing else.
    block_on(async {
        let (recorder, recording) = Recorder::pair(store.clone());
        let recording = tokio::spawn(recording);
        let batch = batches.next().unwrap();
        recorder.log_batch(batch).await.unwrap();
        recorder.drain(Duration::from_secs(10)).await.unwrap();
        assert_eq!((recorder.stats().lost, recorder.stats().written), (1_000, 0));
        fs::remove_file(&ballast).unwrap();
        recorder.log_batch(batches.next().unwrap()).await.unwrap();
        recorder.drain(Duration::from_secs(10)).await.unwrap();
        assert_eq!((recorder.stats().lost, recorder.stats().written), (1_000, 1_000));
        drop(recorder);
        recording.await.unwrap();
    });
    assert_eq!(store.counts().unwrap().branches, kept + 1_000);
    drop(store);
    assert_eq!(integrity(&file), "ok");
}

#[test]
fn a_disk_that_may_only_be_read_is_refused_for_writing_and_read_all_the_same() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("no file system could be mounted: run as root to test one that is read-only");
        return;
    };
    let file = disk.0.file("s.db");
    let store = SqliteStore::open(&file).unwrap();
    write(&store, &branches("kept", 100)).unwrap();
    drop(store);
    disk.remount("ro");
    let error = SqliteStore::open(&file).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: cannot open: it could not be opened; check that it is a file, and that this \
             user may read and write it and its directory",
            file.display()
        )
    );
    let reader = SqliteStore::open_read_only(&file).unwrap();
    assert_eq!(reader.counts().unwrap().branches, 100);
    disk.remount("rw");
    write(&SqliteStore::open(&file).unwrap(), &branches("kept", 100)).unwrap();
    assert_eq!(reader.counts().unwrap().branches, 200);
}

#[test]
fn a_page_damaged_under_an_open_store_loses_counted_batches_and_writing_resumes_when_it_is_mended()
{
    let dir = Dir::new();
    let file = dir.file("s.db");
    let store = SqliteStore::open(&file).unwrap();
    let all = branches("damaged", 5_000);
    write(&store, &all[..2_000]).unwrap();
    // Another process moves the log into the file: what the store has read is out of date.
    let second = rusqlite::Connection::open(&file).unwrap();
    second.execute_batch("UPDATE code SET name = name; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(second);
    let whole = fs::read(&file).unwrap();
    let put = |bytes: &[u8]| {
        // In place: the store has the file open.
        let mut open = fs::File::options().write(true).open(&file).unwrap();
        std::io::Write::write_all(&mut open, bytes).unwrap();
    };
    let mut damaged = whole.clone();
    damaged[4096..].fill(0x5a);
    put(&damaged);
    block_on(async {
        let (recorder, recording) = Recorder::pair(store.clone());
        let recording = tokio::spawn(recording);
        recorder.log_batch(&all[2_000..3_000]).await.unwrap();
        recorder.drain(Duration::from_secs(10)).await.unwrap();
        assert_eq!((recorder.stats().lost, recorder.stats().written), (1_000, 0));
        let error = store.log_batch(&all[3_000..4_000]).await.unwrap_err().source.to_string();
        assert!(error.contains("is not a database, or a damaged one"), "{error}");
        put(&whole);
        recorder.log_batch(&all[4_000..]).await.unwrap();
        recorder.drain(Duration::from_secs(10)).await.unwrap();
        assert_eq!((recorder.stats().lost, recorder.stats().written), (1_000, 1_000));
        drop(recorder);
        recording.await.unwrap();
    });
    assert_eq!(store.counts().unwrap().branches, 3_000);
    drop(store);
    assert_eq!(integrity(&file), "ok");
}

/// The second process: holds the write lock until it is told to go.
#[test]
fn second_process_that_holds_the_lock() {
    let Some(file) = Second::file() else { return };
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    println!("said locked");
    let _ = stdin().read_line(&mut String::new());
}

#[test]
fn a_file_that_another_process_locks_for_too_long_loses_exactly_that_batch() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let patience = Duration::from_millis(200);
    let store = StoreOptions::new().busy_timeout(patience).open(&file).unwrap();
    let all = branches("locked", 300);
    write(&store, &all[..100]).unwrap();
    let mut second = Second::start("trouble::second_process_that_holds_the_lock", &file);
    assert_eq!(second.next().unwrap(), "locked");

    let started = Instant::now();
    let error = write(&store, &all[100..200]).unwrap_err();
    assert!(started.elapsed() >= patience);
    assert_eq!(error.lost, 100);
    let text = error.source.to_string();
    assert!(text.contains("another process has kept it locked"), "{text}");
    // Reading goes on, and so does opening.
    assert_eq!(SqliteStore::open(&file).unwrap().counts().unwrap().branches, 100);

    second.kill();
    write(&store, &all[200..]).unwrap();
    assert_eq!(store.counts().unwrap().branches, 200);
}

#[test]
fn a_locked_file_does_not_hold_up_the_only_thread_of_a_runtime() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let store = SqliteStore::open(&file).unwrap();
    let all = branches("patient", 100);
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let unlock = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        connection.execute_batch("COMMIT").unwrap();
    });
    block_on(async {
        let writing = store.log_batch(&all);
        let mut writing = std::pin::pin!(writing);
        let mut turns = 0;
        loop {
            tokio::select! {
                written = &mut writing => break written.unwrap(),
                () = tokio::time::sleep(Duration::from_millis(10)) => turns += 1,
            }
        }
        assert!(turns >= 10, "{turns}");
    });
    unlock.join().unwrap();
    assert_eq!(store.counts().unwrap().branches, 100);
}

#[test]
fn a_future_that_is_dropped_leaves_its_batch_whole() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let all = branches("dropped", 5_000);
    block_on(async {
        let poll_once = tokio::time::timeout(Duration::ZERO, store.log_batch(&all));
        assert!(poll_once.await.is_err());
        // Behind it, by the same connection.
        store.log_batch(&[]).await.unwrap();
    });
    assert_eq!(store.counts().unwrap().branches, 5_000);
}
