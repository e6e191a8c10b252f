//! What an operator asks of a node: changes of membership.
//!
//! A frame from the node itself is the operator's console. A peer that is to vote learns first, and
//! is promoted once it has nearly everything (raft-thesis §4.2.1); what concerns several voters at
//! once goes through a joint configuration, which Raft chooses by itself.

use super::super::tables::Event;
use super::Server;
use crate::protocol::raft::{Change, ChangeRefused, PeerSet, Role, Transition};
use alloc::vec::Vec;
use catalog::Membership;
use contract::{Fx, Now};

/// A change that an operator asked for and that is not started yet, or waits for learners.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    voters: PeerSet,
    learners: PeerSet,
    removed: PeerSet,
}

impl Wish {
    /// Appends the frame that asks for `change` to the peers with these indexes.
    pub fn encode(change: Membership, peers: &[u32], out: &mut Vec<u8>) {
        let peers: PeerSet = peers.iter().copied().collect();
        let mut wish = Self::default();
        match change {
            Membership::AddVoter => wish.voters = peers,
            Membership::AddLearner => wish.learners = peers,
            Membership::Remove => wish.removed = peers,
        }
        for set in [wish.voters, wish.learners, wish.removed] {
            out.extend_from_slice(&set.bits().to_be_bytes());
        }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (sets, []) = bytes.as_chunks::<4>() else {
            return None;
        };
        let [voters, learners, removed] = *sets else {
            return None;
        };
        let set = |bytes: [u8; 4]| PeerSet::from_bits(u32::from_be_bytes(bytes));
        let wish = Self { voters: set(voters), learners: set(learners), removed: set(removed) };
        (wish != Self::default()).then_some(wish)
    }

    fn changes(self) -> Vec<Change> {
        let voters = self.voters.iter().map(Change::AddVoter);
        let learners = self.learners.iter().map(Change::AddLearner);
        voters.chain(learners).chain(self.removed.iter().map(Change::Remove)).collect()
    }
}

impl Server {
    /// An operator asks for a change. Only a leader can start it.
    pub(super) fn on_admin(&mut self, now: Now, bytes: &[u8], fx: &mut Fx<'_>) {
        let peers = self.raft.config().peers.len() as u32;
        let known = |wish: &Wish| {
            let all = wish.voters.or(wish.learners).or(wish.removed);
            all.iter().all(|peer| peer < peers)
        };
        match Wish::decode(bytes).filter(known) {
            Some(wish) if self.raft.role() == Role::Leader => {
                let mine = self.wish.get_or_insert_default();
                mine.voters = mine.voters.or(wish.voters);
                mine.learners = mine.learners.or(wish.learners);
                mine.removed = mine.removed.or(wish.removed);
                self.pursue_wish(now, fx);
            }
            Some(_) => fx.mark(Event::ChangeRefused.row(), [self.raft.term(), 0, 0], 0),
            None => fx.mark(Event::BadRequest.row(), [0; 3], bytes.len() as u64),
        }
    }

    /// Takes the next step of the change that the operator asked for, when it is time.
    pub(super) fn pursue_wish(&mut self, now: Now, fx: &mut Fx<'_>) {
        let Some(wish) = self.wish else {
            return;
        };
        if self.raft.role() != Role::Leader {
            self.wish = None;
            fx.mark(Event::ChangeRefused.row(), [self.raft.term(), 0, 0], 0);
            return;
        }
        let members = self.raft.members();
        let strangers: Vec<Change> = wish
            .voters
            .iter()
            .filter(|&peer| !members.all().contains(peer))
            .map(Change::AddLearner)
            .collect();
        let is_waiting =
            wish.voters.iter().any(|peer| !members.is_voter(peer) && !self.raft.is_caught_up(peer));
        let changes = match strangers.is_empty() {
            false => strangers,
            true if is_waiting => return,
            true => wish.changes(),
        };
        let is_last = changes == wish.changes();
        match self.raft.change(now, &changes, Transition::Auto, fx) {
            Ok(_) if !is_last => {}
            Ok(_) => self.wish = None,
            Err(ChangeRefused::Pending | ChangeRefused::Unready) => {}
            Err(refused) => {
                let is_done = refused == ChangeRefused::Unchanged;
                self.wish = None;
                if !is_done {
                    fx.mark(Event::ChangeRefused.row(), [self.raft.term(), 1, 0], 0);
                }
            }
        }
    }
}
