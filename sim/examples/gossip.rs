//! Measures the gossip protocols in the engine: how fast a world of many members runs and what it
//! takes, and when a death is suspected and known, beside the formulas.
//!
//! `cargo run --release -p chaoslab-sim --example gossip -- speed 1000` or `… death 100 100`.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it measures the lab from outside; no run sees it"
)]

#[path = "../tests/gossip/serf_node.rs"]
mod serf_node;
#[path = "../tests/gossip/toy.rs"]
#[expect(dead_code, reason = "the measurement uses a part of what the tests do")]
mod toy;

use contract::Duration;
use sim::protocol::swim::timeouts::suspicion_min;
use sim::protocol::swim::{Name, SwimSettings};
use std::time::Instant;
use toy::{Cluster, Spec};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize, default: u64| args.get(at).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    match args.first().map(String::as_str) {
        Some("death") => death(number(1, 10) as u32, number(2, 100)),
        _ => speed(number(1, 1_000) as u32, number(2, 300)),
    }
}

/// Simulated seconds per second, with a death in the middle, and the peak of resident memory.
fn speed(members: u32, seconds: u64) {
    for is_watched in [false, true] {
        let begin = Instant::now();
        let spec = Spec { is_watched, ..Spec::new(1, members, SwimSettings::hypercore()) };
        let mut cluster = Cluster::new(spec);
        let booted = begin.elapsed();
        let begin = Instant::now();
        cluster.run_to(seconds / 2);
        let before = begin.elapsed();
        cluster.down(members / 2);
        cluster.run_to(seconds);
        let all = begin.elapsed();
        let rate = |seconds: u64, took: std::time::Duration| seconds as f64 / took.as_secs_f64();
        println!(
            "{members} members, watched: {is_watched}: boot {booted:.2?}, quiet {:.0} s/s, with a death {:.0} s/s, {} events, digest {:016x}",
            rate(seconds / 2, before),
            rate(seconds - seconds / 2, all - before),
            cluster.engine.events(),
            cluster.engine.digest(),
        );
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!("{}", peak.unwrap_or("VmHWM: not known here"));
}

/// When a death is suspected first, and known everywhere, over seeds.
fn death(members: u32, seeds: u64) {
    let timing = SwimSettings::hypercore();
    let interval = timing.probe_interval;
    let min = suspicion_min(timing.suspicion_mult, u64::from(members), interval);
    let (mut first_sum, mut late) = (0.0, 0);
    let (mut spread_sum, mut spread_max): (f64, f64) = (0.0, 0.0);
    for seed in 0..seeds {
        let spec = Spec { is_watched: false, ..Spec::new(seed, members, timing.clone()) };
        let mut cluster = Cluster::new(spec);
        cluster.engine.observer_mut().subject = Some(Name(1));
        let dies_ms = 30_000 + seed * 7_919 % 20_000;
        cluster.run_to_ms(dies_ms);
        cluster.down(1);
        let mut until = dies_ms / 1_000;
        while (cluster.engine.observer().died.len() as u32) < members - 1 && until < 2_000 {
            until += 5;
            cluster.run_to(until);
        }
        let seen = cluster.engine.observer();
        let first = seen.suspected.first().expect("somebody suspects it").0.0 as f64 / 1e9;
        first_sum += first - dies_ms as f64 / 1e3;
        let known = seen.died.values().map(|at| at.0).max().expect("they know") as f64 / 1e9;
        // The first that declares it dead had the confirmations that it got.
        let declared = seen.died.values().map(|at| at.0).min().expect("they know") as f64 / 1e9;
        let rounds = f64::from(members).log(3.0).ceil();
        let gossip = timing.gossip_interval.as_nanos() as f64 / 1e9 * rounds;
        let is_all = seen.died.len() as u32 == members - 1;
        late += u64::from(!is_all || known > declared + gossip + 10.0);
        spread_sum += known - declared;
        spread_max = spread_max.max(known - declared);
    }
    let seconds = |duration: Duration| duration.as_nanos() as f64 / 1e9;
    let e = std::f64::consts::E;
    let theory = e / (e - 1.0) * seconds(interval) + seconds(timing.probe_timeout);
    let phase = seconds(interval) * (2.0 - 1.0 / f64::from(members));
    let seeds_f = seeds as f64;
    println!(
        "{members} members, {seeds} seeds: first suspicion {:.2} s (e/(e-1) formula {theory:.2} s, random phases and deadline {phase:.2} s); declared to known everywhere {:.2} s mean, {spread_max:.2} s most; suspicion {:.0} s at least; later than the bound in {late}",
        first_sum / seeds_f,
        spread_sum / seeds_f,
        seconds(min),
    );
}
