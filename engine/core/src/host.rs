//! One node's place in the world: up or down, busy or paused, its inbox, clocks, timers and disk.

use crate::clocks::Clock;
use crate::config::NodeSpec;
use crate::disk::{DiskLaw, SimDisk};
use crate::machines::Tenancy;
use crate::record::Record;
use crate::timers::Timers;
use crate::trace::Event;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;
use contract::hash::{hash_bytes, mix};
use contract::{
    Condition, DiskFate, Domain, DurableFiles, Duration, Node, NodeId, Nodes, Rng, SimTime,
};

/// What a condition can do to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostHit {
    Down = 0,
    Pause = 1,
    SlowCpu = 2,
    Memory = 3,
    Drift = 4,
    ServiceTime = 5,
}

/// The kinds of [`HostHit`].
const HITS: usize = 6;

const _: () = assert!(HostHit::ServiceTime as usize + 1 == HITS, "each kind has a counter");

/// A node's specification with all conditions folded in.
#[derive(Clone, Debug)]
pub(crate) struct HostLaw {
    pub down: bool,
    pub paused: bool,
    pub pace: Pace,
    pub memory_max: Option<u64>,
    pub memory_bent: bool,
    pub drift_ppm: i64,
    /// A condition bends the clock.
    pub drifts: bool,
}

impl HostLaw {
    pub fn new<'a>(spec: &NodeSpec, conditions: impl Iterator<Item = &'a Condition>) -> Self {
        let mut law = Self {
            down: false,
            paused: false,
            pace: Pace::PLAIN,
            memory_max: spec.memory_limit,
            memory_bent: false,
            drift_ppm: i64::from(spec.clock.drift_ppm),
            drifts: false,
        };
        for condition in conditions {
            match condition {
                Condition::Down { .. } => law.down = true,
                Condition::Pause { .. } => law.paused = true,
                Condition::SlowCpu { times, .. } => law.pace.slow_down(*times),
                Condition::ServiceTime { permille, .. } => law.pace.scale(*permille),
                Condition::MemoryLimit { bytes, .. } => {
                    law.memory_max = Some(law.memory_max.map_or(*bytes, |least| least.min(*bytes)));
                }
                Condition::Drift { ppm, .. } => {
                    law.drift_ppm += i64::from(*ppm);
                    law.drifts |= *ppm != 0;
                }
                // The disk's own law folds these.
                Condition::DiskSlow { .. }
                | Condition::SyncLies { .. }
                | Condition::SyncFails { .. }
                | Condition::WriteFails { .. }
                | Condition::ReadCorrupt { .. }
                | Condition::WriteCorrupt { .. }
                | Condition::Misdirect { .. }
                | Condition::Capacity { .. } => {}
                Condition::Block { .. }
                | Condition::Hold { .. }
                | Condition::Loss { .. }
                | Condition::Duplicate { .. }
                | Condition::Reorder { .. }
                | Condition::Corrupt { .. }
                | Condition::Delay { .. }
                | Condition::Bandwidth { .. } => {
                    panic!("{condition:?} bends no node")
                }
            }
        }
        assert!(spec.memory_limit.is_none_or(|own| law.memory_max <= Some(own)), "the least holds");
        assert!(law.drifts || law.drift_ppm == i64::from(spec.clock.drift_ppm), "or its own");
        law.memory_bent = law.memory_max != spec.memory_limit;
        law
    }
}

/// How much longer than at rest the node takes for what it spends: the product of all factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Of `SlowCpu`.
    slow: u64,
    /// Of `ServiceTime`, in [`Pace::UNIT`]s. Exact for four of them at once; the product of more is
    /// rounded down.
    service: u128,
}

impl Pace {
    const UNIT: u128 = 1_000_000_000_000;
    pub const PLAIN: Self = Self { slow: 1, service: Self::UNIT };

    fn slow_down(&mut self, times: u32) {
        self.slow = self.slow.saturating_mul(u64::from(times).max(1));
        assert!(self.slow >= 1, "a factor does not vanish");
    }

    fn scale(&mut self, permille: u32) {
        self.service = self.service.saturating_mul(u128::from(permille)) / 1_000;
    }

    /// Whether a processor is slowed.
    pub fn is_slow(self) -> bool {
        self.slow > 1
    }

    /// Whether a service time is scaled.
    pub fn is_scaled(self) -> bool {
        self.service != Self::UNIT
    }

    /// What `cost` comes to, rounded down to a whole nanosecond.
    pub fn of(self, cost: Duration) -> Duration {
        let slowed = cost.saturating_mul(self.slow);
        if !self.is_scaled() {
            return slowed;
        }
        let scaled = u128::from(slowed.as_nanos()).saturating_mul(self.service) / Self::UNIT;
        Duration(u64::try_from(scaled).unwrap_or(u64::MAX))
    }
}

/// A client's next wake-up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Client {
    /// `None` when none is queued.
    pub wake_at: Option<SimTime>,
    /// The number of the queued entry that counts.
    pub wake_n: u64,
}

/// One node's place.
pub(crate) struct Host {
    pub node: Option<Box<dyn Node>>,
    /// Up, or just about to be: messages to it are not lost.
    pub alive: bool,
    /// Its machine has no power.
    pub dark: bool,
    /// How often it has booted before its present, or last, life.
    pub boot: u32,
    pub boots: u32,
    pub rng: Rng,
    pub conns_opened: u32,
    pub digest: u64,
    pub busy_until: SimTime,
    pub inbox: VecDeque<Record>,
    /// An entry of the queue will look after the inbox.
    pub wake_queued: bool,
    pub law: HostLaw,
    pub clock: Clock,
    pub timers: Timers,
    pub disk: SimDisk,
    /// Numbers records that no link and no timer numbers.
    pub numbers: u64,
    pub client: Option<Client>,
    /// Invocations so far.
    pub invoked: u64,
    /// Who started it; `None` for a node that booted by itself or is down.
    pub tenancy: Option<Tenancy>,
    /// A lowered memory limit killed it: it boots again when that is lifted.
    pub starved: bool,
    /// What the crashes of the present outage do to the disk.
    pub fate: DiskFate,
    /// The conditions on it, by number, ascending.
    pub conditions: Vec<u32>,
    pub hits: [u64; HITS],
    pub spec: Rc<NodeSpec>,
}

impl Host {
    pub fn new(seed: u64, spec: &NodeSpec) -> Self {
        let law = DiskLaw::new(&spec.disk, core::iter::empty());
        Self {
            node: None,
            alive: false,
            dark: false,
            boot: 0,
            boots: 0,
            rng: Rng::new(seed, Domain::Node, &boot_name(&spec.name, 0)),
            conns_opened: 0,
            digest: 0,
            busy_until: SimTime::ZERO,
            inbox: VecDeque::new(),
            wake_queued: false,
            law: HostLaw::new(spec, core::iter::empty()),
            clock: Clock::new(spec.clock),
            timers: Timers::default(),
            disk: SimDisk::new(seed, &spec.name, law),
            numbers: 0,
            client: None,
            invoked: 0,
            tenancy: None,
            starved: false,
            fate: DiskFate::Kept,
            conditions: Vec::new(),
            hits: [0; HITS],
            spec: Rc::new(spec.clone()),
        }
    }

    /// Whether an input can be handled now, not waiting behind others.
    #[inline]
    pub fn is_ready(&self, now: SimTime) -> bool {
        self.inbox.is_empty() && self.may_run(now)
    }

    /// Whether the node is neither paused nor busy.
    #[inline]
    pub fn may_run(&self, now: SimTime) -> bool {
        self.busy_until <= now && !self.law.paused
    }

    /// The random stream of the present life.
    pub fn reseed(&mut self, seed: u64) {
        assert!(self.boot <= self.boots, "a life was counted when it began");
        self.rng = Rng::new(seed, Domain::Node, &boot_name(&self.spec.name, self.boot));
    }

    /// A fresh number for a record of this node's own.
    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        assert!(self.numbers < 1 << 63, "they stay apart from those of messages");
        // Far above the numbers of messages, so that the two never meet.
        self.numbers | 1 << 63
    }

    pub fn hit(&mut self, hit: HostHit) {
        self.hits[hit as usize] += 1;
    }

    /// A copy, if the node can be copied.
    pub fn fork(&self) -> Option<Self> {
        assert!(self.alive || self.node.is_none(), "only a node that is up has a state");
        assert!(self.boot <= self.boots, "a life was counted when it began");
        let node = match &self.node {
            Some(node) => Some(node.fork()?),
            None => None,
        };
        Some(Self {
            node,
            alive: self.alive,
            dark: self.dark,
            boot: self.boot,
            boots: self.boots,
            rng: self.rng.clone(),
            conns_opened: self.conns_opened,
            digest: self.digest,
            busy_until: self.busy_until,
            inbox: self.inbox.clone(),
            wake_queued: self.wake_queued,
            law: self.law.clone(),
            clock: self.clock.clone(),
            timers: self.timers.clone(),
            disk: self.disk.clone(),
            numbers: self.numbers,
            client: self.client,
            invoked: self.invoked,
            tenancy: self.tenancy.clone(),
            starved: self.starved,
            fate: self.fate,
            conditions: self.conditions.clone(),
            hits: self.hits,
            spec: Rc::clone(&self.spec),
        })
    }
}

fn boot_name(name: &str, boot: u32) -> alloc::string::String {
    format!("{name} boot {boot}")
}

/// A node's digest after one more event, which the node with the name hash `from` caused.
#[inline]
pub(crate) fn folded(digest: u64, from: u64, event: &Event) -> u64 {
    let what = from ^ ((event.kind as u64) << 56 | u64::from(event.len_bytes) << 24);
    mix(mix(digest, event.at.0.wrapping_add(what)), event.hash)
}

/// All nodes' places, indexed by node.
pub(crate) struct Hosts {
    pub all: Vec<Host>,
    /// A hash of each name, kept close together because every event needs the sender's.
    pub names: Rc<[u64]>,
}

impl Hosts {
    pub fn new(seed: u64, specs: &[NodeSpec]) -> Self {
        let names: Vec<u64> = specs.iter().map(|spec| hash_bytes(spec.name.as_bytes())).collect();
        for (index, spec) in specs.iter().enumerate() {
            let twin = names[..index].iter().position(|name| *name == names[index]);
            if let Some(twin) = twin {
                panic!(
                    "nodes {} and {} share their random streams: rename one",
                    specs[twin].name, spec.name
                );
            }
        }
        Self { all: specs.iter().map(|spec| Host::new(seed, spec)).collect(), names: names.into() }
    }

    /// Folds an event into its node's digest: everybody by name, nobody by id.
    #[inline]
    pub fn note(&mut self, event: &Event) {
        let from = self.names[event.src.index()];
        let host = self.get_mut(event.node);
        host.digest = folded(host.digest, from, event);
    }

    /// The digest of a run: those of the nodes by their names, in no order.
    pub fn digest(&self) -> u64 {
        assert_eq!(self.all.len(), self.names.len(), "every node has a name");
        let parts = self.all.iter().zip(self.names.iter());
        parts.fold(0, |sum, (host, name)| sum.wrapping_add(mix(*name, host.digest)))
    }

    pub fn fork(&self) -> Option<Self> {
        let all: Option<Vec<Host>> = self.all.iter().map(Host::fork).collect();
        assert!(all.as_ref().is_none_or(|all| all.len() == self.names.len()), "nobody is lost");
        Some(Self { all: all?, names: Rc::clone(&self.names) })
    }

    #[inline]
    pub fn get(&self, node: NodeId) -> &Host {
        &self.all[node.index()]
    }

    #[inline]
    pub fn get_mut(&mut self, node: NodeId) -> &mut Host {
        &mut self.all[node.index()]
    }
}

impl Nodes for Hosts {
    fn count(&self) -> usize {
        self.all.len()
    }
    fn node(&self, id: NodeId) -> Option<&dyn Node> {
        self.get(id).node.as_deref()
    }
    fn boot(&self, id: NodeId) -> u32 {
        self.get(id).boot
    }
    fn machine(&self, id: NodeId) -> Option<NodeId> {
        self.get(id).tenancy.as_ref().map(|tenancy| tenancy.machine)
    }
    fn durable(&self, id: NodeId) -> Option<&dyn DurableFiles> {
        Some(&self.get(id).disk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn factors_of_both_kinds_multiply_in_any_order() {
        let pace = |conditions: &[Condition]| {
            HostLaw::new(&NodeSpec::default(), conditions.iter()).pace.of(Duration(1_000_000))
        };
        let node = NodeId(0);
        let slow = Condition::SlowCpu { node, times: 3 };
        let quarter = Condition::ServiceTime { node, permille: 250 };
        let odd = Condition::ServiceTime { node, permille: 1_001 };
        assert_eq!(pace(&[]), Duration(1_000_000));
        assert_eq!(pace(&[slow.clone(), quarter.clone()]), Duration(750_000));
        assert_eq!(pace(&[odd.clone(), slow.clone(), quarter.clone()]), Duration(750_750));
        assert_eq!(pace(&[quarter, slow, odd]), Duration(750_750));
        assert_eq!(pace(&[Condition::ServiceTime { node, permille: 0 }]), Duration(0));
        let much = Condition::ServiceTime { node, permille: u32::MAX };
        assert_eq!(pace(&vec![much; 9]), Duration(u64::MAX));
    }
}
