//! Reading what the comparisons of each config come to.

use super::{
    ConfigDifferences, ControlDifferences, DifferenceExample, DifferenceFilter, Filter,
    NoiseThresholds, PathDifferences, SqliteStore, StoreError,
    backend::Reader,
    filter::Conditions,
    row::{Names, value},
};
use crate::{
    branch::{BranchId, Role},
    compare::DifferenceKind,
    config::ConfigId,
};
use rusqlite::{params, params_from_iter};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

/// Experiment, config id and role.
type Arm = (i64, ConfigId, Role);

#[derive(Debug, Default, Clone)]
struct Total {
    compared: u64,
    different: u64,
    uncounted: u64,
    /// Several contents may have had one id over time.
    configs: Vec<i64>,
}

/// Pairs by path and kind.
type Counts = HashMap<i64, BTreeMap<DifferenceKind, u64>>;

impl SqliteStore {
    /// What the comparisons that a filter means come to, per experiment, strategy and config, in
    /// this order. Blocks.
    ///
    /// It reads the sums, not the single comparisons: at most 10,000 paths for each config.
    ///
    /// # Errors
    ///
    /// When the filter names an experiment or a config that the store does not have, or the file
    /// cannot be read.
    pub fn differences(
        &self,
        filter: &DifferenceFilter,
    ) -> Result<Vec<ConfigDifferences>, StoreError> {
        let reader = self.reader()?;
        if reader.version < 2 {
            return Ok(Vec::new());
        }
        let failed = |error| self.failed("read", error);
        // The experiment decides where the control is looked for, the config only what is shown.
        let of = |config: Option<&String>| {
            let mut one = Filter::new();
            one.experiment.clone_from(&filter.experiment);
            one.config = config.cloned();
            Conditions::new(&one, &reader.connection, &reader.codes, failed)
        };
        let (all, shown) = (of(None)?, of(filter.config.as_ref())?);
        read(&reader, filter, &all, &shown).map_err(failed)
    }
}

fn read(
    reader: &Reader,
    filter: &DifferenceFilter,
    all: &Conditions,
    shown: &Conditions,
) -> rusqlite::Result<Vec<ConfigDifferences>> {
    let connection = &reader.connection;
    // One state of the file for all that follows.
    let _transaction = connection.unchecked_transaction()?;
    let mut names = Names::default();
    let mut controls: HashMap<i64, (Total, Counts)> = HashMap::new();
    for ((experiment, _, role), total) in totals(reader, all, &mut names)? {
        if role == Role::Control {
            let counts = counts(reader, experiment, role, &total.configs)?;
            let (sum, summed) = controls.entry(experiment).or_default();
            sum.compared += total.compared;
            sum.different += total.different;
            for (path, kinds) in counts {
                let into = summed.entry(path).or_default();
                kinds.into_iter().for_each(|(kind, pairs)| *into.entry(kind).or_default() += pairs);
            }
        }
    }
    let mut found = Vec::new();
    for ((experiment, config_id, role), total) in totals(reader, shown, &mut names)? {
        if role == Role::Control {
            continue;
        }
        let (name, strategy) = names.experiment(connection, experiment)?;
        let control = controls.get(&experiment);
        let mut paths = Vec::new();
        for (key, kinds) in counts(reader, experiment, role, &total.configs)? {
            let path: String = connection
                .prepare_cached("SELECT path FROM path WHERE key = ?1")?
                .query_row([key], |row| row.get(0))?;
            if filter.means(&path) {
                let control = control.map(|(sum, counts)| (sum, counts.get(&key)));
                let path = PathDifferences::new(path, kinds, &total, control, filter.thresholds);
                paths.push((key, path));
            }
        }
        paths.sort_by(|(_, a), (_, b)| {
            (b.beyond_noise, b.pairs).cmp(&(a.beyond_noise, a.pairs)).then(a.path.cmp(&b.path))
        });
        let beyond_noise = paths.iter().filter(|(_, path)| path.beyond_noise).count() as u64;
        let more_paths = paths.len().saturating_sub(filter.limit) as u64;
        paths.truncate(filter.limit);
        for (key, path) in &mut paths {
            path.examples =
                examples(reader, experiment, role, &total.configs, *key, filter.examples)?;
        }
        found.push(ConfigDifferences {
            experiment: name,
            strategy,
            config_id,
            role,
            compared: total.compared,
            equal: total.compared - total.different,
            different: total.different,
            control: control.map(|(sum, _)| ControlDifferences {
                compared: sum.compared,
                equal: sum.compared - sum.different,
                different: sum.different,
            }),
            beyond_noise,
            paths: paths.into_iter().map(|(_, path)| path).collect(),
            more_paths,
            uncounted: total.uncounted,
        });
    }
    found.sort_by(|a, b| {
        (&a.experiment, &a.strategy, &a.config_id, a.role).cmp(&(
            &b.experiment,
            &b.strategy,
            &b.config_id,
            b.role,
        ))
    });
    Ok(found)
}

impl PathDifferences {
    fn new(
        path: String,
        kinds: BTreeMap<DifferenceKind, u64>,
        total: &Total,
        control: Option<(&Total, Option<&BTreeMap<DifferenceKind, u64>>)>,
        thresholds: NoiseThresholds,
    ) -> Self {
        let pairs = kinds.values().sum();
        let rate = share(pairs, total.compared);
        let noise = control
            .map(|(sum, kinds)| share(kinds.map_or(0, |kinds| kinds.values().sum()), sum.compared));
        Self {
            path,
            pairs,
            rate,
            noise,
            net: noise.map(|noise| rate - noise),
            beyond_noise: noise.is_none_or(|noise| thresholds.exceeded(rate, noise)),
            kinds,
            examples: Vec::new(),
        }
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn totals(
    reader: &Reader,
    conditions: &Conditions,
    names: &mut Names,
) -> rusqlite::Result<HashMap<Arm, Total>> {
    let Reader { connection, codes, .. } = reader;
    let sql = format!(
        "SELECT b.experiment, b.config, b.role, b.compared, b.different, b.uncounted
         FROM comparison_count b{}",
        conditions.sql
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(&conditions.values))?;
    let mut totals: HashMap<Arm, Total> = HashMap::new();
    while let Some(row) = rows.next()? {
        let config: i64 = row.get(1)?;
        let (config_id, _) = names.config(connection, config)?;
        let arm = (row.get(0)?, config_id, value(&codes.role, 2, row.get(2)?)?);
        let total = totals.entry(arm).or_default();
        total.compared += row.get::<_, i64>(3)?.cast_unsigned();
        total.different += row.get::<_, i64>(4)?.cast_unsigned();
        total.uncounted += row.get::<_, i64>(5)?.cast_unsigned();
        total.configs.push(config);
    }
    Ok(totals)
}

fn counts(
    reader: &Reader,
    experiment: i64,
    role: Role,
    configs: &[i64],
) -> rusqlite::Result<Counts> {
    let Reader { connection, codes, .. } = reader;
    let mut counts = Counts::new();
    let mut statement = connection.prepare_cached(
        "SELECT path, kind, pairs FROM path_count
         WHERE experiment = ?1 AND config = ?2 AND role = ?3",
    )?;
    for config in configs {
        let mut rows = statement.query(params![experiment, config, codes.role.of(role)])?;
        while let Some(row) = rows.next()? {
            let kind = value(&codes.difference, 1, row.get(1)?)?;
            let pairs = row.get::<_, i64>(2)?.cast_unsigned();
            *counts.entry(row.get(0)?).or_default().entry(kind).or_default() += pairs;
        }
    }
    Ok(counts)
}

fn examples(
    reader: &Reader,
    experiment: i64,
    role: Role,
    configs: &[i64],
    path: i64,
    wanted: usize,
) -> rusqlite::Result<Vec<DifferenceExample>> {
    let Reader { connection, codes, .. } = reader;
    let mut examples = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT branch, primary_branch, kind, primary_sample, shadow_sample FROM difference
         WHERE experiment = ?1 AND config = ?2 AND role = ?3 AND path = ?4
         ORDER BY branch DESC LIMIT ?5",
    )?;
    for config in configs {
        let key = params![
            experiment,
            config,
            codes.role.of(role),
            path,
            i64::try_from(wanted).unwrap_or(-1)
        ];
        let mut rows = statement.query(key)?;
        while let Some(row) = rows.next()? {
            examples.push(DifferenceExample {
                branch_id: BranchId::from_bytes(row.get(0)?),
                primary_id: BranchId::from_bytes(row.get(1)?),
                kind: value(&codes.difference, 2, row.get(2)?)?,
                primary: row.get(3)?,
                shadow: row.get(4)?,
            });
        }
    }
    examples.sort_by_key(|example| Reverse(example.branch_id));
    examples.truncate(wanted);
    Ok(examples)
}
