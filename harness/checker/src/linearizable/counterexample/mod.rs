//! The few operations that cannot all be true.
//!
//! A history is *weakened* by making an operation say less: its outcome becomes unknown, so a read
//! vanishes and a write may or may not take effect, at any time after its call. That only ever
//! enlarges the set of legal orders, so "fails" is monotone in the set of operations that keep
//! their answers, and what is left after weakening one by one is irreducible. Leaving writes out
//! instead, as naive shrinking does, can create a contradiction that was not there.
//!
//! [`core_of`] finds the earliest contradiction and cuts it down; [`oracle`] judges weakened
//! histories; [`sentence`] says in words what is left.

pub mod oracle;
pub mod sentence;

use super::search::{Found, Limits};
use contract::{Op, SimTime};

/// What is left of a contradiction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Core {
    /// The operations that keep their answers, as indexes into the history, ascending.
    pub strong: Vec<u32>,
    /// Whether weakening any one of them was seen to make the rest consistent.
    pub irreducible: bool,
    /// How many completed operations came before the answer that made it impossible.
    pub prefix_len: u64,
}

/// The verdict on a weakened history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Some order explains it.
    Holds,
    /// None does; with the operations that a broken rule names, where one is known. They are a
    /// guess at a smaller contradiction, ascending.
    Fails(Option<Vec<u32>>),
    /// The budget does not suffice to tell.
    Unknown,
}

/// Judges weakened versions of one key's history.
pub trait Oracle {
    /// The verdict when only `strong`, ascending, keep their answers.
    fn judge(&mut self, strong: &[u32]) -> Judgement;

    /// The verdict when only the first `len` of `completed`, in the order of their returns, do.
    fn judge_prefix(&mut self, completed: &[u32], len: usize) -> Judgement {
        let mut strong = completed[..len].to_vec();
        strong.sort_unstable();
        self.judge(&strong)
    }
}

/// What operations are ordered by when they are in the order of their returns.
#[must_use]
pub fn returned(ops: &[Op], op: u32) -> (SimTime, SimTime, u32) {
    let Op { ret_at, call_at, .. } = ops[op as usize];
    (ret_at, call_at, op)
}

/// Steps for one verdict of a search on a weakened history.
const STEPS_MAX: u64 = 20_000;
/// Steps for all verdicts that one counterexample takes.
const STEPS_TOTAL_MAX: u64 = 1_000_000;

/// What is left to spend on one counterexample.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    left: u64,
}

impl Budget {
    /// All of it.
    #[must_use]
    pub const fn new() -> Self {
        Self { left: STEPS_TOTAL_MAX }
    }

    /// Judges by a search, as long as there is something left.
    pub fn judge(&mut self, search: impl FnOnce(Limits) -> (Found, u64)) -> Judgement {
        if self.left == 0 {
            return Judgement::Unknown;
        }
        let (found, steps) = search(Limits::steps(STEPS_MAX.min(self.left)));
        self.left = self.left.saturating_sub(steps);
        match found {
            Found::Linearizable(_) => Judgement::Holds,
            Found::NotLinearizable { .. } => Judgement::Fails(None),
            Found::Undecided { .. } => Judgement::Unknown,
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

/// How often a broken rule is followed back to an earlier one before bisecting.
const GUESSES_MAX: usize = 8;

/// Cuts a failing history down to the core of its earliest contradiction.
///
/// `completed` are the operations that have an answer, in the order of their returns; `first` is
/// the verdict on all of them.
pub fn core_of(oracle: &mut impl Oracle, ops: &[Op], completed: &[u32], first: Judgement) -> Core {
    let returned = |op: &u32| returned(ops, *op);
    assert!(
        completed.is_sorted_by_key(returned),
        "operations are given in the order of their returns"
    );
    let mut search = Prefix { fails: completed.len(), holds: 0, core: None };
    let mut judgement = first;
    for _ in 0..GUESSES_MAX {
        let Judgement::Fails(Some(guess)) = judgement else {
            break;
        };
        let (strong, irreducible) = match oracle.judge(&guess) {
            Judgement::Fails(_) => minimize(oracle, guess),
            _ => break,
        };
        let last = strong.iter().map(returned).max().expect("no operations at all cannot fail");
        let position = completed.partition_point(|op| returned(op) < last);
        search = Prefix { fails: position + 1, holds: 0, core: Some((strong, irreducible)) };
        judgement = oracle.judge_prefix(completed, position);
        match judgement {
            Judgement::Holds => search.holds = position,
            Judgement::Fails(_) => search = Prefix { fails: position, holds: 0, core: None },
            Judgement::Unknown => {}
        }
    }
    search.bisect(oracle, completed);
    let (strong, irreducible) = match search.core {
        Some(core) => core,
        None => minimize(oracle, ascending(&completed[..search.fails])),
    };
    Core { strong, irreducible, prefix_len: search.fails as u64 - 1 }
}

/// What is known about the prefixes of a history.
struct Prefix {
    /// This many operations fail.
    fails: usize,
    /// This many do not, as far as is known.
    holds: usize,
    /// A core that lies in the failing prefix and not in any shorter one.
    core: Option<(Vec<u32>, bool)>,
}

impl Prefix {
    /// Finds the shortest failing prefix.
    fn bisect(&mut self, oracle: &mut impl Oracle, completed: &[u32]) {
        while self.fails - self.holds > 1 {
            let middle = self.holds.midpoint(self.fails);
            match oracle.judge_prefix(completed, middle) {
                Judgement::Fails(_) => (self.fails, self.core) = (middle, None),
                Judgement::Holds | Judgement::Unknown => self.holds = middle,
            }
        }
    }
}

fn ascending(ops: &[u32]) -> Vec<u32> {
    let mut ops = ops.to_vec();
    ops.sort_unstable();
    ops
}

/// Weakens operations of `strong`, which fails, as long as the rest fails: by halves, quarters, …,
/// and one by one at the end (Zeller and Hildebrandt's ddmin, for a monotone test). Returns
/// whether every verdict that mattered was certain.
fn minimize(oracle: &mut impl Oracle, mut strong: Vec<u32>) -> (Vec<u32>, bool) {
    let mut chunk = strong.len().div_ceil(2).max(1);
    loop {
        let mut certain = true;
        let mut start = 0;
        while start < strong.len() {
            let end = (start + chunk).min(strong.len());
            let rest = [&strong[..start], &strong[end..]].concat();
            match oracle.judge(&rest) {
                Judgement::Fails(_) => strong = rest,
                Judgement::Holds => start = end,
                Judgement::Unknown => (start, certain) = (end, false),
            }
        }
        if chunk == 1 {
            return (strong, certain);
        }
        chunk = chunk.div_ceil(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{Call, NodeId, OpId, Outcome, Ret, SimTime};

    /// Fails when all of some set are there.
    struct Needs {
        sets: Vec<Vec<u32>>,
        guesses: bool,
        judged: usize,
    }

    impl Oracle for Needs {
        fn judge(&mut self, strong: &[u32]) -> Judgement {
            self.judged += 1;
            let inside = |set: &&Vec<u32>| set.iter().all(|op| strong.contains(op));
            match self.sets.iter().find(inside) {
                Some(set) if self.guesses => {
                    let mut guess = set.clone();
                    guess.extend(strong.first());
                    Judgement::Fails(Some(ascending(&guess)))
                }
                Some(_) => Judgement::Fails(None),
                None => Judgement::Holds,
            }
        }
    }

    fn history(len: u32) -> Vec<Op> {
        let op = |id: u32| Op {
            id: OpId(u64::from(id)),
            client: NodeId(0),
            process: 0,
            call: Call::Delete { key: 0 },
            outcome: Outcome::Ok(Ret::Missing),
            arrived_at: SimTime(u64::from(id)),
            call_at: SimTime(u64::from(id)),
            ret_at: SimTime(u64::from(id)),
        };
        (0..len).map(op).collect()
    }

    #[test]
    fn the_core_is_the_earliest_and_irreducible() {
        let ops = history(1_000);
        let completed: Vec<u32> = (0..1_000).collect();
        let late = vec![3, 400, 900];
        let early = vec![10, 200, 300];
        for (sets, expect, prefix_len) in [
            (vec![late.clone()], late.clone(), 900),
            (vec![late.clone(), early.clone()], early.clone(), 300),
            (vec![early.clone(), late], early, 300),
        ] {
            for guesses in [false, true] {
                let mut oracle = Needs { sets: sets.clone(), guesses, judged: 0 };
                let first = oracle.judge(&completed);
                let core = core_of(&mut oracle, &ops, &completed, first);
                assert_eq!(core.strong, expect);
                assert_eq!(core.prefix_len, prefix_len);
                assert!(core.irreducible);
                assert!(oracle.judged < if guesses { 40 } else { 120 }, "{}", oracle.judged);
            }
        }
    }
}
