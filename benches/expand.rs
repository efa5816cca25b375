//! How fast configs come out of a template, and how fast they are found:
//!
//! ```text
//! cargo bench --bench expand             # the table
//! cargo bench --bench expand -- id       # only the lines with that in their name
//! ```
//!
//! A line is the median of its rounds.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a program to be looked at"
)]

use serde_json::{Value, json};
use std::{hint::black_box, time::Instant};
use tower_spearmint::{
    Config, ConfigPool,
    config::expand::{Space, choice, int_uniform, linspace, log_uniform, range},
};

const ROUNDS: usize = 15;

struct Bench {
    only: Option<String>,
}

impl Bench {
    /// Measures `work`, which does `count` of what is measured. `aim` is in ns for each.
    fn line(&self, name: &str, aim: Option<f64>, count: u64, mut work: impl FnMut()) {
        if self.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            return;
        }
        let mut each: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let started = Instant::now();
                work();
                started.elapsed().as_nanos() as f64 / count as f64
            })
            .collect();
        each.sort_unstable_by(f64::total_cmp);
        let median = each[ROUNDS / 2];
        let aim = aim.map(|aim| format!("{aim:.0} ns")).unwrap_or_default();
        println!(
            "{name:58} {median:>9.1} ns {:>9.1} ns {aim:>9} {:>10.2} ms",
            each[0],
            median * count as f64 / 1e6
        );
    }
}

/// 100,000 configs of 9 settings, 4 of which vary.
fn hundred_thousand() -> Value {
    json!({
        "llm": {
            "model": choice(["small-v1", "small-v2", "large-v1", "large-v2", "large-v3"]),
            "temperature": linspace(0.0, 1.0, 20),
            "top_k": range(0, 100, 1),
            "max_tokens": 512,
            "stop": ["\n\n"],
        },
        "retriever": { "index": "products", "depth": choice((1..=10).collect::<Vec<i64>>()) },
        "prompt": "answer in one sentence",
        "timeout": "2s",
    })
}

/// 10⁹ configs, in part of draws.
fn billion() -> Space {
    Space::new(json!({
        "model": choice(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]),
        "lr": log_uniform(1e-5, 1e-2, 1_000, 7),
        "seed": int_uniform(0, 1_000_000, 1_000, 7),
        "depth": range(0, 100, 1),
    }))
    .unwrap()
}

fn main() {
    // `cargo bench` adds `--bench`.
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let bench = Bench { only };
    println!("{:58} {:>12} {:>12} {:>9} {:>13}", "", "median each", "least each", "aim", "in all");
    expansion(&bench);
    lazily(&bench);
    pools(&bench);
}

fn expansion(bench: &Bench) {
    let space = Space::new(hundred_thousand()).unwrap();
    let n = space.len();
    bench.line("Config::new of one value (the value cloned)", None, n / 10, || {
        let value = space.at(4_711).unwrap().value().unwrap();
        for _ in 0..n / 10 {
            black_box(Config::new(value.clone()).unwrap());
        }
    });
    bench.line("100,000 configs made, with ids, and dropped", Some(1_000.0), n, || {
        for point in &space {
            black_box(point.config().unwrap());
        }
    });
    bench.line("100,000 configs made, with ids, and kept", Some(1_000.0), n, || {
        let configs: Vec<Config> = space.iter().map(|point| point.config().unwrap()).collect();
        black_box(&configs);
        // Dropping them is not measured.
        std::mem::forget(configs);
    });
    bench.line("the id alone", None, n, || {
        for point in &space {
            black_box(point.id().unwrap());
        }
    });
    bench.line("the value alone", None, n, || {
        for point in &space {
            black_box(point.value().unwrap());
        }
    });
    bench.line("reading the template", None, 1, || {
        black_box(Space::new(hundred_thousand()).unwrap());
    });
}

fn lazily(bench: &Bench) {
    const N: u64 = 1_000_000;
    let space = billion();
    assert_eq!(space.len(), 1_000_000_000);
    bench.line("by index: the digits of a config of 10^9", Some(50.0), N, || {
        for n in 0..N {
            let point = space.at(black_box(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_000_000_000));
            black_box(point.unwrap().digits().sum::<u64>());
        }
    });
    bench.line("by index: one value of a config of 10^9", Some(50.0), N, || {
        for n in 0..N {
            let point = space.at(black_box(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_000_000_000));
            black_box(point.unwrap().get("model"));
        }
    });
    bench.line("by index: a config of 10^9 made, with its id", Some(1_000.0), N / 10, || {
        for n in 0..N / 10 {
            let index = black_box(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_000_000_000);
            black_box(space.get(index).unwrap());
        }
    });
    bench.line("iterating over 10^6 of 10^9", None, N, || {
        for point in space.points().skip(500_000_000).take(N as usize) {
            black_box(point.index());
        }
    });
    let rules = json!({
        "a": range(0, 1_000_000_000, 1),
        "model": choice(["a", "b"]),
        "$expand": { "exclude": "a > 500 and model == 'a'" },
    });
    let ruled = Space::new(rules).unwrap();
    bench.line("iterating with a condition (of two comparisons)", None, N, || {
        black_box(ruled.points().take(N as usize).kept().count());
    });
    bench.line("sampling 10,000 of 10^9 without replacement", None, 10_000, || {
        for point in space.sample(10_000, black_box(7)) {
            black_box(point.index());
        }
    });
    bench.line("10,000 of 10^9 sampled and made, with ids", None, 10_000, || {
        for point in space.sample(10_000, black_box(7)) {
            black_box(point.config().unwrap());
        }
    });
}

fn pools(bench: &Bench) {
    let space = Space::new(hundred_thousand()).unwrap();
    let n = space.len();
    bench.line("a pool of 100,000, from the template", None, n, || {
        let pool = ConfigPool::from_space(&space).unwrap();
        black_box(&pool);
        std::mem::forget(pool);
    });
    let pool = ConfigPool::from_space(&space).unwrap();
    bench.line("lookup by id in 100,000", None, n, || {
        for config in pool.iter() {
            black_box(pool.get(config.id().as_str()).unwrap());
        }
    });
    bench.line("lookup by id in 3", None, n, || {
        let three = ConfigPool::new(pool.iter().take(3).cloned()).unwrap();
        let id = three[2].id().clone();
        for _ in 0..n {
            black_box(three.get(black_box(id.as_str())).unwrap());
        }
    });
    let config = pool[4_711].clone();
    bench.line("Config::get::<f64>(\"llm.temperature\")", None, n, || {
        for _ in 0..n {
            black_box(config.get::<f64>(black_box("llm.temperature")).unwrap());
        }
    });
    bench.line("Config::get::<String>(\"llm.model\")", None, n, || {
        for _ in 0..n {
            black_box(config.get::<String>(black_box("llm.model")).unwrap());
        }
    });
}
