//! `sys.*`: the machine.

use super::DrawnFrom;
use serde_json::Value;

type Answer = Result<(Value, DrawnFrom), String>;

/// What a process may use, which a container's limits may have made fewer than there are.
pub(super) fn cpu_count() -> Answer {
    let count = std::thread::available_parallelism()
        .map_err(|error| format!("the number of processors is not known: {error}"))?;
    Ok((count.get().into(), DrawnFrom::SYSTEM))
}

/// From the kernel where it has a file for it, else from what the system sets for its processes.
pub(super) fn hostname() -> Answer {
    let from_file = |file| std::fs::read_to_string(file).ok();
    from_file("/proc/sys/kernel/hostname")
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .or_else(|| from_file("/etc/hostname"))
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .map(|name| (name.into(), DrawnFrom::SYSTEM))
        .ok_or_else(|| {
            "the name of this machine is not known; set the environment variable HOSTNAME"
                .to_owned()
        })
}

pub(super) fn platform() -> (Value, DrawnFrom) {
    (std::env::consts::OS.into(), DrawnFrom::SYSTEM)
}

pub(super) fn directory() -> Answer {
    let directory = std::env::current_dir()
        .map_err(|error| format!("the current directory is not known: {error}"))?;
    match directory.to_str() {
        Some(directory) => Ok((directory.into(), DrawnFrom::SYSTEM)),
        None => Err("the name of the current directory is not UTF-8".to_owned()),
    }
}
