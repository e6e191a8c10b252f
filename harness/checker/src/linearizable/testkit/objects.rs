//! Calls and answers at random for the models that only search judges.

use super::generate::Subject;
use super::subjects::{found, value};
use crate::models::kv_append::KvAppend;
use crate::models::lock::LockState;
use crate::models::{AppendList, Counter, Lock, Set};
use contract::{Call, ReadLevel, Ret, Rng, Value};
use std::collections::BTreeSet;

const GET: Call = Call::Get { key: 0, read: ReadLevel::Linearizable };
const DONE: Ret = Ret::Done { version: 0 };

impl Subject for Counter {
    fn draw_call(&self, rng: &mut Rng, _index: u64) -> Call {
        match rng.below(2) {
            0 => GET,
            _ => Call::Add { key: 0, delta: rng.below(5) as i64 - 2 },
        }
    }

    fn answer(&self, rng: &mut Rng, state: &i64, call: &Call) -> Ret {
        let brief = rng.below(2) == 0;
        match call {
            Call::Get { .. } if *state == 0 && brief => Ret::Missing,
            Call::Get { .. } => Ret::Added { total: *state },
            Call::Add { delta, .. } if !brief => Ret::Added { total: state + delta },
            _ => DONE,
        }
    }

    fn draw_answer(&self, rng: &mut Rng, call: &Call, _ops: u64) -> Ret {
        match call {
            Call::Add { .. } if rng.below(3) == 0 => DONE,
            _ => Ret::Added { total: rng.below(7) as i64 - 3 },
        }
    }
}

fn some_values(rng: &mut Rng) -> Ret {
    let items = (0..rng.below(4)).map(|_| value(rng.below(5))).collect();
    Ret::List { items }
}

fn wrong_list(rng: &mut Rng, call: &Call) -> Ret {
    match call {
        Call::Append { .. } if rng.below(3) > 0 => DONE,
        _ => some_values(rng),
    }
}

impl Subject for Set {
    fn draw_call(&self, rng: &mut Rng, index: u64) -> Call {
        match rng.below(2) {
            0 => GET,
            _ => Call::Append { key: 0, value: value(rng.below(index + 1)) },
        }
    }

    fn answer(&self, rng: &mut Rng, state: &BTreeSet<Value>, call: &Call) -> Ret {
        match call {
            Call::Append { .. } => DONE,
            _ if state.is_empty() && rng.below(2) == 0 => Ret::Missing,
            _ => {
                let mut items: Vec<Value> = state.iter().copied().collect();
                rng.shuffle(&mut items);
                Ret::List { items }
            }
        }
    }

    fn draw_answer(&self, rng: &mut Rng, call: &Call, _ops: u64) -> Ret {
        wrong_list(rng, call)
    }
}

impl Subject for AppendList {
    fn draw_call(&self, rng: &mut Rng, index: u64) -> Call {
        match rng.below(2) {
            0 => GET,
            _ => Call::Append { key: 0, value: value(rng.below(index + 2)) },
        }
    }

    fn answer(&self, rng: &mut Rng, state: &Vec<Value>, call: &Call) -> Ret {
        let brief = rng.below(2) == 0;
        match call {
            Call::Append { .. } if brief => DONE,
            Call::Append { value, .. } => {
                let items = [state.as_slice(), &[*value]].concat();
                Ret::List { items }
            }
            _ if state.is_empty() && brief => Ret::Missing,
            _ => Ret::List { items: state.clone() },
        }
    }

    fn draw_answer(&self, rng: &mut Rng, call: &Call, _ops: u64) -> Ret {
        wrong_list(rng, call)
    }
}

impl Subject for Lock {
    fn draw_call(&self, rng: &mut Rng, _index: u64) -> Call {
        match rng.below(5) {
            0..3 => Call::Acquire { key: 0 },
            _ => Call::Release { key: 0 },
        }
    }

    fn answer(&self, rng: &mut Rng, state: &LockState, call: &Call) -> Ret {
        match call {
            Call::Acquire { .. } if state.held => Ret::Conflict { seen: None },
            Call::Acquire { .. } if rng.below(2) == 0 => Ret::Done { version: state.token + 1 },
            Call::Release { .. } if !state.held => Ret::Missing,
            _ => DONE,
        }
    }

    fn draw_answer(&self, rng: &mut Rng, _call: &Call, _ops: u64) -> Ret {
        match rng.below(4) {
            0 => Ret::Conflict { seen: None },
            version => Ret::Done { version },
        }
    }
}

/// The longest string of [`kv_append`]: a put of up to two letters and appends of one.
const LETTERS_MAX: usize = 13;

/// All strings of up to [`LETTERS_MAX`] letters `a` and `b`, the shorter first.
pub fn kv_append() -> KvAppend {
    let mut strings = vec![String::new()];
    for at in 0..(1 << LETTERS_MAX) - 1 {
        for letter in ["a", "b"] {
            let longer = format!("{}{letter}", strings[at]);
            strings.push(longer);
        }
    }
    KvAppend { strings }
}

/// Where a string stands among them: each letter goes to the left or right child.
fn id_of(string: &str) -> u64 {
    let child = |at: u64, letter: u8| 2 * at + if letter == b'a' { 1 } else { 2 };
    string.bytes().fold(0, child)
}

impl Subject for KvAppend {
    fn draw_call(&self, rng: &mut Rng, _index: u64) -> Call {
        match rng.below(6) {
            0..3 => GET,
            3 => Call::Put { key: 0, value: value(rng.below(5)), ttl: None },
            _ => Call::Append { key: 0, value: value(1 + rng.below(2)) },
        }
    }

    fn answer(&self, _rng: &mut Rng, state: &String, call: &Call) -> Ret {
        match call {
            Call::Get { .. } => found(value(id_of(state))),
            _ => DONE,
        }
    }

    fn draw_answer(&self, rng: &mut Rng, call: &Call, _ops: u64) -> Ret {
        match call {
            Call::Get { .. } if rng.below(8) == 0 => Ret::Missing,
            Call::Get { .. } => found(value(rng.below(7))),
            _ => DONE,
        }
    }
}
