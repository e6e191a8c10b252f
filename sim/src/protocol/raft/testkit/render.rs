//! Protocol lines for people: nodes are numbered from 1, as in the figures of the paper.

use super::super::wire::{Body, decode};
use super::super::{EVENTS, Members, Payload, PeerSet, Raft};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use catalog::Violation;
use contract::Mark;
use core::fmt::Write as _;

/// The word for a frame's kind that scripts use.
pub fn kind(bytes: &[u8]) -> &'static str {
    let Ok(message) = decode(bytes) else {
        return "damaged";
    };
    match message.body {
        Body::PreVote { .. } => "pre-vote",
        Body::PreVoteResponse { .. } => "pre-vote-response",
        Body::Vote { .. } => "vote",
        Body::VoteResponse { .. } => "vote-response",
        Body::Append { .. } => "append",
        Body::AppendAccepted { .. } => "accepted",
        Body::AppendRejected { .. } => "rejected",
        Body::Heartbeat { .. } => "heartbeat",
        Body::HeartbeatResponse { .. } => "heartbeat-response",
        Body::TimeoutNow { .. } => "timeout-now",
        Body::Snapshot(_) => "snapshot",
        Body::SnapshotReceived { .. } => "received",
    }
}

/// One frame as one line.
pub fn packet(out: &mut String, from: usize, to: usize, bytes: &[u8]) {
    let _ = write!(out, "  {} -> {} {}", from + 1, to + 1, kind(bytes));
    if let Ok(message) = decode(bytes) {
        let _ = write!(out, " term {}", message.term);
        fields(out, &message.body);
    }
    out.push('\n');
}

fn fields(out: &mut String, body: &Body<'_>) {
    let _ = match *body {
        Body::PreVote { last } | Body::TimeoutNow { last } => write!(out, ", last {last}"),
        Body::Vote { last, transfer } => {
            let transfer = if transfer { ", transfer" } else { "" };
            write!(out, ", last {last}{transfer}")
        }
        Body::PreVoteResponse { granted, .. } | Body::VoteResponse { granted, .. } => {
            out.write_str(if granted { ", granted" } else { ", refused" })
        }
        Body::Append { previous, commit, entries, .. } => {
            let _ = write!(out, ", after {previous}, commit {commit}:");
            entries.iter().try_for_each(|entry| {
                out.push(' ');
                one_entry(out, &entry)
            })
        }
        Body::AppendAccepted { matched } => write!(out, ", up to {matched}"),
        Body::AppendRejected { rejected, hint } => write!(out, " at {rejected}, try {hint}"),
        Body::Heartbeat { round, commit, .. } => write!(out, ", round {round}, commit {commit}"),
        Body::HeartbeatResponse { round, .. } => write!(out, ", round {round}"),
        Body::Snapshot(part) => {
            let end = part.offset + part.bytes.len() as u64;
            write!(out, " {}, bytes {}..{end} of {}", part.id, part.offset, part.total)
        }
        Body::SnapshotReceived { id, received, .. } => write!(out, " {id}, {received} bytes"),
    };
}

fn one_entry(out: &mut String, entry: &super::super::Entry) -> core::fmt::Result {
    match &entry.payload {
        Payload::Noop => write!(out, "{}:noop", entry.id()),
        Payload::Members(members) => {
            let _ = write!(out, "{}:", entry.id());
            self::members(out, members);
            Ok(())
        }
        Payload::Command(bytes) => {
            write!(out, "{}:{}", entry.id(), String::from_utf8_lossy(bytes))
        }
    }
}

/// A configuration: voters, those who leave after `<-`, learners after `+`.
pub fn members(out: &mut String, members: &Members) {
    let mut list = |open: &str, peers: PeerSet| {
        if !peers.is_empty() {
            let names: Vec<String> = peers.iter().map(|peer| format!("{}", peer + 1)).collect();
            let _ = write!(out, "{open}{}", names.join(","));
        }
    };
    list("[", members.voters);
    list("<-", members.outgoing);
    list("+", members.learners);
    list("+next:", members.learners_next);
    out.push(']');
}

/// One mark as one line.
pub fn mark(out: &mut String, node: usize, mark: Mark) {
    let kind = &EVENTS[mark.event as usize];
    let _ = write!(out, "  {} {}", node + 1, kind.name);
    for (name, value) in kind.labels.iter().zip(mark.labels) {
        let is_peer = matches!(*name, "candidate" | "to" | "from");
        let _ = write!(out, " {name}={}", value + u64::from(is_peer));
    }
    out.push('\n');
}

/// One breach as one line.
pub fn violation(out: &mut String, violation: &Violation) {
    let _ = writeln!(out, "  VIOLATED {}: {}", violation.property, violation.rule);
}

/// A node's state as one line without its log.
pub fn state(out: &mut String, node: usize, raft: Option<&Raft>) {
    let _ = write!(out, "{}: ", node + 1);
    let Some(raft) = raft else {
        out.push_str("down; ");
        return;
    };
    let (role, last, commit) = (raft.role().name(), raft.last_id(), raft.commit_index());
    let _ = write!(out, "{role} term {}, last {last}, commit {commit}, ", raft.term());
    members(out, raft.members());
    out.push_str("; ");
}

/// A node's state as one line.
pub fn status(out: &mut String, node: usize, raft: Option<&Raft>) {
    let _ = write!(out, "  {}: ", node + 1);
    let Some(raft) = raft else {
        out.push_str("down\n");
        return;
    };
    let _ = write!(
        out,
        "{} term {}, commit {}, applied {}, log",
        raft.role().name(),
        raft.term(),
        raft.commit_index(),
        raft.applied_index()
    );
    if let Some(snapshot) = raft.snapshot() {
        let _ = write!(out, " (snapshot {})", snapshot.id);
    }
    for index in raft.first_index()..=raft.last_index() {
        out.push(' ');
        let _ = one_entry(out, raft.entry(index).unwrap());
    }
    out.push('\n');
}
