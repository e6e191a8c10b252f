//! What a node keeps beside its log, recomputed from the log and the snapshot.

use super::configuration::Members;
use super::entry::Entry;
use super::machine::Raft;
use alloc::format;
use alloc::vec::Vec;
use catalog::{Derives, Misfit, Property};
use contract::hash::mix;

impl Raft {
    /// The configurations that snapshot and log lead to, each with its index.
    fn configurations_of_log(&self) -> Vec<(u64, Members)> {
        let born = || (0, 0, self.config.founders());
        let (covered, since, members) = self
            .snapshot
            .as_ref()
            .map_or_else(born, |held| (held.id.index, held.members_since, held.members));
        let later = self.log.from(covered + 1);
        let later = later.filter_map(|entry| Some((entry.index, *entry.members()?)));
        core::iter::once((since, members)).chain(later).collect()
    }

    fn misfit(&self) -> Option<Misfit> {
        let (held, leads_to) = (self.configurations(), self.configurations_of_log());
        if held != leads_to {
            let rule = "other configurations than those of the log";
            let detail = format!("it goes by {held:?}, and its log leads to {leads_to:?}");
            return Some(Misfit { rule, detail });
        }
        if self.tracked != self.members().all() {
            let rule = "other peers than those of the configuration";
            let (held, members) = (self.tracked, self.members());
            let detail = format!("it sends to {held:?}, and goes by {members:?}");
            return Some(Misfit { rule, detail });
        }
        let entries = || self.log.from(self.log.first_index());
        let counted: u64 = entries().map(Entry::size_bytes).sum();
        if counted != self.log.size_bytes() {
            let rule = "other bytes than those of the entries";
            let held = self.log.size_bytes();
            let detail = format!("it counts {held} bytes for entries of {counted}");
            return Some(Misfit { rule, detail });
        }
        let last = entries().last().map_or(self.log.base(), Entry::id);
        let falls = entries().zip(entries().skip(1)).find(|(one, next)| one.term > next.term);
        if last != self.log.last() || falls.is_some() {
            let rule = "other terms than those of the entries";
            let held = self.log.last();
            let detail = format!("its log ends at {last}, it says {held}; terms fall at {falls:?}");
            return Some(Misfit { rule, detail });
        }
        let (written, held) = (self.storage.hard_state(), (self.term, self.vote));
        (written != held).then(|| {
            let rule = "another term or vote than was written";
            let detail = format!("it is in (term, vote) {held:?} and has written {written:?}");
            Misfit { rule, detail }
        })
    }
}

impl Derives for Raft {
    const PROPERTY: Property = Property {
        name: "raft.derived_state",
        about: "what a node keeps beside its log is what log and snapshot lead to",
        source: "raft-thesis §4.1",
    };

    fn stamp(&self) -> u64 {
        let (last, (since, _)) = (self.log.last(), self.configs.latest());
        let log = mix(mix(last.term, last.index), mix(self.log.base().index, since));
        mix(log, mix(self.term, self.vote.map_or(0, |vote| u64::from(vote) + 1)))
    }

    fn effort(&self) -> u64 {
        self.log.last().index - self.log.base().index
    }

    fn recompute(&self) -> Result<(), Misfit> {
        self.misfit().map_or(Ok(()), Err)
    }
}
