use super::*;
use std::time::{Duration, SystemTime};

fn new(root: &Path) -> Objects {
    Objects::new(root, Owner::new([7; 16]))
}

fn uploaded(objects: &Objects, content: &[u8]) -> Uploaded {
    let mut upload = objects.upload().unwrap();
    upload.write(content).unwrap();
    upload.finish().unwrap()
}

fn uploads(objects: &Objects) -> Vec<PathBuf> {
    fs::read_dir(objects.uploads()).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Makes a file look as if it was written two days ago.
fn age(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(48 * 3_600)).unwrap();
}

#[test]
fn equal_contents_are_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let objects = new(&directory.path().join("artifacts"));
    let (one, other) = (uploaded(&objects, b"same"), uploaded(&objects, b"same"));
    let id = one.id();
    assert_eq!(id, other.id());
    one.keep(&objects).unwrap();
    other.keep(&objects).unwrap();
    assert_eq!(objects.in_shard(id.shard()).unwrap(), [id]);
    assert_eq!(uploads(&objects), [] as [PathBuf; 0]);
    assert_eq!(io::read_to_string(objects.open(id).unwrap()).unwrap(), "same");
}

#[test]
fn what_is_not_kept_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let objects = new(directory.path());
    let mut begun = objects.upload().unwrap();
    begun.write(b"half").unwrap();
    let whole = uploaded(&objects, b"whole");
    assert_eq!(uploads(&objects).len(), 2);
    drop((begun, whole));
    assert_eq!(uploads(&objects), [] as [PathBuf; 0]);
}

#[test]
fn an_upload_of_a_dead_process_is_removed_and_one_under_way_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let objects = new(directory.path());
    let under_way = objects.upload().unwrap();
    let living = uploads(&objects);
    let dead = objects.uploads().join("dead");
    fs::write(&dead, "half").unwrap();
    let young = objects.uploads().join("young");
    fs::write(&young, "half").unwrap();
    age(&dead);
    age(&living[0]);
    assert_eq!(objects.remove_dead_uploads().unwrap(), 1);
    assert!(!dead.exists() && young.exists() && living[0].exists());
    drop(under_way);
}

#[cfg(unix)]
#[test]
fn links_that_lead_elsewhere_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let elsewhere = directory.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let objects = new(&directory.path().join("artifacts"));
    let content = uploaded(&objects, b"content");
    let id = content.id();
    std::os::unix::fs::symlink(&elsewhere, objects.shard(id.shard())).unwrap();
    fs::write(elsewhere.join(id.name()), "not ours").unwrap();
    assert!(objects.open(id).is_err());
    assert!(objects.remove(id).is_err());
    assert!(content.keep(&objects).is_err());
    assert_eq!(fs::read_to_string(elsewhere.join(id.name())).unwrap(), "not ours");

    fs::remove_file(objects.shard(id.shard())).unwrap();
    fs::create_dir(objects.shard(id.shard())).unwrap();
    std::os::unix::fs::symlink(elsewhere.join(id.name()), objects.path(id)).unwrap();
    assert!(objects.open(id).is_err());
}

#[test]
fn only_names_of_contents_are_found_in_a_shard() {
    let directory = tempfile::tempdir().unwrap();
    let objects = new(directory.path());
    let id = ObjectId::new(*blake3::hash(b"x").as_bytes());
    fs::create_dir_all(objects.shard(id.shard())).unwrap();
    fs::write(objects.path(id), "x").unwrap();
    for name in ["readme", &id.name().to_uppercase(), &id.name()[1..]] {
        fs::write(objects.shard(id.shard()).join(name), "x").unwrap();
    }
    assert_eq!(objects.in_shard(id.shard()).unwrap(), [id]);
    assert_eq!(objects.in_shard(id.shard().wrapping_add(1)).unwrap(), []);
}

#[test]
fn another_store_neither_adds_nor_removes() {
    let directory = tempfile::tempdir().unwrap();
    let objects = new(directory.path());
    let content = uploaded(&objects, b"content");
    let id = content.id();
    content.keep(&objects).unwrap();
    let dead = objects.uploads().join("dead");
    fs::write(&dead, "half").unwrap();
    age(&dead);
    let others = Objects::new(directory.path(), Owner::new([8; 16]));
    let said = others.upload().unwrap_err().to_string();
    assert!(said.contains("the artifacts of another store"), "{said}");
    assert!(others.remove(id).is_err());
    assert!(others.remove_dead_uploads().is_err());
    assert!(objects.open(id).is_ok() && dead.exists());

    fs::remove_file(directory.path().join("store")).unwrap();
    assert!(others.upload().is_err() && objects.upload().is_err());
}
