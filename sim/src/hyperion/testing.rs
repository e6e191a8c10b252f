//! What the unit tests of this system share: settings from the tables, and a host of one node.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use contract::{
    Disk, DiskError, Dist, Domain, Duration, Effect, FileId, Fx, Instant, Kind, NodeId, Now,
    Outbox, Outcome, Ratio, Rng, Setting, SettingValue, Settings, WallTime,
};

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
        Kind::Int { .. } => SettingValue::Int(word.parse().expect("a count")),
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
        unit => panic!("`{unit}` is no unit of time"),
    }
}

fn bytes(word: &str) -> u64 {
    let digits = word.trim_end_matches(|c: char| c.is_alphabetic());
    let count: u64 = digits.parse().expect("a number before the unit");
    match &word[digits.len()..] {
        "KiB" => count << 10,
        "MiB" => count << 20,
        unit => panic!("`{unit}` is no unit of size"),
    }
}

/// Calls one node and keeps what it asked for.
pub struct Host {
    pub now: Now,
    pub me: NodeId,
    pub rng: Rng,
    conns_opened: u32,
}

/// What a node asked for in one call.
#[derive(Debug)]
pub struct Asked {
    pub effects: Vec<Effect>,
    pub bytes: Vec<u8>,
    pub outcomes: Vec<Outcome>,
}

impl Host {
    pub fn new(me: NodeId) -> Self {
        Self {
            now: Now {
                mono: Instant(1),
                wall: WallTime(1),
            },
            me,
            rng: Rng::new(1, Domain::Node, "test"),
            conns_opened: 0,
        }
    }

    pub fn call(&mut self, call: impl FnOnce(Now, &mut Fx<'_>)) -> Asked {
        let mut outbox = Outbox::default();
        let mut disk = NoDisk;
        let (conns, rng) = (&mut self.conns_opened, &mut self.rng);
        call(
            self.now,
            &mut Fx::new(&mut outbox, self.me, conns, &mut disk, rng),
        );
        Asked {
            effects: outbox.effects,
            bytes: outbox.bytes,
            outcomes: outbox.outcomes,
        }
    }
}

/// The disk of a node that has none.
struct NoDisk;

impl Disk for NoDisk {
    fn len_bytes(&self, _: FileId) -> u64 {
        0
    }
    fn exists(&self, _: FileId) -> bool {
        false
    }
    fn read_at(&mut self, _: FileId, _: u64, _: &mut [u8]) -> Result<(), DiskError> {
        Err(DiskError::NotFound)
    }
    fn write_at(&mut self, _: FileId, _: u64, _: &[u8]) -> Result<(), DiskError> {
        Err(DiskError::WriteFailed)
    }
    fn set_len(&mut self, _: FileId, _: u64) -> Result<(), DiskError> {
        Err(DiskError::WriteFailed)
    }
    fn rename(&mut self, _: FileId, _: FileId) -> Result<(), DiskError> {
        Err(DiskError::NotFound)
    }
    fn remove(&mut self, _: FileId) -> Result<(), DiskError> {
        Err(DiskError::NotFound)
    }
    fn sync_now(&mut self, _: &[FileId]) -> Result<(), DiskError> {
        Err(DiskError::SyncFailed)
    }
}

/// A map with one group of nodes under `target`.
pub fn target(nodes: &[NodeId]) -> BTreeMap<String, Vec<NodeId>> {
    BTreeMap::from([(String::from("target"), nodes.to_vec())])
}

#[test]
fn every_default_of_the_tables_parses() {
    use super::tables;
    let cache = defaults(tables::CACHE_SETTINGS);
    assert_eq!(
        cache.range("election"),
        (Duration::from_millis(1500), Duration::from_secs(3))
    );
    assert_eq!(cache.bytes("cache_size"), 4096 << 20);
    assert_eq!(cache.choice("reads"), "read-index");
    let client = defaults(tables::CLIENT_SETTINGS);
    assert_eq!(client.ratio("pinned"), Ratio::new(50, 100));
}
