//! Boot against the past (raft-paper §5, Figure 2; raft-thesis §10.2.1).
//!
//! What a node boots with is a state that it really held: term and vote as one, a log, a snapshot and
//! a configuration, none of them put together from two. `raft.monotonic` holds that it is not older
//! than what was durable; this holds that it ever was. A crash may fall between any two records of one
//! input, so the states within an input count: a term before the vote in it, a log before the last of
//! several entries.

use super::super::configuration::Members;
use super::super::entry::LogId;
use super::super::machine::Raft;
use super::super::snapshot::Snapshot;
use super::Look;
use super::durable_log::DurableLog;
use super::terms::Terms;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use catalog::{Judged, PerNode, Property};

/// The states of each kind that are remembered: more than can wait for a disk.
const HELD_MAX: usize = 64;

/// The snapshots that are remembered.
const SNAPSHOTS_MAX: usize = 4;

/// A node boots with a state that it held.
#[derive(Clone, Debug)]
pub struct BootsFromPast;

/// The states that one member held, the latest last, also in earlier boots.
#[derive(Clone, Debug, Default)]
pub struct Held {
    hard: VecDeque<(u64, Option<u32>)>,
    logs: VecDeque<Terms>,
    snapshots: VecDeque<Snapshot>,
    members: VecDeque<(u64, Members)>,
    has_booted: bool,
    has_rebooted: bool,
    has_broken: bool,
}

type Broken = Option<(&'static str, String)>;

fn keep<T>(held: &mut VecDeque<T>, item: T, max: usize) {
    held.push_back(item);
    if held.len() > max {
        held.pop_front();
    }
}

impl Held {
    /// Takes note of the present state.
    fn note(&mut self, raft: &Raft) {
        let hard = (raft.term(), raft.vote());
        if self.hard.back() != Some(&hard) {
            keep(&mut self.hard, hard, HELD_MAX);
        }
        self.note_log(raft);
        let id = |snapshot: &Snapshot| snapshot.id;
        if let Some(snapshot) = raft.snapshot()
            && self.snapshots.back().map(id) != Some(snapshot.id)
        {
            keep(&mut self.snapshots, snapshot.clone(), SNAPSHOTS_MAX);
        }
        let all = raft.configurations();
        if self.members.back() != all.last() {
            all.iter().for_each(|members| keep(&mut self.members, *members, HELD_MAX));
        }
    }

    /// A log that only grew is the same state, further on: every prefix of it was held as well.
    fn note_log(&mut self, raft: &Raft) {
        match self.logs.back_mut() {
            Some(log) if log.last() == raft.last_id() => {}
            Some(log) if raft.term_at(log.last().index) == Some(log.last().term) => {
                log.extend(raft);
            }
            _ => keep(&mut self.logs, Terms::of(raft), HELD_MAX),
        }
    }

    /// What the node has booted with and never held.
    fn mixture(&self, raft: &Raft, disk: &DurableLog) -> Broken {
        let hard = (raft.term(), raft.vote());
        if !self.held_hard(hard) {
            let last = self.hard.back();
            let detail = format!("it booted with (term, vote) {hard:?}; it last held {last:?}");
            return Some(("term and vote that were never held together", detail));
        }
        self.foreign_log(&Terms::of(raft), disk.terms.last()).or_else(|| self.foreign(raft))
    }

    /// `durable` is what the log on the disk ends with.
    fn foreign_log(&self, log: &Terms, durable: LogId) -> Broken {
        if self.is_full() {
            return None;
        }
        let mut held = self.logs.iter().filter(|held| log.is_prefix_of(held)).peekable();
        if held.peek().is_none() {
            let detail = format!("it booted with a log that ends at {}", log.last());
            return Some(("a log that was never held", detail));
        }
        // One that was held after the durable tail had been cut lacks it rightly.
        let holds = |log: &Terms| {
            log.base().index >= durable.index || log.term(durable.index) == Some(durable.term)
        };
        if holds(log) || durable.index == 0 || held.any(|held| !holds(held)) {
            return None;
        }
        let found = log.last();
        let detail = format!("it booted with a log up to {found}, its disk held up to {durable}");
        Some(("a log without what was durable", detail))
    }

    fn foreign(&self, raft: &Raft) -> Broken {
        if let Some(snapshot) = raft.snapshot()
            && !self.snapshots.contains(snapshot)
        {
            let detail = format!("it booted with a snapshot up to {}", snapshot.id);
            return Some(("a snapshot that was never held", detail));
        }
        let (since, members) = raft.members_since();
        let is_known = self.members.contains(&(since, *members));
        (!is_known && !self.is_full()).then(|| {
            let detail = format!("it booted with {members:?} from index {since}");
            ("a configuration that was never held", detail)
        })
    }

    /// Whether more states were held than are remembered.
    fn is_full(&self) -> bool {
        let lens = [self.hard.len(), self.logs.len(), self.members.len()];
        lens.into_iter().any(|len| len == HELD_MAX)
    }

    /// Whether term and vote were held as one, perhaps only within an input.
    fn held_hard(&self, (term, vote): (u64, Option<u32>)) -> bool {
        if self.is_full() || self.hard.contains(&(term, vote)) || (term, vote) == (0, None) {
            return true;
        }
        let later = self.hard.iter().position(|(held, _)| *held >= term);
        let before = later.and_then(|at| at.checked_sub(1)).map_or(0, |at| self.hard[at].0);
        vote.is_none() && later.is_some() && before < term
    }
}

impl PerNode for BootsFromPast {
    type Part = Raft;
    type Memory = Held;
    const PROPERTY: Property = Property {
        name: "raft.boots_from_past",
        about: "a node boots with a state that it held: term and vote as one, log, snapshot, members",
        source: "raft-paper §5",
    };

    fn reboot(held: &mut Held) {
        held.has_rebooted = true;
    }

    fn look(&mut self, look: &Look<'_>, held: &mut Held) -> Judged {
        let raft = look.part;
        let has_rebooted = core::mem::take(&mut held.has_rebooted);
        let is_first = !core::mem::replace(&mut held.has_booted, true);
        // Its first boot, of an empty disk, is from a past without anything.
        let is_born = is_first && look.nodes.boot(look.node) == 0 && raft.last_index() == 0;
        let files = look.nodes.durable(look.node).filter(|files| files.is_sound());
        let mut broken = None;
        let is_judged = has_rebooted && !is_first && !held.has_broken;
        if let (true, Some(files)) = (is_judged, files) {
            // Nothing that the boot wrote is durable yet: this is what the crash left.
            let mut disk = DurableLog::default();
            disk.refresh(files);
            broken = held.mixture(raft, &disk);
        }
        held.note(raft);
        let Some((rule, detail)) = broken else {
            return Ok(u64::from(is_judged || is_born));
        };
        held.has_broken = true;
        let detail = format!("{}: {detail}", look.name());
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
