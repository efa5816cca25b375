//! What a report is read from.

use crate::{Failed, output, store_path};
use clap::Args;
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};
use tower_spearmint::{
    report::{Plan, Report},
    store::{Snapshot, Snapshots, SqliteStore, StoreError},
};

/// More than a snapshot of a thousand arms takes.
const MAX_BYTES: u64 = 256 << 20;

/// The stores and snapshots.
#[derive(Debug, Args)]
pub(super) struct Sources {
    /// The store; several, one of each replica, make one report [default: spearmint.db, if there is no --snapshot]
    #[arg(long, value_name = "FILE,…", value_delimiter = ',')]
    store: Vec<PathBuf>,
    /// What `spearmint store snapshot` wrote of a store; of the same store the newest counts
    #[arg(long, value_name = "FILE,…", value_delimiter = ',', conflicts_with = "since")]
    snapshot: Vec<PathBuf>,
    /// Of several: the store to keep this look in, beside those before, which then decide together (it is
    /// created if it is not there)
    #[arg(long, value_name = "FILE", conflicts_with = "since")]
    looks: Option<PathBuf>,
}

/// What was read, and from what.
pub(super) struct Found {
    pub(super) reports: Vec<Report>,
    /// Those that were opened for it.
    pub(super) stores: Vec<SqliteStore>,
    /// The one with the looks at several.
    pub(super) looks: Option<SqliteStore>,
    /// Whether it is one of several stores, of which no looks are kept.
    pub(super) stands_alone: bool,
}

impl Sources {
    /// The reports. Of a single store it is a look that is kept, if it may be.
    pub(super) fn read(&self, plan: &Plan, keep: bool) -> Result<Found, Failed> {
        let stores = self.stores().into_iter().map(|path| store_path::open(&path));
        let stores = stores.collect::<Result<Vec<_>, _>>()?;
        let failed = |error: tower_spearmint::store::StoreError| Failed::Input(error.into());
        if let ([store], true) = (&stores[..], self.snapshot.is_empty()) {
            if self.looks.is_some() {
                let text =
                    "--looks is for several stores; the looks at a single one are kept in it";
                return Err(Failed::Input(text.into()));
            }
            let reports = if keep { look(store, plan) } else { Report::read(store, plan) };
            let reports = reports.map_err(failed)?;
            return Ok(Found { reports, stores, looks: None, stands_alone: false });
        }
        let mut snapshots = Snapshots::new();
        for store in &stores {
            let taken = match plan.since_ns {
                Some(since) => store.snapshot_since(since),
                None => store.snapshot(),
            };
            snapshots.add(taken.map_err(failed)?);
        }
        for path in &self.snapshot {
            snapshots.add(snapshot(path)?);
        }
        let looks = self.looks.as_ref().map(SqliteStore::open).transpose().map_err(failed)?;
        let reports = match &looks {
            Some(looks) => look_together(&snapshots, plan, looks),
            None => Report::merged(&snapshots, plan),
        };
        let reports = reports.map_err(failed)?;
        if plan.metrics.is_empty() || plan.baseline.is_none() {
            for experiment in Plan::differing(&snapshots) {
                if reports.iter().any(|report| *report.experiment == *experiment) {
                    output::warning(&format!(
                        "replicas keep different plans for `{experiment}`; the newest decides (name another with --file)"
                    ));
                }
            }
        }
        let stands_alone = looks.is_none();
        Ok(Found { reports, stores, looks, stands_alone })
    }

    /// All of them, for people.
    pub(super) fn names(&self) -> String {
        let all = self.stores().into_iter().chain(self.snapshot.iter().cloned());
        all.map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    }

    /// The stores, if there are no snapshots beside them.
    pub(super) fn only_stores(&self) -> Option<Vec<PathBuf>> {
        self.snapshot.is_empty().then(|| self.stores())
    }

    fn stores(&self) -> Vec<PathBuf> {
        if self.store.is_empty() && self.snapshot.is_empty() {
            vec![PathBuf::from("spearmint.db")]
        } else {
            self.store.clone()
        }
    }
}

/// Keeps the look if that is possible, and reports either way.
fn look(store: &SqliteStore, plan: &Plan) -> Result<Vec<Report>, StoreError> {
    if plan.since_ns.is_none()
        && let Some(store) = store_path::open_to_keep(store)
    {
        match Report::look(&store, plan, SystemTime::now()) {
            Ok(reports) => return Ok(reports),
            Err(error) => {
                let reports = Report::read(&store, plan)?;
                output::warning(&format!("this look is not kept: {error}"));
                return Ok(reports);
            }
        }
    }
    Report::read(store, plan)
}

/// Warns of a look that is none of those before.
fn look_together(
    snapshots: &Snapshots,
    plan: &Plan,
    looks: &SqliteStore,
) -> Result<Vec<Report>, StoreError> {
    let reports = Report::look_together(snapshots, plan, looks, SystemTime::now())?;
    let alone = |report: &&Report| report.looks.is_none() && !report.candidates.is_empty();
    for report in reports.iter().filter(alone) {
        output::warning(&format!(
            "this look at `{}` is not kept, and stands alone: there was more of some store at a look before (name \
             all of them, with their newest snapshots)",
            report.experiment
        ));
    }
    Ok(reports)
}

fn snapshot(path: &Path) -> Result<Snapshot, Failed> {
    let at = |what: String| Failed::Input(format!("{}: {what}", path.display()).into());
    let json = bytes(path).map_err(|error| at(error.to_string()))?;
    Snapshot::from_json(&json).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        at(format!("{error}{}", cause.unwrap_or_default()))
    })
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("larger than the 256 MiB that a snapshot has at most"));
    }
    Ok(bytes)
}
