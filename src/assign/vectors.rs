//! The test vectors of `docs/assignment-vectors.json`.
//!
//! They must never change: units in running experiments would move. To write the file anew after
//! adding to it: `cargo test --lib vectors -- --ignored`.

use super::{
    Cycle, Draws, Gate, Holdout, Line, Namespace, OfUnit, Ramp, Salt, inside,
    percentage::Percentage,
    plan::{Choice, Gated},
};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/assignment-vectors.json");

/// Adds to what is given what comes of it.
fn unit(mut given: Map<String, Value>) -> Value {
    let text = |given: &Map<String, Value>, key| given[key].as_str().unwrap().to_owned();
    let key = text(&given, "key");
    let unit = Salt::new(&text(&given, "salt")).unit(key.as_bytes());
    let mut gate = Gate::default();
    let mut add = Map::new();
    if let Some(holdout) = given.get("holdout") {
        let holdout: Holdout = serde_json::from_value(holdout.clone()).unwrap();
        add.insert("holdout_point".into(), hex(holdout.point(key.as_bytes())));
        gate.holdout = Some(holdout);
    }
    if let Some(namespace) = given.get("namespace") {
        let name = namespace["name"].as_str().unwrap();
        let ranges: Vec<[f64; 2]> = serde_json::from_value(namespace["ranges"].clone()).unwrap();
        let namespace = ranges.into_iter().fold(Namespace::new(name), |namespace, [from, to]| {
            namespace.range("own", from, to).unwrap()
        });
        let own = namespace.segment("own").unwrap();
        add.insert("namespace_point".into(), hex(own.point(key.as_bytes())));
        gate.segment = Some(own);
    }
    gate.ramp = given.get("ramp").map(|share| Ramp::share(share.as_f64().unwrap()));
    if let Some(percentage) = given.get("percentage") {
        let percentage: Percentage = serde_json::from_value(percentage.clone()).unwrap();
        add.insert("percentage_point".into(), hex(percentage.point(key.as_bytes())));
        add.insert("in_percentage".into(), json!(percentage.has(key.as_bytes())));
    }
    let weights: Vec<f64> = serde_json::from_value(given["weights"].clone()).unwrap();
    let choice = Choice::Gated(Box::new(Gated {
        gate,
        default: 0,
        line: Some(Line::of(&weights)),
        cycle: Cycle::default(),
        draws: Draws::new(0),
    }));
    let keyed = OfUnit { unit, key: Cow::Borrowed(key.as_bytes()) };
    let chosen = choice.choose(weights.len(), || Some(keyed), || 0);
    add.insert("point".into(), hex(unit.point));
    add.insert("entry".into(), hex(unit.entry));
    add.insert("hash".into(), hex(unit.hash));
    add.insert("reason".into(), json!(chosen.reason));
    add.insert("config".into(), json!(chosen.position));
    given.append(&mut add);
    Value::Object(given)
}

fn line(mut given: Map<String, Value>) -> Value {
    let weights: Vec<f64> = serde_json::from_value(given["weights"].clone()).unwrap();
    let at = Line::of(&weights).locate(word(&given["point"]));
    given.insert("config".into(), json!(at));
    Value::Object(given)
}

fn share(mut given: Map<String, Value>) -> Value {
    let is_in = inside(word(&given["point"]), given["share"].as_f64().unwrap());
    given.insert("inside".into(), json!(is_in));
    Value::Object(given)
}

fn hex(word: u64) -> Value {
    json!(format!("{word:016x}"))
}

fn word(hex: &Value) -> u64 {
    u64::from_str_radix(hex.as_str().unwrap(), 16).unwrap()
}

#[test]
fn the_documented_vectors_hold() {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    let results = [
        (
            "units",
            unit as fn(Map<String, Value>) -> Value,
            1_000,
            &[
                "point",
                "entry",
                "hash",
                "reason",
                "config",
                "holdout_point",
                "namespace_point",
                "percentage_point",
                "in_percentage",
            ][..],
        ),
        ("lines", line, 200, &["config"]),
        ("shares", share, 200, &["inside"]),
    ];
    for (list, compute, count, computed) in results {
        let vectors = file[list].as_array().unwrap();
        assert_eq!(vectors.len(), count);
        for expected in vectors {
            let mut given = expected.as_object().unwrap().clone();
            given.retain(|name, _| !computed.contains(&&**name));
            assert_eq!(compute(given), *expected);
        }
    }
}

/// A source of choices that is the same each time.
struct Dice(Draws);

impl Dice {
    fn below(&self, n: usize) -> usize {
        (self.0.next() % n as u64) as usize
    }

    fn share(&self) -> f64 {
        const EDGES: [f64; 6] = [0.0, 1.0, 0.5, 1.0 / 3.0, 0.1, 1e-3];
        match self.below(3) {
            0 => EDGES[self.below(EDGES.len())],
            _ => self.below(1_001) as f64 / 1_000.0,
        }
    }

    fn weights(&self) -> Vec<f64> {
        const WEIGHTS: [f64; 12] =
            [0.0, 1.0, 9.0, 0.1, 0.2, 0.7, 3.0, 1e-9, 1e300, 5e-324, 33.3, 66.7];
        let mut weights: Vec<f64> =
            (0..=self.below(6)).map(|_| WEIGHTS[self.below(WEIGHTS.len())]).collect();
        if weights.iter().all(|weight| *weight == 0.0) {
            weights[0] = 1.0;
        }
        weights
    }

    fn key(&self) -> String {
        let n = self.0.next();
        match self.below(8) {
            0 => String::new(),
            1 => format!("héllo-{n}-😀"),
            // Beyond one chunk of BLAKE3, and around its edges.
            2 => "x".repeat([63, 64, 65, 1_023, 1_024, 1_025][self.below(6)]),
            3 => format!("{n:032x}"),
            4 => format!("\"quoted\" \\ {n}\n"),
            _ => format!("user-{}", n % 100_000),
        }
    }

    fn salt(&self) -> String {
        const SALTS: [&str; 6] = ["", "ranker", "ranker-2026", "größe", "a b", "global"];
        SALTS[self.below(SALTS.len())].to_owned()
    }

    fn ranges(&self) -> Vec<[f64; 2]> {
        let mut cuts: Vec<f64> = (0..=1 + self.below(4)).map(|_| self.share()).collect();
        cuts.sort_by(f64::total_cmp);
        cuts.dedup();
        let ranges: Vec<_> = cuts.windows(2).step_by(2).map(|pair| [pair[0], pair[1]]).collect();
        if ranges.is_empty() { vec![[0.0, 0.5]] } else { ranges }
    }
}

#[test]
#[ignore = "writes docs/assignment-vectors.json"]
fn write_the_vectors() {
    let dice = Dice(Draws::new(2026));
    let object = |value: Value| value.as_object().unwrap().clone();
    let units = (0..1_000).map(|_| {
        let mut given = object(json!({
            "salt": dice.salt(), "key": dice.key(), "weights": dice.weights(),
        }));
        if dice.below(2) == 0 {
            given.insert("ramp".into(), json!(dice.share()));
        }
        if dice.below(3) == 0 {
            let namespace = json!({ "name": dice.salt(), "ranges": dice.ranges() });
            given.insert("namespace".into(), namespace);
        }
        if dice.below(3) == 0 {
            let holdout = json!({ "salt": dice.salt(), "share": dice.share() });
            given.insert("holdout".into(), holdout);
        }
        if dice.below(3) == 0 {
            let percentage = json!({ "salt": dice.salt(), "percent": dice.share() * 100.0 });
            given.insert("percentage".into(), percentage);
        }
        unit(given)
    });
    let units: Vec<_> = units.collect();
    // Points at the edges of stretches and shares, which no key is known to hit.
    let near = |share: f64| {
        let edge = (share * 18_446_744_073_709_551_616.0) as u64;
        let points = [0, u64::MAX, edge, edge.wrapping_sub(1), edge.wrapping_add(1), 1 << 63];
        let far = edge.wrapping_add(dice.0.next() % 4_096);
        hex(if dice.below(7) == 6 { far } else { points[dice.below(6)] })
    };
    let lines: Vec<_> = (0..200)
        .map(|_| {
            let weights = dice.weights();
            let line = Line::of(&weights);
            let until: f64 = (0..=dice.below(weights.len())).map(|at| line.share(at)).sum();
            self::line(object(json!({ "weights": weights, "point": near(until) })))
        })
        .collect();
    let shares: Vec<_> = (0..200)
        .map(|_| {
            let of = dice.share();
            share(object(json!({ "share": of, "point": near(of) })))
        })
        .collect();
    // One vector a line.
    let list = |name: &str, vectors: &[Value]| {
        let vectors: Vec<_> = vectors.iter().map(ToString::to_string).collect();
        format!("\"{name}\": [\n{}\n]", vectors.join(",\n"))
    };
    let lists = [list("units", &units), list("lines", &lines), list("shares", &shares)];
    std::fs::write(FILE, format!("{{\n{}\n}}\n", lists.join(",\n"))).unwrap();
}
