//! A search remembers no more than its budget allows, whatever it searches: measured by the memory
//! of the process.

use checker::linearizable::{Options, Report, Verdict, check_model, check_register_with};
use checker::models::{AppendList, Counter, KvAppend, RegisterCas, Set};
use contract::{Call, NodeId, Op, OpId, Outcome, ReadLevel, Ret, SimTime, Value};

#[path = "../benches/linearizable/memory.rs"]
mod memory;

const BUDGET: usize = 4 << 20;

fn op(client: u64, call: Call, outcome: Outcome, from: u64, until: u64) -> Op {
    Op {
        id: OpId(client),
        client: NodeId(client as u32),
        process: client as u32,
        call,
        outcome,
        arrived_at: SimTime(from),
        call_at: SimTime(from),
        ret_at: SimTime(until),
    }
}

const fn value(id: u64) -> Value {
    Value { id, size_bytes: 8 }
}

const DONE: Outcome = Outcome::Ok(Ret::Done { version: 0 });
const GET: Call = Call::Get { key: 0, read: ReadLevel::Linearizable };

/// Two dozen calls at once, and then a read that none of their orders explains.
fn hard(call: impl Fn(u64) -> Call, done: Outcome, seen: Ret) -> Vec<Op> {
    let all = (0..24).map(|id| op(id, call(id), done.clone(), id, 1_000 + id));
    let read = op(99, GET, Outcome::Ok(seen), 2_000, 2_001);
    all.chain([read]).collect()
}

/// Names the model that a process of this test is to measure: what one search gave back, the heap
/// may keep for the next.
const MODEL: &str = "CHAOSLAB_MEASURED_MODEL";
const MODELS: [&str; 5] = ["append-list", "set", "kv", "counter", "register-cas"];

#[test]
fn memory_stays_within_the_budget_for_every_model() {
    let me = std::env::current_exe().expect("this test is a program");
    for model in MODELS {
        let output = std::process::Command::new(&me)
            .args(["--exact", "one_model", "--nocapture"])
            .env(MODEL, model)
            .output()
            .expect("this test can be started");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        println!("{told}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{model}: {told}{error}");
    }
}

/// Does nothing unless the test above asks for it.
#[test]
fn one_model() {
    let Ok(name) = std::env::var(MODEL) else { return };
    let options = Options { search_bytes_max: BUDGET, ..Options::steps(100_000_000) };
    let check = prepared(&name);
    let mut report = None;
    let grown = memory::grown_by(|| report = Some(check(&options)));
    let verdict = report.map(|report| report.verdict);
    let why = "the memory budget is spent";
    assert_eq!(verdict, Some(Verdict::Undecided { why }), "{name}");
    let Some(grown) = grown else {
        eprintln!("skipped: this system does not tell how much memory a process takes");
        return;
    };
    let share = grown * 100 / BUDGET as u64;
    println!("{name}: {share} % of the budget");
    assert!((30..=125).contains(&share), "{name}: {share} % of the budget");
}

type Check = Box<dyn Fn(&Options<'_>) -> Report>;

/// A search of the model that no small budget decides.
fn prepared(name: &str) -> Check {
    let append = |id: u64| Call::Append { key: 0, value: value(id) };
    let lists = hard(append, DONE, Ret::List { items: vec![value(1_000)] });
    match name {
        "append-list" => Box::new(move |options| check_model(&AppendList, &lists, options)),
        "set" => Box::new(move |options| check_model(&Set, &lists, options)),
        "kv" => {
            let seen = Ret::Found { value: value(24), version: 0, stale: false };
            let strings = hard(append, DONE, seen);
            let mut names: Vec<String> = (0..24).map(|id| format!("x {id} y")).collect();
            names.push("nothing of the kind".to_owned());
            let model = KvAppend { strings: names };
            Box::new(move |options| check_model(&model, &strings, options))
        }
        "counter" => {
            let add = |id: u64| Call::Add { key: 0, delta: 1 << id };
            let counters = hard(add, DONE, Ret::Added { total: -1 });
            Box::new(move |options| check_model(&Counter, &counters, options))
        }
        _ => {
            let register = hard_register();
            let model = RegisterCas::default();
            Box::new(move |options| check_register_with(&register, &model, options))
        }
    }
}

/// Swaps among five values that crashed, so that each may or may not have happened, and reads of a
/// value that can only come from a chain of them.
fn hard_register() -> Vec<Op> {
    let swap = |id: u64| Call::Cas {
        key: 0,
        expect: Some(value(id % 5)),
        value: value((id % 5 + 1 + id / 5 % 4) % 5),
    };
    let mut ops = vec![op(98, Call::Put { key: 0, value: value(0), ttl: None }, DONE, 0, 0)];
    ops.extend((0..40).map(|id| op(id, swap(id), Outcome::Unknown, 1 + id, u64::MAX)));
    for round in 0..60 {
        let from = 100 + 10 * round;
        for id in 0..3 {
            let put = Call::Put { key: 0, value: value((id + round) % 5), ttl: None };
            ops.push(op(200 + id, put, DONE, from + id, from + 9));
        }
        let seen = Ret::Found { value: value((round * 3) % 5), version: 0, stale: false };
        ops.push(op(300, GET, Outcome::Ok(seen), from + 5, from + 9));
    }
    // Two swaps may write it, and it is there three times.
    let swap = Call::Cas { key: 0, expect: Some(value(4)), value: value(77) };
    ops.extend((0..2).map(|id| op(400 + id, swap.clone(), Outcome::Unknown, 90 + id, u64::MAX)));
    for (round, id) in (0..).zip([77, 0, 77, 1, 77]) {
        let from = 5_000 + 10 * round;
        let seen = Ret::Found { value: value(id), version: 0, stale: false };
        ops.push(op(300, GET, Outcome::Ok(seen), from, from + 5));
    }
    ops.sort_by_key(|op| op.call_at);
    ops
}
