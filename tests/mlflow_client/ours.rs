//! `spearmint ui` over a store of its own.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

const STORE: &str = "spearmint.db";

/// It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    uri: String,
    directory: Option<tempfile::TempDir>,
}

impl Server {
    /// Starts it over an empty store, and waits until it says where it listens.
    pub(crate) fn start() -> Self {
        Self::over(tempfile::tempdir().expect("a directory for the store"))
    }

    /// The same over what `spearmint demo` recorded.
    pub(crate) fn after_demo(requests: u32) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the store");
        let output = Command::new(env!("CARGO_BIN_EXE_spearmint"))
            .args(["demo", "--requests", &requests.to_string(), "--store", STORE])
            .current_dir(directory.path())
            .output()
            .expect("spearmint");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self::over(directory)
    }

    fn over(directory: tempfile::TempDir) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spearmint"));
        command
            .args(["ui", "--listen", "127.0.0.1:0", "--store", STORE])
            .current_dir(directory.path());
        let mut server = Self::run(&mut command);
        server.directory = Some(directory);
        server
    }

    /// Starts what such a command starts.
    pub(crate) fn run(command: &mut Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().expect("spearmint");
        let mut said = BufReader::new(process.stderr.take().expect("its output")).lines();
        let mut heard = String::new();
        let uri = loop {
            let line = said.next().unwrap_or_else(|| panic!("`spearmint ui` said only:\n{heard}"));
            let line = line.expect("text");
            if let Some((_, uri)) = line.split_once(" at http") {
                break format!("http{}", uri.trim());
            }
            heard += &(line + "\n");
        };
        // Its pipe is emptied for as long as it writes.
        std::thread::spawn(move || said.for_each(drop));
        Self { process, uri, directory: None }
    }

    /// Its address, for `MLFLOW_TRACKING_URI`.
    pub(crate) fn uri(&self) -> String {
        self.uri.clone()
    }

    /// The file of its store.
    pub(crate) fn database(&self) -> PathBuf {
        self.directory.as_ref().expect("a store of its own").path().join(STORE)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
