//! How one configuration becomes the next: compared are the configuration, the peers that a leader
//! tracks with what it would send them next, and the words of a refusal.

use super::super::configuration::{Change, Members, PeerSet};
use super::cases::{Case, read};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use catalog::conformance::{Agreement, Judged, Malformed, Suite};

/// The suite `raft-confchange`.
#[derive(Clone, Copy, Debug)]
pub struct ConfChange;

impl Suite for ConfChange {
    fn name(&self) -> &'static str {
        "raft-confchange"
    }

    fn about(&self) -> &'static str {
        "etcd's raft: simple and joint changes of membership, with learners"
    }

    fn judge(&self, text: &str) -> Result<Vec<Judged>, Malformed> {
        let cases = read(text, &["simple", "enter-joint", "leave-joint"])?;
        let mut group = Group::default();
        let mut file = "";
        Ok(cases
            .iter()
            .map(|case| {
                if file != case.file {
                    group = Group::default();
                    file = &case.file;
                }
                group.judge(case)
            })
            .collect())
    }
}

/// What a file's commands have led to so far.
#[derive(Debug, Default)]
struct Group {
    members: Members,
    /// What a leader would send to each peer that it tracks.
    next: BTreeMap<u32, u64>,
    last_index: u64,
}

impl Group {
    fn judge(&mut self, case: &Case) -> Judged {
        let Some(changes) = changes(&case.input) else {
            let reason = "a change is not a letter of v, l, r, u with a peer below 32".into();
            return case.judged(Agreement::DoesNotApply(reason));
        };
        let next = match case.cmd.as_str() {
            "simple" => self.members.simple(&changes),
            "enter-joint" => self.members.enter_joint(case.is_set("autoleave"), &changes),
            _ => self.members.leave_joint(),
        };
        let found = match next {
            Ok(members) => {
                self.members = members;
                self.track();
                self.describe()
            }
            Err(refused) => refused.to_string(),
        };
        self.last_index += 1;
        case.compare(&case.expected.join("\n"), &found)
    }

    fn track(&mut self) {
        let tracked = self.members.all();
        self.next.retain(|&peer, _| tracked.contains(peer));
        for peer in tracked.iter() {
            self.next.entry(peer).or_insert(self.last_index.max(1));
        }
    }

    fn describe(&self) -> String {
        let mut lines = Vec::from([describe(&self.members)]);
        for (peer, next) in &self.next {
            let learner = if self.members.learners.contains(*peer) { " learner" } else { "" };
            lines.push(format!("{peer}: StateProbe match=0 next={next}{learner}"));
        }
        lines.join("\n")
    }
}

/// A configuration in etcd's words; peers are named by their number.
pub fn describe(members: &Members) -> String {
    let list = |peers: PeerSet| {
        let names: Vec<String> = peers.iter().map(|peer| peer.to_string()).collect();
        format!("({})", names.join(" "))
    };
    let mut line = format!("voters={}", list(members.voters));
    let parts = [
        ("&&", members.outgoing),
        (" learners=", members.learners),
        (" learners_next=", members.learners_next),
    ];
    for (word, peers) in parts {
        if !peers.is_empty() {
            line.push_str(word);
            line.push_str(&list(peers));
        }
    }
    if members.auto_leave {
        line.push_str(" autoleave");
    }
    line
}

/// Reads `v1 l2 r3 u4`: votes, learns, leaves, is as it was. Peer 0 stands for no change at all.
pub fn changes(input: &str) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    for word in input.split_whitespace() {
        let (kind, peer) = word.split_at_checked(1)?;
        let peer: u32 = peer.parse().ok().filter(|peer| *peer < u32::BITS)?;
        let change = match kind {
            "v" => Change::AddVoter(peer),
            "l" => Change::AddLearner(peer),
            "r" => Change::Remove(peer),
            "u" => continue,
            _ => return None,
        };
        if peer > 0 {
            changes.push(change);
        }
    }
    Some(changes)
}
