//! What a SWIM node is told at boot.

use super::defects::Defects;
use super::member::{Address, Name};
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use catalog::{Base, Kind};
use contract::{Duration, NodeId, Refused};

/// The most that a member may say of itself, in bytes.
pub const META_BYTES_MAX: usize = 512;

/// The shortest and the longest period of a task.
const PERIOD: Kind =
    Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(3_600) };

const fn count(max: i64) -> Kind {
    Kind::Int { min: 1, max }
}

catalog::settings! {
    /// The timing of membership. All members should have the same; the defaults are those of the
    /// gossip scheduler, and [`SwimSettings::lan`] are memberlist's for a local network.
    pub struct SwimSettings {
        /// How often a member is probed. Shorter finds deaths sooner and costs messages.
        probe_interval: Duration = "5s" => PERIOD;
        /// How long a direct answer may take before others are asked to probe.
        probe_timeout: Duration = "500ms" => PERIOD;
        /// How many others are asked.
        indirect_checks: u32 = 3 => Kind::Int { min: 0, max: 64 };
        /// Whether a stream is tried beside them, for where datagrams alone are lost.
        stream_ping: bool = true;
        /// How many probe intervals a suspicion lasts at least, in clusters of up to ten.
        suspicion_mult: u32 = 6 => count(1_000);
        /// How many times as long it lasts while nobody confirms it.
        suspicion_max_mult: u32 = 6 => count(1_000);
        /// How often a message is passed on, times the logarithm of the cluster.
        retransmit_mult: u32 = 4 => count(1_000);
        /// How often waiting messages are gossiped.
        gossip_interval: Duration = "2s" => PERIOD;
        /// To how many members.
        gossip_nodes: u32 = 2 => count(64);
        /// How long the dead are told, and remembered at least.
        gossip_to_the_dead: Duration = "30s" => PERIOD;
        /// How often everything is exchanged with one member; more rarely in large clusters.
        push_pull_interval: Duration = "30s" => PERIOD;
        /// How long a stream may take.
        stream_timeout: Duration = "10s" => PERIOD;
        /// By how much a node that mistrusts itself slows down its probes at most; 1 for never.
        awareness_max: u32 = 8 => count(1_000);
        /// After what time a dead member's name may come back from another address; zero for never.
        dead_node_reclaim: Duration = "0s";
        /// The bytes of a packet that several messages share.
        packet_bytes: u32 = 1400 => Kind::Int { min: 576, max: 65_507 };
    }
}

impl SwimSettings {
    /// The defaults of the rows.
    #[must_use]
    pub const fn hypercore() -> Self {
        Self {
            probe_interval: Duration::from_secs(5),
            suspicion_mult: 6,
            gossip_interval: Duration::from_secs(2),
            gossip_nodes: 2,
            ..Self::lan()
        }
    }

    /// memberlist's values for a local network.
    #[must_use]
    pub const fn lan() -> Self {
        Self {
            probe_interval: Duration::from_secs(1),
            probe_timeout: Duration::from_millis(500),
            indirect_checks: 3,
            stream_ping: true,
            suspicion_mult: 4,
            suspicion_max_mult: 6,
            retransmit_mult: 4,
            gossip_interval: Duration::from_millis(200),
            gossip_nodes: 3,
            gossip_to_the_dead: Duration::from_secs(30),
            push_pull_interval: Duration::from_secs(30),
            stream_timeout: Duration::from_secs(10),
            awareness_max: 8,
            dead_node_reclaim: Duration::ZERO,
            packet_bytes: 1400,
        }
    }

    /// memberlist's values for a wide area network.
    #[must_use]
    pub const fn wan() -> Self {
        Self {
            probe_interval: Duration::from_secs(5),
            probe_timeout: Duration::from_secs(3),
            suspicion_mult: 6,
            gossip_interval: Duration::from_millis(500),
            gossip_nodes: 4,
            gossip_to_the_dead: Duration::from_secs(60),
            push_pull_interval: Duration::from_secs(60),
            stream_timeout: Duration::from_secs(30),
            ..Self::lan()
        }
    }
}

/// What one node is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What it is called.
    pub me: Name,
    /// Where it is.
    pub address: Address,
    /// Which node is at which address. All members have the same table.
    pub addresses: Arc<[NodeId]>,
    /// What it says of itself: at most [`META_BYTES_MAX`] bytes.
    pub meta: Vec<u8>,
    /// The timing.
    pub timing: SwimSettings,
    /// Where the rows of [`super::EVENTS`] begin in the table of the system.
    pub events: Base,
    /// Planted defects; none.
    pub defects: Defects,
}

impl Config {
    /// The member whose name is its position among `addresses`, with the default timing.
    #[must_use]
    pub fn new(me: u32, addresses: Arc<[NodeId]>) -> Self {
        Self {
            me: Name(me),
            address: Address(me),
            addresses,
            meta: Vec::new(),
            timing: SwimSettings::hypercore(),
            events: Base::ZERO,
            defects: Defects::default(),
        }
    }

    /// Whether a node can work by these settings.
    ///
    /// # Errors
    /// With the first rule that is broken: a scenario may give any settings.
    pub(super) fn check(&self) -> Result<(), Refused> {
        assert!((self.address.0 as usize) < self.addresses.len(), "this node has an address");
        let timing = &self.timing;
        let rules = [
            (timing.probe_timeout < timing.probe_interval, "an answer comes within the interval"),
            (timing.gossip_nodes > 0, "gossip reaches somebody"),
            (timing.awareness_max > 0, "an interval is multiplied by one at least"),
            (timing.suspicion_max_mult > 0, "a suspicion lasts some time"),
            (timing.packet_bytes >= 576, "a packet has room for a message"),
            (self.meta.len() <= META_BYTES_MAX, "a member says at most 512 bytes of itself"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(Refused(format!("settings break a rule of SWIM: {rule}"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn the_rows_say_what_the_preset_holds() {
        let preset = SwimSettings::hypercore();
        let row = |name: &str| {
            let found = SwimSettings::ROWS.iter().find(|row| row.name == name);
            found.expect("the row is there").default.trim_matches('"')
        };
        for (name, duration) in [
            ("probe_interval", preset.probe_interval),
            ("probe_timeout", preset.probe_timeout),
            ("gossip_interval", preset.gossip_interval),
            ("gossip_to_the_dead", preset.gossip_to_the_dead),
            ("push_pull_interval", preset.push_pull_interval),
            ("stream_timeout", preset.stream_timeout),
            ("dead_node_reclaim", preset.dead_node_reclaim),
        ] {
            assert_eq!(row(name), duration.to_string(), "{name}");
        }
        for (name, count) in [
            ("indirect_checks", preset.indirect_checks),
            ("suspicion_mult", preset.suspicion_mult),
            ("suspicion_max_mult", preset.suspicion_max_mult),
            ("retransmit_mult", preset.retransmit_mult),
            ("gossip_nodes", preset.gossip_nodes),
            ("awareness_max", preset.awareness_max),
            ("packet_bytes", preset.packet_bytes),
        ] {
            assert_eq!(row(name), count.to_string(), "{name}");
        }
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        let mut config = Config::new(0, Arc::from([NodeId(0), NodeId(1)]));
        assert_eq!(config.check(), Ok(()));
        config.timing.probe_timeout = config.timing.probe_interval;
        assert!(config.check().is_err());
    }
}
