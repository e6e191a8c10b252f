//! Every figure that the linearizability checker is held to, tier two beside tier one.
//!
//! `cargo bench -p chaoslab-harness --bench linearizable`. The bar of each figure stands in its
//! name. The recorded histories of the peers are read from the folder that `CHAOSLAB_PEER_DATA`
//! names; without it that figure is left out, and the output says so.

mod load;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use harness::checks::linearizable::search::Limits;
use harness::checks::linearizable::{
    Options, Verdict, check_recorded_with, check_register_with, tier_one, tier_two,
};
use harness::history::register::Register;
use harness::history::split::Split;
use harness::history::{Recorded, read};
use harness::models::RegisterCas;
use load::{Load, Mix};
use std::hint::black_box;
use std::path::Path;

const MILLION: usize = 1_000_000;
/// More than any search here takes.
const STEPS_MAX: u64 = 1 << 40;

/// A verdict alone, without an order or a counterexample.
fn verdict_only() -> Options<'static> {
    Options { certify: false, counterexamples_max: 0, ..Options::steps(STEPS_MAX) }
}

fn check(load: Load, options: Options<'static>, expect: Verdict) -> impl FnMut() {
    let ops = load.run();
    let model = RegisterCas::default();

    move || {
        let report = check_register_with(black_box(&ops), &model, &options);
        assert_eq!(report.verdict, expect);
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

fn peers(c: &mut Criterion) {
    let folders = [
        ("jepsen etcd, verdicts of all files (bar 20 ms)", "porcupine/jepsen"),
        ("knossos cas-register good, verdicts of all files", "knossos/cas-register/good"),
        ("porcupine kv, verdicts of all files", "porcupine/kv"),
    ];
    for (name, folder) in folders {
        let Some(histories) = recorded(folder) else {
            println!("{name}: CHAOSLAB_PEER_DATA is not set, not measured");
            continue;
        };
        c.bench_function(name, |b| {
            b.iter(|| {
                for history in &histories {
                    black_box(check_recorded_with(history, verdict_only()));
                }
            });
        });
    }
}

fn one_key(c: &mut Criterion) {
    let hot = Load { unknown_permille: 10, ..Load::one_key(MILLION, 200) };
    let bad = Load { bad: true, ..hot };
    let write_only = Load { mix: Mix::ReadWrite, ..hot };
    let certified = Options { counterexamples_max: 0, ..Options::steps(STEPS_MAX) };
    let holds = Verdict::Linearizable;
    let fails = Verdict::NotLinearizable;
    let mut group = c.benchmark_group("1M operations, one key, 200 clients, 1 % unknown");
    group.sample_size(10);
    let mut bench = |name: &str, mut run: Box<dyn FnMut()>| {
        group.bench_function(name, |b| b.iter(&mut run));
    };
    bench("verdict (bar 200 ms)", Box::new(check(hot, verdict_only(), holds)));
    bench("verdict, put and get alone", Box::new(check(write_only, verdict_only(), holds)));
    bench("verdict of a bad one (bar 200 ms)", Box::new(check(bad, verdict_only(), fails)));
    bench("verdict and replayed order (bar 500 ms)", Box::new(check(hot, certified, holds)));
    bench(
        "verdict and counterexample (bar 200 + 500 ms)",
        Box::new(check(bad, Options::steps(STEPS_MAX), fails)),
    );
    drop(group);
    memory("1M operations, one key: peak, history of 120 bytes per operation included");
}

/// Both tiers on the same register.
fn tiers(c: &mut Criterion) {
    for ops in [1_000, 100_000, MILLION] {
        let load = Load { unknown_permille: 10, ..Load::one_key(ops, 200) };
        let history = load.run();
        let split = Split::new(&history, |_| true);
        let (key, shares) = split.parts().next().expect("there is one key");
        let model = RegisterCas::default();
        let register = Register::compile(&history, key, shares, &model, |_| false);
        let mut group = c.benchmark_group(format!("{ops} operations of one key, compiled"));
        group.sample_size(10);
        group.bench_function("tier one", |b| {
            b.iter(|| black_box(tier_one::judge(&register, false)));
        });
        group.bench_function("tier one with order", |b| {
            b.iter(|| black_box(tier_one::judge(&register, true)));
        });
        group.bench_function("tier two", |b| {
            b.iter(|| black_box(tier_two::search(&register, Limits::steps(STEPS_MAX))));
        });
    }
}

fn many_keys(c: &mut Criterion) {
    let zipf =
        Load { keys: 1_000, zipf: true, unknown_permille: 10, ..Load::one_key(10 * MILLION, 100) };
    let mut group = c.benchmark_group("10M operations, Zipf 1.1 over 1000 keys, 1 % unknown");
    group.sample_size(10);
    let mut run = check(zipf, verdict_only(), Verdict::Linearizable);
    group.bench_function("verdict (bar 3 s)", |b| b.iter(&mut run));
    drop(group);
    memory("10M operations: peak, history included");
}

fn small(c: &mut Criterion) {
    let load = Load { unknown_permille: 50, ..Load::one_key(1_000, 20) };
    let history = load.run();
    let model = RegisterCas::default();
    let options = Options::steps(STEPS_MAX);
    c.bench_function("1000 operations, one key, 20 clients, 5 % unknown, certified", |b| {
        b.iter_batched(
            || history.clone(),
            |history| black_box(check_register_with(&history, &model, &options)),
            BatchSize::LargeInput,
        );
    });
}

/// Prints the peak of resident memory so far, where the system tells.
fn memory(what: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!("{what}: {}", peak.map_or("unknown", str::trim));
}

criterion_group!(figures, peers, one_key, tiers, small, many_keys);
criterion_main!(figures);
