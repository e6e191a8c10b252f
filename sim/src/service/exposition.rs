//! Counters, gauges and histograms as the text that Prometheus scrapes, version 0.0.4: for each metric
//! its help, its type, and then its samples.

use alloc::string::String;
use contract::Duration;
use core::fmt::{self, Write};

/// The upper ends of the buckets of histograms, in microseconds: those of the client libraries of
/// Prometheus, and three below them, because what is in memory takes less than a millisecond.
const BUCKETS_US: [u64; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];

/// Durations, counted by bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many fell into each bucket; the last is for those above all.
    counts: [u64; BUCKETS_US.len() + 1],
    sum_ns: u64,
}

impl Histogram {
    /// Counts one duration.
    pub fn observe(&mut self, took: Duration) {
        let us = took.as_nanos().div_ceil(1_000);
        let bucket = BUCKETS_US.partition_point(|&end| end < us);
        self.counts[bucket] += 1;
        self.sum_ns += took.as_nanos();
    }

    /// How many it counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// What kind of a figure a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// It rises.
    Counter,
    /// It rises and falls.
    Gauge,
    /// It counts durations.
    Histogram,
}

/// Names with their words. Neither needs escapes.
pub type Labels<'a> = &'a [(&'a str, &'a str)];

/// A text that grows metric by metric.
#[derive(Debug)]
pub struct Exposition<'a>(&'a mut String);

impl<'a> Exposition<'a> {
    /// Appends to `out`.
    pub const fn new(out: &'a mut String) -> Self {
        Self(out)
    }

    /// Begins a metric; its samples follow.
    pub fn metric(&mut self, name: &'a str, kind: Metric, help: &str) -> Samples<'_> {
        let kind = match kind {
            Metric::Counter => "counter",
            Metric::Gauge => "gauge",
            Metric::Histogram => "histogram",
        };
        line(self.0, format_args!("# HELP {name} {help}"));
        line(self.0, format_args!("# TYPE {name} {kind}"));
        Samples { name, out: self.0 }
    }
}

/// The samples of one metric.
#[derive(Debug)]
pub struct Samples<'a> {
    name: &'a str,
    out: &'a mut String,
}

impl Samples<'_> {
    /// One sample.
    pub fn sample(&mut self, labels: Labels<'_>, value: u64) {
        let Self { name, out } = self;
        line(out, format_args!("{name}{{{}}} {value}", Shown(labels)));
    }

    /// The samples of one histogram: its buckets, each with all below it, its sum and its count.
    pub fn histogram(&mut self, labels: Labels<'_>, taken: &Histogram) {
        let Self { name, out } = self;
        let shown = Shown(labels);
        let mut up_to = 0;
        for (end_us, count) in BUCKETS_US.iter().zip(&taken.counts) {
            up_to += count;
            let end = Seconds(end_us * 1_000);
            line(out, format_args!("{name}_bucket{{{shown},le=\"{end}\"}} {up_to}"));
        }
        let count = taken.count();
        line(out, format_args!("{name}_bucket{{{shown},le=\"+Inf\"}} {count}"));
        line(out, format_args!("{name}_sum{{{shown}}} {}", Seconds(taken.sum_ns)));
        line(out, format_args!("{name}_count{{{shown}}} {count}"));
    }
}

/// The labels of a sample, without braces.
struct Shown<'a>(Labels<'a>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (label, word)) in self.0.iter().enumerate() {
            write!(f, "{}{label}=\"{word}\"", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// Nanoseconds as seconds, exact and without idle zeros.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(ns) = self;
        let text = alloc::format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
        let text = text.trim_end_matches('0');
        f.write_str(text.strip_suffix('.').unwrap_or(text))
    }
}

fn line(out: &mut String, text: fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes every text");
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    #[test]
    fn a_duration_counts_in_its_bucket_and_in_all_above() {
        let mut taken = Histogram::default();
        for us in [0, 500, 501, 9_000_000, 10_000_001] {
            taken.observe(Duration(us * 1_000));
        }
        let mut out = String::new();
        let mut exposition = Exposition::new(&mut out);
        exposition.metric("x", Metric::Histogram, "Help.").histogram(&[("a", "b")], &taken);
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines[..2], ["# HELP x Help.", "# TYPE x histogram"]);
        assert_eq!(lines[2], "x_bucket{a=\"b\",le=\"0.0005\"} 2");
        assert_eq!(lines[3], "x_bucket{a=\"b\",le=\"0.001\"} 3");
        assert_eq!(lines[15], "x_bucket{a=\"b\",le=\"10\"} 4");
        assert_eq!(lines[16], "x_bucket{a=\"b\",le=\"+Inf\"} 5");
        assert_eq!(lines[17], "x_sum{a=\"b\"} 19.001002");
        assert_eq!(lines[18], "x_count{a=\"b\"} 5");
    }

    #[test]
    fn samples_show_their_labels() {
        let mut out = String::new();
        let mut exposition = Exposition::new(&mut out);
        exposition.metric("y", Metric::Gauge, "Help.").sample(&[("a", "b"), ("c", "d")], 7);
        assert_eq!(out.lines().last(), Some("y{a=\"b\",c=\"d\"} 7"));
    }

    #[test]
    fn seconds_are_exact() {
        let cases = [(0, "0"), (1, "0.000000001"), (2_500_000, "0.0025"), (3_000_000_000, "3")];
        for (ns, text) in cases {
            assert_eq!(Seconds(ns).to_string(), text);
        }
    }
}
