//! Changes of membership: one server at a time, or jointly (raft-thesis §4).
//!
//! An entry holds the whole configuration that it leads to, and every node goes by the latest one
//! in its log from the moment it is there. A leader starts a change only when the last one is
//! committed, and an entry of its own term too: without the second rule two leaders can each
//! change one server from the same configuration on logs that differ, and their majorities need
//! not overlap (Ongaro, raft-dev, 10 July 2015).

use super::configuration::{Change, ChangeError, Members};
use super::entry::{LogId, Payload};
use super::machine::Raft;
use super::ready::{NotLeader, Role};
use super::tables::Event;
use contract::{Fx, Instant, Now};
use core::fmt;

/// How a change gets from one configuration to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transition {
    /// At once for a single change, else jointly, and out of the joint configuration by itself.
    #[default]
    Auto,
    /// Jointly, and out of the joint configuration by itself.
    Implicit,
    /// Jointly, and out of it by a change of its own, which names nobody.
    Explicit,
}

/// Why a change was not started: it certainly has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeRefused {
    /// This node does not lead, or is handing over.
    NotLeader(NotLeader),
    /// The last change is not committed yet.
    Pending,
    /// Nothing of this leader's term is committed yet.
    Unready,
    /// There is no way from the present configuration to the one asked for.
    Invalid(ChangeError),
    /// The present configuration is already the one asked for.
    Unchanged,
}

impl fmt::Display for ChangeRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLeader(_) => f.write_str("this node does not lead"),
            Self::Pending => f.write_str("the last change is not committed"),
            Self::Unready => f.write_str("nothing of this term is committed"),
            Self::Invalid(error) => error.fmt(f),
            Self::Unchanged => f.write_str("it is so already"),
        }
    }
}

impl Raft {
    /// The configuration that this node goes by.
    #[must_use]
    pub fn members(&self) -> &Members {
        self.configs.latest().1
    }

    /// The configuration that this node goes by, and the index of its entry: that of the snapshot
    /// where it comes from there, 0 for the one that the group was born with.
    #[must_use]
    pub fn members_since(&self) -> (u64, &Members) {
        self.configs.latest()
    }

    /// Whether `peer` has nearly all that this leader has: nine tenths of its log, as etcd asks of
    /// a learner that is to vote (raft-thesis §4.2.1 asks for rounds). False at other nodes.
    #[must_use]
    pub fn is_caught_up(&self, peer: u32) -> bool {
        let matched = self.match_index(peer).unwrap_or(0);
        matched > 0 && matched.saturating_mul(10) >= self.last_index().saturating_mul(9)
    }

    /// Changes who takes part. With no change at all a joint configuration is left.
    ///
    /// # Errors
    /// When this node may not start the change now, or there is no such change.
    pub fn change(
        &mut self,
        now: Now,
        changes: &[Change],
        transition: Transition,
        fx: &mut Fx<'_>,
    ) -> Result<LogId, ChangeRefused> {
        if self.role != Role::Leader || self.has_failed || self.transfer.is_some() {
            return Err(ChangeRefused::NotLeader(self.not_leader()));
        }
        let (since, members) = self.configs.latest();
        let defects = &self.config.defects;
        if since > self.commit_index && !defects.changes_overlap {
            return Err(ChangeRefused::Pending);
        }
        if !self.has_committed_in_term() && !defects.change_cross_term {
            return Err(ChangeRefused::Unready);
        }
        let is_joint = transition != Transition::Auto || changes.len() > 1;
        let next = match (changes.is_empty(), is_joint) {
            (true, _) => members.leave_joint(),
            (_, true) => members.enter_joint(transition != Transition::Explicit, changes),
            (_, false) => members.simple(changes),
        };
        let next = next.map_err(ChangeRefused::Invalid)?;
        if next == *members {
            return Err(ChangeRefused::Unchanged);
        }
        let id = self.append_own(now.mono, Payload::Members(next), fx);
        self.finish(now.mono, fx);
        Ok(id)
    }

    /// Goes by `members`, which the entry at `index` holds.
    pub(super) fn adopt(&mut self, now: Instant, index: u64, members: Members, fx: &mut Fx<'_>) {
        assert!(members.is_sound(), "senders and leaders write configurations that make sense");
        self.configs.append(index, members);
        let voters = members.voters.len() as u64;
        self.mark(
            Event::MembersChanged,
            [self.term, index, u64::from(members.is_joint())],
            voters,
            fx,
        );
        self.members_moved(now, fx);
    }

    /// Whether this node may stand for election: it votes, or did until an entry that is not known
    /// committed yet. Without the second, a leader that removes itself and loses touch leaves behind
    /// voters who lack that entry and whom it refuses for it (raft-thesis §4.2.2, Figure 4.6). It
    /// does not count its own vote then.
    pub(super) fn may_campaign(&self) -> bool {
        let (since, members) = self.configs.latest();
        let is_open = since > self.commit_index;
        members.is_voter(self.me()) || is_open && self.configs.at(since - 1).1.is_voter(self.me())
    }

    /// The configuration is another than before: peers that are new to a leader are looked for
    /// anew, and a node that votes from now on waits for a leader.
    pub(super) fn members_moved(&mut self, now: Instant, fx: &mut Fx<'_>) {
        let members = *self.members();
        let votes = self.may_campaign();
        if self.role == Role::Leader {
            // The entry that adds a peer is the first that it is sent, and it says what it lacks.
            let last_index = self.log.last().index.saturating_sub(1);
            let added = members.all().iter().filter(|&peer| !self.tracked.contains(peer));
            for peer in added {
                self.progress[peer as usize].reset(last_index, now);
            }
        } else if votes && !self.can_campaign {
            self.reset_election(now, fx);
        }
        self.can_campaign = votes;
        self.tracked = members.all();
    }

    /// Ends a leader's part in a change that is committed: leaves a joint configuration, or steps
    /// down when it is not among the voters any more (raft-thesis §4.2.2).
    pub(super) fn settle_members(&mut self, now: Instant, fx: &mut Fx<'_>) {
        assert!(self.role == Role::Leader, "only leaders lead through a change");
        let (since, members) = self.configs.latest();
        let is_committed = since <= self.commit_index;
        let is_out = !members.is_voter(self.me());
        if is_out && (is_committed || self.config.defects.removed_leader_rushes) {
            return self.follow(now, self.term, fx);
        }
        if is_committed && members.is_joint() && members.auto_leave && self.transfer.is_none() {
            let next = members.leave_joint().expect("it is joint");
            self.append_own(now, Payload::Members(next), fx);
        }
    }

    /// Whose majorities count.
    pub(super) fn quorums(&self) -> Members {
        let members = *self.members();
        if self.config.defects.joint_half_quorum {
            return Members::new(members.voters, Default::default());
        }
        members
    }
}
