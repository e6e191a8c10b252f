//! What left a node as a promise, noted at its door: by the frame that leaves, not by the code that
//! meant to keep the promise. For the oracles alone; the protocol never looks.

use super::wire::Body;

/// The latest promise of each kind of this boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// The term of the last vote that was granted, and to whom.
    pub vote: Option<(u64, u32)>,
    /// The last term in which entries were acknowledged, and up to where.
    pub accepted: Option<(u64, u64)>,
    /// The last term whose leader was told that it leads: what its lease rests on.
    pub followed: u64,
}

impl Said {
    /// Takes note of a frame of this term to the peer `to`.
    pub fn hear(&mut self, term: u64, to: u32, body: &Body<'_>) {
        match *body {
            Body::VoteResponse { granted: true, .. } => self.vote = Some((term, to)),
            Body::AppendAccepted { matched } => {
                let earlier = self.accepted.filter(|(accepted, _)| *accepted == term);
                let matched = earlier.map_or(matched, |(_, most)| most.max(matched));
                self.accepted = Some((term, matched));
            }
            // Round 0 tells an earlier leader that it is deposed, and promises nothing.
            Body::HeartbeatResponse { round, .. } if round > 0 => self.followed = term,
            _ => {}
        }
    }
}
