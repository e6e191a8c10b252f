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
use contract::{Condition, ConditionId, InFlight, NodeId, Shock, Unsupported};

/// Every condition of a run, past and present, indexed by its id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    condition: Condition,
    /// Where it holds: at its target, unless that is the inside of a machine, and at whatever lives
    /// on its target; with what the counter there showed when it began.
    holds: Vec<(Target, u64)>,
    /// What it changed where it holds no more.
    past_hits: u64,
    is_lifted: bool,
}

/// What a condition bends, and which of the target's counters shows its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Link(NodeId, NodeId, LinkHit),
    Host(NodeId, HostHit),
    Disk(NodeId, DiskHit),
}

impl Conditions {
    /// The conditions with the numbers in `list`.
    pub fn among<'a>(&'a self, list: &'a [u32]) -> impl Iterator<Item = &'a Condition> {
        list.iter().map(|number| &self.entries[*number as usize].condition)
    }

    /// The numbers of those that are not lifted, ascending.
    pub fn in_force(&self) -> Vec<u32> {
        let numbered = (0..).zip(&self.entries);
        numbered.filter(|(_, entry)| !entry.is_lifted).map(|(number, _)| number).collect()
    }

    /// The condition with the number.
    pub fn get(&self, number: u32) -> &Condition {
        &self.entries[number as usize].condition
    }

    /// Where a condition holds now.
    pub fn places(&self, number: u32) -> impl Iterator<Item = Target> + '_ {
        self.entries[number as usize].holds.iter().map(|(place, _)| *place)
    }
}

impl Kernel {
    /// Imposes a condition on everything but the life of its node, which is the engine's business.
    pub fn bend(&mut self, condition: Condition) -> Result<ConditionId, Unsupported> {
        let target = self.target_of(&condition)?;
        let id = self.conditions.entries.len() as u32;
        let in_flight = match &condition {
            Condition::Block { in_flight, .. } => Some(*in_flight),
            _ => None,
        };
        let entry = Entry { condition, holds: Vec::new(), past_hits: 0, is_lifted: false };
        self.conditions.entries.push(entry);
        for place in self.reach(target) {
            self.hold(id, place);
            self.refit(place);
            if let (Target::Link(from, to, _), Some(InFlight::Lost)) = (place, in_flight) {
                self.cut(from, to);
            }
        }
        Ok(ConditionId(id))
    }

    /// Lifts a condition; returns it, or `None` when it was lifted before.
    pub fn unbend(&mut self, id: ConditionId) -> Option<Condition> {
        let entry = &mut self.conditions.entries[id.0 as usize];
        if core::mem::replace(&mut entry.is_lifted, true) {
            return None;
        }
        let condition = entry.condition.clone();
        let places: Vec<Target> = self.conditions.places(id.0).collect();
        for place in &places {
            self.let_go(id.0, *place);
            self.refit(*place);
        }
        for place in places {
            if let Target::Link(from, to, _) = place {
                self.release_link(from, to);
            }
        }
        Some(condition)
    }

    /// How many events the condition changed so far.
    pub fn effect_count(&self, id: ConditionId) -> u64 {
        let entry = &self.conditions.entries[id.0 as usize];
        let here = |(place, before): &(Target, u64)| self.hits(*place) - before;
        entry.past_hits + entry.holds.iter().map(here).sum::<u64>()
    }

    /// From now on the condition holds at `place`.
    pub fn hold(&mut self, number: u32, place: Target) {
        self.with_list(place, |list| {
            let at = list.binary_search(&number);
            list.insert(at.expect_err("it does not hold there yet"), number);
        });
        // Only now: the first condition on a link gives it its counters.
        let before = self.hits(place);
        self.conditions.entries[number as usize].holds.push((place, before));
    }

    /// From now on the condition does not hold at `place`.
    pub fn let_go(&mut self, number: u32, place: Target) {
        let hits = self.hits(place);
        let entry = &mut self.conditions.entries[number as usize];
        let at = entry.holds.iter().position(|(held, _)| *held == place);
        let (_, before) = entry.holds.remove(at.expect("it holds there"));
        entry.past_hits += hits - before;
        self.with_list(place, |list| list.retain(|other| *other != number));
    }

    /// Applies a shock.
    pub fn shock(&mut self, shock: Shock) -> Result<(), Unsupported> {
        match shock {
            Shock::WallJump { node, by_ns } => {
                self.check_node(node)?;
                for node in core::iter::once(node).chain(self.tenants(node)) {
                    self.hosts.get_mut(node).clock.jump(by_ns);
                    self.note(node, node, EventKind::Clock, 0, by_ns as u64);
                }
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
        let link = self.net.link_id(from, to);
        let entry = self.net.link_mut(link);
        entry.in_flight += 1;
        let cut = entry.cut;
        let what = What::Datagram { frame, link, boot, cut };
        let record = Record { n, src: from, dst: to, what };
        self.queue.schedule(self.queue.now(), Class::Data, record);
    }

    /// What is under way on the link is lost.
    fn cut(&mut self, from: NodeId, to: NodeId) {
        let id = self.net.link_id(from, to);
        let link = self.net.link_mut(id);
        link.cut += 1;
        let lost = u64::from(core::mem::take(&mut link.in_flight));
        link.hit(LinkHit::Block, lost);
    }

    /// Lets go what waited on the link, if nothing stops it any more.
    pub fn release_link(&mut self, from: NodeId, to: NodeId) {
        let id = self.net.link_id(from, to);
        let (is_cut, is_held) = self.net.stops(id);
        if !is_held {
            let now = self.now();
            let bent = self.net.link_mut(id).bent.as_mut().expect("it was bent");
            let held = core::mem::take(&mut bent.held);
            for (due, record) in held {
                self.queue.schedule(due.max(now), Class::Data, record);
            }
        }
        if !is_cut && !is_held {
            self.resume(id);
        }
    }

    pub fn refit(&mut self, target: Target) {
        match target {
            Target::Link(from, to, _) => {
                let id = self.net.link_id(from, to);
                let list = self.net.bent(id).conditions.clone();
                self.net.refit(id, self.conditions.among(&list));
            }
            Target::Host(node, _) => self.refit_host(node),
            Target::Disk(node, _) => {
                let host = self.hosts.get_mut(node);
                let conditions = self.conditions.among(&host.conditions);
                host.disk.law = DiskLaw::new(&host.spec.disk, conditions);
                self.share_room(node);
            }
        }
    }

    fn refit_host(&mut self, node: NodeId) {
        let now = self.now();
        let host = self.hosts.get_mut(node);
        let before = host.law.drift_ppm;
        host.law = HostLaw::new(&host.spec, self.conditions.among(&host.conditions));
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
        match target {
            Target::Link(from, to, _) => {
                let id = self.net.link_id(from, to);
                change(&mut self.net.bent(id).conditions);
            }
            Target::Host(node, _) | Target::Disk(node, _) => {
                change(&mut self.hosts.get_mut(node).conditions);
            }
        }
    }

    fn hits(&self, target: Target) -> u64 {
        match target {
            Target::Link(from, to, hit) => self.net.hits(from, to, hit),
            Target::Host(node, hit) => self.hosts.get(node).hits[hit as usize],
            Target::Disk(node, hit) => self.hosts.get(node).disk.hits.get(hit),
        }
    }

    fn check_node(&self, node: NodeId) -> Result<(), Unsupported> {
        let is_there = node.index() < self.hosts.all.len();
        is_there.then_some(()).ok_or(Unsupported("there is no such node"))
    }

    pub fn target_of(&self, condition: &Condition) -> Result<Target, Unsupported> {
        let target = match condition {
            Condition::Block { from, to, .. } => Target::Link(*from, *to, LinkHit::Block),
            Condition::Hold { from, to } => Target::Link(*from, *to, LinkHit::Hold),
            Condition::Loss { from, to, .. } => Target::Link(*from, *to, LinkHit::Loss),
            Condition::Duplicate { from, to, .. } => Target::Link(*from, *to, LinkHit::Duplicate),
            Condition::Reorder { from, to, .. } => Target::Link(*from, *to, LinkHit::Reorder),
            Condition::Corrupt { from, to, .. } => Target::Link(*from, *to, LinkHit::Corrupt),
            Condition::Delay { from, to, .. } => Target::Link(*from, *to, LinkHit::Delay),
            Condition::Bandwidth { from, to, .. } => Target::Link(*from, *to, LinkHit::Bandwidth),
            Condition::Down { node, .. } => Target::Host(*node, HostHit::Down),
            Condition::Pause { node } => Target::Host(*node, HostHit::Pause),
            Condition::SlowCpu { node, .. } => Target::Host(*node, HostHit::SlowCpu),
            Condition::MemoryLimit { node, .. } => Target::Host(*node, HostHit::Memory),
            Condition::Drift { node, .. } => Target::Host(*node, HostHit::Drift),
            Condition::DiskSlow { node, .. } => Target::Disk(*node, DiskHit::Slow),
            Condition::SyncLies { node, .. } => Target::Disk(*node, DiskHit::SyncLies),
            Condition::SyncFails { node, .. } => Target::Disk(*node, DiskHit::SyncFails),
            Condition::WriteFails { node, .. } => Target::Disk(*node, DiskHit::WriteFails),
            Condition::ReadCorrupt { node, .. } => Target::Disk(*node, DiskHit::ReadCorrupt),
            Condition::WriteCorrupt { node, .. } => Target::Disk(*node, DiskHit::WriteCorrupt),
            Condition::Misdirect { node, .. } => Target::Disk(*node, DiskHit::Misdirect),
            Condition::Capacity { node, .. } => Target::Disk(*node, DiskHit::Full),
            Condition::ServiceTime { node, .. } => Target::Host(*node, HostHit::ServiceTime),
        };
        match target {
            Target::Link(from, to, _) => {
                self.check_node(from)?;
                self.check_node(to)?;
            }
            Target::Host(node, _) | Target::Disk(node, _) => self.check_node(node)?,
        }
        Ok(target)
    }
}
