//! The state machine: its state, its inputs, and what leaves it.

use super::after_sync::Promise;
use super::config_history::Configs;
use super::configuration::PeerSet;
use super::election::Votes;
use super::entry::{LogId, Payload};
use super::log::Log;
use super::progress::Progress;
use super::reads::Reads;
use super::ready::{NotLeader, ReadId, Ready, Role};
use super::recovery::recover;
use super::said::Said;
use super::settings::Config;
use super::snapshot::{Incoming, Snapshot};
use super::storage::{SUSPECT, SYNCS, Storage, Ticket};
use super::tables::Event;
use super::time::{ClusterClock, Ticks};
use super::wire::{Body, COMMAND_BYTES_MAX, Message, decode};
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::node::DATAGRAM_BYTES_MAX;
use contract::{DiskError, Duration, Fx, Instant, Now, Refused, Span, SyncId, TimerKey};
use core::ops::Range;

/// The timer keys that Raft uses; the owner's own are outside.
pub const TIMERS: Range<u64> = 0x5AF7_0000_0000_0000..0x5AF7_0000_0000_0010;

pub(super) const ELECTION: TimerKey = TimerKey(TIMERS.start);
pub(super) const HEARTBEAT: TimerKey = TimerKey(TIMERS.start + 1);
pub(super) const APPLY: TimerKey = TimerKey(TIMERS.start + 2);
const FSYNC: TimerKey = TimerKey(TIMERS.start + 3);

const _: () = assert!(FSYNC.0 < TIMERS.end, "every timer is inside the range");
const _: () = assert!(COMMAND_BYTES_MAX < DATAGRAM_BYTES_MAX as usize, "a command has a frame");

/// One member of a Raft group.
///
/// **Invariant:** whatever leaves this node as a promise (a vote, an accepted append, an answered
/// heartbeat, its own part of a majority) was durable before it left.
#[derive(Clone, Debug)]
pub struct Raft {
    /// Shared by all forks of this node.
    pub(super) config: Arc<Config>,
    pub(super) role: Role,
    pub(super) term: u64,
    pub(super) vote: Option<u32>,
    pub(super) leader: Option<u32>,
    pub(super) log: Log,
    pub(super) configs: Configs,
    /// Whom the configuration that it goes by sends entries to, and whether it votes in it.
    pub(super) tracked: PeerSet,
    pub(super) can_campaign: bool,
    pub(super) commit_index: u64,
    pub(super) applied_index: u64,

    /// What stands for the log up to an index.
    pub(super) snapshot: Option<Arc<Snapshot>>,
    /// The index at which the owner was asked for a snapshot.
    pub(super) snapshot_asked: Option<u64>,
    /// Where the disk last had no room for one.
    pub(super) snapshot_failed_at: u64,
    /// A snapshot that a leader sends.
    pub(super) incoming: Option<Incoming>,

    pub(super) storage: Storage,
    /// What waits for the disk, in the order in which it was promised.
    pub(super) promises: VecDeque<(Ticket, Promise)>,
    /// Term and vote as last known durable.
    pub(super) durable_hard: (u64, Option<u32>),
    /// The last term that this node campaigned in, or booted with: for one defect alone.
    pub(super) own_term: u64,

    pub(super) clock: ClusterClock,
    ticks: Ticks,
    election_deadline: Instant,
    heartbeat_deadline: Instant,
    pub(super) is_apply_paused: bool,

    /// When a leader was last heard.
    pub(super) leader_contact: Option<Instant>,
    /// No votes before this: a leader that was answered before this boot may hold a lease.
    pub(super) no_vote_until: Instant,
    pub(super) votes: Votes,

    /// What a leader knows about each peer, itself included.
    pub(super) progress: Vec<Progress>,
    pub(super) reads: Reads,
    pub(super) transfer: Option<Transfer>,
    /// Whether this leader told another node to campaign: its leases are over.
    pub(super) lease_void: bool,

    pub(super) ready: Vec<Ready>,
    /// What left this node as a promise.
    pub(super) said: Said,
    pub(super) has_failed: bool,
}

/// A transfer of leadership in progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    pub to: u32,
    pub deadline: Instant,
    pub is_sent: bool,
}

impl Raft {
    /// Boots, or reboots, from what is on the disk: term, vote and log are recovered, a torn tail
    /// is cut off. After any boot but the first a node votes for nobody for the shortest election
    /// timeout, where leases are in use: it may have answered a leader that still holds one.
    ///
    /// # Errors
    /// When the log is damaged in the middle: what was acknowledged may be gone, and a node that
    /// forgot it must not vote. Also when settings contradict each other.
    ///
    /// # Panics
    /// When the group itself makes no sense, which is a bug of the owner.
    pub fn boot(config: Config, now: Now, fx: &mut Fx<'_>) -> Result<Self, Refused> {
        config.check()?;
        let recovered = recover(&config, fx)?;
        let now = now.mono;
        let phase = Duration(fx.rng.range(0, config.tick.as_nanos()));
        let ticks = Ticks { tick: config.tick, phase };
        let owes_silence = !recovered.is_first_boot && config.lease > Duration::ZERO;
        let silence = if owes_silence { config.election.0 } else { Duration::ZERO };
        let last = recovered.log.entry(recovered.log.last().index);
        let snapshot = recovered.snapshot;
        let reached = snapshot.as_ref().map_or(0, |snapshot| snapshot.time);
        let clock = ClusterClock::starting(last.map_or(reached, |entry| entry.time), now);
        let covered = snapshot.as_ref().map_or(0, |snapshot| snapshot.id.index);
        let mut raft = Self {
            progress: alloc::vec![Progress::none(); config.peers.len()],
            config: Arc::new(config),
            role: Role::Follower,
            term: recovered.term,
            vote: recovered.vote,
            leader: None,
            log: recovered.log,
            configs: recovered.configs,
            tracked: PeerSet::EMPTY,
            can_campaign: false,
            commit_index: covered,
            applied_index: covered,
            snapshot,
            snapshot_asked: None,
            snapshot_failed_at: 0,
            incoming: None,
            storage: recovered.storage,
            promises: VecDeque::new(),
            durable_hard: (0, None),
            own_term: recovered.term,
            clock,
            ticks,
            election_deadline: Instant::MAX,
            heartbeat_deadline: Instant::MAX,
            is_apply_paused: false,
            leader_contact: None,
            no_vote_until: now + silence,
            votes: Votes::default(),
            reads: Reads::default(),
            transfer: None,
            lease_void: false,
            ready: Vec::new(),
            said: Said::default(),
            has_failed: false,
        };
        assert!(raft.log.last().index >= covered, "recovery refuses a log behind its snapshot");
        assert!(raft.ticks.phase <= raft.ticks.tick, "a phase lies between two ticks");
        raft.tracked = raft.members().all();
        raft.can_campaign = raft.may_campaign();
        raft.ready.extend(raft.snapshot.clone().map(Ready::Restore));
        raft.reset_election(now, fx);
        raft.finish(now, fx);
        Ok(raft)
    }

    /// Whether a timer is Raft's: hand it to [`Raft::on_timer`].
    #[must_use]
    pub fn owns_timer(key: TimerKey) -> bool {
        TIMERS.contains(&key.0)
    }

    /// Whether a sync is Raft's: hand it to [`Raft::on_synced`].
    #[must_use]
    pub fn owns_sync(sync: SyncId) -> bool {
        SYNCS.contains(&sync.0)
    }

    /// Handles a frame of the peer with index `from`. Damaged frames are marked and dropped.
    pub fn on_datagram(&mut self, now: Now, from: u32, bytes: &[u8], fx: &mut Fx<'_>) {
        if self.has_failed {
            return;
        }
        let is_peer = (from as usize) < self.config.peers.len() && from != self.me();
        match decode(bytes) {
            Ok(message) if is_peer => self.step(now.mono, from, message, fx),
            _ => {
                let labels = [u64::from(from), 0, 0];
                self.mark(Event::DecodeError, labels, bytes.len() as u64, fx);
            }
        }
        self.finish(now.mono, fx);
    }

    /// Handles one of Raft's timers. One that comes before its deadline, as after a deadline was
    /// moved, is set again.
    pub fn on_timer(&mut self, now: Now, key: TimerKey, fx: &mut Fx<'_>) {
        assert!(Self::owns_timer(key), "the owner hands on Raft's timers");
        let now = now.mono;
        if self.has_failed {
            return;
        }
        match key {
            ELECTION if self.role == Role::Leader => {}
            ELECTION if now < self.election_deadline => {
                fx.set_timer(ELECTION, self.election_deadline.since(now));
            }
            ELECTION => self.on_election_timeout(now, fx),
            HEARTBEAT if self.role != Role::Leader => {}
            HEARTBEAT if now < self.heartbeat_deadline => {
                fx.set_timer(HEARTBEAT, self.heartbeat_deadline.since(now));
            }
            HEARTBEAT => self.on_heartbeat_due(now, fx),
            APPLY => self.is_apply_paused = false,
            FSYNC => self.storage.sync_due(),
            _ => panic!("{key:?} is not one of Raft's timers"),
        }
        self.finish(now, fx);
    }

    /// Handles the end of one of Raft's syncs.
    pub fn on_synced(
        &mut self,
        now: Now,
        sync: SyncId,
        result: Result<(), DiskError>,
        fx: &mut Fx<'_>,
    ) {
        if self.has_failed {
            return;
        }
        self.storage.on_synced(sync, result, fx);
        let mut at = 0;
        while let Some(&(ticket, promise)) = self.promises.get(at) {
            if self.storage.is_durable(ticket) {
                self.promises.remove(at);
                self.fulfil(now.mono, promise, fx);
            } else {
                at += 1;
            }
        }
        self.finish(now.mono, fx);
    }

    /// Appends `command` to the log of a leader. It is committed once it comes back in
    /// [`Ready::Apply`] with this id; after [`Ready::SteppedDown`] its outcome is unknown.
    ///
    /// # Errors
    /// When this node does not lead, or is handing over: the command certainly has no effect.
    ///
    /// # Panics
    /// When the command is longer than [`COMMAND_BYTES_MAX`].
    pub fn propose(
        &mut self,
        now: Now,
        command: Arc<[u8]>,
        fx: &mut Fx<'_>,
    ) -> Result<LogId, NotLeader> {
        assert!(command.len() <= COMMAND_BYTES_MAX, "a command fits into one datagram");
        if self.role != Role::Leader || self.has_failed {
            return Err(self.not_leader());
        }
        if let Some(transfer) = &self.transfer {
            let hint = Some(transfer.to);
            return Err(NotLeader { hint });
        }
        let id = self.append_own(now.mono, Payload::Command(command), fx);
        assert!(id == self.log.last(), "what is proposed is the end of the log");
        self.finish(now.mono, fx);
        Ok(id)
    }

    /// As [`Raft::propose`], of several commands at once: they are written, synced and sent
    /// together.
    ///
    /// # Errors
    /// When this node does not lead, or hands over; then none of them was proposed.
    pub fn propose_all(
        &mut self,
        now: Now,
        commands: impl Iterator<Item = Arc<[u8]>>,
        fx: &mut Fx<'_>,
    ) -> Result<Vec<LogId>, NotLeader> {
        if self.role != Role::Leader || self.has_failed {
            return Err(self.not_leader());
        }
        if let Some(transfer) = &self.transfer {
            return Err(NotLeader { hint: Some(transfer.to) });
        }
        let payload = |command: Arc<[u8]>| {
            assert!(command.len() <= COMMAND_BYTES_MAX, "a command fits into one datagram");
            Payload::Command(command)
        };
        let ids = self.append_all_own(now.mono, commands.map(payload), fx);
        let ends = ids.last().is_none_or(|id| *id == self.log.last());
        assert!(ends, "what is proposed is the end of the log");
        self.finish(now.mono, fx);
        Ok(ids)
    }

    /// Asks for a linearizable read without a log entry (raft-thesis §6.4). Answered by
    /// [`Ready::ReadReady`] or [`Ready::ReadFailed`].
    ///
    /// # Errors
    /// When this node does not lead.
    pub fn read_index(&mut self, now: Now, fx: &mut Fx<'_>) -> Result<ReadId, NotLeader> {
        if self.role != Role::Leader || self.has_failed {
            return Err(self.not_leader());
        }
        let id = self.queue_read(now.mono, fx);
        self.finish(now.mono, fx);
        Ok(id)
    }

    /// Whether this node may serve linearizable reads alone at this moment (raft-thesis §6.4.1):
    /// it leads, has committed in its term, hands over to nobody, and its lease runs. The owner
    /// must also have applied [`Raft::commit_index`].
    #[must_use]
    pub fn lease_valid(&self, now: Now) -> bool {
        !self.has_failed && self.is_lease_running(now.mono)
    }

    /// Hands leadership to the voter `to` (raft-thesis §3.10). Proposals are refused until it took
    /// over or `election.0` has passed; once the peer was told, no lease is valid in this term.
    /// Nothing happens when `to` is this leader or does not vote, or a transfer is under way.
    ///
    /// # Errors
    /// When this node does not lead.
    pub fn transfer(&mut self, now: Now, to: u32, fx: &mut Fx<'_>) -> Result<(), NotLeader> {
        if self.role != Role::Leader || self.has_failed {
            return Err(self.not_leader());
        }
        if to != self.me() && self.is_voter(to) && self.transfer.is_none() {
            self.start_transfer(now.mono, to, fx);
            self.finish(now.mono, fx);
        }
        Ok(())
    }

    /// Moves what the owner must do to the end of `out`. Call it after every call that takes `fx`.
    pub fn drain(&mut self, out: &mut Vec<Ready>) {
        out.append(&mut self.ready);
    }
}

impl Raft {
    pub(super) fn arm_heartbeat(&mut self, now: Instant, fx: &mut Fx<'_>) {
        assert!(self.role == Role::Leader, "only leaders send heartbeats");
        self.heartbeat_deadline = self.ticks.at_or_after(now + self.config.heartbeat);
        assert!(self.heartbeat_deadline > now, "heartbeats are some time apart");
        fx.set_timer(HEARTBEAT, self.heartbeat_deadline.since(now));
    }

    /// Waits for a leader anew. Draws once whatever the settings are, so that they shift no other
    /// draw.
    pub(super) fn reset_election(&mut self, now: Instant, fx: &mut Fx<'_>) {
        let (min, max) = self.config.election;
        let drawn = Duration(fx.rng.range(min.as_nanos(), max.as_nanos()));
        let wait = if self.config.defects.equal_fixed_timeouts {
            min
        } else {
            self.config.election_fixed.unwrap_or(drawn)
        };
        assert!(wait >= min, "leases rest on the shortest election timeout");
        if self.may_campaign() {
            self.election_deadline = self.ticks.at_or_after(now + wait);
            fx.set_timer(ELECTION, self.election_deadline.since(now));
        }
    }

    /// Ends every input: what it made possible is done, what it wrote is on its way to the disk.
    pub(super) fn finish(&mut self, now: Instant, fx: &mut Fx<'_>) {
        if self.role == Role::Leader && !self.has_failed {
            self.settle_members(now, fx);
        }
        if self.role == Role::Leader {
            self.round_for_waiting_reads(now, fx);
        }
        if let Some(after) = self.storage.flush(self.config.fsync, fx) {
            fx.set_timer(FSYNC, after);
        }
        if let Some(error) = self.storage.failed() {
            self.fail(now, error, fx);
        }
        if self.storage.is_durable(self.storage.hard_ticket()) {
            self.durable_hard = (self.term, self.vote);
        }
        self.apply(fx);
        self.want_snapshot();
        self.invariants();
    }

    /// The disk failed: nobody knows what it kept, so nothing more is promised in this boot.
    fn fail(&mut self, now: Instant, error: DiskError, fx: &mut Fx<'_>) {
        self.follow(now, self.term, fx);
        assert!(self.role == Role::Follower, "a node without a disk does not lead");
        self.has_failed = true;
        if error == DiskError::SyncFailed {
            // The process may be restarted without a loss of power, and read its cache.
            let _ = fx.disk.write_at(SUSPECT, 0, &[1]);
        }
        self.promises.clear();
        fx.cancel_timer(ELECTION);
        self.mark(Event::StorageFailed, [self.term, 0, 0], 0, fx);
        self.ready.push(Ready::StorageFailed(error));
    }

    fn invariants(&self) {
        assert!(self.commit_index <= self.log.last().index, "what is committed is in the log");
        let leads = self.role == Role::Leader;
        assert!(!leads || self.leader == Some(self.me()), "a leader follows itself");
        assert!(leads || self.transfer.is_none(), "only leaders hand over");
        assert!(self.snapshot_index() <= self.commit_index, "a snapshot holds what is committed");
        assert!(self.log.base().index <= self.snapshot_index(), "what is cut is in the snapshot");
        assert!(self.own_term <= self.term, "a node campaigns in terms that it was in");
        assert!(self.durable_hard.0 <= self.term, "what is durable was true before");
        assert!(self.progress.len() == self.config.peers.len(), "a leader knows of each peer");
    }

    pub(super) fn is_voter(&self, peer: u32) -> bool {
        self.members().is_voter(peer)
    }

    pub(super) fn not_leader(&self) -> NotLeader {
        let hint = self.leader.filter(|&leader| leader != self.me());
        NotLeader { hint }
    }

    pub(super) fn mark(&self, event: Event, labels: [u64; 3], value: u64, fx: &mut Fx<'_>) {
        fx.mark(event.above(self.config.events), labels, value);
    }

    pub(super) fn send(&mut self, to: u32, body: Body<'_>, fx: &mut Fx<'_>) -> Span {
        self.send_as(self.term, to, body, fx)
    }

    pub(super) fn send_as(&mut self, term: u64, to: u32, body: Body<'_>, fx: &mut Fx<'_>) -> Span {
        assert!(to != self.me(), "a node does not write to itself");
        self.said.hear(term, to, &body);
        let to = self.config.peers[to as usize];
        fx.datagram(to, |out| Message { term, body }.encode(out))
    }
}
