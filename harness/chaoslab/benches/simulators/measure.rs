//! Measuring with criterion, and reading back what it measured.

use criterion::{BenchmarkId, Criterion, Throughput};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Where criterion leaves its estimates.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("simulators")
}

/// One run of the benchmarks.
pub struct Bench<'c> {
    criterion: &'c mut Criterion,
    measured: Vec<(Key, u64)>,
}

/// (group, subject, parameter).
pub type Key = (&'static str, &'static str, u32);

/// What was measured: nanoseconds per element.
pub type Figures = BTreeMap<Key, f64>;

impl<'c> Bench<'c> {
    /// Forgets what an earlier run left.
    pub fn new(criterion: &'c mut Criterion) -> Self {
        // Nothing is there before the first run.
        let _ = std::fs::remove_dir_all(folder());
        Self { criterion, measured: Vec::new() }
    }

    /// Measures `run`, which handles so many `elements` each time.
    pub fn measure<T>(
        &mut self,
        group: &'static str,
        subject: &'static str,
        parameter: u32,
        elements: u64,
        mut run: impl FnMut() -> T,
    ) {
        let mut benches = self.criterion.benchmark_group(group);
        benches.sample_size(10);
        benches.warm_up_time(Duration::from_millis(300));
        benches.measurement_time(Duration::from_millis(1_500));
        benches.throughput(Throughput::Elements(elements));
        let id = BenchmarkId::new(subject, parameter);
        benches.bench_function(id, |bencher| bencher.iter(&mut run));
        benches.finish();
        self.measured.push(((group, subject, parameter), elements));
    }

    /// Everything that was measured; `None` when a filter left something out.
    pub fn figures(&self) -> Option<Figures> {
        let figure = |(key, elements): &(Key, u64)| {
            let ((group, subject, parameter), elements) = (*key, *elements);
            let path = folder().join(group).join(subject).join(parameter.to_string());
            let text = std::fs::read_to_string(path.join("new/estimates.json")).ok()?;
            let estimates: Value = serde_json::from_str(&text).ok()?;
            let median_ns = estimates["median"]["point_estimate"].as_f64()?;
            Some((*key, median_ns / elements as f64))
        };
        self.measured.iter().map(figure).collect()
    }
}
