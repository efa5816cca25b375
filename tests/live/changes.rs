//! One change of the file after the other, each of the next generation.

use crate::support::{PATIENCE, Proxy};
use std::{collections::BTreeSet, fs, net::SocketAddr, os::unix::fs::symlink, time::Duration};
use tokio::time::Instant;

/// In one round; one of ten is wrong.
pub const CHANGES: usize = 100;

pub struct Changes {
    upstreams: [SocketAddr; 2],
    generation: usize,
    pub wrong: usize,
    pub wrong_generations: BTreeSet<usize>,
}

impl Changes {
    pub fn new(upstreams: [SocketAddr; 2]) -> Self {
        Self { upstreams, generation: 0, wrong: 0, wrong_generations: BTreeSet::new() }
    }

    pub fn first(&self) -> String {
        self.yaml()
    }

    /// How many there were.
    pub fn made(&self) -> usize {
        self.generation
    }

    /// The upstream, both headers and the config's name change together.
    fn yaml(&self) -> String {
        let (generation, upstream) = (self.generation, self.upstreams[self.generation % 2]);
        format!(
            "
experiment: live
strategy: single
variant_header: x-variant
configs:
  - config_id: g-{generation}
    upstream: http://{upstream}
    request: {{ headers: {{ x-first: '{generation}', x-second: '{generation}' }} }}
"
        )
    }

    /// Changes the file, and waits until the proxy has noticed.
    pub async fn next(&mut self, proxy: &Proxy) {
        self.generation += 1;
        let mut yaml = self.yaml();
        if self.generation.is_multiple_of(10) {
            let mistakes = [
                ("upstream:", "upstraem:"),
                ("x-first:", "x-first: '1', x-first:"),
                ("http://", "htp://"),
            ];
            let (right, wrong) = mistakes[self.wrong % mistakes.len()];
            yaml = yaml.replace(right, wrong);
            self.wrong += 1;
            self.wrong_generations.insert(self.generation);
        }
        let file = proxy.path("experiment.yaml");
        match self.generation % 3 {
            0 => fs::write(&file, yaml).unwrap(),
            1 => {
                fs::write(proxy.path("new"), yaml).unwrap();
                fs::rename(proxy.path("new"), &file).unwrap();
            }
            _ => {
                let version = format!("v-{}.yaml", self.generation);
                fs::write(proxy.path(&version), yaml).unwrap();
                symlink(&version, proxy.path("link")).unwrap();
                fs::rename(proxy.path("link"), &file).unwrap();
            }
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let stats = proxy.admin("/stats").await.json();
            let count = |name: &str| stats[name].as_u64().unwrap() as usize;
            if (count("reloads"), count("rejected")) == (self.made() - self.wrong, self.wrong) {
                return;
            }
            assert!(Instant::now() < deadline, "not in time: {}\n{stats:#}", self.generation);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
