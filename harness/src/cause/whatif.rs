//! What if one fault had not been, and what if only some had been?

use crate::record::record;
use crate::run::Finished;
use crate::shrink::ddmin::minimise;
use crate::shrink::{Trials, Verdict};
use scenario::edit::draft::Draft;
use serde::Serialize;
use std::collections::BTreeSet;

/// Sets of faults that are tried in search of small sufficient ones, at most.
const SETS_MAX: usize = 300;

/// Something that may have made the run fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Factor {
    /// The fault's id, with a number where it came several times; or the name of a planted flaw.
    pub id: String,
    /// `partition`, `crash`, …; `defect` for a planted flaw.
    pub kind: String,
    /// On what.
    pub on: String,
    /// When it started; `None` for a planted flaw.
    pub start_ns: Option<u64>,
    /// When it ended; `None` when it lasted.
    pub end_ns: Option<u64>,
    /// Whether the failure needs it: without it alone, the run does not fail that way.
    pub necessary: bool,
    /// What happens without it.
    pub without: String,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct WhatIf {
    /// Faults in the order of their starts, then planted flaws.
    pub factors: Vec<Factor>,
    /// The smallest sets of faults that suffice.
    pub sufficient: Vec<Vec<String>>,
    /// Whether every set of that size and every smaller one was tried.
    pub exhaustive: bool,
}

/// Tries `draft`, whose run is `run`, without each of its faults and flaws, and with few of them.
#[must_use]
pub fn what_if(draft: &Draft, run: &Finished, trials: &mut Trials<'_>) -> WhatIf {
    let mut factors = faults(draft, run, trials);
    factors.extend(defects(draft, trials));
    let ids: Vec<String> = draft.ids("fault");
    let necessary: BTreeSet<usize> = (0..ids.len())
        .filter(|at| factors.iter().any(|factor| factor.id == ids[*at] && factor.necessary))
        .collect();
    let (sets, exhaustive) = smallest(draft, &ids, &necessary, trials);
    let names = |set: Vec<usize>| set.into_iter().map(|at| ids[at].clone()).collect();
    WhatIf { factors, sufficient: sets.into_iter().map(names).collect(), exhaustive }
}

fn faults(draft: &Draft, run: &Finished, trials: &mut Trials<'_>) -> Vec<Factor> {
    let mut factors = Vec::new();
    for row in record(run).faults {
        let mut without = draft.clone();
        without.keep("fault", |id| id != row.id);
        let (necessary, what) = missing(trials.ask(&without));
        factors.push(Factor {
            on: draft.victims(&row.id),
            id: row.id,
            kind: row.kind,
            start_ns: row.start_ns,
            end_ns: row.end_ns,
            necessary,
            without: what,
        });
    }
    factors
}

fn defects(draft: &Draft, trials: &mut Trials<'_>) -> Vec<Factor> {
    let all = draft.texts("defects");
    let mut factors = Vec::new();
    for defect in &all {
        let left: Vec<String> = all.iter().filter(|other| *other != defect).cloned().collect();
        let mut without = draft.clone();
        without.set_texts("defects", &left);
        let (necessary, what) = missing(trials.ask(&without));
        factors.push(Factor {
            id: defect.clone(),
            kind: "defect".to_owned(),
            on: String::new(),
            start_ns: None,
            end_ns: None,
            necessary,
            without: what,
        });
    }
    factors
}

/// Whether what is missing is necessary, and what happens without it.
fn missing(verdict: Verdict) -> (bool, String) {
    match verdict {
        Verdict::Same => (false, "it fails all the same".to_owned()),
        Verdict::Other(instead) => (true, instead),
        Verdict::Spent => (false, "not tried".to_owned()),
    }
}

/// The smallest sets of faults that suffice, and whether all sets of their size and below were
/// tried. Every such set holds what is necessary, if removing more faults never brings the failure
/// back; so sets are what is necessary and, at first none, then one, then two others.
fn smallest(
    draft: &Draft,
    ids: &[String],
    necessary: &BTreeSet<usize>,
    trials: &mut Trials<'_>,
) -> (Vec<Vec<usize>>, bool) {
    let mut suffices = |set: &[usize]| {
        let mut candidate = draft.clone();
        candidate.keep("fault", |id| set.iter().any(|at| ids[*at] == id));
        trials.ask(&candidate) == Verdict::Same
    };
    let others: Vec<usize> = (0..ids.len()).filter(|at| !necessary.contains(at)).collect();
    let mut tried = 0;
    for extra in 0..=others.len() {
        let sets = choose(&others, extra);
        tried += sets.len();
        if tried > SETS_MAX {
            break;
        }
        let with = |set: Vec<usize>| -> Vec<usize> {
            let mut set: Vec<usize> = set.into_iter().chain(necessary.iter().copied()).collect();
            set.sort_unstable();
            set
        };
        let found: Vec<Vec<usize>> =
            sets.into_iter().map(with).filter(|set| suffices(set)).collect();
        if !found.is_empty() {
            return (found, true);
        }
    }
    (vec![minimise(ids.len(), &mut suffices)], false)
}

/// All sets of `size` of `items`, in order; none when there are more than anybody would try.
fn choose(items: &[usize], size: usize) -> Vec<Vec<usize>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        for mut rest in choose(&items[at + 1..], size - 1) {
            rest.insert(0, *item);
            found.push(rest);
            if found.len() > SETS_MAX {
                return found;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_chosen_in_order() {
        assert_eq!(choose(&[1, 2, 3], 0), [Vec::<usize>::new()]);
        assert_eq!(choose(&[1, 2, 3], 2), [[1, 2], [1, 3], [2, 3]]);
        assert_eq!(choose(&[1, 2], 3), Vec::<Vec<usize>>::new());
        let many: Vec<usize> = (0..100).collect();
        assert!(choose(&many, 3).len() <= SETS_MAX + 1);
    }
}
