//! `docs/benchmarks.md`: what was measured, as ratios beside what is asked for.

use crate::measure::Figures;
use std::fmt::Write as _;
use std::path::Path;

/// Writes the page, and prints it.
pub fn write(figures: &Figures) {
    let page = page(figures);
    print!("{page}");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).expect("the binary lies two folders below the root");
    let path = root.join("docs/benchmarks.md");
    match std::fs::write(&path, page) {
        Ok(()) => eprintln!("written: {}", path.display()),
        Err(error) => eprintln!("cannot write {}: {error}", path.display()),
    }
}

fn page(figures: &Figures) -> String {
    let mut page = String::new();
    page += "# Benchmarks\n\n";
    page += "Written by `cargo bench -p chaoslab --bench simulators`, medians of one run in \
             processor time. Absolute figures are those of this machine; the ratios are what counts.\n\n";
    let _ = writeln!(page, "Machine: {}.\n", machine());
    page += "Everything that is on in any run is on here: frames, streams, conditions, digests, \
             traces, counters, asserts and overflow checks. The bare loop is the limit: a heap of \
             16-byte keys, a slab, a virtual call, one draw a message.\n\n";
    held(&mut page, figures);
    workloads(&mut page, figures);
    growth(&mut page, figures);
    page
}

/// A figure with the bar that it is held to and the one beyond.
#[derive(Clone)]
struct Held {
    what: &'static str,
    unit: &'static str,
    measured: Option<f64>,
    bar: f64,
    beyond: Option<f64>,
    /// Whether more is better.
    more: bool,
}

impl Held {
    fn verdict(&self) -> &'static str {
        let Some(measured) = self.measured else { return "not measured" };
        let meets = |bar: f64| if self.more { measured >= bar } else { measured <= bar };
        match self.beyond {
            Some(beyond) if meets(beyond) => "beyond",
            _ if meets(self.bar) => "met",
            _ => "missed",
        }
    }
}

fn held(page: &mut String, figures: &Figures) {
    page.push_str("## What is asked for\n\n");
    page.push_str("| figure | measured | bar | beyond | |\n|---|--:|--:|--:|---|\n");
    for held in rows(figures) {
        let amount = |value: f64| format!("{}{}", short(value), held.unit);
        let sign = if held.more { "≥" } else { "≤" };
        let _ = writeln!(
            page,
            "| {} | {} | {sign} {} | {} | {} |",
            held.what,
            held.measured.map_or_else(|| "–".to_owned(), amount),
            amount(held.bar),
            held.beyond.map_or_else(String::new, |beyond| format!("{sign} {}", amount(beyond))),
            held.verdict()
        );
    }
    page.push('\n');
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

/// How many times as much the costliest of a group costs as the one with `parameter`.
fn growth_of(figures: &Figures, group: &str, parameter: u32) -> Option<f64> {
    let mine = || figures.iter().filter(|(key, _)| key.0 == group);
    let base = mine().find(|(key, _)| key.2 == parameter)?.1;
    mine().map(|(_, cost)| cost / base).reduce(f64::max)
}

fn rows(figures: &Figures) -> Vec<Held> {
    [beside_others(figures), growth_and_copies(figures), whole_worlds(figures)].concat()
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
    ];
    for (group, what) in groups {
        let mine: Vec<_> = figures.iter().filter(|(key, _)| key.0 == group).collect();
        let heads: Vec<String> = mine.iter().map(|(key, _)| key.2.to_string()).collect();
        let cells: Vec<String> = mine.iter().map(|(_, ns)| short(**ns)).collect();
        let _ = writeln!(page, "| {what} | {} |", heads.join(" | "));
        let _ = writeln!(page, "|---|{}", "--:|".repeat(mine.len()));
        let _ = writeln!(page, "| ns | {} |\n", cells.join(" | "));
    }
}

/// Three digits that count.
fn short(value: f64) -> String {
    match value {
        v if v >= 1_000.0 => {
            let whole = format!("{}", v.round() as u64);
            let parts: Vec<&str> = whole
                .as_bytes()
                .rchunks(3)
                .rev()
                .map(|d| str::from_utf8(d).expect("digits"))
                .collect();
            parts.join(" ")
        }
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// The shape of the machine: no name of it.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
    format!("{cores} cores, {model}, {arch}, {os}")
}
