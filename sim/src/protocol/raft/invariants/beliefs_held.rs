//! Beliefs against peers (raft-paper Figure 2, `matchIndex`; raft-thesis §10.2.1).
//!
//! Up to where a leader takes a peer's log to be equal and durable, the peer's disk holds it, with the
//! leader's terms. A belief that runs ahead commits too early once that peer is needed. Peers that
//! have gone on to a later term are not judged: there it may have been overwritten.

use super::super::entry::LogId;
use super::super::machine::Raft;
use super::super::ready::Role;
use super::super::settings::Fsync;
use super::Look;
use super::durable_log::{DurableLog, id_at};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Judged, PerNode, Property, Watched};

/// A leader believes of no peer that it holds more than it does.
#[derive(Clone, Debug)]
pub struct BeliefsHeld {
    /// By slot.
    disks: Vec<DurableLog>,
    watched: Watched,
}

/// What one leader of a term believed when it was last looked at.
#[derive(Clone, Debug, Default)]
pub struct Believed {
    term: u64,
    matched: Vec<u64>,
    has_broken: bool,
}

impl BeliefsHeld {
    /// Nothing seen yet of a group.
    pub fn new(group: &Watched) -> Self {
        let disks = vec![DurableLog::default(); group.slots()];
        Self { disks, watched: group.clone() }
    }

    /// What the disk of `peer` ends with, where it does not hold what `look`'s leader believes.
    fn lacks(&mut self, look: &Look<'_>, peer: u32, matched: u64) -> Option<LogId> {
        let raft = look.part;
        let node = raft.config().peers[peer as usize];
        let slot = self.watched.place(node)?.slot;
        let files = look.nodes.durable(node).filter(|files| files.is_sound())?;
        let disk = &mut self.disks[slot];
        disk.refresh(files);
        if disk.hard.0 > raft.term() {
            return None;
        }
        let last = disk.terms.last().max(disk.snapshot);
        let holds = match id_at(raft, matched) {
            Some(id) => disk.holds(id),
            // The leader has cut it off: it was committed, so nobody holds another there.
            None => last.index >= matched,
        };
        (!holds).then_some(last)
    }
}

impl PerNode for BeliefsHeld {
    type Part = Raft;
    type Memory = Believed;
    const PROPERTY: Property = Property {
        name: "raft.beliefs_held",
        about: "what a leader takes a peer to hold is on that peer's disk",
        source: "raft-paper §5.3",
    };

    fn reboot(believed: &mut Believed) {
        *believed = Believed { has_broken: believed.has_broken, ..Believed::default() };
    }

    fn look(&mut self, look: &Look<'_>, believed: &mut Believed) -> Judged {
        let raft = look.part;
        let is_asked = raft.role() == Role::Leader && raft.config().fsync == Fsync::Always;
        if !is_asked || believed.has_broken {
            return Ok(0);
        }
        if believed.term != raft.term() {
            believed.term = raft.term();
            believed.matched.clear();
            believed.matched.resize(raft.config().peers.len(), 0);
        }
        let mut judged = 0;
        for peer in raft.members().all().iter().filter(|&peer| peer != raft.me()) {
            let matched = raft.match_index(peer).unwrap_or(0);
            let before = core::mem::replace(&mut believed.matched[peer as usize], matched);
            if matched <= before {
                continue;
            }
            judged += 1;
            let Some(last) = self.lacks(look, peer, matched) else { continue };
            believed.has_broken = true;
            let node = raft.config().peers[peer as usize];
            let (leader, name, term) = (look.name(), look.name_of(node), raft.term());
            let detail = format!(
                "{leader} leads term {term} and takes {name} to hold everything up to index \
                 {matched}; the disk of {name} ends at {last}"
            );
            let rule = "a peer holds less than its leader believes";
            return Err(look.breach(Self::PROPERTY, rule, &[look.node, node], detail));
        }
        Ok(judged)
    }
}
