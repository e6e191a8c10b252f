//! The search itself: one explicit stack, one candidate list, two linked lists that give back
//! what they gave.

use super::memo::{Memo, zobrist};
use super::object::{Object, Span};
use super::queues::Queues;
use super::used::Used;
use super::{Found, MEMORY_SPENT, STEPS_SPENT};
use crate::history::rank::OPEN;
use crate::linearizable::report::SEARCH_BYTES_MAX;

/// The domain of operations in fingerprints.
const TAKEN: u64 = 0x7461_6b65_6e00_0001;

/// What a search may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Operations taken, counting each time one is taken.
    pub steps_max: u64,
    /// What a search may remember in all: configurations, and the states of the object.
    pub bytes_max: usize,
}

impl Limits {
    /// `steps_max` steps, and half a gibibyte.
    #[must_use]
    pub const fn steps(steps_max: u64) -> Self {
        Self { steps_max, bytes_max: SEARCH_BYTES_MAX }
    }
}

/// A point where several operations could come next.
struct Frame {
    /// How many operations had been taken when the choice arose.
    taken: usize,
    /// The candidates that are left: `candidates[next..end]`.
    next: usize,
    end: usize,
    /// Where the candidates of this frame start.
    start: usize,
    /// Whether what is left is sorted, and without twins.
    sorted: bool,
}

/// A search over one history.
pub struct Search<'a, O> {
    object: O,
    spans: &'a [Span],
    /// Operations not yet taken, in the order of their calls.
    by_call: Links,
    /// Open operations not among them.
    queues: Queues,
    /// Room for the heads of the queues.
    heads: Vec<u32>,
    /// Operations that must take effect and were not taken, in the order of their returns.
    by_ret: Links,
    /// Operations taken, with the state before.
    path: Vec<(u32, u32)>,
    frames: Vec<Frame>,
    candidates: Vec<u32>,
    /// The classes of twins among the candidates of one frame.
    classes: Vec<u64>,
    memo: Memo,
    /// The open operations taken, as far as they are told apart.
    used: Used,
    /// The fingerprint of all others taken.
    taken: u128,
    steps: u64,
    blocked: u32,
}

impl<'a, O: Object> Search<'a, O> {
    /// A search over operations in the order of their calls.
    pub fn new(object: O, spans: &'a [Span]) -> Self {
        assert!(
            spans.is_sorted_by_key(|span| span.call),
            "operations are numbered in the order of their calls"
        );
        let all = 0..spans.len() as u32;
        let queues = Queues::new(&object, spans);
        let in_line: Vec<u32> = all.clone().filter(|&op| !queues.has(op)).collect();
        let mut must: Vec<u32> = all.clone().filter(|&op| span(spans, op).ret != OPEN).collect();
        must.sort_unstable_by_key(|&op| span(spans, op).ret);
        let used = Used::new(spans, &queues);
        Self {
            object,
            spans,
            by_call: Links::new(spans.len(), in_line),
            queues,
            heads: Vec::new(),
            by_ret: Links::new(spans.len(), must),
            path: Vec::with_capacity(spans.len()),
            frames: Vec::new(),
            candidates: Vec::new(),
            classes: Vec::new(),
            memo: Memo::new(used.words().len(), used.bit_words()),
            used,
            taken: 0,
            steps: 0,
            blocked: 0,
        }
    }

    /// How many steps were taken.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Searches until there is an answer or a limit is reached.
    pub fn run(&mut self, limits: Limits) -> Found {
        loop {
            self.observe();
            let Some(first_return) = self.first_return() else {
                let order = self.path.iter().map(|&(op, _)| op).collect();
                return Found::Linearizable(order);
            };
            if self.steps > limits.steps_max {
                return Found::Undecided { why: STEPS_SPENT };
            }
            if self.memo.bytes() + self.object.bytes() > limits.bytes_max {
                return Found::Undecided { why: MEMORY_SPENT };
            }
            let next = match self.choose() {
                Some(op) => Some(op),
                None => {
                    self.blocked = self.blocked.max(first_return);
                    self.backtrack()
                }
            };
            match next {
                Some(op) => self.take(op),
                None => {
                    return Found::NotLinearizable { blocked: self.blocked };
                }
            }
        }
    }

    /// The rank of the earliest return among operations that must still be taken: nothing called
    /// later may come before it.
    fn first_return(&self) -> Option<u32> {
        let first = self.by_ret.first()?;
        Some(span(self.spans, first).ret)
    }

    /// Takes every operation that only observes and fits: going first can never hurt it or others.
    fn observe(&mut self) {
        let mut op = self.by_call.first();
        while let Some(at) = op
            && span(self.spans, at).call < self.first_return().unwrap_or(0)
        {
            op = self.by_call.after(at);
            if self.object.observes(at)
                && span(self.spans, at).ret != OPEN
                && self.object.next(at).is_some()
            {
                self.take(at);
            }
        }
    }

    /// Opens a frame over what may come next and returns the most urgent of it.
    fn choose(&mut self) -> Option<u32> {
        let start = self.candidates.len();
        self.gather();
        let end = self.candidates.len();
        if start == end {
            return None;
        }
        // Where there is one way on, remembering the place would save nothing.
        let is_known = end - start > 1 && {
            let state = self.object.fingerprint();
            !self.memo.insert(self.taken ^ state, self.used.words())
        };
        if is_known {
            self.candidates.truncate(start);
            return None;
        }
        // Most places are never come back to, so the rest is sorted only then.
        let must = self.by_ret.first().expect("something must still be taken");
        let first = (start..end).min_by_key(|&at| self.urgency(self.candidates[at], must));
        self.candidates.swap(start, first.expect("there are candidates"));
        self.frames.push(Frame {
            taken: self.path.len(),
            next: start + 1,
            end,
            start,
            sorted: false,
        });
        Some(self.candidates[start])
    }

    /// The lowest comes first, given that `must` returns first of all. Of twins that is the one
    /// that returns first.
    fn urgency(&self, op: u32, must: u32) -> (u32, u32, u32, u32) {
        let ret = span(self.spans, op).ret;
        let detour = if op == must { 0 } else { self.object.detour(op, must) };
        (detour, self.object.deadline(op), ret, op)
    }

    fn gather(&mut self) {
        let first_return = self.first_return().expect("something must still be taken");
        let mut op = self.by_call.first();
        while let Some(at) = op
            && span(self.spans, at).call < first_return
        {
            if self.is_way_on(at) {
                self.candidates.push(at);
            }
            op = self.by_call.after(at);
        }
        let mut heads = std::mem::take(&mut self.heads);
        heads.extend(self.queues.heads());
        for op in heads.drain(..) {
            if span(self.spans, op).call < first_return && self.is_way_on(op) {
                self.candidates.push(op);
            }
        }
        self.heads = heads;
    }

    /// Whether `op` may be taken now and could matter: an open one that changes nothing does not.
    fn is_way_on(&mut self, op: u32) -> bool {
        if self.object.observes(op) {
            return false;
        }
        let Some(next) = self.object.next(op) else {
            return false;
        };
        let is_idle = next == self.object.state() && span(self.spans, op).ret == OPEN;
        !is_idle && !self.object.is_hopeless(op)
    }

    /// Sorts what is left of the last frame, whose place the search is at again, and keeps the
    /// first of each class of twins.
    fn sort_rest(&mut self) {
        let frame = self.frames.last().expect("the search came back to a frame");
        let (start, end) = (frame.start, frame.end);
        let mut rest = self.candidates.split_off(start);
        rest.truncate(end - start);
        let must = self.by_ret.first().expect("something was to be taken here");
        rest[1..].sort_unstable_by_key(|&op| self.urgency(op, must));
        self.classes.clear();
        for op in rest {
            if let Some(class) = self.object.twins(op) {
                if self.classes.contains(&class) {
                    continue;
                }
                self.classes.push(class);
            }
            self.candidates.push(op);
        }
        let end = self.candidates.len();
        let frame = self.frames.last_mut().expect("as above");
        (frame.end, frame.sorted) = (end, true);
    }

    /// Goes back to the latest choice with something left to try.
    fn backtrack(&mut self) -> Option<u32> {
        while let Some(frame) = self.frames.last() {
            let (taken, start, sorted) = (frame.taken, frame.start, frame.sorted);
            while self.path.len() > taken {
                self.give_back();
            }
            if !sorted {
                self.sort_rest();
            }
            let frame = self.frames.last_mut().expect("it was there");
            if frame.next < frame.end {
                frame.next += 1;
                return Some(self.candidates[frame.next - 1]);
            }
            self.candidates.truncate(start);
            self.frames.pop();
        }
        None
    }

    fn take(&mut self, op: u32) {
        let next = self.object.next(op).expect("only legal operations are taken");
        self.path.push((op, self.object.state()));
        if self.queues.has(op) {
            self.queues.take(op);
        } else {
            self.by_call.unlink(op);
        }
        if span(self.spans, op).ret != OPEN {
            self.by_ret.unlink(op);
        }
        if !self.used.take(op) {
            self.taken ^= zobrist(TAKEN, u64::from(op));
        }
        self.object.enter(op, next);
        self.steps += 1;
    }

    fn give_back(&mut self) {
        let (op, previous) = self.path.pop().expect("something was taken");
        self.object.leave(op, previous);
        if !self.used.give_back(op) {
            self.taken ^= zobrist(TAKEN, u64::from(op));
        }
        if span(self.spans, op).ret != OPEN {
            self.by_ret.relink(op);
        }
        if self.queues.has(op) {
            self.queues.give_back(op);
        } else {
            self.by_call.relink(op);
        }
    }
}

fn span(spans: &[Span], op: u32) -> Span {
    spans[op as usize]
}

/// A doubly linked list over operations whose links are put back in the reverse order of their
/// removal (Knuth's dancing links).
struct Links {
    /// Entry `len` is the list's head.
    next: Vec<u32>,
    prev: Vec<u32>,
}

impl Links {
    fn new(len: usize, ops: impl IntoIterator<Item = u32>) -> Self {
        let head = len as u32;
        let mut links = Self { next: vec![head; len + 1], prev: vec![head; len + 1] };
        let mut last = head;
        for op in ops {
            links.next[last as usize] = op;
            links.prev[op as usize] = last;
            last = op;
        }
        links.next[last as usize] = head;
        links.prev[head as usize] = last;
        links
    }

    fn head(&self) -> u32 {
        self.next.len() as u32 - 1
    }

    fn first(&self) -> Option<u32> {
        self.after(self.head())
    }

    fn after(&self, op: u32) -> Option<u32> {
        let next = self.next[op as usize];
        (next != self.head()).then_some(next)
    }

    fn unlink(&mut self, op: u32) {
        let (prev, next) = (self.prev[op as usize], self.next[op as usize]);
        self.next[prev as usize] = next;
        self.prev[next as usize] = prev;
    }

    fn relink(&mut self, op: u32) {
        let (prev, next) = (self.prev[op as usize], self.next[op as usize]);
        self.next[prev as usize] = op;
        self.prev[next as usize] = op;
    }
}
