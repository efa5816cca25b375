//! Load on the REST face of a store, or on any MLflow server:
//!
//! ```text
//! cargo bench --features server --bench store_rest                      # a server of its own, 1 s
//! … -- runs ADDRESS --clients 8 --seconds 5 [--connection-each]         # runs/s
//! … -- searches ADDRESS EXPERIMENT FILTER…                              # first pages
//! ```
//!
//! `benches/store/run.sh` puts it on ours, on FastTrackML and on MLflow's own in turn. What it
//! prints are lines of fields, with tabs between them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program to be looked at"
)]

mod client;
mod runs;
mod searches;

use client::Error;
use runs::Load;
use std::{net::SocketAddr, path::Path, time::Duration};
use tower_spearmint::{server::MlflowServer, store::SqliteStore};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // `cargo bench` adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["runs", address, ref options @ ..] => {
            let option = |name| {
                options
                    .windows(2)
                    .find(|pair| pair[0] == name)
                    .and_then(|pair| pair[1].parse().ok())
            };
            let load = Load {
                address: address.parse()?,
                keeps: !options.contains(&"--connection-each"),
                clients: option("--clients").unwrap_or(1),
                length: Duration::from_secs(option("--seconds").unwrap_or(5) as u64),
            };
            print_runs(&load).await
        }
        ["searches", address, experiment, ..] => {
            let filters = &arguments[3..];
            for searched in searches::run(address.parse()?, experiment, filters).await? {
                let ms = |time: Duration| time.as_secs_f64() * 1e3;
                println!(
                    "searched\t{}\t{}\t{:.2}\t{:.2}",
                    searched.filter,
                    searched.found,
                    ms(searched.median),
                    ms(searched.longest)
                );
            }
            Ok(())
        }
        _ => smoke().await,
    }
}

async fn print_runs(load: &Load) -> Result<(), Error> {
    let outcome = load.run().await?;
    let (runs, seconds) = (outcome.runs.len(), outcome.took.as_secs_f64());
    let quantile = |q: usize| {
        let at = runs.saturating_sub(1) * q / 100;
        outcome.runs.get(at).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3)
    };
    println!(
        "runs\t{}\t{}\t{runs}\t{seconds:.3}\t{:.1}\t{:.3}\t{:.3}\t{}",
        if load.keeps { "kept" } else { "each" },
        load.clients,
        runs as f64 / seconds,
        quantile(50),
        quantile(99),
        outcome.failed,
    );
    Ok(())
}

/// A second of each kind, on a server in a thread of this process.
async fn smoke() -> Result<(), Error> {
    let name = format!("bench-rest-{}.db", std::process::id());
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let (told, address) = std::sync::mpsc::channel::<SocketAddr>();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let store = SqliteStore::open(&file)?;
    let serving = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            told.send(listener.local_addr().unwrap()).unwrap();
            let stop = async move { drop(stopped.await) };
            MlflowServer::new(store).unwrap().serve(listener, stop).await.unwrap();
        });
    });
    let address = address.recv()?;
    println!("\tconnections\tclients\truns\tseconds\truns/s\tp50 ms\tp99 ms\tfailed");
    for keeps in [true, false] {
        print_runs(&Load { address, keeps, clients: 2, length: Duration::from_secs(1) }).await?;
    }
    drop(stop);
    serving.join().map_err(|_| "the server's thread panicked")?;
    std::fs::remove_file(&file)?;
    Ok(())
}
