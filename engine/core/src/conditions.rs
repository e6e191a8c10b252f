//! Faults as values: the list of conditions, folded into links, nodes and disks when it changes.
//!
//! How conditions of one kind combine is stated on each in `contract::world`. Folding always reads
//! the conditions that are left in the order in which they were imposed, so lifting one is the
//! same as never having imposed it, whatever was lifted before.

use crate::disk::{DiskHit, DiskLaw};
use crate::host::{HostHit, HostLaw};
use crate::kernel::Kernel;
use crate::net::law::LinkHit;
use crate::record::{Class, Record, What};
use crate::trace::EventKind;
use alloc::vec::Vec;
use contract::hash::mix;
use contract::{Condition, ConditionId, InFlight, NodeId, Shock, Target, Unsupported};

/// Every condition of a run, past and present, indexed by its id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    condition: Condition,
    /// What its target's counter showed when it was imposed.
    hits_before: u64,
    /// Its own hits, once it was lifted.
    hits: Option<u64>,
}

/// Which of its target's counters shows the effect of a condition.
#[derive(Clone, Copy, Debug)]
enum Hit {
    Link(LinkHit),
    Host(HostHit),
    Disk(DiskHit),
}

impl Conditions {
    /// The conditions with the numbers in `list`.
    pub fn among<'a>(&'a self, list: &'a [u32]) -> impl Iterator<Item = &'a Condition> {
        list.iter().map(|number| &self.entries[*number as usize].condition)
    }
}

impl Kernel {
    /// Imposes a condition on everything but the life of its node, which is the engine's business.
    pub fn bend(&mut self, condition: Condition) -> Result<ConditionId, Unsupported> {
        let (target, hit) = (condition.target(), hit_of(&condition));
        target.nodes().try_for_each(|node| self.check_node(node))?;
        let id = self.conditions.entries.len() as u32;
        assert!(id < u32::MAX, "conditions are counted in 32 bits");
        let cuts = matches!(condition, Condition::Block { in_flight: InFlight::Lost, .. });
        self.conditions.entries.push(Entry { condition, hits_before: 0, hits: None });
        self.with_list(target, |list| list.push(id));
        self.refit(target, hit);
        // Only now: the first condition on a link gives it its counters.
        self.conditions.entries[id as usize].hits_before = self.hits(target, hit);
        if let (true, Some((from, to))) = (cuts, target.link()) {
            self.cut(from, to);
        }
        Ok(ConditionId(id))
    }

    /// Lifts a condition; returns it, or `None` when it was lifted before.
    pub fn unbend(&mut self, id: ConditionId) -> Option<Condition> {
        let condition = self.conditions.entries[id.0 as usize].condition.clone();
        let (target, hit) = (condition.target(), hit_of(&condition));
        let hits = self.hits(target, hit);
        let entry = &mut self.conditions.entries[id.0 as usize];
        if entry.hits.is_some() {
            return None;
        }
        assert!(hits >= entry.hits_before, "a counter only grows");
        entry.hits = Some(hits - entry.hits_before);
        self.with_list(target, |list| {
            let before = list.len();
            list.retain(|number| *number != id.0);
            assert_eq!(list.len() + 1, before, "a condition that holds is listed once");
        });
        self.refit(target, hit);
        if let Some((from, to)) = target.link() {
            self.release_link(from, to);
        }
        Some(condition)
    }

    /// How many events the condition changed so far.
    pub fn effect_count(&self, id: ConditionId) -> u64 {
        let entry = &self.conditions.entries[id.0 as usize];
        entry.hits.unwrap_or_else(|| {
            let hits = self.hits(entry.condition.target(), hit_of(&entry.condition));
            assert!(hits >= entry.hits_before, "a counter only grows");
            hits - entry.hits_before
        })
    }

    /// Applies a shock.
    pub fn shock(&mut self, shock: Shock) -> Result<(), Unsupported> {
        match shock {
            Shock::WallJump { node, by_ns } => {
                self.check_node(node)?;
                self.hosts.get_mut(node).clock.jump(by_ns);
                self.note(node, node, EventKind::Clock, 0, by_ns as u64);
            }
            Shock::FlipBit { node, file, bit } => {
                self.check_node(node)?;
                self.hosts.get_mut(node).disk.flip(file, bit);
                let hash = mix(u64::from(file.0), bit);
                self.note(node, node, EventKind::Disk, 0, hash);
            }
            Shock::InjectFrame { from, to, bytes } => {
                self.check_node(from)?;
                self.check_node(to)?;
                self.inject(from, to, &bytes);
            }
            Shock::Reset { node } => {
                self.check_node(node)?;
                self.reset_all(node);
            }
        }
        Ok(())
    }

    fn inject(&mut self, from: NodeId, to: NodeId, bytes: &[u8]) {
        self.counters.injected += 1;
        let host = self.hosts.get_mut(to);
        if !host.alive {
            self.counters.dropped_node_down += 1;
            return;
        }
        let n = host.number();
        let boot = host.boot;
        let frame = self.frames.put(bytes);
        let link = self.net.links.id(from, to);
        assert_eq!(self.net.links.ends(link), (from, to), "the link leads there");
        let entry = self.net.links.get_mut(link);
        entry.in_flight += 1;
        let cut = entry.cut;
        let what = What::Datagram { frame, link, boot, cut };
        let record = Record { n, src: from, dst: to, what };
        self.queue.schedule(self.queue.now(), Class::Data, record);
    }

    /// What is under way on the link is lost.
    fn cut(&mut self, from: NodeId, to: NodeId) {
        let id = self.net.links.id(from, to);
        let link = self.net.links.get_mut(id);
        link.cut += 1;
        let lost = u64::from(core::mem::take(&mut link.in_flight));
        self.net.links.hit(id, LinkHit::Block, lost);
        assert_eq!(self.net.links.get(id).in_flight, 0, "a cut spares nothing");
    }

    /// Lets go what waited on the link, if nothing stops it any more.
    fn release_link(&mut self, from: NodeId, to: NodeId) {
        let id = self.net.links.id(from, to);
        let (is_cut, is_held) = self.net.stops(id);
        if !is_held {
            let now = self.now();
            let held = core::mem::take(&mut self.net.links.bent(id).held);
            for (due, record) in held {
                self.queue.schedule(due.max(now), Class::Data, record);
            }
            assert!(self.net.links.held(id).is_empty(), "a link that holds nothing is empty");
        }
        if !is_cut && !is_held {
            self.resume(id);
        }
    }

    fn refit(&mut self, target: Target, hit: Hit) {
        match (target, hit) {
            (Target::Link { from, to }, _) => {
                let id = self.net.links.id(from, to);
                let list = self.net.links.bent(id).conditions.clone();
                self.net.links.refit(id, self.conditions.among(&list));
            }
            (Target::Node(node), Hit::Disk(_)) => {
                let host = self.hosts.get_mut(node);
                let conditions = self.conditions.among(&host.conditions);
                host.disk.law = DiskLaw::new(&host.spec.disk, conditions);
            }
            (Target::Node(node), Hit::Host(_) | Hit::Link(_)) => self.refit_host(node),
        }
    }

    fn refit_host(&mut self, node: NodeId) {
        let now = self.now();
        let host = self.hosts.get_mut(node);
        let before = host.law.drift_ppm;
        host.law = HostLaw::new(&host.spec, self.conditions.among(&host.conditions));
        assert!(host.alive || host.node.is_none(), "only a node that is up has a state");
        let ppm = host.law.drift_ppm;
        if ppm != before {
            host.clock.set_drift(now, ppm);
            let clock = &host.clock;
            let queue = &mut self.queue;
            host.timers.refit(
                now,
                |due| clock.when(due),
                |alarm| {
                    let what = What::Timer { key: alarm.key };
                    let record = Record { n: alarm.n, src: node, dst: node, what };
                    queue.schedule(alarm.at, Class::Timer, record);
                },
            );
            self.note(node, node, EventKind::Clock, 0, ppm as u64);
        }
        self.queue_wake(node, now);
    }

    fn with_list(&mut self, target: Target, change: impl FnOnce(&mut Vec<u32>)) {
        let list = match target {
            Target::Link { from, to } => {
                let id = self.net.links.id(from, to);
                &mut self.net.links.bent(id).conditions
            }
            Target::Node(node) => &mut self.hosts.get_mut(node).conditions,
        };
        change(list);
        assert!(list.is_sorted(), "conditions are folded in the order in which they were imposed");
    }

    fn hits(&self, target: Target, hit: Hit) -> u64 {
        match (target, hit) {
            (Target::Link { from, to }, Hit::Link(hit)) => {
                self.net.links.find(from, to).map_or(0, |id| self.net.links.hits(id, hit))
            }
            (Target::Node(node), Hit::Host(hit)) => self.hosts.get(node).hits[hit as usize],
            (Target::Node(node), Hit::Disk(hit)) => self.hosts.get(node).disk.hits.get(hit),
            (target, hit) => panic!("{hit:?} is not counted at {target:?}"),
        }
    }

    fn check_node(&self, node: NodeId) -> Result<(), Unsupported> {
        let is_there = node.index() < self.hosts.all.len();
        is_there.then_some(()).ok_or(Unsupported("there is no such node"))
    }
}

const fn hit_of(condition: &Condition) -> Hit {
    match condition {
        Condition::Block { .. } => Hit::Link(LinkHit::Block),
        Condition::Hold { .. } => Hit::Link(LinkHit::Hold),
        Condition::Loss { .. } => Hit::Link(LinkHit::Loss),
        Condition::Duplicate { .. } => Hit::Link(LinkHit::Duplicate),
        Condition::Reorder { .. } => Hit::Link(LinkHit::Reorder),
        Condition::Corrupt { .. } => Hit::Link(LinkHit::Corrupt),
        Condition::Delay { .. } => Hit::Link(LinkHit::Delay),
        Condition::Bandwidth { .. } => Hit::Link(LinkHit::Bandwidth),
        Condition::Down { .. } => Hit::Host(HostHit::Down),
        Condition::Pause { .. } => Hit::Host(HostHit::Pause),
        Condition::SlowCpu { .. } => Hit::Host(HostHit::SlowCpu),
        Condition::MemoryLimit { .. } => Hit::Host(HostHit::Memory),
        Condition::Drift { .. } => Hit::Host(HostHit::Drift),
        Condition::ServiceTime { .. } => Hit::Host(HostHit::ServiceTime),
        Condition::DiskSlow { .. } => Hit::Disk(DiskHit::Slow),
        Condition::SyncLies { .. } => Hit::Disk(DiskHit::SyncLies),
        Condition::SyncFails { .. } => Hit::Disk(DiskHit::SyncFails),
        Condition::WriteFails { .. } => Hit::Disk(DiskHit::WriteFails),
        Condition::ReadCorrupt { .. } => Hit::Disk(DiskHit::ReadCorrupt),
        Condition::WriteCorrupt { .. } => Hit::Disk(DiskHit::WriteCorrupt),
        Condition::Misdirect { .. } => Hit::Disk(DiskHit::Misdirect),
        Condition::Capacity { .. } => Hit::Disk(DiskHit::Full),
    }
}
