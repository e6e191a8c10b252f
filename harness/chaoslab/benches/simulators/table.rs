//! `docs/benchmarks.md`: what was measured, as ratios beside what is asked for.

use crate::worlds::{SMOKE, root};
use devkit::measure::Figures;
use devkit::page::{self, Held, held, machine, short};
use std::fmt::Write as _;

/// Writes the page, and prints it. `sweep_percent` is what a sweep with two jobs reaches of twice the
/// speed of one.
pub fn write(figures: &Figures, sweep_percent: Option<f64>) {
    page::write(&root(), "benchmarks.md", &page(figures, sweep_percent));
}

fn page(figures: &Figures, sweep_percent: Option<f64>) -> String {
    let mut page = String::new();
    page += "# Benchmarks\n\n";
    page += "Written by `cargo bench -p chaoslab --features simulators --bench simulators`, medians \
             of one run in processor time. Absolute figures are those of this machine; the ratios are what counts.\n\n";
    let _ = writeln!(page, "Machine: {}.\n", machine());
    page += "Everything that is on in any run is on here: frames, streams, conditions, digests, \
             traces, counters, asserts and overflow checks. The bare loop is the limit: a heap of \
             16-byte keys, a slab, a virtual call, one draw a message.\n\n";
    held(&mut page, &rows(figures, sweep_percent));
    workloads(&mut page, figures);
    growth(&mut page, figures);
    smoke(&mut page, figures);
    page
}

/// How many times as long `of` takes as `than` for the same.
fn ratio(
    figures: &Figures,
    group: &'static str,
    parameter: u32,
    of: &'static str,
    than: &'static str,
) -> Option<f64> {
    Some(figures.get(&(group, of, parameter))? / figures.get(&(group, than, parameter))?)
}

/// How many times as much the costliest of a group costs our engine as the one with `parameter`.
fn growth_of(figures: &Figures, group: &str, parameter: u32) -> Option<f64> {
    let mine = || figures.iter().filter(|(key, _)| key.0 == group && key.1 == "engine");
    let base = mine().find(|(key, _)| key.2 == parameter)?.1;
    mine().map(|(_, cost)| cost / base).reduce(f64::max)
}

fn rows(figures: &Figures, sweep_percent: Option<f64>) -> Vec<Held> {
    let sweep = Held {
        what: "sweep with two jobs on two processors, of twice the speed of one",
        unit: " %",
        measured: sweep_percent,
        bar: 95.0,
        beyond: None,
        more: true,
    };
    let (others, growth) = (beside_others(figures), growth_and_copies(figures));
    [others, growth, whole_worlds(figures), vec![sweep]].concat()
}

/// The same work on the simulators and on the bare loop.
fn beside_others(figures: &Figures) -> Vec<Held> {
    let slower = |what, group, parameter, host, bar| Held {
        what,
        unit: "×",
        measured: ratio(figures, group, parameter, host, "engine"),
        bar,
        beyond: None,
        more: true,
    };
    let limit = |what, group, parameter, bar| Held {
        what,
        unit: "×",
        measured: ratio(figures, group, parameter, "engine", "bare"),
        bar,
        beyond: Some(1.5),
        more: false,
    };
    vec![
        slower("A, W = 1: faster than madsim", "A", 1, "madsim", 20.0),
        slower("A, W = 64: faster than madsim", "A", 64, "madsim", 20.0),
        slower("A, W = 1: faster than turmoil", "A", 1, "turmoil", 50.0),
        slower("A, W = 64: faster than turmoil", "A", 64, "turmoil", 5.0),
        limit("A, W = 1: slower than the bare loop", "A", 1, 2.5),
        limit("A, W = 64: slower than the bare loop", "A", 64, 2.5),
        slower("B, 3 nodes: faster than madsim", "B", 3, "madsim", 15.0),
        slower("B, 100 nodes: faster than madsim", "B", 100, "madsim", 15.0),
        slower("B, 3 nodes: faster than turmoil", "B", 3, "turmoil", 500.0),
        limit("B, 3 nodes: slower than the bare loop", "B", 3, 3.0),
        limit("B, 100 nodes: slower than the bare loop", "B", 100, 3.0),
    ]
}

/// What grows with a world, and what a copy and the digest cost.
fn growth_and_copies(figures: &Figures) -> Vec<Held> {
    let grows = |what, group, base| Held {
        what,
        unit: "×",
        measured: growth_of(figures, group, base),
        bar: 3.0,
        beyond: Some(2.0),
        more: false,
    };
    let fork = |what, keys, bar, beyond| Held {
        what,
        unit: " µs",
        measured: figures.get(&("fork", "engine", keys)).map(|ns| ns / 1e3),
        bar,
        beyond: Some(beyond),
        more: false,
    };
    let of_event = || {
        let event = figures.get(&("A", "engine", 1))?;
        Some(figures.get(&("digest", "engine", 64))? / event * 100.0)
    };
    let digest = Held {
        what: "digest of a frame of 64 bytes, of the cost of an event (A, W = 1)",
        unit: " %",
        measured: of_event(),
        bar: 5.0,
        beyond: None,
        more: false,
    };
    vec![
        grows("cost per event, 5 to 1 000 nodes (B)", "growth-nodes", 5),
        grows("cost per event, 10 to 100 000 events pending (A)", "growth-pending", 10),
        fork("copy of 5 nodes with 1 000 keys each", 1_000, 30.0, 10.0),
        fork("copy of 5 nodes with 50 000 keys each", 50_000, 500.0, 200.0),
        digest,
    ]
}

/// How much faster than real time whole clusters run.
fn whole_worlds(figures: &Figures) -> Vec<Held> {
    // An element is a simulated millisecond.
    let factor = |what, group, nodes, bar, beyond| Held {
        what,
        unit: "×",
        measured: figures.get(&(group, "engine", nodes)).map(|ns| 1e6 / ns),
        bar,
        beyond: Some(beyond),
        more: true,
    };
    vec![
        factor(
            "Hyperion, 3 nodes, no load: simulated per wall time",
            "hyperion-idle",
            3,
            50_000.0,
            150_000.0,
        ),
        factor(
            "Hyperion, 5 nodes, 1 000 operations per simulated second, invariants and history on",
            "hyperion-busy",
            5,
            100.0,
            300.0,
        ),
    ]
}

fn workloads(page: &mut String, figures: &Figures) {
    page.push_str(
        "## Workloads\n\nA: five nodes, each keeps W requests of 64 bytes outstanding to random \
         peers, 1 to 10 ms of latency; million messages per second. B: a tick every 50 ms and a \
         heartbeat to two peers every 150 ms; simulated seconds per second.\n\n| host | A, W = 1 \
         | A, W = 64 | B, 3 nodes | B, 100 nodes |\n|---|--:|--:|--:|--:|\n",
    );
    for host in ["bare", "engine", "madsim", "turmoil"] {
        let cell = |group, parameter, unit: f64| {
            let ns = figures.get(&(group, host, parameter));
            ns.map_or_else(|| "–".to_owned(), |ns| short(unit / ns))
        };
        let _ = writeln!(
            page,
            "| {host} | {} | {} | {} | {} |",
            cell("A", 1, 1e3),
            cell("A", 64, 1e3),
            cell("B", 3, 1e6),
            cell("B", 100, 1e6)
        );
    }
    page.push('\n');
}

fn growth(page: &mut String, figures: &Figures) {
    page.push_str("## Growth\n\nNanoseconds per event.\n\n");
    let groups = [
        ("growth-nodes", "nodes, two peers each (B)"),
        ("growth-peers", "nodes, all peers of all others (A, W = 1): a million links at the end"),
        ("growth-pending", "pending events among five nodes (A)"),
        ("growth-clients", "clients of five Hyperion nodes, 1 000 operations per second in all"),
    ];
    for (group, what) in groups {
        let of = |host| figures.iter().filter(move |(key, _)| key.0 == group && key.1 == host);
        let mine: Vec<_> = of("engine").collect();
        let heads: Vec<String> = mine.iter().map(|(key, _)| key.2.to_string()).collect();
        let cells: Vec<String> = mine.iter().map(|(_, ns)| short(**ns)).collect();
        let _ = writeln!(page, "| {what} | {} |", heads.join(" | "));
        let _ = writeln!(page, "|---|{}", "--:|".repeat(mine.len()));
        let _ = writeln!(page, "| ns | {} |", cells.join(" | "));
        let bare: Vec<String> = of("bare").map(|(_, ns)| short(*ns)).collect();
        if !bare.is_empty() {
            let _ = writeln!(page, "| the bare loop | {} |", bare.join(" | "));
        }
        page.push('\n');
    }
}

fn smoke(page: &mut String, figures: &Figures) {
    page.push_str(
        "## Smoke scenarios\n\nSeeds per second and core, from the plan to the verdicts.\n\n\
         | scenario | seeds per second |\n|---|--:|\n",
    );
    for name in SMOKE {
        let ns = figures.get(&("smoke", name, 1));
        let speed = ns.map_or_else(|| "–".to_owned(), |ns| short(1e9 / ns));
        let _ = writeln!(page, "| `smoke/{name}` | {speed} |");
    }
}
