//! Whole groups, step by step: compared is the *state*, which is what `raft-state`, `raft-log` and
//! `status` show (role, vote, term and leader of each node; a log; match and next of each peer), and
//! what the nodes *say* in each command ([`said`](super::said)). The order of frames and log lines
//! is another implementation's own and is not compared.
//!
//! What differs by design:
//! - A configuration holds from when it is in the log (raft-thesis §4.1), in etcd from when it is
//!   applied.
//! - A leader that removed itself steps down (raft-thesis §4.2.2); in etcd that is an option.
//!
//! What a file asks for after the first command that has no counterpart here does not apply.

use super::super::configuration::{Members, PeerSet};
use super::super::ready::Role;
use super::super::reconfiguration::Transition;
use super::super::{Payload, Raft};
use super::cases::{Case, read};
use super::confchange::changes;
use super::differences::Heard;
use super::said::{Accepted, Said};
use super::world::{Setup, World};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use catalog::conformance::{Agreement, Judged, Malformed, Suite};

/// The suite `raft-interaction`.
#[derive(Clone, Copy, Debug)]
pub struct Interaction;

const COMMANDS: &[&str] = &[
    "add-nodes",
    "campaign",
    "compact",
    "deliver-msgs",
    "forget-leader",
    "log-level",
    "process-append-thread",
    "process-apply-thread",
    "process-ready",
    "propose",
    "propose-conf-change",
    "raft-log",
    "raft-state",
    "report-unreachable",
    "send-snapshot",
    "set-randomized-election-timeout",
    "stabilize",
    "status",
    "tick-election",
    "tick-heartbeat",
    "transfer-leadership",
];

impl Suite for Interaction {
    fn name(&self) -> &'static str {
        "raft-interaction"
    }

    fn about(&self) -> &'static str {
        "etcd's raft: whole groups step by step, their states compared"
    }

    fn judge(&self, text: &str) -> Result<Vec<Judged>, Malformed> {
        let cases = read(text, COMMANDS)?;
        let mut judged = Vec::new();
        let mut play = Play::default();
        let mut file = "";
        for case in &cases {
            if file != case.file {
                play = Play::default();
                file = &case.file;
            }
            judged.extend(play.step(case));
        }
        Ok(judged)
    }
}

/// One file being played.
#[derive(Debug, Default)]
struct Play {
    world: World,
    /// What nodes said of their logs so far, there or here.
    known: Accepted,
    /// Why the rest of the file does not apply.
    over: Option<String>,
}

impl Play {
    /// Does one command; a verdict where it shows a state, or where the file ends for us.
    fn step(&mut self, case: &Case) -> Option<Judged> {
        let shows = matches!(case.cmd.as_str(), "raft-state" | "raft-log" | "status");
        if let Some(reason) = &self.over {
            return shows.then(|| case.judged(Agreement::DoesNotApply(reason.clone())));
        }
        if shows {
            return Some(self.show(case));
        }
        self.world.said();
        match self.act(case) {
            Err(reason) => {
                let reason = format!("{reason} (line {})", case.line);
                self.over = Some(reason.clone());
                Some(case.judged(Agreement::DoesNotApply(reason)))
            }
            Ok(Some(judged)) => Some(judged),
            Ok(None) => self.hear(case),
        }
    }

    /// Compares what was said, where a case shows it.
    fn hear(&mut self, case: &Case) -> Option<Judged> {
        let said = self.world.said();
        let Some(printed) = Said::printed(&case.expected) else {
            said.tell(&mut self.known);
            return None;
        };
        let (expected, found) = (printed.lines(&self.known), said.lines(&self.known));
        said.tell(&mut self.known);
        printed.tell(&mut self.known);
        if expected == found {
            return Some(case.judged(Agreement::Agrees));
        }
        let heard = Heard { world: &self.world, expected: &expected, found: &found };
        if let Some(reason) = heard.reason() {
            return Some(case.judged(Agreement::DiffersByDesign(reason.to_string())));
        }
        let apart = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            let lines: Vec<&str> = one.difference(other).map(String::as_str).collect();
            lines.join("\n")
        };
        Some(case.judged(Agreement::Disagrees {
            expected: apart(&expected, &found),
            found: apart(&found, &expected),
        }))
    }

    /// Does what a command says; a verdict where its answer is one. `Err` when it cannot be done.
    fn act(&mut self, case: &Case) -> Result<Option<Judged>, &'static str> {
        let numbers = numbers(case);
        let first = numbers.first().copied().unwrap_or(0);
        let among = if numbers.is_empty() { self.world.numbers() } else { numbers };
        match case.cmd.as_str() {
            "add-nodes" => self.add(case, first)?,
            "campaign" => self.world.campaign(first),
            "process-ready" => {
                for node in among {
                    self.world.process(node);
                }
            }
            "stabilize" => self.world.stabilize(&among),
            "tick-heartbeat" => self.world.heartbeat(first),
            "deliver-msgs" => self.deliver(case),
            "propose" => {
                let word = case.args.get(1).map_or("", |(word, _)| word);
                let is_taken = self.world.propose(first, word.as_bytes());
                return self.proposed(case, is_taken);
            }
            "propose-conf-change" => self.change(case, first)?,
            "compact" => self.world.compact(first),
            "log-level" => {}
            "forget-leader" => return Err("a node cannot be told to forget its leader"),
            "report-unreachable" => return Err("no transport reports that a peer is unreachable"),
            "process-append-thread" | "process-apply-thread" => {
                return Err("there are no threads for storage: a disk ends its syncs by itself");
            }
            "set-randomized-election-timeout" | "tick-election" => {
                return Err("time is no count of ticks, and a wait for a leader cannot be set");
            }
            _ => return Err("the command has no counterpart"),
        }
        Ok(None)
    }

    /// What came of a proposal: etcd says when it drops one.
    fn proposed(&self, case: &Case, is_taken: bool) -> Result<Option<Judged>, &'static str> {
        let is_dropped = case.expected.iter().any(|line| line == DROPPED);
        match (is_dropped, is_taken) {
            (false, true) => Ok(None),
            (true, false) => Ok(Some(case.judged(Agreement::Agrees))),
            (true, true) => Ok(Some(case.compare(DROPPED, "taken"))),
            (false, false) => Err("a proposal that etcd takes is refused here"),
        }
    }

    fn add(&mut self, case: &Case, count: u32) -> Result<(), &'static str> {
        let foreign = [
            ("async-storage-writes", "storage answers by syncs alone, not by messages of its own"),
            (
                "max-committed-size-per-ready",
                "entries are applied in batches of a count, not a size",
            ),
            ("disable-conf-change-validation", "the rules for changes cannot be turned off"),
        ];
        if let Some((_, reason)) = foreign.iter().find(|(arg, _)| case.arg(arg).is_some()) {
            return Err(reason);
        }
        let number = |name: &str| -> Option<u64> { case.arg(name)?.first()?.parse().ok() };
        let learners = set(case, "learners");
        let voters = PeerSet::from_bits(set(case, "voters").bits() & !learners.bits());
        let setup = Setup {
            index: number("index").unwrap_or(0),
            members: Members::new(voters, learners),
            pre_vote: case.is_set("prevote"),
            check_quorum: case.is_set("checkquorum"),
            in_flight_max: number("inflight").map_or(256, |count| count as u32),
        };
        (0..count).for_each(|_| self.world.add(&setup));
        Ok(())
    }

    fn deliver(&mut self, case: &Case) {
        let lost: Vec<u32> = set(case, "drop").iter().collect();
        if !lost.is_empty() {
            self.world.lose(&lost);
        }
        self.world.deliver(&numbers(case));
    }

    fn change(&mut self, case: &Case, node: u32) -> Result<(), &'static str> {
        let transition = match case.arg("transition").and_then(|values| values.first()) {
            Some(word) if word == "explicit" => Transition::Explicit,
            Some(word) if word == "implicit" => Transition::Implicit,
            _ => Transition::Auto,
        };
        let changes = changes(&case.input).ok_or("a change names no peer below 32")?;
        match self.world.change(node, &changes, transition) {
            Some(Ok(_)) => Ok(()),
            _ => {
                Err("a change that etcd takes up later is refused here until the last is committed")
            }
        }
    }

    fn show(&mut self, case: &Case) -> Judged {
        let found = match case.cmd.as_str() {
            "raft-state" => self.states(),
            "raft-log" => self.log(numbers(case).first().copied().unwrap_or(0)),
            _ => self.status(numbers(case).first().copied().unwrap_or(0)),
        };
        let expected: Vec<String> = match case.cmd.as_str() {
            "status" => case.expected.iter().map(|line| match_and_next(line)).collect(),
            _ => case.expected.clone(),
        };
        if found == expected {
            return case.judged(Agreement::Agrees);
        }
        match self.by_design(&expected, &found) {
            Some(reason) => {
                if reason == STEPS_DOWN {
                    self.over = Some(format!("{reason} (line {})", case.line));
                }
                case.judged(Agreement::DiffersByDesign(reason.to_string()))
            }
            None => case.compare(&expected.join("\n"), &found.join("\n")),
        }
    }

    /// Whether each row that differs does so for a reason that is named at the top.
    fn by_design(&self, expected: &[String], found: &[String]) -> Option<&'static str> {
        if expected.len() != found.len() {
            return None;
        }
        let mut reason = None;
        for (expected, found) in expected.iter().zip(found).filter(|(a, b)| a != b) {
            let number = found.split(':').next()?.parse().ok()?;
            let raft = self.world.raft(number)?;
            let is_removed = !raft.members().is_voter(raft.me());
            let has_pending = raft.members_since().0 > raft.applied_index();
            let same_but_vote = expected.replace("(Voter)", "(Non-Voter)")
                == found.replace("(Voter)", "(Non-Voter)");
            reason = if same_but_vote && has_pending {
                reason.or(Some(AT_ONCE))
            } else if is_removed
                && raft.role() == Role::Leader
                && raft.members_since().0 > raft.commit_index()
            {
                Some(NOT_YET)
            } else if is_removed && expected.contains("StateLeader") {
                Some(STEPS_DOWN)
            } else {
                return None;
            };
        }
        reason
    }

    fn states(&self) -> Vec<String> {
        let state = |raft: &Raft| {
            let role = match raft.role() {
                Role::Follower => "StateFollower",
                Role::PreCandidate => "StatePreCandidate",
                Role::Candidate => "StateCandidate",
                Role::Leader => "StateLeader",
            };
            let votes = raft.members().is_voter(raft.me());
            let votes = if votes { "Voter" } else { "Non-Voter" };
            let leader = raft.leader().unwrap_or(0);
            format!("{}: {role} ({votes}) Term:{} Lead:{leader}", raft.me(), raft.term())
        };
        let numbers = self.world.numbers();
        numbers.iter().filter_map(|node| self.world.raft(*node)).map(state).collect()
    }

    fn log(&self, node: u32) -> Vec<String> {
        let Some(raft) = self.world.raft(node) else {
            return Vec::new();
        };
        let row = |index: u64| {
            let entry = raft.entry(index)?;
            let id = entry.id();
            let data = String::from_utf8_lossy(entry.command());
            let kind = match &entry.payload {
                Payload::Members(_) => "EntryConfChangeV2",
                Payload::Noop | Payload::Command(_) => "EntryNormal",
            };
            Some(format!("{}/{} {kind} \"{data}\"", id.term, id.index))
        };
        let (first, last) = (raft.first_index(), raft.last_index());
        if first > last {
            return Vec::from([format!("log is empty: first index={first}, last index={last}")]);
        }
        (first..=last).filter_map(row).collect()
    }

    fn status(&self, node: u32) -> Vec<String> {
        let Some(raft) = self.world.raft(node) else {
            return Vec::new();
        };
        let row = |peer: u32| {
            let (matched, next) = raft.progress_of(peer);
            format!("{peer}: match={matched} next={next}")
        };
        raft.members().all().iter().map(row).collect()
    }
}

const DROPPED: &str = "raft proposal dropped";
const NOT_YET: &str = "a removal counts without whom it removes from when it is in the log (raft-thesis §4.1), so it takes others to commit it than in etcd";
pub(super) const AT_ONCE: &str = "a configuration holds from when it is in the log (raft-thesis §4.1), in etcd once it is applied";
pub(super) const STEPS_DOWN: &str = "a leader that removed itself steps down (raft-thesis §4.2.2), in etcd only where it is told to";

/// The arguments that are numbers by themselves: nodes.
fn numbers(case: &Case) -> Vec<u32> {
    let bare = case.args.iter().filter(|(_, values)| values.is_empty());
    bare.filter_map(|(word, _)| word.parse().ok()).collect()
}

fn set(case: &Case, name: &str) -> PeerSet {
    let values = case.arg(name).unwrap_or(&[]).iter();
    values.filter_map(|value| value.parse().ok()).filter(|peer| *peer < u32::BITS).collect()
}

/// Of a row of `status`, what both implementations have: the name of its state is etcd's own.
fn match_and_next(line: &str) -> String {
    let number = line.split(':').next().unwrap_or("");
    let word = |key: &str| line.split_whitespace().find(|word| word.starts_with(key)).unwrap_or("");
    format!("{number}: {} {}", word("match="), word("next="))
}
