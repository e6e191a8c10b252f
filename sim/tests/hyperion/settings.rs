//! Settings from the defaults of the tables, for tests.

use alloc::vec::Vec;
use catalog::{Kind, Setting, SettingValue, Settings};
use contract::{Dist, Duration, Ratio};

/// The settings of a role with every default filled in.
pub fn defaults(rows: &[Setting]) -> Settings {
    let given = rows.iter().filter(|row| !row.default.is_empty());
    let value = |row: &Setting| (row.name, parse(row.kind, row.default));
    Settings(given.map(value).collect())
}

/// Reads the defaults that the tables of this crate use, which is less than scenario files allow.
fn parse(kind: Kind, text: &str) -> SettingValue {
    let word = text.trim_matches('"');
    match kind {
        Kind::Bool => SettingValue::Bool(word == "true"),
        Kind::Int { .. } => SettingValue::Int(word.replace('_', "").parse().expect("a count")),
        Kind::Ratio => {
            let percent = word.strip_suffix('%').expect("a share in percent");
            SettingValue::Ratio(Ratio::new(percent.parse().expect("a number"), 100))
        }
        Kind::Duration { .. } => SettingValue::Duration(duration(word)),
        Kind::Dist => SettingValue::Dist(Dist::Constant(duration(word).as_nanos())),
        Kind::Bytes => SettingValue::Bytes(bytes(word)),
        Kind::Choice(words) => {
            let known = words.iter().find(|known| **known == word);
            SettingValue::Choice(known.expect("one of the words"))
        }
        Kind::Range => {
            let ends: Vec<Duration> = word.split('"').skip(1).step_by(2).map(duration).collect();
            let [min, max] = ends[..] else {
                panic!("a range has two ends: {text}");
            };
            SettingValue::Range { min, max }
        }
        Kind::Text => SettingValue::Text(word.into()),
        other => panic!("no default is {other}"),
    }
}

fn duration(word: &str) -> Duration {
    let digits = word.trim_end_matches(|c: char| c.is_alphabetic());
    let count: u64 = digits.parse().expect("a number before the unit");
    match &word[digits.len()..] {
        "ns" => Duration(count),
        "us" => Duration::from_micros(count),
        "ms" => Duration::from_millis(count),
        "s" => Duration::from_secs(count),
        "min" => Duration::from_secs(60 * count),
        "h" => Duration::from_secs(3_600 * count),
        unit => panic!("`{unit}` is no unit of time"),
    }
}

fn bytes(word: &str) -> u64 {
    let digits = word.trim_end_matches(|c: char| c.is_alphabetic());
    let count: u64 = digits.parse().expect("a number before the unit");
    match &word[digits.len()..] {
        "KiB" => count << 10,
        "MiB" => count << 20,
        "B" => count,
        unit => panic!("`{unit}` is no unit of size"),
    }
}
