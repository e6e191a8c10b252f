//! Histories written by hand, one operation per line.

use contract::{Call, NodeId, Op, OpId, Outcome, ReadLevel, Ret, SimTime, Value};

/// Reads `client call -> answer from..until` lines, with times in seconds:
///
/// `1 put 5 -> ok 0..1`, `1 get -> 5 2..3`, `2 get -> none 2..3`, `1 cas 5 6 -> ok 4..5`,
/// `1 cas none 6 -> 5 4..5`, `1 delete -> 6 6..7`, `1 delete -> ok 6..7`, `1 put 9 -> ? 8`,
/// `1 put 9 -> fail 8..9`, `1 batch 0,1 -> 5,none 0..1`. A line may begin with `key=7`.
pub fn script(text: &str) -> Vec<Op> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.enumerate().map(|(id, line)| op(id as u64, line)).collect()
}

fn op(id: u64, line: &str) -> Op {
    let (asked, answered) = line.split_once(" -> ").expect("an arrow");
    let mut words = asked.split(' ').peekable();
    let key = words.next_if(|word| word.starts_with("key="));
    let key = key.map_or(0, |word| word[4..].parse().expect("a key"));
    let client = words.next().and_then(|word| word.parse().ok()).expect("a client");
    let call = call(key, &words.collect::<Vec<_>>());
    let (answer, times) = answered.split_once(' ').expect("times");
    let seconds = |text: &str| SimTime(text.parse::<u64>().expect("a time") * 1_000_000_000);
    let (from, until) = match times.split_once("..") {
        Some((from, until)) => (seconds(from), seconds(until)),
        None => (seconds(times), SimTime::MAX),
    };
    Op {
        id: OpId(id),
        client: NodeId(client),
        process: client,
        outcome: outcome(&call, answer),
        call,
        arrived_at: from,
        call_at: from,
        ret_at: until,
    }
}

fn value(word: &str) -> Option<Value> {
    let id = word.parse().ok()?;
    Some(Value { id, size_bytes: 8 })
}

fn call(key: u64, words: &[&str]) -> Call {
    let at = |index: usize| value(words[index]).expect("a value");
    match words[0] {
        "get" => Call::Get { key, read: ReadLevel::Linearizable },
        "stale" => Call::Get { key, read: ReadLevel::Stale },
        "batch" => {
            let keys = words[1].split(',').map(|key| key.parse().expect("a key")).collect();
            Call::BatchGet { keys, read: ReadLevel::Linearizable }
        }
        "put" => Call::Put { key, value: at(1), ttl: None },
        "delete" => Call::Delete { key },
        "cas" => Call::Cas { key, expect: value(words[1]), value: at(2) },
        other => panic!("unknown call {other}"),
    }
}

fn outcome(call: &Call, answer: &str) -> Outcome {
    let seen = value(answer);
    let found = |value| Ret::Found { value, version: 0, stale: false };
    let ret = match (call, answer) {
        (_, "?") => return Outcome::Unknown,
        (_, "fail") => return Outcome::Fail,
        (_, "ok") => Ret::Done { version: 0 },
        (Call::Get { .. }, _) => seen.map_or(Ret::Missing, found),
        (Call::BatchGet { .. }, _) => Ret::Batch { values: answer.split(',').map(value).collect() },
        (Call::Delete { .. }, _) => Ret::Deleted { previous: seen },
        _ => Ret::Conflict { seen },
    };
    Outcome::Ok(ret)
}
