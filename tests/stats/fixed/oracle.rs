//! The table of `tests/oracles/fixed.py`: what is given, and what other programs make of it.

use serde_json::Value;
use std::collections::BTreeMap;
use tower_spearmint::stats::{
    Interval, JointSummary, Summary,
    fixed::{PValues, Proportion},
};

/// Every class of edge that a method's cases cover. A `-` stands where the method has no such case.
/// `ordinary`, `none` (no observations), `one`, `equal` (all equal, not 0), `zero` (all 0), `huge`,
/// `tail` (far out, or an estimate at its end).
const EDGES: [(&str, [&str; 7]); 25] = [
    ("welch", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("paired_t", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("ratio", ["ordinary", "none", "one", "equal", "zero", "huge", "-"]),
    ("lift", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("cuped", ["ordinary", "none", "one", "equal", "zero", "huge", "-"]),
    ("wilson", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("newcombe", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("pooled_z", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("fisher_exact", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("relative_risk", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("mann_whitney", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("mann_whitney_exact", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("mann_whitney_buckets", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("hodges_lehmann", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("permutation", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("bootstrap", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("holm", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("benjamini_hochberg", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("sample_ratio", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("power_of_means", ["ordinary", "none", "one", "-", "zero", "huge", "tail"]),
    ("size_for_means", ["ordinary", "-", "one", "equal", "zero", "huge", "tail"]),
    ("detectable_effect", ["ordinary", "none", "one", "equal", "-", "huge", "-"]),
    ("power_of_proportions", ["ordinary", "none", "one", "equal", "zero", "huge", "tail"]),
    ("size_for_proportions", ["ordinary", "-", "-", "equal", "zero", "huge", "-"]),
    ("detectable_increase", ["ordinary", "none", "one", "equal", "zero", "huge", "-"]),
];

/// One case of a method.
pub struct Case {
    pub method: String,
    pub edge: String,
    pub given: Value,
    pub expected: Value,
}

impl Case {
    pub fn number(&self, name: &str) -> f64 {
        self.given[name].as_f64().unwrap_or_else(|| panic!("{name} in {}", self.given))
    }

    pub fn count(&self, name: &str) -> u64 {
        self.given[name].as_u64().unwrap_or_else(|| panic!("{name} in {}", self.given))
    }

    pub fn numbers(&self, name: &str) -> Vec<f64> {
        let numbers = self.given[name].as_array().unwrap();
        numbers.iter().map(|number| number.as_f64().unwrap()).collect()
    }

    pub fn counts(&self, name: &str) -> Vec<u64> {
        let numbers = self.given[name].as_array().unwrap();
        numbers.iter().map(|number| number.as_u64().unwrap()).collect()
    }

    /// `[count, mean, variance]`
    pub fn summary(&self, name: &str) -> Summary {
        let cells = &self.given[name];
        let number = |at: usize| cells[at].as_f64().unwrap();
        Summary { count: cells[0].as_u64().unwrap(), mean: number(1), variance: number(2) }
    }

    /// `[successes, trials]`
    pub fn proportion(&self, name: &str) -> Proportion {
        let [successes, trials] = self.counts(name)[..] else { panic!("{name}") };
        Proportion { successes, trials }
    }

    /// `x` and `y`, unit by unit; inside `side`, or at the top if that is empty.
    pub fn pairs(&self, side: &str) -> JointSummary {
        let given = if side.is_empty() { &self.given } else { &self.given[side] };
        let column = |name: &str| -> Vec<f64> {
            given[name].as_array().unwrap().iter().map(|cell| cell.as_f64().unwrap()).collect()
        };
        JointSummary::of(column("x").into_iter().zip(column("y")))
    }

    /// That `came` has these numbers, or is as little as expected.
    fn check(&self, came: Option<Numbers>, within: f64) {
        let place = format!("{} of {} ({})", self.edge, self.method, self.given);
        let Some(came) = came else {
            assert!(self.expected.is_null(), "{place}: none, not {}", self.expected);
            return;
        };
        let Some(expected) = self.expected.as_object() else {
            panic!("{place}: {came:?}, not none");
        };
        let mut wanted = BTreeMap::new();
        for (name, value) in expected {
            match value.as_array() {
                Some(row) => wanted.extend(
                    row.iter().enumerate().map(|(at, value)| (format!("{name}{at}"), value)),
                ),
                None => {
                    wanted.insert(name.clone(), value);
                }
            }
        }
        let names = |names: Vec<&String>| names.into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(names(came.0.keys().collect()), names(wanted.keys().collect()), "{place}");
        for (name, expected) in wanted {
            let came = came.0[&name];
            let expected = number(expected);
            // Below, a float has fewer digits, and they differ between machines.
            let tiny = expected.abs() < 1e-300 && came.abs() < 1e-300;
            let near =
                tiny || came == expected || (came - expected).abs() <= within * expected.abs();
            assert!(near, "{place}: {name} is {came:e}, not {expected:e}");
        }
    }
}

/// JSON has no infinity: it is written as a text.
fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| value.as_str().unwrap().replace("Infinity", "inf").parse().unwrap())
}

/// Numbers by their names in the table.
#[derive(Debug, Default)]
pub struct Numbers(BTreeMap<String, f64>);

impl Numbers {
    pub fn with(mut self, name: &'static str, number: f64) -> Self {
        self.0.insert(name.into(), number);
        self
    }

    /// One after the other.
    pub fn row(mut self, name: &str, numbers: Vec<f64>) -> Self {
        self.0.extend(
            numbers.into_iter().enumerate().map(|(at, number)| (format!("{name}{at}"), number)),
        );
        self
    }

    pub fn interval(self, interval: Interval) -> Self {
        self.with("low", interval.low).with("high", interval.high)
    }

    pub fn p(self, p: PValues) -> Self {
        self.with("two_sided", p.two_sided).with("greater", p.greater).with("less", p.less)
    }
}

fn table() -> BTreeMap<String, Vec<Value>> {
    serde_json::from_str(include_str!("../../oracles/fixed.json")).unwrap()
}

/// That all cases of a method come out, with this relative error at most.
pub fn agrees(method: &str, within: f64, function: impl Fn(&Case) -> Option<Numbers>) {
    for case in table().remove(method).expect("a method of the table") {
        let case = Case {
            method: method.into(),
            edge: case["edge"].as_str().unwrap().into(),
            given: case["in"].clone(),
            expected: case["out"].clone(),
        };
        case.check(function(&case), within);
    }
}

#[test]
fn the_table_has_every_edge_of_every_method_and_no_other() {
    let mut listed: Vec<String> = EDGES
        .iter()
        .flat_map(|(method, edges)| edges.iter().map(move |edge| (method, edge)))
        .filter(|(_, edge)| **edge != "-")
        .map(|(method, edge)| format!("{method}: {edge}"))
        .collect();
    listed.sort();
    let mut found: Vec<String> = table()
        .iter()
        .flat_map(|(method, cases)| {
            cases.iter().map(move |case| format!("{method}: {}", case["edge"].as_str().unwrap()))
        })
        .collect();
    found.sort();
    found.dedup();
    assert_eq!(found, listed);
}
