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

struct Bench {
    only: Option<String>,
}

impl Bench {
    /// Measures `work`, which does `count` of what is measured, in so many rounds. `aim` is in ns
    /// for each. What `work` returns is dropped outside the measure.
    fn line<T>(
        &self,
        name: &str,
        aim: Option<f64>,
        rounds: usize,
        count: u64,
        mut work: impl FnMut(u64) -> T,
    ) {
        if self.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            return;
        }
        let mut each: Vec<f64> = (0..rounds)
            .map(|round| {
                let started = Instant::now();
                let result = work(round as u64);
                let took = started.elapsed();
                drop(black_box(result));
                took.as_nanos() as f64 / count as f64
            })
            .collect();
        each.sort_unstable_by(f64::total_cmp);
        let aim = aim.map(|aim| format!("{aim:.0} ns")).unwrap_or_default();
        println!("{name:58} {:>11.1} ns {:>11.1} ns {aim:>9}", each[rounds / 2], each[0]);
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
    println!("{:58} {:>14} {:>14} {:>9}", "", "median each", "least each", "aim");
    expansion(&bench);
    lazily(&bench);
    pools(&bench);
}

/// Rounds of this many are short enough not to be interrupted, as a rule.
const N: u64 = 1_000;
const ROUNDS: usize = 301;

fn expansion(bench: &Bench) {
    let space = Space::new(hundred_thousand()).unwrap();
    assert_eq!(space.len(), 100_000);
    let part = |round: u64| space.points().skip((round % 100 * N) as usize).take(N as usize);
    let value = space.at(4_711).unwrap().value().unwrap();
    bench.line("Config::new of one value", None, ROUNDS, 1, |_| Config::new(value.clone()));
    bench.line("expanding: configs made, with ids", Some(1_000.0), ROUNDS, N, |round| {
        part(round).map(|point| point.config().unwrap()).collect::<Vec<_>>()
    });
    bench.line(
        "expanding: the same, and the value of each read",
        Some(1_000.0),
        ROUNDS,
        N,
        |round| {
            let read = |config: Config| {
                black_box(config.value());
                config
            };
            part(round).map(|point| read(point.config().unwrap())).collect::<Vec<_>>()
        },
    );
    bench.line("expanding: the id alone", None, ROUNDS, N, |round| {
        part(round).for_each(|point| drop(black_box(point.id().unwrap())));
    });
    bench.line("expanding: the value alone", None, ROUNDS, N, |round| {
        part(round).map(|point| point.value().unwrap()).collect::<Vec<_>>()
    });
    bench.line("expanding: all 100,000 at once", Some(1_000.0), 15, 100 * N, |_| {
        space.iter().map(|point| point.config().unwrap()).collect::<Vec<_>>()
    });
    bench.line("reading the template", None, ROUNDS, 1, |_| Space::new(hundred_thousand()));
}

fn lazily(bench: &Bench) {
    let space = billion();
    assert_eq!(space.len(), 1_000_000_000);
    let at = |round: u64, n: u64| {
        let index = (round * N + n).wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_000_000_000;
        space.at(black_box(index)).unwrap()
    };
    bench.line("of 10^9, by index: the digits", Some(50.0), ROUNDS, N, |round| {
        (0..N).map(|n| at(round, n).digits().sum::<u64>()).sum::<u64>()
    });
    bench.line("of 10^9, by index: one value", Some(50.0), ROUNDS, N, |round| {
        for n in 0..N {
            black_box(at(round, n).get(black_box("model")));
        }
    });
    bench.line("of 10^9, by index: made, with its id", Some(1_000.0), ROUNDS, N, |round| {
        (0..N).map(|n| at(round, n).config().unwrap()).collect::<Vec<_>>()
    });
    bench.line("of 10^9, iterating", None, ROUNDS, N, |round| {
        let points = space.points().skip((round * 1_000_000) as usize).take(N as usize);
        points.for_each(|point| {
            black_box(point.index());
        });
    });
    bench.line("of 10^9, sampling without replacement", None, ROUNDS, N, |round| {
        space.sample(N, round).for_each(|point| {
            black_box(point.index());
        });
    });
    let ruled = Space::new(json!({
        "a": range(0, 1_000_000, 1),
        "model": choice(["a", "b"]),
        "$expand": { "exclude": "a > 500 and model == 'a'" },
    }));
    let ruled = ruled.unwrap();
    bench.line("a condition of two comparisons", None, ROUNDS, N, |round| {
        ruled.points().skip((round * N) as usize).take(N as usize).filter(|p| p.is_kept()).count()
    });
}

fn pools(bench: &Bench) {
    let space = Space::new(hundred_thousand()).unwrap();
    bench.line("a pool of 100,000 from its template", None, 9, 100 * N, |_| {
        ConfigPool::from_space(&space).unwrap()
    });
    let pool = ConfigPool::from_space(&space).unwrap();
    let three = ConfigPool::new(pool.iter().take(3).cloned()).unwrap();
    let all: Vec<&str> = pool.iter().map(|config| config.id().as_str()).collect();
    bench.line("lookup by id in 100,000", None, ROUNDS, N, |round| {
        for n in 0..N {
            let id = all[(round * N + n).wrapping_mul(7_919) as usize % all.len()];
            black_box(pool.get(black_box(id)).unwrap());
        }
    });
    bench.line("lookup by id in 3", None, ROUNDS, N, |_| {
        for _ in 0..N {
            black_box(three.get(black_box(all[2])).unwrap());
        }
    });
    let config = &pool[4_711];
    bench.line("Config::get::<f64>(\"llm.temperature\")", None, ROUNDS, N, |_| {
        for _ in 0..N {
            black_box(config.get::<f64>(black_box("llm.temperature")).unwrap());
        }
    });
    bench.line("Config::get::<String>(\"llm.model\")", None, ROUNDS, N, |_| {
        for _ in 0..N {
            black_box(config.get::<String>(black_box("llm.model")).unwrap());
        }
    });
}
