//! Tests of the readers.

use super::{Format, ReadError, Subject, jsonl, read};
use crate::linearizable::{Verdict, check_recorded};
use contract::{
    Call, Domain, Duration, NodeId, Op, OpId, Outcome, OwnCall, OwnRet, ReadLevel, Ret, Rng,
    SimTime, Value,
};

fn verdict(text: &str, format: Format) -> Verdict {
    let recorded = read(text.as_bytes(), None).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(recorded.format, format, "the format is guessed");
    check_recorded(&recorded, 10_000).verdict
}

#[test]
fn knossos_histories_begin_at_zero_and_unknown_reads_say_nothing() {
    let text = "[{:process 0, :type :invoke, :f :read, :value nil}
        {:process 0, :type :ok, :f :read, :value 0}
        {:process :nemesis, :type :info, :f :start, :value nil}
        {:process 1, :type :invoke, :f :cas, :value [0 5]}
        {:process 1, :type :ok, :f :cas, :value [0 5]}
        {:process 0, :type :invoke, :f :read, :value nil}
        {:process 0, :type :ok, :f :read, :value nil}
        {:process 1, :type :invoke, :f :write, :value 7}
        {:process 1, :type :info, :f :write, :value :timed-out}
        {:process 0, :type :invoke, :f :read, :value nil}
        {:process 0, :type :ok, :f :read, :value 5}]";
    assert_eq!(verdict(text, Format::Edn), Verdict::Linearizable);
    let wrong = text.replace(":value 5}]", ":value 6}]");
    assert_eq!(verdict(&wrong, Format::Edn), Verdict::NotLinearizable);
    let mut recorded = read(text.as_bytes(), None).expect("well-formed");
    recorded.begin_at("nil");
    assert_eq!(check_recorded(&recorded, 10_000).verdict, Verdict::NotLinearizable);
    recorded.begin_at("0");
    assert_eq!(check_recorded(&recorded, 10_000).verdict, Verdict::Linearizable);
}

#[test]
fn etcd_logs_begin_at_nil_and_a_failed_cas_found_something_else() {
    let text = "INFO  jepsen.util - 0\t:invoke\t:read\tnil
INFO  jepsen.util - 1\t:invoke\t:write\t3
INFO  jepsen.util - 0\t:ok\t:read\tnil
INFO  jepsen.util - 1\t:ok\t:write\t3
INFO  jepsen.util - 2\t:invoke\t:cas\t[3 4]
INFO  jepsen.util - 2\t:fail\t:cas\t[3 4]
";
    assert_eq!(verdict(text, Format::JepsenLog), Verdict::NotLinearizable);
    let other = text.replace("[3 4]", "[1 4]");
    assert_eq!(verdict(&other, Format::JepsenLog), Verdict::Linearizable);
    let open = text.replace(":fail\t:cas\t[3 4]", ":info\t:cas\t:timed-out");
    assert_eq!(verdict(&open, Format::JepsenLog), Verdict::Linearizable);
}

#[test]
fn porcupine_strings_and_locks() {
    let text = "{:process 1, :type :invoke, :f :append, :key \"0\", :value \"x\"}
        {:process 1, :type :ok, :f :append, :key \"0\", :value \"x\"}
        {:process 1, :type :invoke, :f :get, :key \"0\", :value nil}
        {:process 1, :type :ok, :f :get, :key \"0\", :value \"x\"}";
    assert_eq!(verdict(text, Format::Edn), Verdict::Linearizable);
    let wrong = text.replace(":get, :key \"0\", :value \"x\"", ":get, :key \"0\", :value \"\"");
    assert_eq!(verdict(&wrong, Format::Edn), Verdict::NotLinearizable);
    let locks = "({:process 1 :type :invoke :f :acquire} {:process 1 :type :ok :f :acquire}
        {:process 2 :type :invoke :f :acquire} {:process 2 :type :ok :f :acquire})";
    assert_eq!(verdict(locks, Format::Edn), Verdict::NotLinearizable);
}

fn refused(text: &str, expect: &str) {
    let error: ReadError = read(text.as_bytes(), None).expect_err(text);
    assert_eq!(error.to_string(), expect);
}

#[test]
fn malformed_histories_are_placed() {
    refused(
        "[{:process 0, :type :ok, :f :read, :value 1}]",
        "line 1, column 2: expected an :invoke of process 0 before this, \
         found `{:process 0, :type :ok, `",
    );
    refused(
        "[{:process 0, :type :invoke, :f :read}\n {:process 0, :type :invoke, :f :read}]",
        "line 2, column 2: expected the end of what process 0 is doing before more of it, \
         found `{:process 0, :type :invo`",
    );
    refused(
        "[{:process 0, :f :read, :value 1}]",
        "line 1, column 2: expected a map that has :type, found `{:process 0, :f :read, :`",
    );
    refused(
        "[{:process 0, :type :invoke, :f :increment}]",
        "line 1, column 33: expected :read, :write, :cas, :get, :put, :append, :acquire or \
         :release, found `:increment}]`",
    );
    refused(
        "[{:process 0, :type :invoke, :f :cas, :value 3}]",
        "line 1, column 46: expected a pair [expected new], found `3}]`",
    );
    refused(
        "INFO  jepsen.util - 0 :invoke :write x",
        "line 1, column 38: expected a number, found `x`",
    );
    refused(
        "INFO  jepsen.util - 0 :invoke :write",
        "line 1, column 37: expected a number, found the end",
    );
    refused(
        "{\"id\":0}\n",
        "line 1, column 8: expected an operation (missing field `client`), found `}`",
    );
    let bytes = b"INFO \xff";
    let error = read(bytes, None).expect_err("not text");
    assert_eq!(error.to_string(), "line 1, column 6: expected text in UTF-8, found the end");
}

fn value(id: u64) -> Value {
    Value { id, size_bytes: 64 }
}

/// One operation of each kind, with each kind of answer.
fn every_kind() -> Vec<Op> {
    let key = 3;
    let read = ReadLevel::Lease;
    let found = Ret::Found { value: value(u64::MAX), version: 2, stale: true };
    let done = Ret::Done { version: 9 };
    let calls = vec![
        (Call::Get { key, read }, Outcome::Ok(found)),
        (
            Call::BatchGet { keys: vec![1, 2], read: ReadLevel::Stale },
            Outcome::Ok(Ret::Batch { values: vec![None, Some(value(1))] }),
        ),
        (Call::Put { key, value: value(1), ttl: Some(Duration(7)) }, Outcome::Ok(done)),
        (Call::Put { key, value: value(2), ttl: None }, Outcome::Fail),
        (Call::Delete { key }, Outcome::Ok(Ret::Deleted { previous: Some(value(2)) })),
        (Call::Delete { key }, Outcome::Ok(Ret::Missing)),
        (
            Call::Cas { key, expect: None, value: value(3) },
            Outcome::Ok(Ret::Conflict { seen: None }),
        ),
        (Call::Add { key, delta: -4 }, Outcome::Ok(Ret::Added { total: i64::MIN })),
        (Call::Append { key, value: value(4) }, Outcome::Ok(Ret::List { items: vec![value(4)] })),
        (Call::Acquire { key }, Outcome::Unknown),
        (Call::Release { key }, Outcome::Fail),
        (
            Call::Own(Box::new(OwnCall {
                row: 2,
                name: "lock",
                key: Some(key),
                args: [1, 2, 0, 0],
            })),
            Outcome::Ok(Ret::Own(Box::new(OwnRet { word: "granted", args: [u64::MAX, 0, 0, 0] }))),
        ),
        (
            Call::Own(Box::new(OwnCall { row: 3, name: "stop", key: None, args: [0; 4] })),
            Outcome::Unknown,
        ),
        (Call::Admin { verb: "transfer", arg: 1 }, Outcome::Unknown),
    ];
    let op = |(id, (call, outcome)): (u64, (Call, Outcome))| Op {
        id: OpId(id),
        client: NodeId(id as u32 % 3),
        process: id as u32,
        call,
        arrived_at: SimTime(10 * id),
        call_at: SimTime(10 * id + 1),
        ret_at: if outcome == Outcome::Unknown { SimTime::MAX } else { SimTime(10 * id + 5) },
        outcome,
    };
    (0..).zip(calls).map(op).collect()
}

#[test]
fn json_lines_round_trip() {
    let ops = every_kind();
    let mut bytes = Vec::new();
    jsonl::write(&ops, &mut bytes).expect("a vector takes everything");
    assert_eq!(bytes.iter().filter(|&&byte| byte == b'\n').count(), ops.len());
    let recorded = read(&bytes, None).expect("what was written can be read");
    assert_eq!(recorded.format, Format::Jsonl);
    assert_eq!(recorded.subject, Subject::Lab);
    assert_eq!(recorded.ops, ops);
}

#[test]
fn the_json_schema_is_stable() {
    let mut bytes = Vec::new();
    jsonl::write(&every_kind()[2..4], &mut bytes).expect("a vector takes everything");
    let text = String::from_utf8(bytes).expect("JSON is text");
    assert_eq!(
        text,
        "{\"id\":2,\"client\":2,\"process\":2,\"call\":{\"put\":{\"key\":3,\"value\":{\"id\":1,\
         \"size_bytes\":64},\"ttl_ns\":7}},\"outcome\":{\"ok\":{\"done\":{\"version\":9}}},\
         \"arrived_ns\":20,\"call_ns\":21,\"ret_ns\":25}\n\
         {\"id\":3,\"client\":0,\"process\":3,\"call\":{\"put\":{\"key\":3,\"value\":{\"id\":2,\
         \"size_bytes\":64}}},\"outcome\":\"fail\",\"arrived_ns\":30,\"call_ns\":31,\
         \"ret_ns\":35}\n"
    );
}

/// A valid file of each format.
fn valid_files() -> Vec<(Format, Vec<u8>)> {
    let edn = "[{:process 0, :type :invoke, :f :read, :value nil}
        {:process 1, :type :invoke, :f :cas, :value [0 5]} ; a comment
        {:process 0, :type :ok, :f :read, :value 0, :time 17, :index #inst \"2020\"}
        {:process 1, :type :ok, :f :cas, :value [0 5]}
        {:process :nemesis, :type :info, :f :start, :value #{1 2}}
        {:process 2, :type :invoke, :f :write, :value \\a}]";
    let strings = "{:process 1, :type :invoke, :f :append, :key \"0\", :value \"x\\\"y\"}
        {:process 1, :type :ok, :f :append, :key \"0\", :value \"x\\\"y\"}
        {:process 2, :type :invoke, :f :get, :key \"0\", :value nil}
        {:process 2, :type :ok, :f :get, :key \"0\", :value \"\"}";
    let log = "INFO  jepsen.util - 0\t:invoke\t:read\tnil
INFO  jepsen.util - 1\t:invoke\t:cas\t[3 4]
INFO  jepsen.util - 0\t:ok\t:read\tnil
INFO  jepsen.util - 1\t:fail\t:cas\t[3 4]\n";
    let mut lines = Vec::new();
    jsonl::write(&every_kind(), &mut lines).expect("a vector takes everything");
    vec![
        (Format::Edn, edn.into()),
        (Format::Edn, strings.into()),
        (Format::JepsenLog, log.into()),
        (Format::Jsonl, lines),
    ]
}

#[test]
fn valid_files_are_read() {
    for (format, bytes) in valid_files() {
        let recorded = read(&bytes, None).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(recorded.format, format);
        assert!(recorded.ops.len() >= 2, "{format:?}");
    }
}

/// What may be put into a file that was valid.
const DAMAGE: [&[u8]; 16] = [
    b"",
    b"{",
    b"}",
    b"[",
    b")",
    b"\"",
    b"\\",
    b":",
    b"nil",
    b"#_",
    b"\n",
    b"-1",
    b"99999999999999999999",
    b"\xff",
    "\u{e9}".as_bytes(),
    b";",
];

proptest::proptest! {
    /// A file that was valid, cut, with a piece replaced or doubled, is read or refused with a
    /// place inside of it and with what was expected there; what is read can be judged.
    #[test]
    fn damaged_files_are_refused_with_a_place(
        file in 0..4_usize,
        edits in proptest::collection::vec((0..10_000_usize, 0..40_usize, 0..17_usize), 1..4),
        forced in proptest::bool::ANY,
    ) {
        let (format, mut bytes) = valid_files().swap_remove(file);
        for (place, len, by) in edits {
            let place = place % (bytes.len() + 1);
            let end = (place + len).min(bytes.len());
            let piece = match DAMAGE.get(by) {
                Some(piece) => piece.to_vec(),
                None => bytes[place..end].repeat(2),
            };
            bytes.splice(place..end, piece);
        }
        match read(&bytes, forced.then_some(format)) {
            Ok(recorded) => {
                let _judged = check_recorded(&recorded, 1_000);
            }
            Err(error) => {
                let lines = bytes.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
                proptest::prop_assert!((1..=lines).contains(&error.line), "{error}");
                proptest::prop_assert!((1..=bytes.len() as u64 + 1).contains(&error.column));
                proptest::prop_assert!(!error.expected.is_empty());
            }
        }
        let apart: Result<Vec<_>, _> = jsonl::Lines::new(bytes.as_slice()).collect();
        let whole = read(&bytes, Some(Format::Jsonl));
        proptest::prop_assert_eq!(apart.is_ok(), whole.is_ok());
    }
}

#[test]
fn no_input_makes_a_reader_panic() {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "#{",
        "#_",
        "\"",
        "\\",
        ":",
        ";",
        "\n",
        " ",
        "nil",
        "0",
        "-1",
        "{:process 1, :type :invoke, :f :read}",
        ":process",
        ":type",
        ":invoke",
        ":f",
        ":value",
        "INFO  jepsen.util - 1 :invoke :cas [1 2]\n",
        "INFO  jepsen.util - 1 :ok :cas [1 2]\n",
        "{\"id\":1",
        "\"call\":{\"get\":{\"key\":1}}",
        "\u{0}",
        "é",
        "99999999999999999999999",
    ];
    let mut rng = Rng::new(5, Domain::Client, "pieces");
    for _ in 0..20_000 {
        let count = rng.below(12);
        let text: String =
            (0..count).map(|_| pieces[rng.below(pieces.len() as u64) as usize]).collect();
        for format in [None, Some(Format::Edn), Some(Format::JepsenLog), Some(Format::Jsonl)] {
            if let Ok(recorded) = read(text.as_bytes(), format) {
                let _ = check_recorded(&recorded, 1_000);
            }
        }
    }
}
