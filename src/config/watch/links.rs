//! Which directory entries lead to a file: those whose change may make it another.

use std::{
    collections::VecDeque,
    ffi::OsString,
    path::{Component, Path, PathBuf},
};

/// As many as the system follows.
const MAX_LINKS: usize = 40;

/// An entry of a directory, which is itself no symbolic link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) directory: PathBuf,
    pub(super) name: OsString,
}

/// Every symbolic link on the way to `path`, and the file itself at last; or else the first entry
/// that is not there.
pub(super) fn entries(path: &Path) -> Vec<Entry> {
    let mut found = Vec::new();
    let Ok(path) = std::path::absolute(path) else { return found };
    let mut rest: VecDeque<PathBuf> = parts(&path).collect();
    let mut here = PathBuf::new();
    while let Some(part) = rest.pop_front() {
        let name = match part.components().next() {
            Some(Component::Normal(name)) => name.to_owned(),
            Some(Component::ParentDir) => {
                here.pop();
                continue;
            }
            Some(Component::RootDir | Component::Prefix(_)) => {
                here.push(part);
                continue;
            }
            Some(Component::CurDir) | None => continue,
        };
        let next = here.join(&name);
        let target = std::fs::symlink_metadata(&next)
            .map(|metadata| metadata.is_symlink().then(|| std::fs::read_link(&next)));
        let entry = Entry { directory: here.clone(), name };
        match target {
            Ok(Some(Ok(target))) => {
                found.push(entry);
                if found.len() > MAX_LINKS {
                    return found;
                }
                if target.is_absolute() {
                    here = PathBuf::new();
                }
                parts(&target).rev().for_each(|part| rest.push_front(part));
            }
            Ok(None) => {
                if rest.is_empty() {
                    found.push(entry);
                }
                here = next;
            }
            Ok(Some(Err(_))) | Err(_) => {
                found.push(entry);
                return found;
            }
        }
    }
    found
}

fn parts(path: &Path) -> impl DoubleEndedIterator<Item = PathBuf> {
    path.components().map(|part| PathBuf::from(part.as_os_str()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn of(root: &Path, path: &str) -> Vec<String> {
        let root = root.canonicalize().unwrap();
        let entries = entries(&root.join(path)).into_iter();
        let paths = entries.map(|entry| entry.directory.join(entry.name));
        let below = paths.filter_map(|path| Some(path.strip_prefix(&root).ok()?.to_owned()));
        below.map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn each_link_on_the_way_counts_and_the_file_itself() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        std::fs::create_dir_all(at("etc/..v1")).unwrap();
        std::fs::write(at("etc/..v1/a.yaml"), "").unwrap();
        symlink("..v1", at("etc/..data")).unwrap();
        symlink("..data/a.yaml", at("etc/a.yaml")).unwrap();
        symlink(at("etc"), at("mounted")).unwrap();
        assert_eq!(
            of(root.path(), "mounted/../etc/./a.yaml"),
            ["mounted", "etc/a.yaml", "etc/..data", "etc/..v1/a.yaml"]
        );
    }

    #[test]
    fn of_what_is_not_there_the_first_missing_entry_counts() {
        let root = tempfile::tempdir().unwrap();
        symlink("none/deep", root.path().join("dangling")).unwrap();
        assert_eq!(of(root.path(), "a/b/c.yaml"), ["a"]);
        assert_eq!(of(root.path(), "dangling/x"), ["dangling", "none"]);
    }

    #[test]
    fn a_circle_ends() {
        let root = tempfile::tempdir().unwrap();
        symlink("b", root.path().join("a")).unwrap();
        symlink("a", root.path().join("b")).unwrap();
        assert_eq!(of(root.path(), "a").len(), MAX_LINKS + 1);
    }
}
