//! Pools that follow their files, on the real file system.

use std::{
    fs,
    io::Write,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{sync::watch::Receiver, task::JoinHandle};
use tower_spearmint::{
    ConfigPool,
    config::watch::{Watch, Watched, WatchedPool},
};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.at(path), text).unwrap();
    }

    /// As editors do.
    fn replace(&self, path: &str, text: &str) {
        self.write("new~", text);
        fs::rename(self.at("new~"), self.at(path)).unwrap();
    }

    /// As Kubernetes does.
    fn swap(&self, link: &str, target: &str) {
        symlink(target, self.at("link~")).unwrap();
        fs::rename(self.at("link~"), self.at(link)).unwrap();
    }
}

struct Followed {
    pool: WatchedPool,
    changes: Receiver<Arc<Watched>>,
    task: JoinHandle<()>,
}

impl Followed {
    async fn start(path: &Path) -> Self {
        let (pool, watching) = ConfigPool::watch(path).await.unwrap();
        let changes = pool.subscribe();
        Self { pool, changes, task: tokio::spawn(watching) }
    }

    /// Waits for the next change, taken or not.
    async fn next(&mut self) -> Arc<Watched> {
        tokio::time::timeout(PATIENCE, self.changes.changed()).await.unwrap().unwrap();
        let next = self.changes.borrow_and_update().clone();
        assert_eq!(self.pool.epoch(), next.epoch);
        next
    }

    /// The `v` of the first config after the next change, which must be one that is taken.
    async fn next_value(&mut self) -> i64 {
        let before = self.changes.borrow().epoch;
        let next = self.next().await;
        assert_eq!((next.epoch, &next.last_error), (before + 1, &None));
        self.pool.pool()[0].get("v").unwrap()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn a_file_that_is_written_in_place_or_replaced_is_taken() {
    let files = Files::new();
    files.write("pool.yaml", "v: 1");
    let mut followed = Followed::start(&files.at("pool.yaml")).await;
    for v in (2..10).step_by(2) {
        files.write("pool.yaml", &format!("v: {v}"));
        assert_eq!(followed.next_value().await, v);
        files.replace("pool.yaml", &format!("v: {}", v + 1));
        assert_eq!(followed.next_value().await, v + 1);
    }
    assert_eq!(followed.pool.current().rejected, 0);
}

#[tokio::test]
async fn a_mistake_is_counted_and_told_and_the_pool_before_stays() {
    let files = Files::new();
    files.write("pool.yaml", "v: 1");
    let mut followed = Followed::start(&files.at("pool.yaml")).await;
    files.write("pool.yaml", "v: 1\nv: 2");
    let next = followed.next().await;
    assert_eq!((next.epoch, next.rejected), (1, 1));
    let error = next.last_error.clone().unwrap();
    assert!(
        error.ends_with("pool.yaml:2:1: the key `v` is written twice in one map; keep one of them"),
        "{error}"
    );
    assert_eq!(next.pool[0].get::<i64>("v").unwrap(), 1);
    files.write("pool.yaml", "v: 2");
    assert_eq!(followed.next_value().await, 2);
    assert_eq!(followed.pool.current().rejected, 1);
}

#[tokio::test]
async fn a_swapped_link_is_followed_as_kubernetes_mounts_a_config_map() {
    let files = Files::new();
    let version = |v: i64| {
        fs::create_dir(files.at(&format!("..{v}"))).unwrap();
        files.write(&format!("..{v}/pool.yaml"), &format!("v: {v}"));
    };
    version(1);
    symlink("..1", files.at("..data")).unwrap();
    symlink("..data/pool.yaml", files.at("pool.yaml")).unwrap();
    // Mounted elsewhere, by a link.
    let elsewhere = Files::new();
    symlink(files.at("pool.yaml"), elsewhere.at("mine.yaml")).unwrap();
    let mut followed = Followed::start(&elsewhere.at("mine.yaml")).await;
    for v in 2..6 {
        version(v);
        files.swap("..data", &format!("..{v}"));
        fs::remove_dir_all(files.at(&format!("..{}", v - 1))).unwrap();
        assert_eq!(followed.next_value().await, v);
    }
    // What it leads to now is followed, too.
    files.write("..5/pool.yaml", "v: 7");
    assert_eq!(followed.next_value().await, 7);
    files.write("other.yaml", "v: 8");
    elsewhere.swap("mine.yaml", files.at("other.yaml").to_str().unwrap());
    assert_eq!(followed.next_value().await, 8);
}

#[tokio::test]
async fn the_contents_of_a_file_that_a_config_refers_to_are_followed() {
    let files = Files::new();
    files.write("pool.yaml", "{ v: 1, prompt: \"${file:prompt.txt}\" }");
    files.write("prompt.txt", "Be brief.\n");
    let mut followed = Followed::start(&files.at("pool.yaml")).await;
    let prompt = |pool: &WatchedPool| pool.pool()[0].get::<String>("prompt").unwrap();
    files.replace("prompt.txt", "Be kind.\n");
    assert_eq!((followed.next_value().await, prompt(&followed.pool)), (1, "Be kind.".to_owned()));
    // Another file instead: it is followed, and the first is not any more.
    files.write("other.txt", "Be.\n");
    files.write("pool.yaml", "{ v: 2, prompt: \"${file:other.txt}\" }");
    assert_eq!((followed.next_value().await, prompt(&followed.pool)), (2, "Be.".to_owned()));
    files.write("prompt.txt", "Nobody reads this.\n");
    files.write("other.txt", "Be here.\n");
    assert_eq!((followed.next_value().await, prompt(&followed.pool)), (2, "Be here.".to_owned()));
}

#[tokio::test]
async fn a_mounted_secret_is_followed_through_a_swap_of_its_links() {
    let files = Files::new();
    let mounted = Files::new();
    let version = |v: i64| {
        fs::create_dir(mounted.at(&format!("..{v}"))).unwrap();
        mounted.write(&format!("..{v}/api_key"), &format!("key-{v}"));
    };
    version(1);
    symlink("..1", mounted.at("..data")).unwrap();
    symlink("..data/api_key", mounted.at("api_key")).unwrap();
    let key = mounted.at("api_key");
    files.write("pool.yaml", &format!("{{ v: 1, key: '${{file:{}}}' }}", key.display()));
    let mut followed = Followed::start(&files.at("pool.yaml")).await;
    for v in 2..4 {
        version(v);
        mounted.swap("..data", &format!("..{v}"));
        fs::remove_dir_all(mounted.at(&format!("..{}", v - 1))).unwrap();
        assert_eq!(followed.next_value().await, 1);
        let config = followed.pool.pool()[0].clone();
        assert_eq!(config.get::<String>("key").unwrap(), format!("key-{v}"));
        assert_eq!(config.redacted()["key"], "[redacted]");
    }
}

#[tokio::test]
async fn a_file_that_is_missing_is_waited_for() {
    let files = Files::new();
    files.write("pool.yaml", "v: 1");
    let mut followed = Followed::start(&files.at("pool.yaml")).await;
    files.write("pool.yaml", "{ v: 2, prompt: \"${file:prompt.txt}\" }");
    assert_eq!(followed.next().await.rejected, 1);
    files.write("prompt.txt", "Be brief.");
    assert_eq!(followed.next_value().await, 2);
}

#[tokio::test]
async fn files_that_come_and_go_in_a_directory_are_followed() {
    let files = Files::new();
    files.write("a.yaml", "{ config_id: a, v: 1 }");
    let mut followed = Followed::start(&files.at("")).await;
    files.write("b.yaml", "{ config_id: b, v: 1 }");
    assert_eq!(followed.next().await.pool.len(), 2);
    fs::create_dir(files.at("deep")).unwrap();
    files.write("deep/c.yaml", "{ config_id: c, v: 1 }");
    assert_eq!(followed.next().await.pool.len(), 3);
    files.replace("deep/c.yaml", "[{ config_id: c, v: 2 }, { config_id: d }]");
    assert_eq!(followed.next().await.pool.len(), 4);
    fs::remove_file(files.at("a.yaml")).unwrap();
    let last = followed.next().await;
    assert_eq!((last.pool.len(), last.epoch, last.rejected), (3, 5, 0));
}

#[tokio::test]
async fn a_file_that_is_gone_for_a_moment_is_no_mistake() {
    let files = Files::new();
    files.write("pool.yaml", "v: 1");
    let mut followed = Followed::start(&files.at("pool.yaml")).await;
    for v in 2..5 {
        fs::remove_file(files.at("pool.yaml")).unwrap();
        tokio::task::yield_now().await;
        files.write("pool.yaml", &format!("v: {v}"));
        assert_eq!(followed.next_value().await, v);
    }
    assert_eq!(followed.pool.current().rejected, 0);
}

#[tokio::test]
async fn a_file_that_stays_gone_is_a_mistake_until_it_comes_back() {
    let files = Files::new();
    fs::create_dir(files.at("in")).unwrap();
    files.write("in/pool.yaml", "v: 1");
    let mut followed = Followed::start(&files.at("in/pool.yaml")).await;
    fs::remove_dir_all(files.at("in")).unwrap();
    let next = followed.next().await;
    assert_eq!((next.epoch, next.rejected), (1, 1));
    assert!(next.last_error.as_ref().unwrap().contains("in/pool.yaml: No such file"));
    fs::create_dir(files.at("in")).unwrap();
    files.write("in/pool.yaml", "v: 2");
    assert_eq!(followed.next_value().await, 2);
}

#[tokio::test]
async fn the_same_bytes_are_no_change() {
    let files = Files::new();
    files.write("pool.yaml", "v: 1");
    let mut watch = Watch::new([files.at("pool.yaml")]).await.settle(Duration::from_millis(1));
    let same = async {
        for _ in 0..50 {
            files.replace("pool.yaml", "v: 1");
            tokio::task::spawn_blocking(|| {}).await.unwrap();
        }
    };
    tokio::select! {
        () = watch.changed() => panic!("nothing changed"),
        () = same => {}
    }
    files.write("pool.yaml", "v: 2");
    tokio::time::timeout(PATIENCE, watch.changed()).await.unwrap();
}

#[tokio::test]
async fn a_file_is_not_read_while_it_is_being_written() {
    let files = Files::new();
    files.write("pool.yaml", "v: [0]");
    let watch = Watch::new([files.at("pool.yaml")]).await.settle(Duration::from_millis(1));
    let path = files.at("pool.yaml");
    let read = move || ConfigPool::from_yaml_file(&path);
    let (pool, watching) = WatchedPool::pair(watch, read).await.unwrap();
    let mut followed = Followed { changes: pool.subscribe(), pool, task: tokio::spawn(watching) };
    let mut file = fs::File::create(files.at("pool.yaml")).unwrap();
    for number in 0..50 {
        write!(file, "{}", if number == 0 { "v: [0" } else { ", 0" }).unwrap();
        tokio::task::spawn_blocking(|| {}).await.unwrap();
    }
    write!(file, "]").unwrap();
    drop(file);
    let next = followed.next().await;
    assert_eq!((next.epoch, next.rejected), (2, 0));
    assert_eq!(next.pool[0].get::<Vec<i64>>("v").unwrap().len(), 50);
}

#[tokio::test]
async fn it_ends_with_its_pool_and_the_pool_outlives_it() {
    let files = Files::new();
    files.write("pool.yaml", "v: 1");
    let (pool, watching) = ConfigPool::watch(files.at("pool.yaml")).await.unwrap();
    let subscriber = pool.subscribe();
    let watching = tokio::spawn(watching);
    drop(pool);
    drop(subscriber);
    tokio::time::timeout(PATIENCE, watching).await.unwrap().unwrap();

    let mut followed = Followed::start(&files.at("pool.yaml")).await;
    followed.task.abort();
    assert!(followed.changes.changed().await.is_err());
    assert_eq!(followed.pool.pool()[0].get::<i64>("v").unwrap(), 1);
}

#[tokio::test]
async fn what_a_secret_was_is_not_told() {
    let files = Files::new();
    files.write("pool.yaml", "{ config_id: a, api_key: k-secret }");
    let mut followed = Followed::start(&files.at("pool.yaml")).await;
    files.write("pool.yaml", "{ config_id: a, api_key: n-secret }");
    let next = followed.next().await;
    assert_eq!(next.pool[0].get::<String>("api_key").unwrap(), "n-secret");
    assert!(!format!("{next:?}").contains("-secret"));
}

#[cfg(feature = "cli")]
thread_local! {
    /// What was logged by this thread, which is that of one test.
    static LOG: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
}

#[cfg(feature = "cli")]
struct Log;

#[cfg(feature = "cli")]
impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "cli")]
#[tokio::test]
async fn what_changed_is_logged_by_path_and_what_is_wrong_with_its_place() {
    let files = Files::new();
    // For the whole process: one for a thread would miss what others have met before.
    let subscriber = tracing_subscriber::fmt()
        .with_writer(|| Log)
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let configs = |candidate: &str| {
        format!("- {{ config_id: stable }}\n- {{ config_id: candidate, {candidate} }}\n")
    };
    files.write("ranker.yaml", &configs("llm: { temperature: 0.2, stop: [\"\\n\"] }"));
    let mut followed = Followed::start(&files.at("ranker.yaml")).await;
    let next = configs("llm: { temperature: 0.7 }") + "- { config_id: third }\n";
    files.write("ranker.yaml", &next);
    assert_eq!(followed.next().await.epoch, 2);
    files.write("ranker.yaml", "v: 1\nv: 2");
    assert_eq!(followed.next().await.rejected, 1);
    let log = String::from_utf8(LOG.take()).unwrap();
    let directory = format!("{}/", files.at("").display()).replace("//", "/");
    assert_eq!(
        log.replace(&directory, ""),
        " INFO the configs changed epoch=2
 INFO - [candidate].llm.stop: [\"\\n\"]
 INFO ~ [candidate].llm.temperature: 0.2 → 0.7
 INFO + [third]: {\"config_id\":\"third\"}
ERROR a change was not taken; the configs before stay in use error=ranker.yaml:2:1: the key `v` \
is written twice in one map; keep one of them rejected=1
"
    );
}
