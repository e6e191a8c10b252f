//! What a cache node counts for its operators, under the names of the modelled codebase.
//!
//! Eight metrics (see [`render`]), in the text format that Prometheus scrapes, version 0.0.4: for each
//! metric its help, its type, and then its samples at all nodes. They begin anew with each boot, as
//! those of a process do.

use super::super::command::DropReason;
use super::super::wire::Answer;
use super::Server;
use crate::protocol::raft::{Raft, Role};
use alloc::string::String;
use alloc::vec::Vec;
use contract::{Duration, Instant};
use core::fmt::Write;

/// The upper ends of the buckets of histograms, in microseconds: those of the client libraries of
/// Prometheus, and three below them, because a hit takes less than a millisecond.
const BUCKETS_US: [u64; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];

/// What a request asks for, as the label `method` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads one key.
    Get,
    /// Writes one key.
    Set,
    /// Deletes one key.
    Delete,
    /// Reads several keys.
    BatchGet,
}

const METHODS: [&str; 4] = ["get", "set", "delete", "batch_get"];
const STATUSES: [&str; 2] = ["ok", "error"];
const OUTCOMES: [&str; 3] = ["won", "lost", "timeout"];

/// Durations, counted by bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Histogram {
    /// How many fell into each bucket; the last is for those above all.
    counts: [u64; BUCKETS_US.len() + 1],
    sum_ns: u64,
}

impl Histogram {
    fn observe(&mut self, took: Duration) {
        let us = took.as_nanos().div_ceil(1_000);
        let bucket = BUCKETS_US.partition_point(|&end| end < us);
        self.counts[bucket] += 1;
        self.sum_ns += took.as_nanos();
    }

    fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// The counters of one node.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// The time of the present input.
    pub now: Instant,
    requests: [u64; METHODS.len()],
    durations: [[Histogram; STATUSES.len()]; METHODS.len()],
    evictions: [u64; DropReason::ALL.len()],
    elections: [u64; OUTCOMES.len()],
    replication: Histogram,
    /// What Raft was when it was last looked at.
    role: Role,
    term: u64,
}

impl Metrics {
    /// A request arrived.
    pub fn arrived(&mut self, method: Method) {
        self.requests[method as usize] += 1;
    }

    /// A request that arrived at `since` is answered.
    pub fn answered(&mut self, method: Method, since: Instant, answer: &Answer<'_>) {
        let status = match answer {
            Answer::Found { .. }
            | Answer::Missing
            | Answer::Item { .. }
            | Answer::Applied(_)
            | Answer::Done { .. } => 0,
            Answer::NotLeader { .. }
            | Answer::Retry
            | Answer::Unknown
            | Answer::Refused(_)
            | Answer::Unavailable => 1,
            Answer::Invalidate { .. } => return,
        };
        if answer.is_partial() {
            return;
        }
        self.durations[method as usize][status].observe(self.now.since(since));
    }

    /// An entry that was proposed at `since` is applied.
    pub fn replicated(&mut self, since: Instant) {
        self.replication.observe(self.now.since(since));
    }

    /// So many entries left.
    pub fn dropped(&mut self, reason: DropReason, entries: u64) {
        self.evictions[reason as usize] += entries;
    }

    /// Looks at what became of Raft in this input.
    pub fn look(&mut self, raft: &Raft) {
        let (before, now) = (self.role, raft.role());
        let stood = before == Role::Candidate;
        let outcome = match now {
            Role::Leader if before != Role::Leader => Some(0),
            Role::Candidate if stood && raft.term() > self.term => Some(2),
            Role::Follower | Role::PreCandidate if stood => Some(1),
            _ => None,
        };
        if let Some(outcome) = outcome {
            self.elections[outcome] += 1;
        }
        (self.role, self.term) = (now, raft.term());
    }
}

/// One sample of a metric: the labels behind the node's, and its value.
type Sample = (String, u64);

/// Appends the metrics of `nodes`, each with its name.
pub fn render(nodes: &[(&str, &Server)], out: &mut String) {
    let mut family = |name: &str, kind, help, samples: &dyn Fn(&Server) -> Vec<Sample>| {
        head(name, kind, help, out);
        for (node, server) in nodes {
            for (labels, value) in samples(server) {
                line(out, format_args!("{name}{{instance=\"{node}\"{labels}}} {value}"));
            }
        }
    };
    family("hyperion_requests_total", "counter", "Requests by method.", &|server| {
        labelled("method", &METHODS, &server.metrics().requests)
    });
    family("hyperion_cache_size_bytes", "gauge", "What all entries count for.", &|server| {
        Vec::from([(String::new(), server.size_bytes())])
    });
    family("hyperion_cache_entries_total", "gauge", "Entries that are held.", &|server| {
        Vec::from([(String::new(), server.machine().store().len())])
    });
    family("hyperion_evictions_total", "counter", "Entries that left, by reason.", &|server| {
        labelled("reason", &DropReason::ALL.map(DropReason::name), &server.metrics().evictions)
    });
    let help = "What the node is in its Raft group: 0 follower, 1 candidate, 2 leader.";
    family("hyperion_raft_state", "gauge", help, &|server| {
        let state = match server.raft().role() {
            Role::Follower => 0,
            Role::PreCandidate | Role::Candidate => 1,
            Role::Leader => 2,
        };
        Vec::from([(String::new(), state)])
    });
    family("hyperion_raft_elections_total", "counter", "Elections by outcome.", &|server| {
        labelled("outcome", &OUTCOMES, &server.metrics().elections)
    });
    durations(nodes, out);
    let name = "hyperion_raft_replication_seconds";
    head(name, "histogram", "From the proposal of an entry until it is applied.", out);
    for (node, server) in nodes {
        let label = labels(node, &[]);
        histogram(name, &label, &server.metrics().replication, out);
    }
}

fn durations(nodes: &[(&str, &Server)], out: &mut String) {
    let name = "hyperion_request_duration_seconds";
    head(name, "histogram", "From the arrival of a request until it is answered.", out);
    for (node, server) in nodes {
        for (method, by_status) in METHODS.iter().zip(&server.metrics().durations) {
            for (status, taken) in STATUSES.iter().zip(by_status) {
                let label = labels(node, &[("method", method), ("status", status)]);
                histogram(name, &label, taken, out);
            }
        }
    }
}

fn head(name: &str, kind: &str, help: &str, out: &mut String) {
    line(out, format_args!("# HELP {name} {help}"));
    line(out, format_args!("# TYPE {name} {kind}"));
}

fn labelled(label: &str, words: &[&str], values: &[u64]) -> Vec<Sample> {
    assert!(words.len() == values.len(), "each word has a value");
    let label = |word: &str| alloc::format!(",{label}=\"{word}\"");
    words.iter().zip(values).map(|(word, value)| (label(word), *value)).collect()
}

/// The labels of a node's sample, without braces. Names of nodes and words need no escapes.
fn labels(node: &str, more: &[(&str, &str)]) -> String {
    let mut text = alloc::format!("instance=\"{node}\"");
    for (label, word) in more {
        text.push_str(&alloc::format!(",{label}=\"{word}\""));
    }
    text
}

fn histogram(name: &str, labels: &str, taken: &Histogram, out: &mut String) {
    let mut up_to = 0;
    for (end_us, count) in BUCKETS_US.iter().zip(&taken.counts) {
        up_to += count;
        let end = seconds(end_us * 1_000);
        line(out, format_args!("{name}_bucket{{{labels},le=\"{end}\"}} {up_to}"));
    }
    let count = taken.count();
    line(out, format_args!("{name}_bucket{{{labels},le=\"+Inf\"}} {count}"));
    line(out, format_args!("{name}_sum{{{labels}}} {}", seconds(taken.sum_ns)));
    line(out, format_args!("{name}_count{{{labels}}} {count}"));
}

/// Nanoseconds as seconds, exact and without idle zeros.
fn seconds(ns: u64) -> String {
    let text = alloc::format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
    let text = text.trim_end_matches('0');
    String::from(text.strip_suffix('.').unwrap_or(text))
}

fn line(out: &mut String, text: core::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes every text");
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_its_bucket_and_in_all_above() {
        let mut taken = Histogram::default();
        for us in [0, 500, 501, 9_000_000, 10_000_001] {
            taken.observe(Duration(us * 1_000));
        }
        let mut out = String::new();
        histogram("x", "a=\"b\"", &taken, &mut out);
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines[0], "x_bucket{a=\"b\",le=\"0.0005\"} 2");
        assert_eq!(lines[1], "x_bucket{a=\"b\",le=\"0.001\"} 3");
        assert_eq!(lines[13], "x_bucket{a=\"b\",le=\"10\"} 4");
        assert_eq!(lines[14], "x_bucket{a=\"b\",le=\"+Inf\"} 5");
        assert_eq!(lines[15], "x_sum{a=\"b\"} 19.001002");
        assert_eq!(lines[16], "x_count{a=\"b\"} 5");
    }

    #[test]
    fn seconds_are_exact() {
        let cases = [(0, "0"), (1, "0.000000001"), (2_500_000, "0.0025"), (3_000_000_000, "3")];
        for (ns, text) in cases {
            assert_eq!(seconds(ns), text);
        }
    }
}
