//! Measuring processor time with criterion, and reading back what it measured.
//!
//! Processor time, because a machine that does something else meanwhile must not change a ratio.

use cpu_time::ProcessTime;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkId, Criterion};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Where criterion leaves the estimates of a benchmark: called as `folder!()`.
#[macro_export]
macro_rules! folder {
    () => {
        std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"))
    };
}

/// What all threads of the process spend on a processor.
pub struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = ProcessTime;
    type Value = Duration;

    fn start(&self) -> ProcessTime {
        ProcessTime::now()
    }
    fn end(&self, start: ProcessTime) -> Duration {
        start.elapsed()
    }
    fn add(&self, one: &Duration, two: &Duration) -> Duration {
        *one + *two
    }
    fn zero(&self) -> Duration {
        Duration::ZERO
    }
    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }
    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// A criterion that measures processor time and writes into `folder`, as the command line says.
#[must_use]
pub fn criterion(folder: &std::path::Path) -> Criterion<CpuTime> {
    let criterion = Criterion::default().with_measurement(CpuTime).output_directory(folder);
    criterion.without_plots().configure_from_args()
}

/// One run of the benchmarks.
pub struct Bench<'c> {
    criterion: &'c mut Criterion<CpuTime>,
    folder: PathBuf,
    measured: Vec<(Key, Option<u64>)>,
}

/// (group, subject, parameter).
pub type Key = (&'static str, &'static str, u32);

/// What was measured: nanoseconds per element.
pub type Figures = BTreeMap<Key, f64>;

impl<'c> Bench<'c> {
    /// Forgets what an earlier run left in `folder`, where `criterion` writes.
    pub fn new(criterion: &'c mut Criterion<CpuTime>, folder: PathBuf) -> Self {
        // Nothing is there before the first run.
        let _ = std::fs::remove_dir_all(&folder);
        Self { criterion, folder, measured: Vec::new() }
    }

    /// Measures `run` on what `make` made, unless a filter leaves it out. `make` also says how
    /// many elements a run handles.
    pub fn measure<S, T>(
        &mut self,
        (group, subject, parameter): Key,
        make: impl Fn() -> (S, u64),
        run: impl Fn(&mut S) -> T,
    ) {
        let mut benches = self.criterion.benchmark_group(group);
        benches.sample_size(10);
        benches.warm_up_time(Duration::from_millis(300));
        benches.measurement_time(Duration::from_millis(1_500));
        // Once, although criterion asks several times.
        let mut made = None;
        benches.bench_function(BenchmarkId::new(subject, parameter), |bencher| {
            let (subject, _) = made.get_or_insert_with(&make);
            bencher.iter(|| run(subject));
        });
        benches.finish();
        let elements = made.map(|(_, elements)| elements);
        self.measured.push(((group, subject, parameter), elements));
    }

    /// Everything that was measured; `None` when a filter left something out.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        let figure = |(key, elements): &(Key, Option<u64>)| {
            let ((group, subject, parameter), elements) = (*key, (*elements)?);
            let path = self.folder.join(group).join(subject).join(parameter.to_string());
            let text = std::fs::read_to_string(path.join("new/estimates.json")).ok()?;
            let estimates: Value = serde_json::from_str(&text).ok()?;
            let median_ns = estimates["median"]["point_estimate"].as_f64()?;
            Some((*key, median_ns / elements as f64))
        };
        self.measured.iter().map(figure).collect()
    }
}
