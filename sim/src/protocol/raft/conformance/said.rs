//! What messages say, whatever frames carry it: which entries went to whom, up to which index a
//! follower said to have the log, who asked for votes and got which answer, who led and was told
//! so, which snapshot was sent.
//!
//! Two implementations cut the same words into different frames, so what a command made the nodes
//! say is one set of facts. Not compared: what a node says to itself, what it passes on to the
//! leader, how often it says a thing, and the commit index, which rides on whatever comes next.
//! That a log still holds what it was said to hold is no news.

use super::super::configuration::PeerSet;
use super::super::wire::{Body, Message, decode};
use super::super::{Entry, Payload};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

/// What was said, each fact in a few words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    facts: BTreeSet<String>,
    accepted: Accepted,
}

/// From whom to whom: in which term a log was last said to be equal, and up to which index.
pub type Accepted = BTreeMap<(u32, u32), (u64, u64)>;

impl Said {
    /// Notes a frame of ours.
    pub fn frame(&mut self, from: u32, to: u32, bytes: &[u8]) {
        let Message { term, body } = decode(bytes).expect("a node sends what it can read");
        let fact = match body {
            Body::PreVote { last } => format!("asks who would vote for it: {last}"),
            Body::Vote { last, .. } => format!("asks for a vote in {term}: {last}"),
            Body::PreVoteResponse { granted, .. } => would(granted),
            Body::VoteResponse { granted, .. } => votes(granted, term),
            Body::Append { entries, .. } => {
                entries.iter().for_each(|entry| self.add(from, to, &sent(&entry)));
                return;
            }
            Body::AppendAccepted { matched } => return self.accept(from, to, (term, matched)),
            Body::AppendRejected { rejected, .. } => format!("lacks {rejected}"),
            Body::Heartbeat { .. } => format!("leads {term}"),
            Body::HeartbeatResponse { .. } => "was led".to_string(),
            Body::TimeoutNow { .. } => "hands over".to_string(),
            Body::Snapshot(part) if part.offset == 0 => snapshot(
                &part.id.index.to_string(),
                &part.id.term.to_string(),
                &numbers(part.members.voters),
            ),
            Body::Snapshot(_) | Body::SnapshotReceived { .. } => return,
        };
        self.add(from, to, &fact);
    }

    /// What etcd prints of a command, as far as it shows what nodes sent; `None` where it shows
    /// nothing.
    pub fn printed(lines: &[String]) -> Option<Self> {
        let mut said = Self::default();
        let (mut is_sending, mut any) = (false, false);
        let mut last = (0, 0);
        for line in lines {
            let line = line.trim();
            if line == "Messages:" {
                (is_sending, any) = (true, true);
            } else if line.starts_with('>') || line.starts_with("INFO") || line.starts_with("Ready")
            {
                is_sending = false;
            } else if is_sending {
                last = said.line(line, last);
            }
        }
        any.then_some(said)
    }

    /// Notes a line of etcd's, which may go on with what was sent from whom to whom before.
    fn line(&mut self, line: &str, last: (u32, u32)) -> (u32, u32) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let field =
            |name: &str| words.iter().find_map(|word| word.strip_prefix(name)).unwrap_or("");
        let ends = words.first().and_then(|word| word.split_once("->"));
        let ends = ends.and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
        let (from, to) = ends.unwrap_or(last);
        if words.first() == Some(&"Snapshot:") {
            let voters = line.split_once("Voters:[").and_then(|(_, rest)| rest.split_once(']'));
            let voters = voters.map_or("", |(voters, _)| voters);
            self.add(from, to, &snapshot(field("Index:"), field("Term:"), voters));
        }
        self.entries(from, to, line);
        let (term, log) = (field("Term:"), field("Log:"));
        let refused = line.contains("Rejected");
        let index = || log.split_once('/').and_then(|(_, index)| index.parse().ok());
        let fact = match words.get(1).copied().unwrap_or("") {
            _ if ends.is_none() => return (from, to),
            "MsgPreVote" => format!("asks who would vote for it: {log}"),
            "MsgVote" => format!("asks for a vote in {term}: {log}"),
            "MsgPreVoteResp" => would(!refused),
            "MsgVoteResp" => votes(!refused, term.parse().unwrap_or(0)),
            "MsgAppResp" if refused => format!("lacks {}", index().unwrap_or(0)),
            "MsgAppResp" => {
                self.accept(from, to, (term.parse().unwrap_or(0), index().unwrap_or(0)));
                return (from, to);
            }
            "MsgHeartbeat" => format!("leads {term}"),
            "MsgHeartbeatResp" => "was led".to_string(),
            "MsgTimeoutNow" => "hands over".to_string(),
            _ => return (from, to),
        };
        self.add(from, to, &fact);
        (from, to)
    }

    /// Notes the entries that a line shows: `1/12 EntryNormal "data"`.
    fn entries(&mut self, from: u32, to: u32, line: &str) {
        if line.contains("MsgProp") {
            return;
        }
        let bare = |word: &'_ str| word.trim_matches(['[', ']', ',', '"']).to_string();
        let words: Vec<&str> = line.split_whitespace().collect();
        for (at, kind) in words.iter().enumerate().filter(|(at, _)| *at > 0) {
            let kind = bare(kind);
            let id = bare(words[at - 1].rsplit('[').next().unwrap_or(""));
            if kind.starts_with("EntryConfChange") {
                self.add(from, to, &format!("sends {id}, a change"));
            } else if kind == "EntryNormal" {
                let data = words.get(at + 1).map_or(String::new(), |word| bare(word));
                self.add(from, to, &format!("sends {id}: {data}"));
            }
        }
    }

    fn add(&mut self, from: u32, to: u32, fact: &str) {
        if from != to {
            self.facts.insert(format!("{from}->{to} {fact}"));
        }
    }

    fn accept(&mut self, from: u32, to: u32, up_to: (u64, u64)) {
        if from != to {
            let most = self.accepted.entry((from, to)).or_default();
            *most = up_to.max(*most);
        }
    }

    /// Every fact on a line; of what logs hold, only what is not `known` already.
    pub fn lines(&self, known: &Accepted) -> BTreeSet<String> {
        let is_new = |(ends, up_to): &(&(u32, u32), &(u64, u64))| {
            known.get(*ends).is_none_or(|known| known < *up_to)
        };
        let accepted = self.accepted.iter().filter(is_new);
        let accepted = accepted
            .map(|((from, to), (term, index))| format!("{from}->{to} has up to {index} in {term}"));
        self.facts.iter().cloned().chain(accepted).collect()
    }

    /// Adds what it says of logs to what is `known`.
    pub fn tell(&self, known: &mut Accepted) {
        for (ends, up_to) in &self.accepted {
            let most = known.entry(*ends).or_default();
            *most = (*up_to).max(*most);
        }
    }
}

fn would(granted: bool) -> String {
    if granted { "would vote for it" } else { "would not vote for it" }.to_string()
}

fn votes(granted: bool, term: u64) -> String {
    if granted { format!("votes for it in {term}") } else { format!("refuses its vote in {term}") }
}

fn snapshot(index: &str, term: &str, voters: &str) -> String {
    format!("sends the snapshot {term}/{index} of [{voters}]")
}

fn sent(entry: &Entry) -> String {
    let id = entry.id();
    let (term, index) = (id.term, id.index);
    match &entry.payload {
        Payload::Members(_) => format!("sends {term}/{index}, a change"),
        Payload::Noop | Payload::Command(_) => {
            format!("sends {term}/{index}: {}", String::from_utf8_lossy(entry.command()))
        }
    }
}

fn numbers(set: PeerSet) -> String {
    let numbers: Vec<String> = set.iter().map(|number| number.to_string()).collect();
    numbers.join(" ")
}
