//! Who takes part: voters, learners, and both halves of a joint configuration.
//!
//! Start with [`Members`]. Changes follow raft-thesis §4.1 (one server at a time) and §4.3 (joint
//! consensus); the rules for learners inside a joint change are etcd's.

use super::quorum::{majority, reached_by};
use super::settings::PEERS_MAX;
use contract::hash::mix;
use core::fmt;

/// A set of peers by index, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerSet(u32);

const _: () = assert!(PEERS_MAX == u32::BITS as usize, "a set has a bit for every peer");

impl PeerSet {
    /// Nobody.
    pub const EMPTY: Self = Self(0);

    /// The set with these bits.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Its bits, peer 0 lowest.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether `peer` is in it.
    #[must_use]
    pub const fn contains(self, peer: u32) -> bool {
        peer < u32::BITS && self.0 >> peer & 1 == 1
    }

    /// Adds `peer`.
    pub const fn insert(&mut self, peer: u32) {
        assert!(peer < u32::BITS, "a set has a bit for every peer");
        self.0 |= 1 << peer;
    }

    /// Takes `peer` out.
    pub const fn remove(&mut self, peer: u32) {
        assert!(peer < u32::BITS, "a set has a bit for every peer");
        self.0 &= !(1 << peer);
    }

    /// What is in either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// How many are in it.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether nobody is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its peers, ascending.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        (0..u32::BITS).filter(move |&peer| self.contains(peer))
    }
}

impl FromIterator<u32> for PeerSet {
    fn from_iter<I: IntoIterator<Item = u32>>(peers: I) -> Self {
        let mut set = Self::EMPTY;
        peers.into_iter().for_each(|peer| set.insert(peer));
        set
    }
}

/// One configuration of a group. While `outgoing` holds anybody it is joint: whatever needs a
/// majority needs one of `voters` and one of `outgoing` (raft-thesis §4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Members {
    /// Who votes; of a joint configuration the new half.
    pub voters: PeerSet,
    /// The old half of a joint configuration; else nobody.
    pub outgoing: PeerSet,
    /// Who replicates and counts for no quorum.
    pub learners: PeerSet,
    /// Who still votes in `outgoing` and learns once that is left.
    pub learners_next: PeerSet,
    /// Whether the leader leaves the joint configuration by itself once it is committed.
    pub auto_leave: bool,
}

/// One step of a change of membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The peer votes from now on.
    AddVoter(u32),
    /// The peer replicates and does not vote.
    AddLearner(u32),
    /// The peer leaves.
    Remove(u32),
}

/// Why a configuration cannot become another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeError {
    /// A simple change, asked for in a joint configuration.
    SimpleWhileJoint,
    /// More than one voter would change at once without a joint configuration: the majorities of
    /// old and new might not overlap (raft-thesis §4.1).
    TooManyVoters,
    /// A joint configuration cannot be entered from one.
    AlreadyJoint,
    /// A joint configuration needs an old half.
    NoVotersYet,
    /// There is no joint configuration to leave.
    NotJoint,
    /// Nobody would vote.
    NoVotersLeft,
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SimpleWhileJoint => "can't apply simple config change in joint config",
            Self::TooManyVoters => "more than one voter changed without entering joint config",
            Self::AlreadyJoint => "config is already joint",
            Self::NoVotersYet => "can't make a zero-voter config joint",
            Self::NotJoint => "can't leave a non-joint config",
            Self::NoVotersLeft => "removed all voters",
        })
    }
}

impl Members {
    /// `voters` vote, `learners` learn.
    #[must_use]
    pub fn new(voters: PeerSet, learners: PeerSet) -> Self {
        assert!(voters.and(learners).is_empty(), "nobody both votes and learns");
        Self { voters, learners, ..Self::default() }
    }

    /// Whether the parts fit together: what arrives from a disk or a wire is held against it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let learns_early = self.learners.and(self.voters.or(self.outgoing));
        let rules = [
            !self.voters.is_empty(),
            learns_early.is_empty(),
            self.learners_next.and(self.outgoing) == self.learners_next,
            self.learners_next.and(self.voters).is_empty(),
            !self.auto_leave || self.is_joint(),
        ];
        rules.iter().all(|holds| *holds)
    }

    /// Its identity, equal on every platform.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let sets = [self.voters, self.outgoing, self.learners, self.learners_next];
        let sets = sets.iter().fold(0, |digest, set| mix(digest, u64::from(set.bits())));
        mix(sets, u64::from(self.auto_leave))
    }

    /// Whether two majorities are needed.
    #[must_use]
    pub const fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether `peer` votes, in either half.
    #[must_use]
    pub const fn is_voter(&self, peer: u32) -> bool {
        self.voters.or(self.outgoing).contains(peer)
    }

    /// Who votes in either half.
    #[must_use]
    pub const fn all_voters(&self) -> PeerSet {
        self.voters.or(self.outgoing)
    }

    /// Everybody who is sent entries.
    #[must_use]
    pub const fn all(&self) -> PeerSet {
        self.voters.or(self.outgoing).or(self.learners).or(self.learners_next)
    }

    /// The greatest value that a quorum reaches: of a joint configuration, a majority of each half.
    /// `missing` peers fewer make a majority, which is a defect where it is not 0. An empty half
    /// agrees with anything, so an empty configuration reaches the last value there is, `ceiling`.
    pub fn reached<T: Copy + Ord + Default>(
        &self,
        ceiling: T,
        missing: usize,
        value: impl Fn(u32) -> T,
    ) -> T {
        let half = |peers: PeerSet| match peers.len() {
            0 => ceiling,
            len => {
                let quorum = (majority(len) - missing.min(majority(len))).max(1);
                reached_by(peers.iter().map(&value), quorum)
            }
        };
        half(self.voters).min(half(self.outgoing))
    }

    /// Whether those who `granted` and `refused` decide a vote: `Some(true)` for a quorum of both
    /// halves, `Some(false)` where one half cannot reach it any more.
    #[must_use]
    pub fn vote(&self, granted: PeerSet, refused: PeerSet) -> Option<bool> {
        let half = |peers: PeerSet| {
            if peers.is_empty() {
                return Some(true);
            }
            let quorum = majority(peers.len());
            let open = peers.len() - peers.and(granted.or(refused)).len();
            let yes = peers.and(granted).len();
            assert!(yes + open <= peers.len(), "who granted has answered");
            match () {
                () if yes >= quorum => Some(true),
                () if yes + open < quorum => Some(false),
                () => None,
            }
        };
        match (half(self.voters), half(self.outgoing)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }
    }

    /// Enters a joint configuration.
    ///
    /// # Errors
    /// In a joint configuration, from one without voters, and to one without voters.
    pub fn enter_joint(&self, auto_leave: bool, changes: &[Change]) -> Result<Self, ChangeError> {
        if self.is_joint() {
            return Err(ChangeError::AlreadyJoint);
        }
        if self.voters.is_empty() {
            return Err(ChangeError::NoVotersYet);
        }
        let joint = Self { outgoing: self.voters, auto_leave, ..*self };
        joint.changed(changes)
    }

    /// Leaves a joint configuration: the new half remains.
    ///
    /// # Errors
    /// In a configuration that is not joint.
    pub fn leave_joint(&self) -> Result<Self, ChangeError> {
        if !self.is_joint() {
            return Err(ChangeError::NotJoint);
        }
        let learners = self.learners.or(self.learners_next);
        Ok(Self { voters: self.voters, learners, ..Self::default() })
    }

    /// Changes at most one voter, and any learners.
    ///
    /// # Errors
    /// In a joint configuration, where more than one voter changes, and where none is left.
    pub fn simple(&self, changes: &[Change]) -> Result<Self, ChangeError> {
        if self.is_joint() {
            return Err(ChangeError::SimpleWhileJoint);
        }
        let changed = self.changed(changes)?;
        let differ = self.voters.bits() ^ changed.voters.bits();
        if differ.count_ones() > 1 {
            return Err(ChangeError::TooManyVoters);
        }
        Ok(changed)
    }

    fn changed(mut self, changes: &[Change]) -> Result<Self, ChangeError> {
        for change in changes {
            match *change {
                Change::AddVoter(peer) => {
                    self.take_out(peer);
                    self.voters.insert(peer);
                }
                Change::AddLearner(peer) => {
                    self.take_out(peer);
                    // Who votes in the old half cannot learn before that is left.
                    if self.outgoing.contains(peer) {
                        self.learners_next.insert(peer);
                    } else {
                        self.learners.insert(peer);
                    }
                }
                Change::Remove(peer) => self.take_out(peer),
            }
        }
        if self.voters.is_empty() {
            return Err(ChangeError::NoVotersLeft);
        }
        assert!(self.voters.and(self.learners).is_empty(), "nobody both votes and learns");
        assert!(self.voters.and(self.learners_next).is_empty(), "nobody who votes will learn");
        Ok(self)
    }

    fn take_out(&mut self, peer: u32) {
        self.voters.remove(peer);
        self.learners.remove(peer);
        self.learners_next.remove(peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn set(peers: &[u32]) -> PeerSet {
        peers.iter().copied().collect()
    }

    #[test]
    fn a_joint_configuration_needs_both_majorities() {
        let members =
            Members { outgoing: set(&[2, 3, 4]), ..Members::new(set(&[0, 1, 2]), set(&[])) };
        let matched = [9, 9, 1, 7, 7];
        assert_eq!(members.reached(u64::MAX, 0, |peer| matched[peer as usize]), 7);
        assert_eq!(members.vote(set(&[0, 1]), set(&[])), None);
        assert_eq!(members.vote(set(&[0, 1, 3, 4]), set(&[])), Some(true));
        assert_eq!(members.vote(set(&[0, 1]), set(&[3, 4])), Some(false));
    }

    #[test]
    fn one_voter_at_a_time_or_jointly() {
        let members = Members::new(set(&[0, 1, 2]), set(&[]));
        let two = [Change::AddVoter(3), Change::AddVoter(4)];
        assert_eq!(members.simple(&two), Err(ChangeError::TooManyVoters));
        let joint = members.enter_joint(true, &two).unwrap();
        assert_eq!(joint.simple(&[]), Err(ChangeError::SimpleWhileJoint));
        let left = joint.leave_joint().unwrap();
        assert_eq!(left, Members::new(set(&[0, 1, 2, 3, 4]), set(&[])));
        let all = [Change::Remove(0), Change::Remove(1), Change::Remove(2)];
        assert_eq!(members.enter_joint(false, &all), Err(ChangeError::NoVotersLeft));
    }

    #[test]
    fn a_voter_learns_once_the_old_half_is_left() {
        let members = Members::new(set(&[0, 1, 2]), set(&[]));
        let joint = members.enter_joint(false, &[Change::AddLearner(2)]).unwrap();
        assert_eq!((joint.learners, joint.learners_next), (set(&[]), set(&[2])));
        assert_eq!(joint.leave_joint().unwrap().learners, set(&[2]));
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let change = (0_u32..3, 0_u32..6).prop_map(|(kind, peer)| match kind {
            0 => Change::AddVoter(peer),
            1 => Change::AddLearner(peer),
            _ => Change::Remove(peer),
        });
        prop::collection::vec(change, 0..5)
    }

    proptest! {
        /// Whatever is asked for, the quorums of one configuration and the next overlap.
        #[test]
        fn quorums_of_neighbours_overlap(steps in prop::collection::vec(changes(), 1..6)) {
            let mut members = Members::new(set(&[0, 1, 2]), set(&[]));
            for step in steps {
                let next = match members.is_joint() {
                    true => members.leave_joint(),
                    false => members.simple(&step).or_else(|_| members.enter_joint(true, &step)),
                };
                let Ok(next) = next else { continue };
                prop_assert!(next.is_sound(), "{next:?}");
                for first in 0..64_u32 {
                    let first = PeerSet::from_bits(first);
                    let rest = PeerSet::from_bits(!first.bits());
                    let both = members.vote(first, PeerSet::EMPTY) == Some(true)
                        && next.vote(rest, PeerSet::EMPTY) == Some(true);
                    prop_assert!(!both, "{members:?} and {next:?} by {first:?}");
                }
                members = next;
            }
        }
    }
}
