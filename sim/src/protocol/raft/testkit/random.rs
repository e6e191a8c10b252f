//! Random runs: load, and faults by chance.

use super::super::group::{applied_equal, single_leader};
use super::super::{Change, Config, Defects, Event, Raft, Ready, Role, Transition, pending};
use super::cluster::{Cluster, raft_of};
use super::oracle::{Oracle, Told};
use super::render;
use super::weather::Weather;
use alloc::string::String;
use alloc::vec::Vec;
use contract::{DiskFate, Domain, Duration, NodeId, Ratio, Rng};

/// What a random run is like.
#[derive(Clone, Debug)]
pub struct Profile {
    pub nodes: usize,
    /// How long faults last; ten seconds of calm follow.
    pub span: Duration,
    pub tick: Duration,
    pub entries_per_append_max: u32,
    /// The time between two faults, at most.
    pub fault_gap: Duration,
    pub latency: (Duration, Duration),
    pub late: (Ratio, Duration),
    pub drift_ppm_max: u64,
    /// Whether frames are lost, doubled and damaged.
    pub has_loss: bool,
    /// Kills every leader soon after its election.
    pub has_storm: bool,
    /// Cuts a node off just after something that leases rely on happened.
    pub has_triggers: bool,
    pub lease: Duration,
    /// Takes a snapshot after so many entries; 0 for never.
    pub snapshot_after: u64,
    /// How many of the nodes vote from the start; whether members come and go.
    pub voters: usize,
    pub has_changes: bool,
}

impl Profile {
    /// Five nodes, twenty seconds, a bit of everything.
    pub fn mixed() -> Self {
        Self {
            nodes: 5,
            span: Duration::from_secs(20),
            tick: Duration::from_millis(50),
            entries_per_append_max: 64,
            fault_gap: Duration::from_millis(1500),
            latency: (Duration::from_micros(300), Duration::from_millis(8)),
            late: (Ratio::new(1, 50), Duration::from_millis(2000)),
            drift_ppm_max: 9_000,
            has_loss: true,
            has_storm: false,
            has_triggers: false,
            lease: Duration::from_millis(1000),
            snapshot_after: 0,
            voters: 5,
            has_changes: false,
        }
    }

    /// A snapshot every few entries, sent in many parts.
    pub fn snapshots() -> Self {
        Self { snapshot_after: 5, ..Self::mixed() }
    }

    /// Members come and go, and snapshots carry who they are.
    pub fn changes() -> Self {
        Self { snapshot_after: 20, voters: 3, has_changes: true, ..Self::mixed() }
    }

    /// No faults at all, and frames that do not overtake each other.
    pub fn calm() -> Self {
        Self {
            span: Duration::from_secs(5),
            fault_gap: Duration::from_secs(3600),
            latency: (Duration::from_millis(2), Duration::from_millis(2)),
            late: (Ratio::ZERO, Duration::ZERO),
            has_loss: false,
            ..Self::mixed()
        }
    }

    /// Leaders die young, one entry per append.
    pub fn storm() -> Self {
        Self {
            entries_per_append_max: 1,
            has_storm: true,
            span: Duration::from_secs(60),
            fault_gap: Duration::from_secs(60),
            ..Self::mixed()
        }
    }

    /// Faults follow what the protocol does.
    pub fn triggers() -> Self {
        Self { has_triggers: true, ..Self::mixed() }
    }
}

/// What a random run showed.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The rules broken, each once, in order: `raft.log_matching`, `stale read`, `stale lease read`.
    pub broken: Vec<&'static str>,
    pub details: Vec<String>,
    pub committed: u64,
    pub reads: u64,
    pub lease_reads: u64,
    pub elections: u64,
    pub snapshots: u64,
    pub changes: u64,
    /// Elections in the last five seconds of calm.
    pub late_elections: u64,
    /// Why the group has not settled, a second after the last request.
    pub pending: Option<&'static str>,
    /// Every node as it is at the end.
    pub end: String,
    /// A fold over all marks: equal runs have equal digests.
    pub digest: u64,
}

/// Runs `seed` and says what happened.
pub fn run(seed: u64, profile: &Profile, defects: Defects) -> Outcome {
    let mut run = Run::new(seed, profile, defects);
    let span = profile.span.0;
    run.until(span);
    run.calm();
    run.until(span + Duration::from_secs(5).0);
    run.outcome.elections = run.elections();
    run.outcome.snapshots = run.snapshots();
    run.until(span + Duration::from_secs(9).0);
    run.next_op = u64::MAX;
    run.until(span + Duration::from_secs(10).0);
    run.finish()
}

struct Run<'a> {
    cluster: Cluster,
    profile: &'a Profile,
    rng: Rng,
    next_op: u64,
    next_fault: u64,
    /// Nodes to take down or bring back, by time.
    plan: Vec<(u64, usize, Act)>,
    oracle: Oracle,
    marks_seen: usize,
    outcome: Outcome,
    is_calm: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Crash,
    Boot,
    Isolate,
    Heal,
}

impl<'a> Run<'a> {
    fn new(seed: u64, profile: &'a Profile, defects: Defects) -> Self {
        let peers: Vec<NodeId> = (0..profile.nodes as u32).map(NodeId).collect();
        let config = |me: usize| Config {
            tick: profile.tick,
            lease: profile.lease,
            entries_per_append_max: profile.entries_per_append_max,
            snapshot_after: profile.snapshot_after,
            snapshot_tail: profile.snapshot_after / 4,
            snapshot_chunk_bytes: 300,
            voters: (0..profile.voters as u32).collect(),
            defects,
            ..Config::new(me as u32, peers.clone())
        };
        let rare = |once_in| {
            if profile.has_loss { Ratio::new(1, once_in) } else { Ratio::ZERO }
        };
        let weather = Weather {
            rng: Rng::new(seed, Domain::Link, "weather"),
            latency: profile.latency,
            late: profile.late,
            loss: rare(50),
            duplicate: rare(50),
            corrupt: rare(500),
            sync: (Duration::from_micros(200), Duration::from_millis(10)),
            sync_failure: Ratio::ZERO,
            blocked: [[false; 8]; 8],
        };
        let configs = (0..profile.nodes).map(config).collect();
        let mut cluster = Cluster::new(seed, configs, Some(weather));
        let mut rng = Rng::new(seed, Domain::Fault, "faults");
        for place in &mut cluster.places {
            let max = profile.drift_ppm_max;
            place.drift_ppm = rng.range(0, 2 * max + 1) as i64 - max as i64;
        }
        Self {
            cluster,
            profile,
            rng,
            next_op: 0,
            next_fault: profile.fault_gap.0.max(Duration::from_secs(2).0),
            plan: Vec::new(),
            oracle: Oracle::default(),
            marks_seen: 0,
            outcome: Outcome::default(),
            is_calm: false,
        }
    }

    fn until(&mut self, end: u64) {
        while let Some((due, what)) = self.next() {
            if due > end {
                break;
            }
            assert!(due >= self.cluster.now, "time does not go back");
            self.cluster.now = due;
            match what {
                Next::Packet(at) => {
                    let packet = self.cluster.packets.swap_remove(at);
                    self.cluster.deliver(&packet);
                }
                Next::Sync(at) => {
                    let sync = self.cluster.syncs.swap_remove(at);
                    self.cluster.end_sync(sync);
                }
                Next::Timer(node, key) => self.cluster.fire(node, key),
                Next::Plan(at) => {
                    let (_, node, act) = self.plan.swap_remove(at);
                    self.act(node, act);
                }
                Next::Op => self.op(),
                Next::Fault => self.fault(),
            }
            self.watch();
        }
        self.cluster.now = end;
    }

    /// The earliest of everything that is due; of equals, the first in this order.
    fn next(&self) -> Option<(u64, Next)> {
        let cluster = &self.cluster;
        let packets = cluster.packets.iter().enumerate();
        let packets = packets.map(|(at, packet)| (packet.due, Next::Packet(at)));
        let syncs = cluster.syncs.iter().enumerate();
        let syncs = syncs.map(|(at, sync)| (sync.due, Next::Sync(at)));
        let plan = self.plan.iter().enumerate();
        let plan = plan.map(|(at, (due, _, _))| (*due, Next::Plan(at)));
        let timers = cluster.places.iter().enumerate().flat_map(|(node, place)| {
            let timers = place.timers.iter();
            timers.map(move |(&key, &due)| (due, Next::Timer(node, key)))
        });
        let ops = [(self.next_op, Next::Op), (self.next_fault, Next::Fault)];
        let all = plan.chain(packets).chain(syncs).chain(timers).chain(ops);
        all.min_by_key(|(due, _)| *due)
    }

    fn op(&mut self) {
        self.next_op += self.rng.range(2_000_000, 40_000_000);
        let leads = |&node: &usize| {
            let raft = self.cluster.raft(node);
            raft.is_some_and(|raft| raft.role() == Role::Leader)
        };
        let leaders: Vec<usize> = (0..self.cluster.len()).filter(leads).collect();
        let draw = self.rng.next_u64();
        let kind = self.rng.below(10);
        if leaders.is_empty() {
            return;
        }
        let node = leaders[(draw % leaders.len() as u64) as usize];
        match kind {
            0..5 => {
                let command = draw.to_be_bytes().as_slice().into();
                let id = self.cluster.call(node, |raft, now, fx| raft.propose(now, command, fx));
                if let Some(Ok(id)) = id {
                    self.oracle.proposed(node, id);
                }
            }
            5..7 => {
                let id = self.cluster.call(node, |raft, now, fx| raft.read_index(now, fx));
                if let Some(Ok(id)) = id {
                    self.oracle.asked(node, id);
                }
            }
            _ => self.lease_read(node),
        }
    }

    fn lease_read(&mut self, node: usize) {
        let now = self.cluster.clock(node);
        let Some(raft) = self.cluster.raft(node) else {
            return;
        };
        let may_read = raft.lease_valid(now) && raft.applied_index() >= raft.commit_index();
        if may_read {
            let seen = raft.applied_index();
            self.outcome.lease_reads += 1;
            if seen < self.oracle.acknowledged {
                self.broke("stale lease read");
            }
        }
    }

    /// Takes what the nodes told their owners, and what they marked.
    fn watch(&mut self) {
        for node in 0..self.cluster.len() {
            let ready = core::mem::take(&mut self.cluster.places[node].ready);
            for ready in ready {
                self.ready(node, &ready);
            }
        }
        while let Some(&(node, mark)) = self.cluster.marks.get(self.marks_seen) {
            self.marks_seen += 1;
            let word = mark.labels[0] ^ mark.labels[1] << 20 ^ self.cluster.now << 24;
            let word = word ^ (node as u64) << 8 ^ u64::from(mark.event);
            self.outcome.digest = contract::hash::mix(self.outcome.digest, word);
            self.follow_mark(node, mark.event, mark.labels);
        }
        while self.outcome.details.len() < self.cluster.violations.len() {
            let violation = &self.cluster.violations[self.outcome.details.len()];
            let property = violation.property;
            self.outcome.details.push(violation.detail.clone());
            self.broke(property);
        }
    }

    fn ready(&mut self, node: usize, ready: &Ready) {
        if let Ready::Apply(entry) = ready {
            self.outcome.committed = self.outcome.committed.max(entry.index);
        }
        let applied = self.cluster.raft(node).map_or(0, Raft::applied_index);
        if let Some(Told::Read { is_stale, .. }) = self.oracle.hear(node, ready, applied) {
            self.outcome.reads += 1;
            if is_stale {
                self.broke("stale read");
            }
        }
    }

    fn broke(&mut self, rule: &'static str) {
        if !self.outcome.broken.contains(&rule) {
            self.outcome.broken.push(rule);
        }
    }

    /// Faults that follow what the protocol does.
    fn follow_mark(&mut self, node: usize, event: u16, labels: [u64; 3]) {
        if self.is_calm {
            return;
        }
        let now = self.cluster.now;
        let roll = self.rng.below(100);
        let soon = now + self.rng.range(0, 13_000_000);
        let later = now + self.rng.range(100_000_000, 4_000_000_000);
        if self.profile.has_storm && event == Event::LeaderElected as u16 {
            let at = if roll < 10 { now + roll * 150_000_000 } else { soon };
            self.plan.push((at, node, Act::Crash));
            self.plan.push((later, node, Act::Boot));
        }
        if !self.profile.has_triggers {
            return;
        }
        if event == Event::VoteGranted as u16 && roll < 30 {
            self.plan.push((soon, node, Act::Crash));
            self.plan.push((soon + roll * 20_000_000, node, Act::Boot));
        }
        if event == Event::TimeoutNowSent as u16 {
            self.plan.push((soon, node, Act::Isolate));
            self.plan.push((later, node, Act::Heal));
            let to = labels[1] as usize;
            let is_late = roll < 50;
            if is_late {
                self.hold_for(to, roll * 40_000_000);
            }
        }
        if event == Event::HeartbeatSent as u16 && roll < 3 {
            self.plan.push((soon, node, Act::Isolate));
            self.plan.push((later, node, Act::Heal));
            let other = (node + 1 + roll as usize) % self.cluster.len();
            let third = (other + 1) % self.cluster.len();
            for other in [other, third] {
                if other != node {
                    self.plan.push((soon + 1, other, Act::Crash));
                    self.plan.push((soon + 2, other, Act::Boot));
                }
            }
        }
    }

    /// Delays everything that is on its way to `node`.
    fn hold_for(&mut self, node: usize, extra: u64) {
        for packet in &mut self.cluster.packets {
            if packet.to == node {
                packet.due += extra;
            }
        }
    }

    fn fault(&mut self) {
        self.next_fault += self.rng.range(100_000_000, self.profile.fault_gap.0);
        let node = self.rng.below(self.cluster.len() as u64) as usize;
        let lasts = self.rng.range(20_000_000, 4_000_000_000);
        let end = self.cluster.now + lasts;
        let leader = (0..self.cluster.len()).find(|&node| {
            let raft = self.cluster.raft(node);
            raft.is_some_and(|raft| raft.role() == Role::Leader)
        });
        let leader = leader.unwrap_or(node);
        if self.profile.has_changes && self.rng.chance(Ratio::new(1, 2)) {
            return self.change(leader);
        }
        match self.rng.below(10) {
            0..2 => self.act(leader, Act::Isolate),
            2 => self.act(node, Act::Isolate),
            3 => self.split(),
            4 => self.one_way(node),
            5..7 => {
                self.act(node, Act::Crash);
                self.plan.push((end, node, Act::Boot));
            }
            7 => {
                let to = node as u32;
                self.cluster.call(leader, |raft, now, fx| raft.transfer(now, to, fx));
            }
            _ => self.act(node, Act::Heal),
        }
    }

    /// Asks a leader for a change of one to three members.
    fn change(&mut self, leader: usize) {
        let count = self.rng.below(3) + 1;
        let mut changes = Vec::new();
        for _ in 0..count {
            let peer = self.rng.below(self.cluster.len() as u64) as u32;
            changes.push(match self.rng.below(4) {
                0 => Change::Remove(peer),
                1 => Change::AddLearner(peer),
                _ => Change::AddVoter(peer),
            });
        }
        let transition = match self.rng.below(4) {
            0 => Transition::Explicit,
            1 => Transition::Implicit,
            _ => Transition::Auto,
        };
        let changed = self.cluster.call(leader, |raft, now, fx| {
            // What was entered explicitly is left by the next one who asks.
            let is_joint = raft.members().is_joint() && !raft.members().auto_leave;
            let changes = if is_joint { &[] } else { &changes[..] };
            raft.change(now, changes, transition, fx).is_ok()
        });
        self.outcome.changes += u64::from(changed == Some(true));
    }

    fn act(&mut self, node: usize, act: Act) {
        match act {
            Act::Crash => {
                let up = (0..self.cluster.len()).filter(|&node| self.cluster.raft(node).is_some());
                let is_spared = self.profile.has_storm && up.count() <= 3;
                let fates = [DiskFate::Kept, DiskFate::UnsyncedLost, DiskFate::Torn];
                let fate = fates[self.rng.below(3) as usize];
                if self.cluster.raft(node).is_some() && !is_spared {
                    self.cluster.crash(node, fate, &mut self.rng);
                    self.oracle.forget(node);
                }
            }
            Act::Boot => {
                if self.cluster.raft(node).is_none() {
                    let booted = self.cluster.boot(node);
                    booted.expect("a crash damages nothing that was durable");
                }
            }
            Act::Isolate => self.block(|from, to| from == node || to == node),
            Act::Heal => self.heal(),
        }
    }

    fn split(&mut self) {
        let side = self.rng.next_u64();
        self.block(|from, to| (side >> from) & 1 != (side >> to) & 1);
    }

    fn one_way(&mut self, node: usize) {
        self.block(|from, _| from == node);
    }

    fn block(&mut self, cut: impl Fn(usize, usize) -> bool) {
        let weather = self.cluster.weather.as_mut().expect("random runs have weather");
        for (from, row) in weather.blocked.iter_mut().enumerate() {
            for (to, blocked) in row.iter_mut().enumerate() {
                *blocked = cut(from, to);
            }
        }
    }

    fn heal(&mut self) {
        self.block(|_, _| false);
    }

    /// Lifts all faults.
    fn calm(&mut self) {
        self.is_calm = true;
        self.heal();
        self.plan.clear();
        self.next_fault = u64::MAX;
        for node in 0..self.cluster.len() {
            self.act(node, Act::Boot);
        }
        let weather = self.cluster.weather.as_mut().expect("random runs have weather");
        weather.loss = Ratio::ZERO;
        weather.late.0 = Ratio::ZERO;
        weather.corrupt = Ratio::ZERO;
    }

    fn snapshots(&self) -> u64 {
        let marks = self.cluster.marks.iter();
        marks.filter(|(_, mark)| mark.event == Event::SnapshotInstalled as u16).count() as u64
    }

    fn elections(&self) -> u64 {
        let marks = self.cluster.marks.iter();
        let elected = marks.filter(|(_, mark)| mark.event == Event::LeaderElected as u16);
        elected.count() as u64
    }

    fn finish(mut self) -> Outcome {
        let total = self.elections();
        self.outcome.late_elections = total - self.outcome.elections;
        self.outcome.elections = total;
        let group: Vec<NodeId> = (0..self.cluster.len() as u32).map(NodeId).collect();
        let up = &self.cluster.up;
        self.outcome.pending = pending(&group, up, raft_of);
        let is_settled = self.outcome.pending.is_none();
        for (node, id) in group.iter().enumerate() {
            let raft = raft_of(up, *id);
            render::state(&mut self.outcome.end, node, raft);
        }
        assert!(!is_settled || single_leader(&group, up, raft_of));
        assert!(!is_settled || applied_equal(&group, up, raft_of));
        self.outcome
    }
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Packet(usize),
    Sync(usize),
    Timer(usize, u64),
    Plan(usize),
    Op,
    Fault,
}
