//! Two nodes must not both acknowledge writes as leaders of overlapping reigns.
//!
//! Terms may overlap in time: a deposed leader may still acknowledge what its quorum committed
//! before it learned of the new term. What must not happen is that two acknowledgements cannot be
//! in one log. Every acknowledged entry is committed, committed entries of all nodes are prefixes
//! of one log (raft-paper §5.4.3, State Machine Safety), and terms never fall along a log
//! (§5.3, Log Matching). So of two acknowledged entries `(i, t)` and `(j, u)`:
//!
//! - `i = j` implies that they are the same entry: same term, same key, same value;
//! - `i < j` implies `t ≤ u`.
//!
//! A correct run cannot break this, however long a deposed leader goes on; two nodes that both
//! acknowledge new writes in overlapping reigns break it as soon as their indexes meet. The breach
//! is that of the two reigns: it is reported once, with the first pair of entries.
//!
//! How much of it there was is counted: the indexes at which the newer reign acknowledged another
//! entry than the older one had, up to the last acknowledgement of the older one.
//! What the newer one acknowledges after that is no conflict of two leaders any more; it seals the
//! loss of what the older one had acknowledged.

use super::super::server::Server;
use super::super::tables::Event;
use crate::protocol::cow;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Judged, Look, PerNode, Property, Violation, Watched};
use contract::{Mark, NodeId, SimTime};

/// How many acknowledgements per group are remembered: more than two leaders can give during any
/// overlap that a scenario lasts.
const ACKS_MAX: u64 = 65_536;

#[derive(Clone, Debug)]
pub struct NoTwoNodesAck {
    watched: Watched,
    /// Per group: acknowledged writes by their index in the log.
    acked: Vec<cow::Map<u64, Ack>>,
    /// The pairs of reigns that were reported.
    reported: BTreeSet<[Reign; 2]>,
    /// By group and by the older one of two reigns, which goes on acknowledging.
    conflicts: BTreeMap<(usize, Reign), Conflicts>,
}

/// Indexes at which two reigns acknowledged an entry each.
#[derive(Clone, Copy, Debug, Default)]
struct Conflicts {
    /// All that were seen.
    seen: u64,
    /// Those that the older reign had not ended before.
    counted: u64,
}

/// A node that acknowledges as the leader of a term.
type Reign = (NodeId, u64);

/// The first acknowledgement of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ack {
    term: u64,
    key: u64,
    value: u64,
    node: NodeId,
    at: SimTime,
}

impl NoTwoNodesAck {
    pub fn new(watched: &Watched) -> Self {
        Self {
            watched: watched.clone(),
            acked: vec![cow::Map::default(); watched.groups()],
            reported: BTreeSet::new(),
            conflicts: BTreeMap::new(),
        }
    }

    /// Counts what stands against each other, when `ack` is given at an index that `held` has.
    fn count(&mut self, group: usize, held: Option<Ack>, ack: Ack) {
        if let Some(conflicts) = self.conflicts.get_mut(&(group, (ack.node, ack.term))) {
            // The older reign is not over yet.
            conflicts.counted = conflicts.seen;
        }
        if let Some(held) = held.filter(|held| held.term != ack.term) {
            let (older, newer) = if held.term < ack.term { (held, ack) } else { (ack, held) };
            let conflicts = self.conflicts.entry((group, (older.node, older.term))).or_default();
            conflicts.seen += 1;
            if newer.at <= older.at {
                conflicts.counted = conflicts.seen;
            }
        }
    }

    /// At how many indexes two leaders at once acknowledged an entry each.
    fn conflicting_indexes(&self) -> u64 {
        self.conflicts.values().map(|conflicts| conflicts.counted).sum()
    }

    fn acknowledged(&mut self, group: usize, index: u64, ack: Ack) -> Result<(), Violation> {
        self.count(group, self.acked[group].get(&index).copied(), ack);
        let acked = &mut self.acked[group];
        let same = acked.get(&index).map(|held| (index, *held));
        let conflict = match same {
            Some((_, held)) => {
                let entry = |ack: &Ack| (ack.term, ack.key, ack.value);
                same.filter(|_| entry(&held) != entry(&ack))
                    .map(|held| ("two entries acknowledged at one index", held))
            }
            None => {
                let below = acked.below(&index).filter(|(_, held)| held.term > ack.term);
                let above = acked.above(&index).filter(|(_, held)| held.term < ack.term);
                let held = below.or(above);
                held.map(|held| ("an older term acknowledged behind a newer one", *held))
            }
        };
        if same.is_none() {
            acked.insert(index, ack);
            if acked.len() > ACKS_MAX {
                let oldest = acked.first().expect("it is not empty").0;
                acked.remove(&oldest);
            }
        }
        let Some((rule, held)) = conflict else {
            return Ok(());
        };
        let mut reigns = [held.1, ack].map(|ack| (ack.node, ack.term));
        reigns.sort_unstable();
        if !self.reported.insert(reigns) {
            return Ok(());
        }
        Err(self.violation(rule, held, (index, ack)))
    }

    fn violation(&self, rule: &'static str, held: (u64, Ack), new: (u64, Ack)) -> Violation {
        let tell = |(index, ack): (u64, Ack)| {
            format!(
                "{} acknowledged value {:#x} for key {} at index {index} in term {} at {}",
                self.watched.name(ack.node),
                ack.value,
                ack.key,
                ack.term,
                ack.at,
            )
        };
        Violation {
            property: Self::PROPERTY.name,
            rule,
            at: new.1.at,
            nodes: vec![held.1.node, new.1.node],
            ops: Vec::new(),
            detail: format!("{}; {}", tell(held), tell(new)),
        }
    }
}

impl PerNode for NoTwoNodesAck {
    type Part = Server;
    type Memory = ();
    const PROPERTY: Property = Property {
        name: "raft.no_two_nodes_ack_in_overlap",
        about: "no two nodes acknowledge writes that cannot be in one log",
        source: "raft-paper §5.4.3",
    };

    fn on_mark(&mut self, look: &Look<'_, Server>, (): &mut (), mark: Mark) -> Judged {
        if mark.event != Event::WriteAcked.row() {
            return Ok(0);
        }
        let [key, term, index] = mark.labels;
        let ack = Ack { term, key, value: mark.value, node: look.node, at: look.at };
        self.acknowledged(look.place.group, index, ack).map(|()| 1)
    }

    fn measured(&self) -> String {
        match self.conflicting_indexes() {
            0 => String::new(),
            indexes => {
                format!("{} entries conflict, two at each of {indexes} indexes", 2 * indexes)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> Watched {
        Watched::of([("h", &[NodeId(0), NodeId(1)][..])])
    }

    /// What node `node` acknowledges as leader of a term of its own.
    fn ack(node: u32, value: u64) -> Ack {
        Ack {
            term: u64::from(node) + 1,
            key: 9,
            value,
            node: NodeId(node),
            at: SimTime(1_500_000_000),
        }
    }

    /// Acknowledgements as (node, index, term, value), and the rule that the last one breaks.
    fn check(acks: &[(u32, u64, u64, u64)], expect: Option<&str>) {
        let mut invariant = NoTwoNodesAck::new(&pair());
        let mut last = None;
        for &(node, index, term, value) in acks {
            assert_eq!(last, None, "only the last one may break a rule");
            let ack = Ack { term, ..ack(node, value) };
            let broken = invariant.acknowledged(0, index, ack);
            last = broken.err().map(|violation| violation.rule);
        }
        assert_eq!(last, expect);
    }

    #[test]
    fn a_deposed_leader_may_acknowledge_what_was_committed() {
        check(&[(1, 12, 2, 7), (0, 10, 1, 5), (0, 11, 1, 6)], None);
        check(&[(0, 10, 1, 5), (0, 10, 1, 5)], None);
    }

    #[test]
    fn one_index_holds_one_entry() {
        let rule = Some("two entries acknowledged at one index");
        check(&[(0, 10, 1, 5), (1, 10, 2, 6)], rule);
        check(&[(0, 10, 1, 5), (1, 10, 1, 6)], rule);
    }

    #[test]
    fn terms_do_not_fall_along_the_log() {
        let rule = Some("an older term acknowledged behind a newer one");
        check(&[(1, 12, 2, 7), (0, 13, 1, 5)], rule);
        check(&[(0, 13, 1, 5), (1, 12, 2, 7)], rule);
    }

    #[test]
    fn two_reigns_are_reported_once() {
        let mut invariant = NoTwoNodesAck::new(&pair());
        let mut broken = 0;
        for index in 10..20 {
            for node in 0..2 {
                let result = invariant.acknowledged(0, index, ack(node, index));
                broken += u32::from(result.is_err());
            }
        }
        assert_eq!(broken, 1);
    }

    /// Acknowledgements as (node, index), each a moment after the last; how many indexes conflict.
    fn conflicts(acks: &[(u32, u64)]) -> u64 {
        let mut invariant = NoTwoNodesAck::new(&pair());
        for (moment, &(node, index)) in (0..).zip(acks) {
            let ack = Ack { at: SimTime(moment), ..ack(node, index) };
            let _ = invariant.acknowledged(0, index, ack);
        }
        assert_eq!(invariant.measured().is_empty(), invariant.conflicting_indexes() == 0);
        invariant.conflicting_indexes()
    }

    #[test]
    fn entries_conflict_while_both_leaders_go_on() {
        assert_eq!(conflicts(&[(0, 10), (0, 11), (0, 12)]), 0, "one leader");
        assert_eq!(conflicts(&[(0, 10), (1, 11), (0, 10)]), 0, "no index has two entries");
        let both = [(0, 10), (0, 11), (0, 12), (1, 10), (0, 13), (1, 11), (0, 14)];
        assert_eq!(conflicts(&both), 2);
        // Index 12 is overwritten when the first leader has said its last: lost, not in conflict.
        assert_eq!(conflicts(&[&both[..], &[(1, 12), (1, 13)]].concat()), 2);
        assert_eq!(conflicts(&[(1, 10), (0, 10)]), 1, "the older one came last");
    }

    #[test]
    fn the_detail_names_nodes_keys_values_and_times() {
        let mut invariant = NoTwoNodesAck::new(&pair());
        assert_eq!(invariant.acknowledged(0, 10, ack(0, 0xa)), Ok(()));
        let violation = invariant.acknowledged(0, 10, ack(1, 0xb)).unwrap_err();
        assert_eq!(
            violation.detail,
            "h/1 acknowledged value 0xa for key 9 at index 10 in term 1 at 1.500000000s; \
             h/2 acknowledged value 0xb for key 9 at index 10 in term 2 at 1.500000000s"
        );
        assert_eq!(violation.nodes, [NodeId(0), NodeId(1)]);
    }
}
