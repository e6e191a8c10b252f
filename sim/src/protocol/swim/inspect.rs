//! What can be read off a member, for its owner, for invariants and for reports.

use super::broadcasts::Broadcasts;
use super::machine::Swim;
use super::member::{Address, Member, Members, Name, State};
use super::settings::Config;
use super::suspicion::Suspicion;
use super::timeouts::{push_pull_scale, suspicion_min};
use contract::{Duration, Instant, NodeId};

impl Swim {
    /// What it was booted with; what it says of itself may have changed since.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> Name {
        self.config.me
    }

    /// Its own incarnation.
    #[must_use]
    pub const fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// All that it knows of members, itself among them.
    #[must_use]
    pub const fn members(&self) -> &Members {
        &self.members
    }

    /// What it knows of one.
    #[must_use]
    pub fn member(&self, name: Name) -> Option<&Member> {
        self.members.get(name)
    }

    /// Whether it takes `name` for living: alive, or under suspicion.
    #[must_use]
    pub fn takes_for_living(&self, name: Name) -> bool {
        self.members.get(name).is_some_and(|member| !member.state.is_gone())
    }

    /// How many members are in a state.
    #[must_use]
    pub fn count(&self, state: State) -> u64 {
        self.members.iter().filter(|member| member.state == state).count() as u64
    }

    /// What it suspects of `name`, if anything.
    #[must_use]
    pub fn suspicion(&self, name: Name) -> Option<&Suspicion> {
        self.suspicions.get(&name)
    }

    /// Its messages that wait to be gossiped.
    #[must_use]
    pub const fn queue(&self) -> &Broadcasts {
        &self.queue
    }

    /// How much it mistrusts itself: 0 where all is well.
    #[must_use]
    pub const fn awareness(&self) -> u32 {
        self.awareness.score()
    }

    /// Whether it has said that it leaves.
    #[must_use]
    pub const fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    /// The longest packet of several messages that it has sent.
    #[must_use]
    pub const fn packet_bytes_peak(&self) -> u64 {
        self.packet_bytes_peak
    }

    /// When its round of probes began: then it forgot old tombstones.
    #[must_use]
    pub const fn round_began(&self) -> Instant {
        self.reaped_at
    }

    /// The node at an address; `None` where there is none, or it is the own one.
    #[must_use]
    pub fn node_of(&self, address: Address) -> Option<NodeId> {
        self.node_at(address)
    }

    /// How long views may differ in a cluster of this size while its members reach each other: six
    /// exchanges of everything, and a suspicion that must run out first.
    #[must_use]
    pub fn settles_within(&self) -> Duration {
        let (timing, members) = (&self.config.timing, self.members.count());
        let exchange = timing.push_pull_interval.saturating_mul(push_pull_scale(members));
        let min = suspicion_min(timing.suspicion_mult, members, timing.probe_interval);
        exchange.saturating_mul(6) + min.saturating_mul(u64::from(timing.suspicion_max_mult))
    }

    /// Logical memory in use, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        let metas: u64 = self.members.iter().map(|member| member.meta.len() as u64).sum();
        self.members.count() * 64 + metas + self.queue.len() as u64 * 128
    }
}
