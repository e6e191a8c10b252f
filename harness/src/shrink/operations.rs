//! Fewer operations: the load is listed as it happened, and most of it goes.
//!
//! A load is often heavy for the sake of likelihood alone, so a handful of its operations will do,
//! but not any handful. What the violation names is tried first, then that with ever more of the
//! rest, in several samples; only what no sample can do without is taken away part by part.

use super::as_run::{core, listed};
use super::ddmin::minimise;
use super::passes::Shrinking;
use super::trial::Verdict;
use scenario::edit::draft::Draft;
use std::collections::{BTreeMap, BTreeSet};

/// From so many single operations on, only a part of them is tried one by one.
const OPS_SINGLE_MAX: usize = 400;

/// Of so many operations, pairs are tried.
const OPS_PAIRED_MAX: usize = 150;

/// And so many pairs at a time, at most.
const PAIRS_MAX: u64 = 400;

/// So many samples of each size are tried.
const SAMPLES: usize = 8;

impl Shrinking<'_, '_, '_> {
    /// Lists the operations as they happened, and takes away what can go: first everything but
    /// what the violation names, then everything on other keys, then by samples, then part by part.
    pub fn operations(&mut self) {
        self.look();
        if self.best.ops() == 0 {
            let listed = listed(&self.run);
            if !self.attempt_edit(|draft| draft.set_ops(&listed)) {
                return;
            }
            self.look();
        }
        let before = self.best.ops();
        let core = self.core();
        let keys: BTreeSet<u64> = core.iter().map(|(_, key)| *key).collect();
        if !self.attempt_kept(|op| core.contains(op)) {
            self.attempt_kept(|(_, key)| keys.contains(key));
            self.sample(&core);
        }
        self.fewer_operations();
        self.list_again();
        self.fewer_clients();
        let after = self.best.ops();
        assert!(after <= before, "no operation is new");
        if after < before {
            self.removed.push(format!("{} of {before} operations", before - after));
        }
    }

    /// The operations that the violation names, as (when it was sent, its key).
    fn core(&self) -> BTreeSet<(u64, u64)> {
        let named = core(&self.run);
        let core = self.run.ops.iter().filter(|op| named.contains(&op.id));
        core.map(|op| (op.call_at.0, op.call.key().unwrap_or(u64::MAX))).collect()
    }

    /// The listed operations, as (when it is sent, its key).
    fn listed_ops(&self) -> Vec<(u64, u64)> {
        let at = |n: usize| self.best.duration(&format!("op.{}.at", n + 1));
        let keys = self.best.op_keys();
        assert_eq!(keys.len(), self.best.ops(), "each operation has a place");
        let keys = keys.into_iter().enumerate();
        let place = |(n, key): (usize, Option<u64>)| {
            (at(n).map_or(u64::MAX, |at| at.0), key.unwrap_or(u64::MAX))
        };
        keys.map(place).collect()
    }

    fn attempt_kept(&mut self, keeps: impl Fn(&(u64, u64)) -> bool) -> bool {
        let ops = self.listed_ops();
        self.attempt_edit(|draft| draft.keep_ops(|n| keeps(&ops[n])))
    }

    /// The operations of `core` with some of the others, evenly spread: one of them, two, four, and
    /// so on, each from several places on.
    fn sample(&mut self, core: &BTreeSet<(u64, u64)>) {
        let ops = self.listed_ops();
        let others: Vec<usize> = (0..ops.len()).filter(|n| !core.contains(&ops[*n])).collect();
        let sizes = (0..).map(|power| 1 << power).take_while(|size| size * 4 <= others.len());
        for size in sizes {
            for nth in 0..SAMPLES {
                let spread =
                    |n: usize| others[(n * SAMPLES + nth) * others.len() / (size * SAMPLES)];
                let some: BTreeSet<usize> = (0..size).map(spread).collect();
                assert_eq!(some.len(), size, "a sample is spread over different operations");
                let keeps = |n: usize| some.contains(&n) || core.contains(&ops[n]);
                if self.attempt_edit(|draft| draft.keep_ops(keeps)) {
                    return;
                }
            }
        }
    }

    /// Lists the operations as they are sent now: with others gone, some wait less.
    fn list_again(&mut self) {
        self.look();
        let listed = listed(&self.run);
        if self.attempt_edit(|draft| draft.set_ops(&listed)) {
            self.fewer_operations();
        }
    }

    /// Two operations at once, where no single one can go: what counts may be that two sides did
    /// equally much. Whether any went.
    pub(super) fn fewer_pairs(&mut self) -> bool {
        let before = self.best.ops();
        if before > OPS_PAIRED_MAX {
            return false;
        }
        let mut first = 0;
        let last_trial = self.trials.trials + PAIRS_MAX;
        while first < self.best.ops() && self.trials.trials < last_trial {
            let ops = self.best.ops();
            let without = |second: usize| {
                move |draft: &mut Draft| draft.keep_ops(|n| n != first && n != second)
            };
            // The far end first: the two sides are rarely next to each other.
            let went = (first + 1..ops).rev().any(|second| {
                self.trials.trials < last_trial && self.attempt_edit(without(second))
            });
            first += usize::from(!went);
        }
        assert!(self.best.ops() <= before, "taking away leaves no more");
        self.best.ops() < before
    }

    /// Single operations, part by part.
    pub(super) fn fewer_operations(&mut self) {
        let base = self.best.clone();
        minimise(base.ops(), &mut |kept| {
            let kept: BTreeSet<usize> = kept.iter().copied().collect();
            let mut candidate = base.clone();
            candidate.keep_ops(|n| kept.contains(&n));
            self.attempt(candidate) == Verdict::Same
        });
        assert!(self.best.ops() <= base.ops(), "taking away leaves no more");
    }

    /// Only as many clients as are asked for something; and, where that works, the same client.
    pub(super) fn fewer_clients(&mut self) {
        for (group, _) in self.best.groups("clients") {
            let clients = self.best.op_clients();
            let mine = clients.iter().filter(|client| client.starts_with(&format!("{group}/")));
            let mine: BTreeSet<&String> = mine.collect();
            if mine.is_empty() {
                continue;
            }
            let number = |client: &&String| client.rsplit('/').next()?.parse::<u64>().ok();
            let most = mine.iter().filter_map(number).max().unwrap_or(1);
            let path = format!("clients.{group}.count");
            let mut numbered: Vec<&String> = mine.iter().copied().collect();
            numbered.sort_by_key(number);
            let dense: BTreeMap<String, String> = numbered
                .iter()
                .enumerate()
                .map(|(n, client)| ((*client).clone(), format!("{group}/{}", n + 1)))
                .collect();
            assert!(dense.len() as u64 <= most, "clients have numbers of their own");
            let _ = self.attempt_edit(|draft| {
                draft.rename_clients(&dense);
                draft.set_count(&path, dense.len() as u64);
            }) || self.attempt_edit(|draft| draft.set_count(&path, most));
        }
    }

    /// What happens without each single operation.
    pub(super) fn certify_operations(&mut self) -> Vec<String> {
        let ops = self.best.ops();
        if ops > OPS_SINGLE_MAX {
            return vec![format!("{ops} operations: single ones were not tried")];
        }
        let mut needed = Vec::new();
        for n in 0..ops {
            let mut step = self.best.clone();
            step.keep_ops(|other| other != n);
            if let Verdict::Other(instead) = self.trials.ask(&step) {
                needed.push(format!("operation {}: without it {instead}", n + 1));
            }
        }
        needed
    }
}
