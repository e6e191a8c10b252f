//! What clients know: what was acknowledged, and whether a read may answer what it saw.
//!
//! The log is the order of everything, so a read is linearizable when what it saw reaches at least
//! as far as what was acknowledged before it was asked.

use super::super::{LogId, ReadId, Ready};
use alloc::collections::{BTreeMap, BTreeSet};

/// The clients of all nodes together.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    /// The last index that some client knows to be written.
    pub acknowledged: u64,
    proposed: BTreeSet<(usize, LogId)>,
    reads: BTreeMap<(usize, ReadId), u64>,
}

/// What a client was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Written(LogId),
    Read { id: ReadId, seen: u64, is_stale: bool },
    ReadFailed(ReadId),
}

impl Oracle {
    pub fn proposed(&mut self, node: usize, id: LogId) {
        self.proposed.insert((node, id));
    }

    pub fn asked(&mut self, node: usize, id: ReadId) {
        self.reads.insert((node, id), self.acknowledged);
    }

    /// Takes what `node`, which has applied `applied`, tells its owner.
    pub fn hear(&mut self, node: usize, ready: &Ready, applied: u64) -> Option<Told> {
        match *ready {
            Ready::Apply(ref entry) => {
                let id = entry.id();
                self.proposed.remove(&(node, id)).then(|| {
                    self.acknowledged = self.acknowledged.max(id.index);
                    Told::Written(id)
                })
            }
            Ready::ReadReady { id, index, .. } => {
                let floor = self.reads.remove(&(node, id));
                let seen = index.max(applied);
                let is_stale = seen < floor.expect("only what was asked is answered");
                Some(Told::Read { id, seen, is_stale })
            }
            Ready::ReadFailed { id } => {
                let asked = self.reads.remove(&(node, id));
                assert!(asked.is_some(), "only what was asked fails");
                Some(Told::ReadFailed(id))
            }
            _ => None,
        }
    }

    /// `node` died, and with it what its clients waited for.
    pub fn forget(&mut self, node: usize) {
        self.proposed.retain(|&(at, _)| at != node);
        self.reads.retain(|&(at, _), _| at != node);
    }
}
