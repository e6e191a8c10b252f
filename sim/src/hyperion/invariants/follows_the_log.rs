//! Each replica is in the state, and gave the answers, that the log leads to (raft-thesis §6.3;
//! schneider-1990 §2).
//!
//! Beside each group runs a reference: the state machine without a defect, fed by the log alone. Each
//! entry is applied to it once, when the first replica has applied it. Every answer of every replica is
//! compared with that of the reference at the same index, and its contents (entries, sessions, the
//! account of bytes, the list of endings) now and then: a comparison is paid for by the entries that
//! were applied since the last one. Comparing replicas with each other would miss what all of them
//! get wrong, and digests that happen to be taken at one index miss what lies between.

use super::super::machine::Machine;
use super::super::server::Server;
use crate::protocol::cow::Table;
use crate::protocol::raft::{Payload, Raft};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Judged, Look, PerNode, Property, Watched};

/// So far back answers of the reference are kept.
const ANSWERS_KEPT: u64 = 16_384;

/// A copy of the reference is kept every so many entries, and so many of them.
const COPY_EVERY: u64 = 64;
const COPIES_MAX: usize = 32;

/// How many entries of the store an applied entry pays for.
const STEPS_PER_ENTRY: u64 = 2;

#[derive(Clone, Debug)]
pub struct FollowsTheLog {
    /// Per group.
    references: Vec<Option<Reference>>,
}

/// The state machine that a log leads to.
#[derive(Clone, Debug)]
struct Reference {
    machine: Machine,
    answers: Table<Option<u64>>,
    copies: BTreeMap<u64, Machine>,
}

/// What is remembered of one node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compared {
    /// The index up to which its answers were compared.
    index: u64,
    /// What was paid for a comparison of contents.
    steps: u64,
    has_broken: bool,
}

type Broken = Option<(&'static str, String)>;

/// Applies the entry at `index` as `raft` holds it; false where it does not hold it.
fn feed(machine: &mut Machine, raft: &Raft, index: u64) -> bool {
    let Some(entry) = raft.entry(index) else { return false };
    match &entry.payload {
        Payload::Noop | Payload::Members(_) => machine.skip(index),
        Payload::Command(command) => drop(machine.apply(index, entry.time, command)),
    }
    true
}

impl Reference {
    fn starting(machine: Machine) -> Self {
        Self { machine, answers: Table::default(), copies: BTreeMap::new() }
    }

    /// Goes on to `index` by the log of `raft`, as far as that holds what comes next.
    fn follow(&mut self, raft: &Raft, index: u64) {
        while self.machine.applied_index() < index {
            let next = self.machine.applied_index() + 1;
            if !feed(&mut self.machine, raft, next) {
                return;
            }
            let answered = self.machine.answered(next);
            if let Some(answer) = self.answers.entry(next) {
                *answer = answered;
            }
            if next.is_multiple_of(COPY_EVERY) {
                self.answers.forget_before(next.saturating_sub(ANSWERS_KEPT));
                self.copies.insert(next, self.machine.clone());
                if self.copies.len() > COPIES_MAX {
                    self.copies.pop_first();
                }
            }
        }
    }

    /// The first answer of `machine` in these indexes that is another, and how many were compared.
    fn other_answer(&self, machine: &Machine, from: u64, to: u64) -> (u64, Option<u64>) {
        let mut compared = 0;
        for index in from..=to {
            let expect = self.answers.get(index).copied().flatten();
            let (Some(expect), Some(answered)) = (expect, machine.answered(index)) else {
                continue;
            };
            compared += 1;
            if expect != answered {
                return (compared, Some(index));
            }
        }
        (compared, None)
    }

    /// The reference as it was at the index of `machine`, where that can still be had.
    fn at(&self, machine: &Machine, raft: &Raft) -> Option<Machine> {
        let index = machine.applied_index();
        if self.machine.applied_index() == index {
            return Some(self.machine.clone());
        }
        let mut copy = self.copies.range(..=index).next_back()?.1.clone();
        while copy.applied_index() < index {
            let next = copy.applied_index() + 1;
            if !feed(&mut copy, raft, next) {
                return None;
            }
        }
        Some(copy)
    }
}

/// What of `held` is other than in `expect`.
fn misfit(held: &Machine, expect: &Machine) -> Broken {
    let (ours, theirs) = (held.store(), expect.store());
    let differs = ours.iter().zip(theirs.iter()).find(|(ours, theirs)| ours != theirs);
    if let Some((ours, theirs)) = differs {
        let detail = format!(
            "it holds key {} at version {} where the log leads to key {} at version {}",
            ours.key.label(),
            ours.version,
            theirs.key.label(),
            theirs.version
        );
        return Some(("other entries than the log leads to", detail));
    }
    let figures = |store: &crate::protocol::cache::Store| {
        [store.len(), store.size_bytes(), store.endings(), store.first_ending().unwrap_or(0)]
    };
    let (held_figures, expected) = (figures(ours), figures(theirs));
    if held_figures != expected {
        let detail = format!(
            "entries, bytes, endings and the first of them are {held_figures:?}, and the log leads \
             to {expected:?}"
        );
        return Some(("other accounts than the log leads to", detail));
    }
    let mut answers = held.last_answers().zip(expect.last_answers());
    let differs = answers.find(|(held, expect)| held != expect);
    let lens = (held.sessions(), expect.sessions());
    (differs.is_some() || lens.0 != lens.1).then(|| {
        let detail = format!(
            "it keeps the last answers of {} clients and the log leads to {}; they differ at \
             {differs:?}",
            lens.0, lens.1
        );
        ("other sessions than the log leads to", detail)
    })
}

impl FollowsTheLog {
    pub fn new(watched: &Watched) -> Self {
        Self { references: vec![None; watched.groups()] }
    }

    /// The reference of the group of a node, from the state before the log or from a snapshot.
    fn reference(&mut self, look: &Look<'_, Server>) -> Option<&mut Reference> {
        let machine = look.part.machine();
        let reference = &mut self.references[look.place.group];
        let at = reference.as_ref().map(|reference| reference.machine.applied_index());
        let snapshot = look.part.raft().snapshot().map_or(0, |snapshot| snapshot.id.index);
        if at.is_none() && machine.applied_index() == 0 {
            *reference = Some(Reference::starting(machine.without_defects()));
        } else if at.unwrap_or(0) < snapshot
            && look.part.raft().entry(at.unwrap_or(0) + 1).is_none()
        {
            // Whoever applied what is missing here has cut it off by now.
            *reference = restored(look.part).map(Reference::starting);
        }
        reference.as_mut()
    }

    fn judge(&mut self, look: &Look<'_, Server>, compared: &mut Compared) -> (u64, Broken) {
        let (machine, raft) = (look.part.machine(), look.part.raft());
        let index = machine.applied_index();
        let from = core::mem::replace(&mut compared.index, index) + 1;
        let Some(reference) = self.reference(look) else { return (0, None) };
        reference.follow(raft, index);
        let kept_from = from.max((index + 1).saturating_sub(super::super::machine::ANSWERS_KEPT));
        let (judged, other) = reference.other_answer(machine, kept_from, index);
        if let Some(index) = other {
            let entry = raft.entry(index).map(|entry| entry.id());
            let id = entry.map_or_else(|| format!("{index}"), |id| format!("{id}"));
            let detail = format!("its answer to entry {id} is not the one that the log leads to");
            return (judged, Some(("another answer than the log leads to", detail)));
        }
        compared.steps += STEPS_PER_ENTRY * (index + 1).saturating_sub(from);
        let effort = machine.store().len() + machine.sessions() + COPY_EVERY;
        if compared.steps < effort {
            return (judged, None);
        }
        compared.steps = 0;
        let Some(expect) = reference.at(machine, raft) else { return (judged, None) };
        let broken = misfit(machine, &expect);
        (judged + 1, broken.map(|(rule, detail)| (rule, format!("at index {index} {detail}"))))
    }
}

/// What the snapshot of a node holds, without a defect.
fn restored(server: &Server) -> Option<Machine> {
    let snapshot = server.raft().snapshot()?;
    let machine = server.decode(&snapshot.state)?;
    Some(machine.without_defects())
}

impl PerNode for FollowsTheLog {
    type Part = Server;
    type Memory = Compared;
    const PROPERTY: Property = Property {
        name: "hyperion.follows_the_log",
        about: "each replica holds what the log leads to, and answered each entry accordingly",
        source: "schneider-1990 §2",
    };

    fn reboot(compared: &mut Compared) {
        *compared = Compared { has_broken: compared.has_broken, ..Compared::default() };
    }

    fn look(&mut self, look: &Look<'_, Server>, compared: &mut Compared) -> Judged {
        if look.part.machine().applied_index() == compared.index && compared.index > 0 {
            return Ok(0);
        }
        if compared.has_broken {
            return Ok(0);
        }
        let (judged, broken) = self.judge(look, compared);
        let Some((rule, detail)) = broken else { return Ok(judged) };
        compared.has_broken = true;
        let detail = format!("{}: {detail}", look.name());
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
