//! What a cache node counts for its operators, under the names of the modelled codebase.
//!
//! Eight metrics (see [`render`]), in the text format that Prometheus scrapes, version 0.0.4: for each
//! metric its help, its type, and then its samples at all nodes. They begin anew with each boot, as
//! those of a process do.

use super::super::command::DropReason;
use super::super::wire::Answer;
use super::Server;
use crate::protocol::raft::{Raft, Role};
use crate::service::exposition::{Exposition, Histogram, Metric, Samples};
use alloc::string::String;
use contract::Instant;

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

/// Appends the metrics of `nodes`, each with its name.
pub fn render(nodes: &[(&str, &Server)], out: &mut String) {
    let mut text = Exposition::new(out);
    let name = "hyperion_requests_total";
    let mut samples = text.metric(name, Metric::Counter, "Requests by method.");
    for (node, server) in nodes {
        labelled(&mut samples, node, ("method", &METHODS), &server.metrics().requests);
    }
    let name = "hyperion_cache_size_bytes";
    let mut samples = text.metric(name, Metric::Gauge, "What all entries count for.");
    nodes.iter().for_each(|(node, server)| samples.sample(&of(node), server.size_bytes()));
    let name = "hyperion_cache_entries_total";
    let mut samples = text.metric(name, Metric::Gauge, "Entries that are held.");
    let entries = |server: &Server| server.machine().store().len();
    nodes.iter().for_each(|(node, server)| samples.sample(&of(node), entries(server)));
    let name = "hyperion_evictions_total";
    let mut samples = text.metric(name, Metric::Counter, "Entries that left, by reason.");
    let reasons = DropReason::ALL.map(DropReason::name);
    for (node, server) in nodes {
        labelled(&mut samples, node, ("reason", &reasons), &server.metrics().evictions);
    }
    consensus(nodes, &mut text);
    durations(nodes, &mut text);
}

/// What is known of the Raft group.
fn consensus(nodes: &[(&str, &Server)], text: &mut Exposition<'_>) {
    let help = "What the node is in its Raft group: 0 follower, 1 candidate, 2 leader.";
    let mut samples = text.metric("hyperion_raft_state", Metric::Gauge, help);
    for (node, server) in nodes {
        let state = match server.raft().role() {
            Role::Follower => 0,
            Role::PreCandidate | Role::Candidate => 1,
            Role::Leader => 2,
        };
        samples.sample(&of(node), state);
    }
    let name = "hyperion_raft_elections_total";
    let mut samples = text.metric(name, Metric::Counter, "Elections by outcome.");
    for (node, server) in nodes {
        labelled(&mut samples, node, ("outcome", &OUTCOMES), &server.metrics().elections);
    }
}

/// How long requests take, and entries of the log.
fn durations(nodes: &[(&str, &Server)], text: &mut Exposition<'_>) {
    let name = "hyperion_request_duration_seconds";
    let help = "From the arrival of a request until it is answered.";
    let mut samples = text.metric(name, Metric::Histogram, help);
    for (node, server) in nodes {
        for (method, by_status) in METHODS.iter().zip(&server.metrics().durations) {
            for (status, taken) in STATUSES.iter().zip(by_status) {
                let labels = [("instance", *node), ("method", method), ("status", status)];
                samples.histogram(&labels, taken);
            }
        }
    }
    let name = "hyperion_raft_replication_seconds";
    let help = "From the proposal of an entry until it is applied.";
    let mut samples = text.metric(name, Metric::Histogram, help);
    for (node, server) in nodes {
        samples.histogram(&of(node), &server.metrics().replication);
    }
}

/// The labels of every sample of a node.
const fn of(node: &str) -> [(&str, &str); 1] {
    [("instance", node)]
}

/// A sample for each word of a label.
fn labelled(
    samples: &mut Samples<'_>,
    node: &str,
    (label, words): (&str, &[&str]),
    values: &[u64],
) {
    assert!(words.len() == values.len(), "each word has a value");
    for (word, value) in words.iter().zip(values) {
        samples.sample(&[("instance", node), (label, word)], *value);
    }
}
