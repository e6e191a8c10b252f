//! Transcripts in the style of etcd's interaction tests: a script of commands with the protocol
//! lines that each of them causes. Lines that start with `> ` are commands, with `#` comments;
//! everything else is output and is written anew with `UPDATE=1`.
//!
//! Nodes count from 1. Time passes only by `timer` and `advance`; frames wait until they are
//! delivered; syncs end at once unless `disk manual` was said.

use super::super::group::single_leader;
use super::super::{Change, Config, Defects, Event, Fsync, Raft, Transition};
use super::cluster::{Cluster, raft_of};
use super::oracle::{Oracle, Told};
use super::render;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use contract::{DiskError, DiskFate, Domain, Duration, Fx, NodeId, Rng};
use core::fmt::Write as _;

/// A script being played.
pub struct Script {
    cluster: Cluster,
    oracle: Oracle,
    rng: Rng,
    has_manual_disk: bool,
    blocked: BTreeSet<(usize, usize)>,
    has_stale_read: bool,
}

/// A script that was played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// The script with its output.
    pub text: String,
    /// The properties that were broken, and `linearizable` where a read was stale.
    pub broken: BTreeSet<&'static str>,
    pub elections: usize,
    pub has_single_leader: bool,
}

/// Plays `script`. `plant` decides whether the defects that it names are planted.
pub fn play(script: &str, plant: bool) -> Played {
    let mut out = String::new();
    let mut world: Option<Script> = None;
    for line in script.lines() {
        if let Some(command) = line.strip_prefix("> ") {
            let _ = writeln!(out, "> {command}");
            let words: Vec<&str> = command.split_whitespace().collect();
            if words[0] == "cluster" {
                world = Some(Script::new(&words[1..], plant));
                continue;
            }
            let world = world.as_mut().expect("a script starts with `cluster`");
            out.push_str(&world.command(&words));
        } else if line.starts_with('#') || line.is_empty() {
            let _ = writeln!(out, "{line}");
        }
    }
    world.expect("a script has commands").played(out)
}

impl Script {
    fn new(words: &[&str], plant: bool) -> Self {
        let count: u32 = words[0].parse().expect("how many nodes");
        let peers: Vec<NodeId> = (0..count).map(NodeId).collect();
        let config = |me: u32| {
            let mut config = Config { tick: Duration::ZERO, ..Config::new(me, peers.clone()) };
            words[1..].iter().for_each(|word| set(&mut config, word, plant));
            config
        };
        let cluster = Cluster::new(1, (0..count).map(config).collect(), None);
        let mut script = Self {
            cluster,
            oracle: Oracle::default(),
            rng: Rng::new(1, Domain::Fault, "script"),
            has_manual_disk: false,
            blocked: BTreeSet::new(),
            has_stale_read: false,
        };
        script.settle_disks();
        script
    }

    fn played(self, text: String) -> Played {
        let violations = self.cluster.violations.iter();
        let mut broken: BTreeSet<_> = violations.map(|violation| violation.property).collect();
        if self.has_stale_read {
            broken.insert("linearizable");
        }
        let marks = self.cluster.marks.iter();
        let started = marks.filter(|(_, mark)| mark.event == Event::ElectionStarted as u16);
        let group: Vec<NodeId> = (0..self.cluster.len() as u32).map(NodeId).collect();
        Played {
            text,
            broken,
            elections: started.count(),
            has_single_leader: single_leader(&group, &self.cluster.up, raft_of),
        }
    }

    /// Does one command and returns its output.
    fn command(&mut self, words: &[&str]) -> String {
        self.cluster.lines = Some(String::new());
        match *words {
            ["elect", node] => self.elect(index(node)),
            ["campaign", node] => self.campaign(index(node)),
            ["timer", node, name] => self.timer(index(node), name),
            ["advance", time] => self.cluster.now += duration(time).0,
            ["deliver", link, ref rest @ ..] => self.deliver(link, rest),
            ["drop", link, ref rest @ ..] => drop(self.take(link, rest)),
            ["double", link, ref rest @ ..] => self.double(link, rest),
            ["stabilize", ref nodes @ ..] => self.stabilize(nodes),
            ["propose", node, text] => self.propose(index(node), text),
            ["read", node] => self.read(index(node)),
            ["lease-read", node] => self.lease_read(index(node)),
            ["transfer", node, to] => self.transfer(index(node), index(to) as u32),
            ["crash", node, ref fate @ ..] => self.crash(index(node), fate),
            ["restart", node] => self.restart(index(node)),
            ["disk", "manual"] => self.has_manual_disk = true,
            ["disk", "auto"] => self.has_manual_disk = false,
            ["sync", node, ref rest @ ..] => self.sync(index(node), rest),
            ["disk", "full", node] => self.cluster.places[index(node)].disk.is_full = true,
            ["disk", "free", node] => self.cluster.places[index(node)].disk.is_full = false,
            ["change", node, ref words @ ..] => self.change(index(node), words),
            ["states"] => self.states(),
            ["rot", node, byte] => self.rot(index(node), byte),
            ["status"] => self.status(),
            ["block", link] => self.block(link),
            ["unblock"] => self.blocked.clear(),
            ["run", time] => self.run(duration(time)),
            ["clock", node, ppm] => self.clock(index(node), ppm),
            ["preset", node, term, ref terms @ ..] => self.preset(index(node), term, terms),
            _ => panic!("no such command: {words:?}"),
        }
        self.settle();
        self.cluster.lines.take().unwrap()
    }

    fn say(&mut self, line: &str) {
        let lines = self.cluster.lines.as_mut().unwrap();
        let _ = writeln!(lines, "  {line}");
    }

    /// Lets the disks finish, and hears what the nodes tell their owners.
    fn settle(&mut self) {
        self.settle_disks();
        for node in 0..self.cluster.len() {
            let ready = core::mem::take(&mut self.cluster.places[node].ready);
            let applied = self.cluster.raft(node).map_or(0, |raft| raft.applied_index());
            for ready in ready {
                match self.oracle.hear(node, &ready, applied) {
                    Some(Told::Written(id)) => self.say(&format!("{} acknowledges {id}", node + 1)),
                    Some(Told::Read { seen, is_stale, .. }) => self.saw(node, seen, is_stale),
                    Some(Told::ReadFailed(_)) => self.say(&format!("{} fails the read", node + 1)),
                    None => {}
                }
            }
        }
    }

    fn saw(&mut self, node: usize, seen: u64, is_stale: bool) {
        let verdict = if is_stale { ": STALE" } else { "" };
        let acknowledged = self.oracle.acknowledged;
        let node = node + 1;
        self.say(&format!(
            "{node} answers from index {seen}, {acknowledged} was acknowledged{verdict}"
        ));
        self.has_stale_read |= is_stale;
    }

    fn settle_disks(&mut self) {
        while !self.has_manual_disk && !self.cluster.syncs.is_empty() {
            let pending = self.cluster.syncs.remove(0);
            self.cluster.end_sync(pending);
        }
    }

    /// Fires the election timer after a time in which nobody can still be sticky.
    fn campaign(&mut self, node: usize) {
        self.cluster.now += Duration::from_millis(3000).0;
        self.timer(node, "election");
    }

    /// Makes a leader that everybody follows and whose no-op everybody has committed, in one line.
    fn elect(&mut self, node: usize) {
        self.campaign(node);
        self.stabilize(&[]);
        self.timer(node, "heartbeat");
        self.stabilize(&[]);
        let term = self.cluster.raft(node).map_or(0, |raft| raft.term());
        self.cluster.lines = Some(String::new());
        self.say(&format!("{} leads term {term}", node + 1));
    }

    fn timer(&mut self, node: usize, name: &str) {
        let offset = match name {
            "election" => 0,
            "heartbeat" => 1,
            "apply" => 2,
            "fsync" => 3,
            _ => panic!("no such timer: {name}"),
        };
        let key = super::super::TIMERS.start + offset;
        let due = self.cluster.places[node].timers.get(&key);
        let Some(&due) = due else {
            return self.say("not set");
        };
        self.cluster.now = self.cluster.now.max(due);
        self.cluster.fire(node, key);
    }

    fn deliver(&mut self, link: &str, rest: &[&str]) {
        for packet in self.take(link, rest) {
            self.cluster.deliver(&packet);
            self.settle();
        }
    }

    fn double(&mut self, link: &str, rest: &[&str]) {
        let packets = self.take(link, rest);
        for packet in packets {
            self.cluster.packets.push(packet.clone());
            self.cluster.packets.push(packet);
        }
    }

    /// Takes the waiting frames of a link: `1->2`, `1->2 append`, `1->* append first`.
    fn take(&mut self, link: &str, rest: &[&str]) -> Vec<super::cluster::Packet> {
        let (from, to) = link.split_once("->").expect("a link is written 1->2");
        let kind = rest.first().filter(|word| **word != "first" && **word != "last");
        let is_match = |packet: &super::cluster::Packet| {
            (from == "*" || index(from) == packet.from)
                && (to == "*" || index(to) == packet.to)
                && kind.is_none_or(|kind| *kind == render::kind(&packet.bytes))
        };
        let waiting = core::mem::take(&mut self.cluster.packets);
        let (mut taken, mut rest_of): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|packet| is_match(packet));
        // Of several, all but the one that is asked for go back to wait.
        let (before, after) = match rest.last() {
            Some(&"first") if !taken.is_empty() => (0, 1),
            Some(&"last") if !taken.is_empty() => (taken.len() - 1, taken.len()),
            _ => (0, taken.len()),
        };
        let later = taken.split_off(after);
        let wanted = taken.split_off(before);
        rest_of.splice(0..0, taken.into_iter().chain(later)).for_each(drop);
        let taken = wanted;
        self.cluster.packets = rest_of;
        if taken.is_empty() {
            self.say("nothing waits");
        }
        taken
    }

    /// Delivers everything among `nodes` (all, where none are named) until nothing waits.
    fn stabilize(&mut self, nodes: &[&str]) {
        let among = |node: usize| nodes.is_empty() || nodes.iter().any(|word| index(word) == node);
        for _ in 0..10_000 {
            let ready = |packet: &super::cluster::Packet| among(packet.from) && among(packet.to);
            let Some(at) = self.cluster.packets.iter().position(ready) else {
                return;
            };
            let packet = self.cluster.packets.remove(at);
            if !self.blocked.contains(&(packet.from, packet.to)) {
                self.cluster.deliver(&packet);
                self.settle();
            }
        }
        panic!("the group never becomes quiet");
    }

    fn propose(&mut self, node: usize, text: &str) {
        let command = text.as_bytes().into();
        let answer = self.cluster.call(node, |raft, now, fx| raft.propose(now, command, fx));
        match answer.expect("the node is up") {
            Ok(id) => self.oracle.proposed(node, id),
            Err(refused) => self.say(&format!("refused, hint {}", name(refused.hint))),
        }
    }

    fn read(&mut self, node: usize) {
        let answer = self.cluster.call(node, |raft, now, fx| raft.read_index(now, fx));
        match answer.expect("the node is up") {
            Ok(id) => self.oracle.asked(node, id),
            Err(refused) => self.say(&format!("refused, hint {}", name(refused.hint))),
        }
    }

    fn lease_read(&mut self, node: usize) {
        let now = self.cluster.clock(node);
        let raft = self.cluster.raft(node).expect("the node is up");
        let seen = raft.applied_index();
        if raft.lease_valid(now) {
            self.saw(node, seen, seen < self.oracle.acknowledged);
        } else {
            self.say("no lease");
        }
    }

    fn transfer(&mut self, node: usize, to: u32) {
        let answer = self.cluster.call(node, |raft, now, fx| raft.transfer(now, to, fx));
        let taken = answer.expect("the node is up");
        taken.expect("scripts ask the leader");
    }

    /// Changes the group: `+2` votes, `~2` learns, `-2` leaves; `explicit` or `implicit` for how.
    fn change(&mut self, node: usize, words: &[&str]) {
        let mut transition = Transition::Auto;
        let mut changes = Vec::new();
        for word in words {
            match word.split_at(1) {
                ("+", peer) => changes.push(Change::AddVoter(index(peer) as u32)),
                ("~", peer) => changes.push(Change::AddLearner(index(peer) as u32)),
                ("-", peer) => changes.push(Change::Remove(index(peer) as u32)),
                ("e", _) => transition = Transition::Explicit,
                ("i", _) => transition = Transition::Implicit,
                _ => panic!("no such change: {word}"),
            }
        }
        let call =
            |raft: &mut Raft, now, fx: &mut Fx<'_>| raft.change(now, &changes, transition, fx);
        if let Err(refused) = self.cluster.call(node, call).expect("the node is up") {
            self.say(&format!("refused: {refused}"));
        }
    }

    /// What the owners hold.
    fn states(&mut self) {
        for node in 0..self.cluster.len() {
            let state = String::from_utf8_lossy(&self.cluster.places[node].state).to_string();
            self.say(&format!("{}: {state}", node + 1));
        }
    }

    fn crash(&mut self, node: usize, fate: &[&str]) {
        let fate = match fate {
            [] | ["lost"] => DiskFate::UnsyncedLost,
            ["kept"] => DiskFate::Kept,
            ["torn"] => DiskFate::Torn,
            ["wiped"] => DiskFate::Wiped,
            _ => panic!("no such fate: {fate:?}"),
        };
        self.oracle.forget(node);
        self.cluster.crash(node, fate, &mut self.rng);
    }

    fn restart(&mut self, node: usize) {
        if let Err(reason) = self.cluster.boot(node) {
            self.say(&format!("{} refuses to boot: {reason}", node + 1));
        }
    }

    /// Ends syncs of a node: all, the `first`, the `last`, or all with `fail`.
    fn sync(&mut self, node: usize, rest: &[&str]) {
        let waiting = core::mem::take(&mut self.cluster.syncs);
        let (mut mine, others): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|sync| sync.node == node);
        self.cluster.syncs = others;
        match rest {
            [] => {}
            ["first"] => self.cluster.syncs.extend(mine.drain(1..)),
            ["last"] => {
                let before_last = ..mine.len() - 1;
                self.cluster.syncs.extend(mine.drain(before_last));
            }
            ["fail"] => mine.iter_mut().for_each(|sync| sync.result = Err(DiskError::SyncFailed)),
            _ => panic!("no such order: {rest:?}"),
        }
        mine.into_iter().for_each(|sync| self.cluster.end_sync(sync));
    }

    fn rot(&mut self, node: usize, byte: &str) {
        let byte = byte.parse().expect("which byte");
        let disk = &mut self.cluster.places[node].disk;
        disk.rot(super::super::storage::WAL, byte);
    }

    /// Loses what is sent on a link from now on, where frames travel by themselves.
    fn block(&mut self, link: &str) {
        let (from, to) = link.split_once("->").expect("a link is written 1->2");
        for sender in 0..self.cluster.len() {
            for receiver in 0..self.cluster.len() {
                let is_from = from == "*" || index(from) == sender;
                if is_from && (to == "*" || index(to) == receiver) {
                    self.blocked.insert((sender, receiver));
                }
            }
        }
    }

    /// Lets time pass: timers fire when they are due, all of one instant together, and frames
    /// arrive at once. Prints what the nodes mark, without their heartbeats.
    fn run(&mut self, time: Duration) {
        let end = self.cluster.now + time.0;
        let lines = self.cluster.lines.take();
        let from = self.cluster.marks.len();
        let breaches = self.cluster.violations.len();
        while let Some(due) = self.next_timer().filter(|due| *due <= end) {
            self.cluster.now = due;
            for node in 0..self.cluster.len() {
                let timers = self.cluster.places[node].timers.clone();
                let due = timers.into_iter().filter(|(_, at)| *at <= due);
                due.for_each(|(key, _)| self.cluster.fire(node, key));
            }
            self.cluster.lines = Some(String::new());
            self.stabilize(&[]);
            self.cluster.lines = None;
        }
        self.cluster.now = end;
        self.cluster.lines = lines;
        let lines = self.cluster.lines.as_mut().expect("a command has lines");
        for &(node, mark) in &self.cluster.marks[from..] {
            if mark.event != Event::HeartbeatSent as u16 {
                render::mark(lines, node, mark);
            }
        }
        for violation in &self.cluster.violations[breaches..] {
            render::violation(lines, violation);
        }
    }

    fn next_timer(&self) -> Option<u64> {
        let places = self.cluster.places.iter();
        places.flat_map(|place| place.timers.values()).copied().min()
    }

    fn clock(&mut self, node: usize, ppm: &str) {
        assert!(self.cluster.now == 0, "a clock's rate is set before it runs");
        self.cluster.places[node].drift_ppm = ppm.parse().expect("parts per million");
    }

    fn preset(&mut self, node: usize, term: &str, terms: &[&str]) {
        let term = term.parse().expect("a term");
        let terms: Vec<u64> = terms.iter().map(|term| term.parse().expect("a term")).collect();
        self.cluster.preset(node, term, &terms, &mut self.rng);
    }

    fn status(&mut self) {
        for node in 0..self.cluster.len() {
            let mut line = String::new();
            render::status(&mut line, node, self.cluster.raft(node));
            self.cluster.lines.as_mut().unwrap().push_str(&line);
        }
    }
}

fn set(config: &mut Config, word: &str, plant: bool) {
    let (key, value) = word.split_once('=').expect("a setting is written key=value");
    match key {
        "timeout" => config.election_fixed = Some(duration(value)),
        "pre_vote" => config.pre_vote = value == "on",
        "check_quorum" => config.check_quorum = value == "on",
        "lease" => config.lease = duration(value),
        "entries" => config.entries_per_append_max = value.parse().expect("a count"),
        "inflight" => config.inflight_max = value.parse().expect("a count"),
        "apply" => config.apply_batch_max = value.parse().expect("a count"),
        "fsync" => {
            config.fsync = match value {
                "always" => Fsync::Always,
                "never" => Fsync::Never,
                every => Fsync::Every(duration(every)),
            };
        }
        "learners" => {
            let learners: usize = value.parse().expect("a count");
            config.learners = config.voters.split_off(config.peers.len() - learners);
        }
        "spare" => {
            let spare: usize = value.parse().expect("a count");
            config.voters.truncate(config.peers.len() - spare);
        }
        "snapshot" => config.snapshot_after = value.parse().expect("a count"),
        "tail" => config.snapshot_tail = value.parse().expect("a count"),
        "chunk" => config.snapshot_chunk_bytes = value.parse().expect("a count"),
        "defects" => {
            let names: Vec<&'static str> = super::super::DEFECTS
                .iter()
                .map(|defect| defect.name)
                .filter(|name| value.split(',').any(|word| word == *name))
                .collect();
            assert_eq!(names.len(), value.split(',').count(), "no such defect: {value}");
            if plant {
                config.defects = Defects::from_names(&names);
            }
        }
        _ => panic!("no such setting: {key}"),
    }
}

fn index(word: &str) -> usize {
    let number: usize = word.parse().expect("nodes are numbers");
    number.checked_sub(1).expect("nodes count from 1")
}

fn duration(word: &str) -> Duration {
    let millis = word.strip_suffix("ms").expect("times are in ms");
    Duration::from_millis(millis.parse().expect("a number of ms"))
}

fn name(peer: Option<u32>) -> String {
    peer.map_or("none".to_string(), |peer| (peer + 1).to_string())
}
