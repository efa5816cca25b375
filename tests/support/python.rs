//! Python environments for tests, each made once for all test binaries.
#![allow(clippy::print_stderr, reason = "says why it takes long")]

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The `python` of an environment under `target/` that has the package `wanted` (as `pip install` takes it, options
/// first). What cannot be
/// had is a panic that says why: these tests never pass unrun.
pub(crate) fn environment(name: &str, wanted: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    fs::create_dir_all(&target).expect("the target directory");
    // One process makes it; the others wait for the lock, and then find it made.
    let lock = File::create(target.join(format!("{name}.lock"))).expect("the lock file");
    lock.lock().expect("the lock of the environment");
    let venv = target.join(name);
    let python = venv.join("bin/python");
    let stamp = venv.join("made-for");
    if fs::read_to_string(&stamp).is_ok_and(|made_for| made_for == wanted) {
        return python;
    }
    eprintln!("installing {wanted} into {}, once …", venv.display());
    // Half-made, or made for another version.
    let _ = fs::remove_dir_all(&venv);
    run(Command::new("python3").arg("-m").arg("venv").arg(&venv));
    let install = ["-m", "pip", "install", "--quiet"];
    run(Command::new(&python).args(install).args(wanted.split(' ')));
    fs::write(&stamp, wanted).expect("the stamp file");
    python
}

/// Runs a command to its end; the test fails with what it said if it fails.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| {
        panic!("these tests need Python, and {command:?} cannot be run: {error}")
    });
    assert!(
        output.status.success(),
        "these tests need Python, and {command:?} failed ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}
