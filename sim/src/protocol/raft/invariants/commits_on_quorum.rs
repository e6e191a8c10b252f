//! Commit against quorums (raft-paper §5.3, §5.4.2; raft-thesis §4.3, §10.2.1).
//!
//! The entry up to which a leader commits is, at that instant and with its term, on the disks of a
//! quorum of the configuration that the leader goes by; of a joint one, of both halves. That is
//! stronger than what a client can notice: too small a quorum shows in answers only when the right
//! nodes fail in time. Later no leader lacks the entry, so a deposed leader that still counts old
//! answers keeps to it as well.
//!
//! Nobody else commits of its own accord: what a follower takes for committed, a leader committed.

use super::super::configuration::{Members, PeerSet};
use super::super::entry::LogId;
use super::super::machine::Raft;
use super::super::ready::Role;
use super::super::settings::Fsync;
use super::Look;
use super::durable_log::{DurableLog, id_at};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Judged, PerNode, Property, Watched};

/// What is committed is durable at a quorum.
#[derive(Clone, Debug)]
pub struct CommitsOnQuorum {
    /// By slot.
    disks: Vec<DurableLog>,
    watched: Watched,
    /// The last index that a leader committed.
    committed: u64,
}

/// What is remembered of one member.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    commit_index: u64,
    /// What it went by when it last led: the configuration that counts for a commit, since a leader
    /// that commits a joint one leaves it in the same event.
    led_by: Option<Members>,
    has_broken: bool,
}

type Broken = Option<(&'static str, String)>;

impl CommitsOnQuorum {
    /// Nothing seen yet of a group.
    pub fn new(group: &Watched) -> Self {
        let disks = vec![DurableLog::default(); group.slots()];
        Self { disks, watched: group.clone(), committed: 0 }
    }

    /// Which voters have `id` on their disks. One whose disk broke its word counts: what it forgot is
    /// not the fault of the group.
    fn holders(&mut self, look: &Look<'_>, members: &Members, id: LogId) -> PeerSet {
        let raft = look.part;
        let mut holders = PeerSet::EMPTY;
        for peer in members.all_voters().iter() {
            let node = raft.config().peers[peer as usize];
            let place = self.watched.place(node);
            let sound = look.nodes.durable(node).filter(|files| files.is_sound());
            let holds = match (place, sound) {
                (Some(place), Some(files)) => {
                    let disk = &mut self.disks[place.slot];
                    disk.refresh(files);
                    disk.holds(id)
                }
                _ => true,
            };
            if holds {
                holders.insert(peer);
            }
        }
        holders
    }

    fn judge(&mut self, look: &Look<'_>, members: &Members, id: LogId) -> Broken {
        let holders = self.holders(look, members, id);
        if members.vote(holders, PeerSet::EMPTY) == Some(true) {
            return None;
        }
        let names = |set: PeerSet| {
            let of = |peer: u32| look.name_of(look.part.config().peers[peer as usize]);
            set.iter().map(of).collect::<Vec<_>>().join(", ")
        };
        let rule = "a commit without a durable quorum";
        let at = if holders.is_empty() { "nobody".into() } else { names(holders) };
        let voters = names(members.all_voters());
        let joint = if members.is_joint() { ", in two halves," } else { "" };
        let detail =
            format!("it committed {id}, which is on the disk of {at}; {voters}{joint} vote");
        Some((rule, detail))
    }
}

impl PerNode for CommitsOnQuorum {
    type Part = Raft;
    type Memory = Seen;
    const PROPERTY: Property = Property {
        name: "raft.commits_on_quorum",
        about: "what is committed is durable, with its term, at a quorum of the configuration",
        source: "raft-paper §5.3",
    };

    fn reboot(seen: &mut Seen) {
        *seen = Seen { has_broken: seen.has_broken, ..Seen::default() };
    }

    fn look(&mut self, look: &Look<'_>, seen: &mut Seen) -> Judged {
        let raft = look.part;
        let leads = raft.role() == Role::Leader;
        // A leader that commits its own removal steps down with the same event.
        let led_by = core::mem::replace(&mut seen.led_by, leads.then(|| *raft.members()));
        let led_by = led_by.or(seen.led_by);
        let index = raft.commit_index();
        let is_new = index > core::mem::replace(&mut seen.commit_index, index);
        let committed = self.committed;
        if led_by.is_some() {
            // Also what was committed wrongly: others will follow.
            self.committed = committed.max(index);
        }
        if !is_new || seen.has_broken || raft.config().fsync != Fsync::Always {
            return Ok(0);
        }
        // Another leader may commit another entry at an index that is committed already.
        let broken = if index <= committed && !leads {
            None
        } else if let Some(members) = led_by {
            id_at(raft, index).and_then(|id| self.judge(look, &members, id))
        } else {
            let detail =
                format!("it takes {index} for committed, and leaders committed {committed}");
            Some(("a commit without a leader's", detail))
        };
        let Some((rule, detail)) = broken else { return Ok(1) };
        seen.has_broken = true;
        let detail = format!("{}: {detail}", look.name());
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
