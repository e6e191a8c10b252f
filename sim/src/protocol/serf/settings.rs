//! What a Serf node is told at boot.

use super::defects::Defects;
use crate::protocol::swim;
use catalog::{Base, Kind};
use contract::Duration;

/// No event is longer than this when it is encoded, whatever the settings say.
pub const EVENT_BYTES_MAX: u64 = 9 << 10;

const PERIOD: Kind =
    Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(30 * 86_400) };
const SIZE: Kind = Kind::Int { min: 1, max: EVENT_BYTES_MAX as i64 };
const SLOTS: Kind = Kind::Int { min: 1, max: 65_536 };

catalog::settings! {
    /// The settings of events, queries and intents. The defaults are those of the gossip scheduler;
    /// where it says nothing, Serf's.
    pub struct SerfSettings {
        /// The most bytes of a user event, its name counted in.
        user_event_bytes: u32 = 2048 => SIZE;
        /// The most bytes of a query.
        query_bytes: u32 = 1024 => SIZE;
        /// The most bytes of an answer.
        answer_bytes: u32 = 1024 => SIZE;
        /// How many messages may wait; past it a broadcast is skipped and counted.
        queue_depth: u32 = 5000 => Kind::Int { min: 1, max: 1_000_000 };
        /// How often queues are cut to their depth.
        queue_check_interval: Duration = "30s" => PERIOD;
        /// How many Lamport times of events are remembered, to deliver each once.
        event_buffer: u32 = 512 => SLOTS;
        /// How many of queries.
        query_buffer: u32 = 512 => SLOTS;
        /// How long a query takes, in gossip intervals, times the logarithm of the cluster.
        query_timeout_mult: u32 = 16 => Kind::Int { min: 1, max: 10_000 };
        /// How often who is gone for long is forgotten.
        reap_interval: Duration = "15s" => PERIOD;
        /// How long an intent about an unknown member is remembered.
        intent_timeout: Duration = "300s" => PERIOD;
        /// How often a failed member is tried again.
        reconnect_interval: Duration = "30s" => PERIOD;
        /// How long failed members are tried.
        reconnect_timeout: Duration = "86400s" => PERIOD;
        /// How long it is remembered who left.
        tombstone_timeout: Duration = "86400s" => PERIOD;
        /// How long a leaving member waits for its intent to be told.
        broadcast_timeout: Duration = "5s" => PERIOD;
        /// How long it waits after that.
        leave_propagate_delay: Duration = "1s" => PERIOD;
        /// Over what time events about members, and user events that allow it, are drawn together;
        /// zero for not at all.
        coalesce_period: Duration = "0s";
        /// After what time without another they are handed on earlier.
        quiescent_period: Duration = "0s";
        /// Whether a join passes over events that are older than it.
        ignore_old: bool = false;
    }
}

impl SerfSettings {
    /// The defaults of the rows.
    #[must_use]
    pub const fn hypercore() -> Self {
        Self {
            user_event_bytes: 2048,
            query_bytes: 1024,
            answer_bytes: 1024,
            queue_depth: 5000,
            queue_check_interval: Duration::from_secs(30),
            event_buffer: 512,
            query_buffer: 512,
            query_timeout_mult: 16,
            reap_interval: Duration::from_secs(15),
            intent_timeout: Duration::from_secs(300),
            reconnect_interval: Duration::from_secs(30),
            reconnect_timeout: Duration::from_secs(86_400),
            tombstone_timeout: Duration::from_secs(86_400),
            broadcast_timeout: Duration::from_secs(5),
            leave_propagate_delay: Duration::from_secs(1),
            coalesce_period: Duration::ZERO,
            quiescent_period: Duration::ZERO,
            ignore_old: false,
        }
    }
}

/// What one node is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The membership below.
    pub swim: swim::Config,
    /// The settings.
    pub settings: SerfSettings,
    /// Where the rows of [`super::EVENTS`] begin in the table of the system.
    pub events: Base,
    /// Planted defects; none.
    pub defects: Defects,
}

impl Config {
    /// The default settings over this membership.
    #[must_use]
    pub fn new(swim: swim::Config) -> Self {
        let settings = SerfSettings::hypercore();
        Self { swim, settings, events: Base::ZERO, defects: Defects::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn the_rows_say_what_the_preset_holds() {
        let preset = SerfSettings::hypercore();
        let row = |name: &str| {
            let found = SerfSettings::ROWS.iter().find(|row| row.name == name);
            found.expect("the row is there").default.trim_matches('"')
        };
        for (name, count) in [
            ("user_event_bytes", preset.user_event_bytes),
            ("query_bytes", preset.query_bytes),
            ("queue_depth", preset.queue_depth),
            ("event_buffer", preset.event_buffer),
            ("query_timeout_mult", preset.query_timeout_mult),
        ] {
            assert_eq!(row(name), count.to_string(), "{name}");
        }
        for (name, duration) in [
            ("reap_interval", preset.reap_interval),
            ("intent_timeout", preset.intent_timeout),
            ("reconnect_interval", preset.reconnect_interval),
            ("broadcast_timeout", preset.broadcast_timeout),
            ("coalesce_period", preset.coalesce_period),
        ] {
            assert_eq!(row(name), duration.to_string(), "{name}");
        }
    }
}
