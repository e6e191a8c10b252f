//! What the unit tests of this system share: settings from the tables, and a host of one node.

#[path = "../../tests/hyperion/settings.rs"]
mod settings;

pub use settings::defaults;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use contract::{
    Domain, Duration, Effect, Fx, Instant, NoDisk, NodeId, Now, Outbox, Outcome, Ratio, Rng,
    WallTime,
};

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
            now: Now { mono: Instant(1), wall: WallTime(1) },
            me,
            rng: Rng::new(1, Domain::Node, "test"),
            conns_opened: 0,
        }
    }

    pub fn call(&mut self, call: impl FnOnce(Now, &mut Fx<'_>)) -> Asked {
        let mut outbox = Outbox::default();
        let mut disk = NoDisk;
        let (conns, rng) = (&mut self.conns_opened, &mut self.rng);
        call(self.now, &mut Fx::new(&mut outbox, self.me, conns, &mut disk, rng));
        Asked { effects: outbox.effects, bytes: outbox.bytes, outcomes: outbox.outcomes }
    }
}

/// A map with one group of nodes under `target`.
pub fn target(nodes: &[NodeId]) -> BTreeMap<String, Vec<NodeId>> {
    BTreeMap::from([(String::from("target"), nodes.to_vec())])
}

#[test]
fn every_default_of_the_tables_parses() {
    use super::tables;
    let cache = defaults(tables::settings::CacheSettings::ROWS);
    assert_eq!(cache.range("election"), (Duration::from_millis(1500), Duration::from_secs(3)));
    assert_eq!(cache.bytes("value_size_max"), 512 << 10);
    assert_eq!(cache.choice("reads"), "read-index");
    let client = defaults(tables::settings::ClientSettings::ROWS);
    assert_eq!(client.ratio("pinned"), Ratio::new(50, 100));
}
