//! A register as the search sees it: with what is still to come in view, most wrong turns are
//! refused at once.
//!
//! Four prunings beyond the engine's, each of which keeps at least one linearization if there is
//! any: a value that is still needed and cannot come back is only left by its consumer; values
//! that nothing will look at again are one state; of operations that do the same, the most urgent
//! is tried alone; an open write that nothing looks at
//! never took effect.

use super::memo::zobrist;
use super::object::{Object, Span};
use crate::history::rank::OPEN;
use crate::history::register::{ABSENT, Kind, Register, RegisterOp};

const STATE: u64 = 0x7374_6174_6500_0002;
/// The state of holding a value that nothing will look at again.
const JUNK: u64 = u64::MAX;

/// The register of one key.
#[derive(Debug)]
pub struct RegisterObject<'a> {
    ops: &'a [RegisterOp],
    /// Which operations take part: the search's number to the register's.
    kept: Vec<u32>,
    deadlines: Vec<u32>,
    state: u32,
    /// By state: operations still to come that must find it.
    needs: Vec<u32>,
    /// By state: operations still to come that may produce it.
    sources: Vec<u32>,
    /// By state: operations still to come that look at it in any way.
    lookers: Vec<u32>,
    /// By state: operations taken that left it behind.
    written: Vec<u32>,
}

impl<'a> RegisterObject<'a> {
    /// The object before its first operation.
    #[must_use]
    pub fn new(register: &'a Register) -> Self {
        let states = register.states as usize;
        let mut object = Self {
            ops: &register.ops,
            kept: Vec::new(),
            deadlines: Vec::new(),
            state: ABSENT,
            needs: vec![0; states],
            sources: vec![0; states],
            lookers: vec![0; states],
            written: vec![0; states],
        };
        object.kept = kept(register);
        for index in 0..object.kept.len() {
            object.count(index as u32, 1);
        }
        object.deadlines = deadlines(register, &object.kept);
        object
    }

    /// The intervals of the operations that take part.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        let span = |op: &RegisterOp| Span { call: op.call, ret: op.ret };
        let ops = self.kept.iter().map(|&op| &self.ops[op as usize]);
        ops.map(span).collect()
    }

    /// Which operations take part, as indexes into [`Register::ops`].
    #[must_use]
    pub fn kept(&self) -> Vec<u32> {
        self.kept.clone()
    }

    fn op(&self, op: u32) -> &RegisterOp {
        &self.ops[self.kept[op as usize] as usize]
    }

    /// Adds `by`, 1 or -1 in two's complement, to what is still to come.
    fn count(&mut self, op: u32, by: u32) {
        let op = *self.op(op);
        if looks(&op) {
            let lookers = &mut self.lookers[op.from as usize];
            *lookers = lookers.wrapping_add(by);
        }
        if finds(&op) && !op.is_open() {
            let needs = &mut self.needs[op.from as usize];
            *needs = needs.wrapping_add(by);
        }
        if let Some(state) = produces(&op) {
            let sources = &mut self.sources[state as usize];
            *sources = sources.wrapping_add(by);
        }
    }
}

/// Whether `op` must find exactly `op.from`.
const fn finds(op: &RegisterOp) -> bool {
    matches!(op.kind, Kind::Read | Kind::Swap | Kind::Remove)
}

/// Whether it matters to `op` if the register holds `op.from`.
const fn looks(op: &RegisterOp) -> bool {
    finds(op) || matches!(op.kind, Kind::Differs | Kind::Expire)
}

/// The state that `op` may leave behind, unless it leaves the one it finds.
const fn produces(op: &RegisterOp) -> Option<u32> {
    match op.kind {
        Kind::Write | Kind::Swap => Some(op.to),
        Kind::Remove | Kind::Erase | Kind::MayErase | Kind::RemoveAny | Kind::Expire => {
            Some(ABSENT)
        }
        Kind::Read | Kind::Differs | Kind::Impossible => None,
    }
}

/// Leaves out open writes whose value nothing looks at, unless some operation can tell one unread
/// value from another or from none.
fn kept(register: &Register) -> Vec<u32> {
    let mut looked_at = vec![false; register.states as usize];
    let mut blind = false;
    for op in &register.ops {
        looked_at[op.from as usize] |= looks(op);
        blind |= matches!(op.kind, Kind::Differs | Kind::RemoveAny);
    }
    let all = 0..register.ops.len() as u32;
    let is_kept = |&index: &u32| {
        let op = &register.ops[index as usize];
        let writes = matches!(op.kind, Kind::Write | Kind::Swap);
        blind || !op.is_open() || !writes || looked_at[op.to as usize]
    };
    all.filter(is_kept).collect()
}

/// By when each operation is wanted: its own return, or that of whoever must find what it wrote.
fn deadlines(register: &Register, kept: &[u32]) -> Vec<u32> {
    let mut wanted = vec![OPEN; register.states as usize];
    for op in register.ops.iter().filter(|op| finds(op)) {
        let first = &mut wanted[op.from as usize];
        *first = (*first).min(op.ret);
    }
    let deadline = |&index: &u32| {
        let op = &register.ops[index as usize];
        match op.kind {
            Kind::Write | Kind::Swap => op.ret.min(wanted[op.to as usize]),
            _ => op.ret,
        }
    };
    kept.iter().map(deadline).collect()
}

impl Object for RegisterObject<'_> {
    fn state(&self) -> u32 {
        self.state
    }

    fn next(&mut self, op: u32) -> Option<u32> {
        let op = self.op(op);
        if op.kind == Kind::Expire && self.written[op.from as usize] == 0 {
            return None;
        }
        op.step(self.state)
    }

    /// What expires after it was overwritten changes nothing any more.
    fn observes(&self, op: u32) -> bool {
        let op = self.op(op);
        let is_gone = self.written[op.from as usize] > 0 && self.state != op.from;
        op.observes() || (op.kind == Kind::Expire && is_gone)
    }

    fn enter(&mut self, op: u32, next: u32) {
        self.count(op, u32::MAX);
        self.state = next;
        self.written[next as usize] += 1;
    }

    fn leave(&mut self, op: u32, previous: u32) {
        self.written[self.state as usize] -= 1;
        self.state = previous;
        self.count(op, 1);
    }

    fn fingerprint(&self) -> u128 {
        let unread = self.state != ABSENT && self.lookers[self.state as usize] == 0;
        let state = if unread { JUNK } else { u64::from(self.state) };
        zobrist(STATE, state)
    }

    fn is_hopeless(&self, op: u32) -> bool {
        let state = self.state as usize;
        let op = self.op(op);
        let own = u32::from(finds(op) && !op.is_open());
        let left = self.needs[state] - own;
        left > 0 && self.sources[state] == 0
    }

    /// A write whose readers are all done is wanted by its own return alone; twins rely on that.
    fn deadline(&self, op: u32) -> u32 {
        let asked = self.op(op);
        let unread = asked.kind == Kind::Write && self.lookers[asked.to as usize] == 0;
        if unread { asked.ret } else { self.deadlines[op as usize] }
    }

    /// What `must` has to find comes first, and what need not take effect comes last of its kind:
    /// it will be there later, too.
    fn detour(&self, op: u32, must: u32) -> u32 {
        let (op, must) = (self.op(op), self.op(must));
        let helps = finds(must) && produces(op) == Some(must.from);
        1 + 2 * u32::from(!helps) + u32::from(op.is_open())
    }

    fn twins(&self, op: u32) -> Option<u64> {
        let op = self.op(op);
        match op.kind {
            Kind::Write if self.lookers[op.to as usize] == 0 => Some(JUNK),
            _ => same(op),
        }
    }

    fn open_class(&self, op: u32) -> Option<u64> {
        self.twins(op)
    }
}

/// What operations that do the same have in common.
fn same(op: &RegisterOp) -> Option<u64> {
    let pair = |from: u32, to: u32| u64::from(from) << 32 | u64::from(to);
    match op.kind {
        Kind::Write => Some(pair(u32::MAX, op.to)),
        Kind::Swap => Some(pair(op.from, op.to)),
        Kind::Remove => Some(pair(op.from, ABSENT)),
        Kind::Erase => Some(pair(u32::MAX, ABSENT)),
        _ => None,
    }
}
