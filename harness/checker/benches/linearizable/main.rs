//! Every figure that the linearizability checker is held to, search beside zones, in one
//! command, written to `docs/benchmarks-checkers.md`:
//!
//! ```sh
//! cargo bench -p chaoslab-checker --bench linearizable
//! ```
//!
//! The recorded histories of the peers are read from the folder that `CHAOSLAB_PEER_DATA` names;
//! without it that figure is left out, and the page says so. With a filter (`-- tiers`) it prints
//! and writes nothing.

mod load;
mod memory;
mod table;

use checker::history::register::Register;
use checker::history::split::Split;
use checker::history::{Recorded, read};
use checker::linearizable::search::{Limits, search_register};
use checker::linearizable::{Options, Verdict, check_recorded_with, check_register_with, zones};
use checker::models::RegisterCas;
use devkit::measure::{self, Bench, Key};
use load::Load;
use std::hint::black_box;
use std::path::Path;

const MILLION: usize = 1_000_000;
/// More than any search here takes.
const STEPS_MAX: u64 = 1 << 40;

/// One key, 200 clients, 1 % unknown.
const HOT: Load = Load { unknown_permille: 10, ..Load::one_key(MILLION, 200) };
/// One of its reads sees what was overwritten long before.
const BAD: Load = Load { bad: true, ..HOT };
/// Many keys by Zipf's law.
const ZIPF: Load =
    Load { keys: 1_000, zipf: true, unknown_permille: 10, ..Load::one_key(10 * MILLION, 100) };

/// A verdict alone, without an order or a counterexample.
fn verdict_only() -> Options<'static> {
    Options { certify: false, ..certified() }
}

/// A verdict with the order that explains the history, replayed.
fn certified() -> Options<'static> {
    Options { counterexamples_max: 0, ..Options::steps(STEPS_MAX) }
}

/// Measures the check of what `load` makes. An element is a check.
fn check(bench: &mut Bench<'_>, name: &'static str, load: Load, options: &Options<'static>) {
    let model = RegisterCas::default();
    let expect = if load.bad { Verdict::NotLinearizable } else { Verdict::Linearizable };
    let key: Key = ("check", name, 0);
    bench.measure(
        key,
        || (load.run(), 1),
        |ops| {
            let report = check_register_with(black_box(ops), &model, options);
            assert_eq!(report.verdict, expect);
        },
    );
}

/// The recorded histories, by name and folder. An element is all files of a folder.
pub const PEERS: [(&str, &str); 3] = [
    ("jepsen", "porcupine/jepsen"),
    ("knossos", "knossos/cas-register/good"),
    ("porcupine", "porcupine/kv"),
];

fn peers(bench: &mut Bench<'_>) {
    for (name, folder) in PEERS {
        let Some(histories) = recorded(folder) else {
            eprintln!("{folder}: CHAOSLAB_PEER_DATA is not set, not measured");
            continue;
        };
        bench.measure(
            ("peers", name, 0),
            || ((), 1),
            |()| {
                for history in &histories {
                    black_box(check_recorded_with(history, verdict_only()));
                }
            },
        );
    }
}

/// The histories of the peers under a folder of `CHAOSLAB_PEER_DATA`.
fn recorded(folder: &str) -> Option<Vec<Recorded>> {
    let data = std::env::var_os("CHAOSLAB_PEER_DATA")?;
    let folder = Path::new(&data).join("histories").join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    paths.sort();
    let load = |path| {
        let bytes = std::fs::read(path).expect("the file can be read");
        read(&bytes, None).expect("peers write well-formed histories")
    };
    Some(paths.into_iter().map(load).collect())
}

/// Both tiers on the same register. An element is an operation.
fn tiers(bench: &mut Bench<'_>) {
    for ops in [1_000, 100_000, MILLION] {
        let history = Load { ops, ..HOT }.run();
        let split = Split::new(&history, |_| true);
        let (key, shares) = split.parts().next().expect("there is one key");
        let model = RegisterCas::default();
        let register = Register::compile(&history, key, shares, &model, |_| false);
        let make = || ((), ops as u64);
        let ops = ops as u32;
        bench.measure(("tiers", "zones", ops), make, |()| zones::judge(&register, false));
        bench.measure(("tiers", "with order", ops), make, |()| zones::judge(&register, true));
        bench.measure(("tiers", "search", ops), make, |()| {
            search_register(&register, Limits::steps(STEPS_MAX))
        });
    }
}

/// How many operations the counterexample of a bad read has.
fn counterexample_ops() -> usize {
    let options = Options::steps(STEPS_MAX);
    let report = check_register_with(&BAD.run(), &RegisterCas::default(), &options);
    let [example] = report.counterexamples.as_slice() else {
        panic!("one key, one counterexample");
    };
    example.ops.len()
}

fn main() {
    let folder = devkit::folder!();
    let mut criterion = measure::criterion(&folder);
    let mut bench = Bench::new(&mut criterion, folder);
    peers(&mut bench);
    check(&mut bench, "verdict", HOT, &verdict_only());
    check(&mut bench, "certified", HOT, &certified());
    check(&mut bench, "bad", BAD, &verdict_only());
    check(&mut bench, "explained", BAD, &Options::steps(STEPS_MAX));
    check(&mut bench, "zipf", ZIPF, &verdict_only());
    tiers(&mut bench);
    let figures = bench.figures();
    criterion.final_summary();
    if let Some(figures) = figures {
        let history = HOT.run();
        let model = RegisterCas::default();
        let verdict = || black_box(check_register_with(&history, &model, &verdict_only()));
        table::write(&figures, memory::grown_by(verdict), counterexample_ops());
    }
}
