//! The file, followed while it is served.

use super::{
    file::ExperimentFile,
    handle::{ProxyHandle, log},
};
use crate::{
    BoxError,
    config::{
        ConfigError,
        interpolate::Noted,
        watch::{Print, Watch},
    },
};
use futures_util::future;
use std::pin::pin;

impl ProxyHandle {
    /// Follows the file in use, and the files it was made of or names
    /// ([`ExperimentFile::followed_files`]), until the proxy stops: what changes
    /// is put to use, or else logged and counted, as [`reread_and_log`](Self::reread_and_log)
    /// does; see [`Watch`] for how changes are noticed. Spawn it; dropped, it stops.
    ///
    /// What an operator reloaded already is not loaded again. Nothing happens if the file came
    /// from a text.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime with time.
    pub async fn follow(self) {
        let mut stopping = self.0.stopping.subscribe();
        let stopped = stopping.wait_for(|is_stopping| *is_stopping);
        future::select(pin!(stopped), pin!(self.follow_files())).await;
    }

    async fn follow_files(&self) {
        let sources = self.file().followed_files().to_vec();
        if sources.is_empty() {
            return;
        }
        let mut watch = Watch::new(sources).await;
        self.catch_up().await;
        loop {
            let file = self.file();
            let noted = Noted::default();
            let read = noted.clone();
            let (print, found) = watch.next(move || file.reread_noting(&read)).await;
            let is_wrong = found.is_err();
            self.take(print, found).await;
            let mut files = self.file().followed_files().to_vec();
            if is_wrong {
                // What the one with a mistake reads may be what will mend it.
                let noted = noted.files();
                let others: Vec<_> =
                    noted.into_iter().filter(|file| !files.contains(file)).collect();
                files.extend(others);
            }
            if watch.turn_to(&files).await {
                self.catch_up().await;
            }
        }
    }

    /// What is watched may have changed between its reading and the watch.
    async fn catch_up(&self) {
        let file = self.file();
        let read = move || {
            let print = Print::of(file.followed_files());
            let found = file.reread();
            let is_the_same =
                |found: &ExperimentFile| file.has_its_certificates() && file.diff(found).is_empty();
            let is_the_same = found.as_ref().is_ok_and(is_the_same);
            (print, found, is_the_same)
        };
        let Ok((print, found, is_the_same)) = tokio::task::spawn_blocking(read).await else {
            return;
        };
        let is_told = |error: &ConfigError| self.stats().last_error == Some(error.to_string());
        if !is_the_same && !found.as_ref().is_err_and(is_told) {
            self.take(print, found).await;
        }
    }

    async fn take(&self, print: Print, found: Result<ExperimentFile, impl Into<BoxError>>) {
        if self.tries_again(print) {
            return;
        }
        let reloaded = match found {
            Ok(file) => {
                let handle = self.clone();
                // Certificates are read.
                let reload = tokio::task::spawn_blocking(move || handle.reload_next(&file)).await;
                reload.unwrap_or_else(|error| Err(error.into()))
            }
            Err(error) => Err(error.into()).inspect_err(|error| self.reject(error)),
        };
        // What came of it is in the log and in the counters.
        let _ = log(reloaded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Recorder, proxy::Proxy, record::MemoryBackend};

    #[tokio::test]
    async fn what_an_operator_reloaded_is_not_loaded_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.yaml");
        let write = |upstream: &str| {
            let configs = format!("configs: [{{ config_id: a, upstream: 'http://{upstream}' }}]");
            std::fs::write(&path, format!("experiment: a\nstrategy: single\n{configs}")).unwrap();
        };
        write("a");
        let file = ExperimentFile::from_yaml_file(&path).unwrap();
        let (recorder, _recording) = Recorder::pair(MemoryBackend::new());
        let proxy = Proxy::new(&file, recorder).unwrap();
        let handle = proxy.handle();
        let noticed = async || {
            let file = handle.file();
            handle.take(Print::of(file.files()), file.reread()).await;
            handle.stats().epoch.number()
        };
        write("b");
        assert_eq!(handle.reread().await.unwrap().epoch.number(), 2);
        assert_eq!(noticed().await, 2);
        write("c");
        assert_eq!(noticed().await, 3);
        assert_eq!(noticed().await, 3);
        // An operator may.
        let reloaded = handle.reread().await.unwrap();
        assert_eq!((reloaded.epoch.number(), reloaded.diff.is_empty()), (4, true));
    }

    #[tokio::test]
    async fn a_change_before_the_watch_began_is_caught_up_with() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.yaml");
        let text = "experiment: a\nstrategy: single\nconfigs: [{ upstream: 'http://a' }]";
        std::fs::write(&path, text).unwrap();
        let file = ExperimentFile::from_yaml_file(&path).unwrap();
        let (recorder, _recording) = Recorder::pair(MemoryBackend::new());
        let proxy = Proxy::new(&file, recorder).unwrap();
        let handle = proxy.handle();
        // Another text that says the same.
        std::fs::write(&path, format!("# a\n{text}")).unwrap();
        handle.catch_up().await;
        assert_eq!(handle.stats().epoch.number(), 1);
        std::fs::write(&path, text.replace("http://a", "http://b")).unwrap();
        handle.catch_up().await;
        assert_eq!(handle.stats().epoch.number(), 2);
    }

    /// One that was begun before a change, and ends after it, must not bring back what was there.
    #[cfg(all(unix, feature = "schema"))]
    #[tokio::test]
    async fn of_two_who_reload_at_once_the_later_reading_is_in_use() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.yaml");
        let write = |upstream: &str, more: &str| {
            let configs = format!("configs: [{{ config_id: a, upstream: 'http://{upstream}' }}]");
            let text = format!("experiment: a\nstrategy: single\n{configs}\n{more}");
            std::fs::write(&path, text).unwrap();
        };
        write("a", "");
        let file = ExperimentFile::from_yaml_file(&path).unwrap();
        let (recorder, _recording) = Recorder::pair(MemoryBackend::new());
        let handle = Proxy::new(&file, recorder).unwrap().handle();
        // A pipe holds up whoever reads it.
        let pipe = directory.path().join("own.json");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        write("b", "schema: own.json");
        let reread = |handle: ProxyHandle| tokio::spawn(async move { handle.reread().await });
        let slow = reread(handle.clone());
        // This waits for the reader, who has read `a.yaml` by then.
        let piped = pipe.clone();
        let open = move || std::fs::File::options().write(true).open(&piped).unwrap();
        let mut held_up = tokio::task::spawn_blocking(open).await.unwrap();
        write("c", "");
        let mut quick = reread(handle.clone());
        let waits = std::time::Duration::from_millis(200);
        let done = tokio::time::timeout(waits, &mut quick).await;
        // Whoever looks at it again, for what it holds, finds a file.
        let plain = directory.path().join("plain.json");
        std::fs::write(&plain, "{}").unwrap();
        std::fs::rename(&plain, &pipe).unwrap();
        std::io::Write::write_all(&mut held_up, b"{}").unwrap();
        drop(held_up);
        slow.await.unwrap().unwrap();
        if done.is_err() {
            quick.await.unwrap().unwrap();
        }
        let file = handle.file();
        assert_eq!(file.upstreams().next().unwrap().1, "http://c");
    }
}
