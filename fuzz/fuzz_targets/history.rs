//! Recorded histories, well-formed for the most part: the readers refuse with a place or read, and
//! what they read can be judged. Built from pieces so that most inputs get past the first line.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use checker::history::{Format, jsonl, read};
use checker::linearizable::check_recorded;
use libfuzzer_sys::fuzz_target;

/// One event of a process.
#[derive(Arbitrary, Debug)]
struct Event {
    process: u8,
    kind: u8,
    function: u8,
    key: u8,
    value: u8,
    other: u8,
    raw: Option<String>,
}

/// A file.
#[derive(Debug)]
struct File {
    events: Vec<Event>,
    /// Where bytes are replaced, and by what.
    damage: Vec<(u16, u8)>,
    format: u8,
}

impl<'a> Arbitrary<'a> for File {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let count = u.int_in_range(0..=40)?;
        let events = (0..count).map(|_| Event::arbitrary(u)).collect::<Result<_, _>>()?;
        let damage = if u.ratio(1, 3)? { Vec::arbitrary(u)? } else { Vec::new() };
        Ok(Self { events, damage, format: u.arbitrary()? })
    }
}

fn value(event: &Event, value: u8) -> String {
    match (&event.raw, value % 8) {
        (Some(raw), 0) => raw.clone(),
        (_, 1) => "nil".to_owned(),
        (_, value) => value.to_string(),
    }
}

const KINDS: [&str; 4] = ["invoke", "ok", "fail", "info"];

fn edn(event: &Event) -> String {
    const FUNCTIONS: [&str; 8] =
        ["read", "write", "cas", "get", "put", "append", "acquire", "release"];
    let function = FUNCTIONS[usize::from(event.function) % FUNCTIONS.len()];
    let first = value(event, event.value);
    let value = match function {
        "cas" => format!("[{first} {}]", value(event, event.other)),
        "get" | "put" | "append" => format!("\"{first}\""),
        _ => first,
    };
    format!(
        "{{:process {}, :type :{}, :f :{function}, :key {}, :value {value}}}\n",
        event.process % 4,
        KINDS[usize::from(event.kind) % 4],
        event.key % 2,
    )
}

fn log(event: &Event) -> String {
    const FUNCTIONS: [&str; 3] = ["read", "write", "cas"];
    let function = FUNCTIONS[usize::from(event.function) % 3];
    let first = value(event, event.value);
    let value = match function {
        "cas" => format!("[{first} {}]", value(event, event.other)),
        _ => first,
    };
    let kind = KINDS[usize::from(event.kind) % 4];
    format!("INFO  jepsen.util - {}\t:{kind}\t:{function}\t{value}\n", event.process % 4)
}

fn line(id: usize, event: &Event) -> String {
    let key = event.key % 2;
    let written = |value: u8| format!("{{\"id\":{value},\"size_bytes\":8}}");
    let (first, other) = (written(event.value % 8), written(event.other % 8));
    let call = match event.function % 8 {
        0 => format!("{{\"get\":{{\"key\":{key},\"read\":\"linearizable\"}}}}"),
        1 => format!("{{\"put\":{{\"key\":{key},\"value\":{first}}}}}"),
        2 => format!("{{\"put\":{{\"key\":{key},\"value\":{first},\"ttl_ns\":{}}}}}", event.other),
        3 => format!("{{\"delete\":{{\"key\":{key}}}}}"),
        4 => format!("{{\"cas\":{{\"key\":{key},\"expect\":{first},\"value\":{other}}}}}"),
        5 => format!("{{\"cas\":{{\"key\":{key},\"expect\":null,\"value\":{other}}}}}"),
        6 => format!("{{\"add\":{{\"key\":{key},\"delta\":{}}}}}", event.value),
        _ => "{\"batch-get\":{\"keys\":[0,1],\"read\":\"lease\"}}".to_owned(),
    };
    let outcome = match event.kind % 8 {
        0 => "\"fail\"".to_owned(),
        1 => "\"unknown\"".to_owned(),
        2 => "{\"ok\":\"missing\"}".to_owned(),
        3 => {
            format!("{{\"ok\":{{\"found\":{{\"value\":{other},\"version\":0,\"stale\":false}}}}}}")
        }
        4 => format!("{{\"ok\":{{\"deleted\":{{\"previous\":{other}}}}}}}"),
        5 => format!("{{\"ok\":{{\"conflict\":{{\"seen\":{other}}}}}}}"),
        6 => format!("{{\"ok\":{{\"batch\":{{\"values\":[{first},null]}}}}}}"),
        _ => "{\"ok\":{\"done\":{\"version\":1}}}".to_owned(),
    };
    let called = u64::from(event.raw.as_ref().map_or(0, String::len) as u8) + id as u64;
    let process = event.process;
    format!(
        "{{\"id\":{id},\"client\":{process},\"process\":{process},\"call\":{call},\
         \"outcome\":{outcome},\"arrived_ns\":{called},\"call_ns\":{called},\"ret_ns\":{}}}\n",
        called + u64::from(event.other % 16),
    )
}

fuzz_target!(|file: File| {
    let (format, text): (Format, String) = match file.format % 3 {
        0 => (Format::Edn, file.events.iter().map(edn).collect()),
        1 => (Format::JepsenLog, file.events.iter().map(log).collect()),
        _ => {
            let lines = file.events.iter().enumerate();
            (Format::Jsonl, lines.map(|(id, event)| line(id, event)).collect())
        }
    };
    let mut bytes = text.into_bytes();
    for (place, byte) in &file.damage {
        if let Some(target) = bytes.get_mut(usize::from(*place)) {
            *target = *byte;
        }
    }
    for format in [Some(format), None] {
        match read(&bytes, format) {
            Ok(recorded) => {
                let _judged = check_recorded(&recorded, 10_000);
                let mut again = Vec::new();
                jsonl::write(&recorded.ops, &mut again).expect("a vector takes everything");
                let back = read(&again, Some(Format::Jsonl)).expect("what was written can be read");
                assert_eq!(back.ops, recorded.ops, "nothing is lost in JSON lines");
            }
            Err(error) => {
                assert!(error.line > 0 && error.column > 0, "places count from 1");
                assert!(!error.expected.is_empty(), "it says what was expected");
            }
        }
    }
    // Read line by line, a file is the same as read at once.
    let lines: Result<Vec<_>, _> = jsonl::Lines::new(bytes.as_slice()).collect();
    let whole = read(&bytes, Some(Format::Jsonl));
    assert_eq!(lines.is_ok(), whole.is_ok(), "{lines:?} and {whole:?}");
});
