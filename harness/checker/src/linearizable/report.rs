//! What the checker says about a history.

use super::search::Limits;
use contract::{NodeId, OpId, SimTime, Value};

/// How a check is run.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Steps that the searches of all keys may take together. More never changes a verdict other
    /// than "undecided".
    pub search_steps_max: u64,
    /// What one search may remember, in bytes. Searches come one after the other, so this is what
    /// all of them need at any time.
    pub search_bytes_max: usize,
    /// Whether a verdict of "linearizable" by tier one is proved by an order that is built and
    /// replayed. Twice the time; on unless only speed counts.
    pub certify: bool,
    /// How many refuted keys are explained in full; a broken system fails on all of them in the
    /// same way. 0 for verdicts alone.
    pub counterexamples_max: usize,
    /// How clients are called in sentences.
    pub client: &'a dyn Fn(NodeId) -> String,
    /// How values are called in sentences.
    pub value: &'a dyn Fn(Value) -> String,
    /// How times are written in sentences.
    pub time: &'a dyn Fn(SimTime) -> String,
}

impl Options<'_> {
    /// `search_steps_max` steps, certified, with clients and values called by their numbers.
    #[must_use]
    pub fn steps(search_steps_max: u64) -> Self {
        Self {
            search_steps_max,
            search_bytes_max: SEARCH_BYTES_MAX,
            certify: true,
            counterexamples_max: COUNTEREXAMPLES_MAX,
            client: &|client| format!("n{}", client.0),
            value: &|value| format!("value {}", value.id),
            time: &seconds,
        }
    }

    /// What one search may use up, given its steps.
    pub(super) const fn limits(&self, steps_max: u64) -> Limits {
        Limits { steps_max, bytes_max: self.search_bytes_max }
    }

    /// How a state is called.
    #[must_use]
    pub fn value_or_nothing(&self, value: Option<Value>) -> String {
        value.map_or_else(|| "nothing".into(), self.value)
    }
}

/// The verdict on a whole history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every key's answers have an order that explains them.
    Linearizable,
    /// Some key's answers have none.
    NotLinearizable,
    /// No key is refuted, and on some the budget ran out.
    Undecided {
        /// What ran out first.
        why: &'static str,
    },
}

/// Why a history is not linearizable: operations that cannot all be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// The key.
    pub key: u64,
    /// The broken rule: `zones-overlap`, …, or `no-order` where only search found it.
    pub rule: &'static str,
    /// Who saw what, what it contradicts, and in which order.
    pub sentence: String,
    /// The core, in the order of calls. Whatever all other operations of the key did or did not
    /// do, the answers of these contradict each other.
    pub ops: Vec<OpId>,
    /// The core as indexes into the history, ascending.
    pub indexes: Vec<u32>,
    /// Whether the contradiction was seen to vanish when any one of `ops` is taken to have ended
    /// unknown; else the budget ran out while it was being cut down.
    pub irreducible: bool,
    /// How many completed operations of the key came before the answer that made it impossible:
    /// they are linearizable, and with that answer they are not.
    pub prefix_len: u64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Keys that were judged.
    pub keys: u64,
    /// Operations that say something about their key, one per key for a batch.
    pub ops: u64,
    /// Keys decided by the `O(n log n)` tier.
    pub zone_keys: u64,
    /// Keys that went to search.
    pub searched_keys: u64,
    /// Keys that no tier decided, ascending.
    pub undecided_keys: Vec<u64>,
    /// Steps that the searches took, without those of counterexamples.
    pub search_steps: u64,
    /// Orders that tier one built and the replay refused. A flaw of the checker if it is not 0 for
    /// a history without time to live; such a key went to search.
    pub certificates_refused: u64,
    /// The verdict.
    pub verdict: Verdict,
    /// Keys that were refuted.
    pub refuted_keys: u64,
    /// One per refuted key, ascending by key, up to [`Options::counterexamples_max`].
    pub counterexamples: Vec<Counterexample>,
}

/// What one search may remember unless it is said otherwise: half a gibibyte.
pub const SEARCH_BYTES_MAX: usize = 1 << 29;

/// How many refuted keys are explained unless it is said otherwise.
pub const COUNTEREXAMPLES_MAX: usize = 8;

impl Report {
    pub(super) const fn new() -> Self {
        Self {
            keys: 0,
            ops: 0,
            zone_keys: 0,
            searched_keys: 0,
            undecided_keys: Vec::new(),
            search_steps: 0,
            certificates_refused: 0,
            verdict: Verdict::Linearizable,
            refuted_keys: 0,
            counterexamples: Vec::new(),
        }
    }

    /// Notes a refuted key. Returns whether a counterexample is wanted.
    pub(super) fn refute(&mut self, options: &Options<'_>) -> bool {
        self.verdict = Verdict::NotLinearizable;
        self.refuted_keys += 1;
        self.counterexamples.len() < options.counterexamples_max
    }

    /// Puts everything in the order of keys.
    pub(super) fn sort(&mut self) {
        self.undecided_keys.sort_unstable();
        self.counterexamples.sort_by_key(|example| example.key);
    }

    pub(super) fn leave_open(&mut self, key: u64, why: &'static str) {
        self.undecided_keys.push(key);
        if self.verdict == Verdict::Linearizable {
            self.verdict = Verdict::Undecided { why };
        }
    }
}

/// Seconds with as many digits as it takes: `1.25s`.
fn seconds(at: SimTime) -> String {
    let text = at.to_string();
    let digits = text.trim_end_matches('s').trim_end_matches('0');
    format!("{}s", digits.trim_end_matches('.'))
}
