//! Histories that strangers tried and that went wrong once: each gets its verdict, whatever else is
//! in the file.

use checker::history::{Format, Reading, Recorded, read_as};
use checker::linearizable::{
    Options, Report, Verdict, check_model, check_recorded, check_recorded_with, check_register,
};
use checker::models::AppendList;
use contract::{Call, Domain, NodeId, Op, OpId, Outcome, ReadLevel, Ret, Rng, SimTime, Value};

const STEPS: u64 = 50_000_000;

fn case(name: &str, nil_is_absent: bool) -> Recorded {
    let path = format!("{}/tests/cases/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).expect("the file is in the tree");
    let reading = Reading { format: None, nil_is_absent };
    read_as(&bytes, reading).expect("a well-formed history")
}

fn verdict(name: &str, nil_is_absent: bool) -> Verdict {
    check_recorded(&case(name, nil_is_absent), STEPS).verdict
}

/// Jepsen's independent keys: every value is a tuple of a key and a value, and each key is a
/// register of its own.
#[test]
fn independent_keys_are_judged_each_by_itself() {
    use Verdict::{Linearizable, NotLinearizable};
    let good = check_recorded(&case("03-jepsen-291-good.edn", false), STEPS);
    assert_eq!((good.verdict, good.keys, good.ops), (Linearizable, 2, 4));
    assert_eq!(verdict("03-jepsen-291-good.edn", true), Linearizable);
    let bad = check_recorded(&case("03-jepsen-291-bad-accepted.edn", false), STEPS);
    assert_eq!(bad.verdict, NotLinearizable);
    let sentence = &bad.counterexamples[0].sentence;
    assert!(sentence.contains("cas from 9 to 5"), "{sentence}");
    assert_eq!(verdict("03-jepsen-291-nil.edn", false), Linearizable, "nil says nothing");
    assert_eq!(verdict("03-jepsen-291-nil.edn", true), NotLinearizable, "4 was there");
}

/// Pairs are values where reads are called with `nil`.
#[test]
fn a_pair_is_a_value_unless_all_are_tuples() {
    let text = "[{:process 0, :type :invoke, :f :write, :value [0 4]}
        {:process 0, :type :ok, :f :write, :value [0 4]}
        {:process 1, :type :invoke, :f :read, :value nil}
        {:process 1, :type :ok, :f :read, :value [0 4]}]";
    let recorded = read_as(text.as_bytes(), Reading::default()).expect("well-formed");
    let report = check_recorded(&recorded, STEPS);
    assert_eq!((report.verdict, report.keys), (Verdict::Linearizable, 1));
}

#[test]
fn absence_counts_where_it_is_said_to() {
    assert_eq!(verdict("07-ekv-12-stale-absence.edn", false), Verdict::Linearizable);
    assert_eq!(verdict("07-ekv-12-stale-absence.edn", true), Verdict::NotLinearizable);
}

#[test]
fn what_an_operation_did_stands_in_its_completion() {
    for nil_is_absent in [false, true] {
        let name = "08-openraft-1855-completed.edn";
        assert_eq!(verdict(name, nil_is_absent), Verdict::Linearizable);
    }
    let text = "[{:process 0, :type :invoke, :f :cas, :value [0 1]}
        {:process 0, :type :ok, :f :cas, :value [0 3]}
        {:process 1, :type :invoke, :f :write, :value 8}
        {:process 1, :type :ok, :f :write, :value :done}
        {:process 1, :type :invoke, :f :cas, :value [8 9]}
        {:process 1, :type :ok, :f :cas, :value true}
        {:process 2, :type :invoke, :f :read, :value nil}
        {:process 2, :type :ok, :f :read, :value 9}]";
    let recorded = read_as(text.as_bytes(), Reading::default()).expect("well-formed");
    assert_eq!(check_recorded(&recorded, STEPS).verdict, Verdict::Linearizable);
    let Call::Cas { value, .. } = recorded.ops[0].call else { panic!("a compare-and-set") };
    assert_eq!(recorded.name(value), "3");
}

#[test]
fn keys_are_called_as_they_are_written() {
    let recorded = case("14-key-names.edn", false);
    let report = check_recorded(&recorded, STEPS);
    assert_eq!(report.verdict, Verdict::NotLinearizable);
    assert_eq!(recorded.key_name(report.counterexamples[0].key), "1");
    let both = "{:process 0, :type :invoke, :f :get, :key \"1\", :value nil}
        {:process 1, :type :invoke, :f :get, :key 1, :value nil}
        {:process 2, :type :invoke, :f :get, :key :a, :value nil}";
    let recorded = read_as(both.as_bytes(), Reading::default()).expect("well-formed");
    assert_eq!([0, 1, 2, 7].map(|key| recorded.key_name(key)), ["\"1\"", "1", ":a", "7"]);
}

/// The same history as maps and as the lines of `history.txt`.
#[test]
fn the_text_form_says_the_same() {
    let text = "0\t:invoke\t:write\t7
:nemesis\t:info\t:start\t[:isolated {\"n1\" #{\"n2\"}}]
0\t:ok\t:write\t7
1\t:invoke\t:cas\t[7 9]
2\t:invoke\t:read\tnil
1\t:info\t:cas\t[7 9]\tindeterminate: Connection (refused
2\t:ok\t:read\t9
3\t:invoke\t:cas\t[7 8]
3\t:fail\t:cas\t[7 8]
";
    let recorded = read_as(text.as_bytes(), Reading::default()).expect("well-formed");
    assert_eq!(recorded.format, Format::Text);
    assert_eq!(recorded.ops.len(), 4);
    assert_eq!(check_recorded(&recorded, STEPS).verdict, Verdict::Linearizable);
    let wrong = text.replace(":ok\t:read\t9", ":ok\t:read\t8");
    let recorded = read_as(wrong.as_bytes(), Reading::default()).expect("well-formed");
    assert_eq!(check_recorded(&recorded, STEPS).verdict, Verdict::NotLinearizable);
    let keyed = "0\t:invoke\t:write\t[a 1]\n0\t:ok\t:write\t[a 1]\n0\t:invoke\t:read\t[b nil]\n";
    let recorded = read_as(keyed.as_bytes(), Reading::default()).expect("well-formed");
    assert_eq!(check_recorded(&recorded, STEPS).keys, 2);
    let error = read_as(b"0\t:invoke\t:write\n", Reading::default()).expect_err("no value");
    assert_eq!((error.line, error.expected.as_str()), (1, "a map that has :value"));
    let error = read_as(b"0\t:invoke\t:write\t7\n1\t:oh\t:write\t7\n", Reading::default());
    assert_eq!(error.expect_err("no such type").line, 2);
}

fn op(id: usize, client: u32, call: Call, outcome: Outcome, from: u64, until: u64) -> Op {
    Op {
        id: OpId(id as u64),
        client: NodeId(client),
        process: client,
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

/// A register that five processes use at once, with five values; one in seven of its writes and
/// compare-and-sets crashes, and takes effect then, later, or never (Jepsen 195).
fn crashing_register(seed: u64, len: usize) -> Vec<Op> {
    struct Running {
        call: Call,
        from: u64,
        process: u32,
        done: Option<Outcome>,
    }
    let mut rng = Rng::new(seed, Domain::Client, "crashing");
    let (mut held, mut now, mut processes) = (Some(value(0)), 0, 5);
    let mut running: Vec<Option<Running>> = (0..5).map(|_| None).collect();
    let (mut ops, mut crashed) = (Vec::new(), Vec::new());
    let apply = |call: &Call, held: &mut Option<Value>| match *call {
        Call::Put { value, .. } => {
            *held = Some(value);
            Outcome::Ok(Ret::Done { version: 0 })
        }
        Call::Cas { expect, value, .. } if *held == expect => {
            *held = Some(value);
            Outcome::Ok(Ret::Done { version: 0 })
        }
        Call::Cas { .. } => Outcome::Fail,
        _ => held.map_or(Outcome::Ok(Ret::Missing), |value| {
            Outcome::Ok(Ret::Found { value, version: 0, stale: false })
        }),
    };
    while ops.len() < len {
        now += 1;
        let at = rng.below(5) as usize;
        if !crashed.is_empty() && rng.below(4) == 0 {
            let late: Call = crashed.swap_remove(rng.below(crashed.len() as u64) as usize);
            apply(&late, &mut held);
        }
        let Some(mut mine) = running[at].take() else {
            let pick = value(rng.below(5));
            let call = match rng.below(3) {
                0 => Call::Get { key: 0, read: ReadLevel::Linearizable },
                1 => Call::Put { key: 0, value: pick, ttl: None },
                _ => Call::Cas { key: 0, expect: Some(value(rng.below(5))), value: pick },
            };
            running[at] = Some(Running { call, from: now, process: at as u32, done: None });
            continue;
        };
        if mine.done.is_none() && rng.below(7) == 0 && !matches!(mine.call, Call::Get { .. }) {
            let Running { call, from, .. } = mine;
            crashed.push(call.clone());
            ops.push(op(ops.len(), processes, call, Outcome::Unknown, from, u64::MAX));
            processes += 1;
        } else if let Some(outcome) = mine.done {
            ops.push(op(ops.len(), mine.process, mine.call, outcome, mine.from, now));
        } else {
            mine.done = Some(apply(&mine.call, &mut held));
            running[at] = Some(mine);
        }
    }
    ops.sort_by_key(|op| op.call_at);
    ops
}

#[test]
fn a_register_with_hundreds_of_crashed_writes_is_decided() {
    for seed in 0..4 {
        let mut ops = crashing_register(seed, 5_203);
        let open = ops.iter().filter(|op| op.outcome == Outcome::Unknown).count();
        assert!(open > 300, "{open} crashed");
        // Before the first write it holds what it begins with.
        ops.insert(0, op(9_999, 99, Call::Put { key: 0, value: value(0), ttl: None }, DONE, 0, 0));
        let report = check_register(&ops, STEPS);
        assert_eq!(report.verdict, Verdict::Linearizable, "seed {seed}");
        assert!(report.search_steps < 100_000, "{} steps", report.search_steps);
    }
}

const DONE: Outcome = Outcome::Ok(Ret::Done { version: 0 });

/// Appends to a list that all overlap and a read of what none of their orders gives: as many orders
/// as there are.
fn hard_list(key: u64, from: usize) -> Vec<Op> {
    let append = |id: u64| Call::Append { key, value: value(id) };
    let mut ops: Vec<Op> =
        (0..14).map(|id| op(from, id as u32, append(id), DONE, id, 1_000)).collect();
    let items: Vec<Value> = (0..14).map(|id| value(id / 2)).collect();
    ops.push(op(from, 50, get(key), Outcome::Ok(Ret::List { items }), 1_001, 1_002));
    ops
}

fn get(key: u64) -> Call {
    Call::Get { key, read: ReadLevel::Linearizable }
}

fn wrong_list(key: u64, from: usize) -> Vec<Op> {
    let append = Call::Append { key, value: value(1) };
    let empty = Outcome::Ok(Ret::Missing);
    vec![op(from, 90, append, DONE, 2_000, 2_001), op(from, 91, get(key), empty, 2_002, 2_003)]
}

/// Three keys, of which one is hard and two are wrong.
fn lists(hard: u64, options: &Options<'_>) -> Report {
    let list =
        |key| if key == hard { hard_list(key, 0) } else { wrong_list(key, 1 + key as usize) };
    let mut ops: Vec<Op> = (0..3).flat_map(list).collect();
    ops.sort_by_key(|op| op.call_at);
    check_model(&AppendList, &ops, options)
}

/// A key that no budget decides takes nothing from the others, wherever it stands.
#[test]
fn a_hard_key_starves_no_other() {
    let options = Options::steps(30_000);
    for hard in 0..3 {
        let report = lists(hard, &options);
        assert_eq!(report.verdict, Verdict::NotLinearizable);
        assert_eq!(report.refuted_keys, 2, "both of the others");
        assert_eq!(report.undecided_keys, [hard]);
        assert!(report.search_steps > 20_000, "it gets what the others leave");
        assert!(report.search_steps < 30_100, "and no more");
    }
}

/// An operation of a model that was never answered is known to it all the same.
#[test]
fn what_is_open_is_linearizable_by_every_name() {
    let text = "[{:process 0, :type :invoke, :f :write, :value 1}
        {:process 0, :type :info, :f :write, :value :timed-out}]";
    let recorded = read_as(text.as_bytes(), Reading::default()).expect("well-formed");
    let report = check_recorded_with(&recorded, Options::steps(STEPS));
    assert_eq!((report.verdict, report.keys), (Verdict::Linearizable, 1));
}
