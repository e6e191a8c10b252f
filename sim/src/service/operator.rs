//! What an operator asks of a group that keeps its state by Raft: changes of who takes part.
//!
//! A frame from the node itself is the operator's console. A peer that is to vote learns first, and
//! is promoted once it has nearly everything (raft-thesis §4.2.1); what concerns several voters at
//! once goes through a joint configuration, which Raft chooses by itself.

use crate::protocol::raft::{Change, ChangeRefused, PeerSet, Raft, Role, Transition};
use alloc::vec::Vec;
use catalog::Membership;
use contract::{Fx, Now};

/// A change that an operator asked for: which peers are to vote, to learn, and to leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MembershipRequest {
    voters: PeerSet,
    learners: PeerSet,
    removed: PeerSet,
}

/// How far a change has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Ask again after the next input: it waits for learners, or for another change.
    Pending,
    /// There is nothing more to do for it.
    Done,
    /// It is not made.
    Refused {
        /// Whether the node leads and there is no way to what was asked for; else it does not lead.
        leads: bool,
    },
}

impl MembershipRequest {
    /// Appends the frame that asks for `change` to the peers with these indexes.
    pub fn encode(change: Membership, peers: &[u32], out: &mut Vec<u8>) {
        let peers: PeerSet = peers.iter().copied().collect();
        let mut request = Self::default();
        match change {
            Membership::AddVoter => request.voters = peers,
            Membership::AddLearner => request.learners = peers,
            Membership::Remove => request.removed = peers,
        }
        for set in [request.voters, request.learners, request.removed] {
            out.extend_from_slice(&set.bits().to_be_bytes());
        }
    }

    /// Reads a frame that an operator sent to a group of `peers` peers; `None` where it is none, asks
    /// for nothing, or names others.
    #[must_use]
    pub fn decode(bytes: &[u8], peers: u32) -> Option<Self> {
        let (sets, []) = bytes.as_chunks::<4>() else {
            return None;
        };
        let [voters, learners, removed] = *sets else {
            return None;
        };
        let set = |bytes: [u8; 4]| PeerSet::from_bits(u32::from_be_bytes(bytes));
        let request = Self { voters: set(voters), learners: set(learners), removed: set(removed) };
        let mut all = request.voters.or(request.learners).or(request.removed).iter();
        let is_known = all.all(|peer| peer < peers);
        (request != Self::default() && is_known).then_some(request)
    }

    /// Both changes.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            voters: self.voters.or(other.voters),
            learners: self.learners.or(other.learners),
            removed: self.removed.or(other.removed),
        }
    }

    /// Takes the next step of the change at this node, when it is time.
    pub fn pursue(self, raft: &mut Raft, now: Now, fx: &mut Fx<'_>) -> Progress {
        if raft.role() != Role::Leader {
            return Progress::Refused { leads: false };
        }
        let Some(changes) = self.next_changes(raft) else {
            return Progress::Pending;
        };
        let is_last = changes == self.changes();
        match raft.change(now, &changes, Transition::Auto, fx) {
            Ok(_) if !is_last => Progress::Pending,
            Ok(_) | Err(ChangeRefused::Unchanged) => Progress::Done,
            Err(ChangeRefused::Pending | ChangeRefused::Unready) => Progress::Pending,
            Err(_) => Progress::Refused { leads: true },
        }
    }

    /// What to ask Raft for next: that strangers learn, and then everything; `None` while the
    /// learners are behind.
    fn next_changes(self, raft: &Raft) -> Option<Vec<Change>> {
        let members = raft.members();
        let strangers = self.voters.iter().filter(|&peer| !members.all().contains(peer));
        let strangers: Vec<Change> = strangers.map(Change::AddLearner).collect();
        if !strangers.is_empty() {
            return Some(strangers);
        }
        let is_behind = |peer| !members.is_voter(peer) && !raft.is_caught_up(peer);
        (!self.voters.iter().any(is_behind)).then(|| self.changes())
    }

    fn changes(self) -> Vec<Change> {
        let voters = self.voters.iter().map(Change::AddVoter);
        let learners = self.learners.iter().map(Change::AddLearner);
        voters.chain(learners).chain(self.removed.iter().map(Change::Remove)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_say_what_was_asked_for_and_nothing_else_is_one() {
        let mut frame = Vec::new();
        MembershipRequest::encode(Membership::Remove, &[1, 3], &mut frame);
        let request = MembershipRequest::decode(&frame, 4).expect("it was just written");
        assert_eq!(request.changes(), [Change::Remove(1), Change::Remove(3)]);
        assert_eq!(MembershipRequest::decode(&frame, 3), None, "there is no fourth peer");
        assert_eq!(MembershipRequest::decode(&frame[1..], 4), None);
        assert_eq!(MembershipRequest::decode(&[0; 12], 4), None, "it asks for nothing");
        let mut frame = Vec::new();
        MembershipRequest::encode(Membership::AddLearner, &[0], &mut frame);
        let both = request.and(MembershipRequest::decode(&frame, 4).expect("it is one"));
        let expect = [Change::AddLearner(0), Change::Remove(1), Change::Remove(3)];
        assert_eq!(both.changes(), expect);
    }
}
