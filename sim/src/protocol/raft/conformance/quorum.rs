//! What majorities and joint majorities commit and elect. Of the output only the last line counts,
//! the rest is a drawing; each joint case is also judged with its halves exchanged.

use super::super::configuration::{Members, PeerSet};
use super::cases::{Case, read};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use catalog::conformance::{Agreement, Judged, Malformed, Suite};

/// The suite `raft-quorum`.
#[derive(Clone, Copy, Debug)]
pub struct Quorum;

impl Suite for Quorum {
    fn name(&self) -> &'static str {
        "raft-quorum"
    }

    fn about(&self) -> &'static str {
        "etcd's raft: what a majority, and a joint one, commits and elects"
    }

    fn judge(&self, text: &str) -> Result<Vec<Judged>, Malformed> {
        let cases = read(text, &["committed", "vote"])?;
        Ok(cases.iter().map(judge).collect())
    }
}

fn judge(case: &Case) -> Judged {
    let last = case.expected.last().map_or("", String::as_str);
    // An empty majority is drawn in front of the figure that it stands for.
    let expected = last.strip_prefix("<empty majority quorum>").unwrap_or(last);
    match (answer(case, false), answer(case, true)) {
        (Some(found), Some(exchanged)) if found == exchanged => case.compare(expected, &found),
        (Some(found), Some(exchanged)) => {
            case.compare(expected, &format!("{found}, and {exchanged} with the halves exchanged"))
        }
        _ => case.judged(Agreement::DoesNotApply("an argument is not a number or a vote".into())),
    }
}

fn answer(case: &Case, is_exchanged: bool) -> Option<String> {
    let ids = |name: &str| -> Option<Vec<u64>> {
        let words = case.arg(name).unwrap_or(&[]);
        let words = words.iter().filter(|word| *word != "zero");
        words.map(|word| word.parse().ok()).collect()
    };
    let (first, second) = (ids("cfg")?, ids("cfgj")?);
    // Peers are positions in the order in which the ids are named; so are the values.
    let mut peers: Vec<u64> = Vec::new();
    for id in first.iter().chain(&second) {
        if !peers.contains(id) {
            peers.push(*id);
        }
    }
    let set = |ids: &[u64]| -> PeerSet {
        let position = |id: &u64| peers.iter().position(|peer| peer == id);
        ids.iter().filter_map(position).map(|position| position as u32).collect()
    };
    let (voters, outgoing) = match is_exchanged {
        false => (set(&first), set(&second)),
        true => (set(&second), set(&first)),
    };
    let members = Members { voters, outgoing, ..Members::default() };
    if case.cmd == "vote" {
        return vote(case, &members);
    }
    let values = case.arg("idx").unwrap_or(&[]);
    let acked = |peer: u32| values.get(peer as usize).and_then(|value| value.parse().ok());
    let committed = members.reached(u64::MAX, 0, |peer| acked(peer).unwrap_or(0));
    let is_endless = committed == u64::MAX;
    Some(if is_endless { "∞".to_string() } else { committed.to_string() })
}

fn vote(case: &Case, members: &Members) -> Option<String> {
    let votes = case.arg("votes").unwrap_or(&[]);
    let who = |word: &str| -> PeerSet {
        let said = votes.iter().enumerate().filter(|(_, vote)| *vote == word);
        said.map(|(peer, _)| peer as u32).collect()
    };
    let known = votes.iter().all(|vote| matches!(vote.as_str(), "y" | "n" | "_"));
    let result = match members.vote(who("y"), who("n")) {
        Some(true) => "VoteWon",
        Some(false) => "VoteLost",
        None => "VotePending",
    };
    known.then(|| result.to_string())
}
