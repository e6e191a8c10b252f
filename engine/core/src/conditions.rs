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
    holds: Vec<(Place, u64)>,
    /// What it changed where it holds no more.
    past_hits: u64,
    is_lifted: bool,
}

/// Where a condition holds, and which of the counters there shows its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
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
    pub fn places(&self, number: u32) -> impl Iterator<Item = Place> + '_ {
        self.entries[number as usize].holds.iter().map(|(place, _)| *place)
    }
}

impl Kernel {
    /// Imposes a condition on everything but the life of its node, which is the engine's business.
    pub fn bend(&mut self, condition: Condition) -> Result<ConditionId, Unsupported> {
        let target = self.target_of(&condition)?;
        let id = self.conditions.entries.len() as u32;
        assert!(id < u32::MAX, "conditions are counted in 32 bits");
        let cuts = matches!(condition, Condition::Block { in_flight: InFlight::Lost, .. });
        let entry = Entry { condition, holds: Vec::new(), past_hits: 0, is_lifted: false };
        self.conditions.entries.push(entry);
        for place in self.reach(target) {
            self.hold(id, place);
            self.refit(place);
            if let (true, Place::Link(from, to, _)) = (cuts, place) {
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
        let places: Vec<Place> = self.conditions.places(id.0).collect();
        for place in &places {
            self.let_go(id.0, *place);
            self.refit(*place);
        }
        for place in places {
            if let Place::Link(from, to, _) = place {
                self.release_link(from, to);
            }
        }
        Some(condition)
    }

    /// How many events the condition changed so far.
    pub fn effect_count(&self, id: ConditionId) -> u64 {
        let entry = &self.conditions.entries[id.0 as usize];
        let here = |(place, before): &(Place, u64)| self.hits(*place) - before;
        entry.past_hits + entry.holds.iter().map(here).sum::<u64>()
    }

    /// From now on the condition holds at `place`.
    pub fn hold(&mut self, number: u32, place: Place) {
        self.with_list(place, |list| {
            let at = list.binary_search(&number);
            list.insert(at.expect_err("it does not hold there yet"), number);
        });
        // Only now: the first condition on a link gives it its counters.
        let before = self.hits(place);
        self.conditions.entries[number as usize].holds.push((place, before));
    }

    /// From now on the condition does not hold at `place`.
    pub fn let_go(&mut self, number: u32, place: Place) {
        let hits = self.hits(place);
        let entry = &mut self.conditions.entries[number as usize];
        let at = entry.holds.iter().position(|(held, _)| *held == place);
        let (_, before) = entry.holds.remove(at.expect("it holds there"));
        assert!(hits >= before, "a counter only grows");
        entry.past_hits += hits - before;
        self.with_list(place, |list| {
            let before = list.len();
            list.retain(|other| *other != number);
            assert_eq!(list.len() + 1, before, "a condition that holds is listed once");
        });
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
    pub fn release_link(&mut self, from: NodeId, to: NodeId) {
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

    pub fn refit(&mut self, place: Place) {
        match place {
            Place::Link(from, to, _) => {
                let id = self.net.links.id(from, to);
                let list = self.net.links.bent(id).conditions.clone();
                self.net.links.refit(id, self.conditions.among(&list));
            }
            Place::Disk(node, _) => {
                let host = self.hosts.get_mut(node);
                let conditions = self.conditions.among(&host.conditions);
                host.disk.law = DiskLaw::new(&host.spec.disk, conditions);
                self.share_room(node);
            }
            Place::Host(node, _) => self.refit_host(node),
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

    fn with_list(&mut self, place: Place, change: impl FnOnce(&mut Vec<u32>)) {
        let list = match place {
            Place::Link(from, to, _) => {
                let id = self.net.links.id(from, to);
                &mut self.net.links.bent(id).conditions
            }
            Place::Host(node, _) | Place::Disk(node, _) => &mut self.hosts.get_mut(node).conditions,
        };
        change(list);
        assert!(list.is_sorted(), "conditions are folded in the order in which they were imposed");
    }

    fn hits(&self, place: Place) -> u64 {
        match place {
            Place::Link(from, to, hit) => {
                self.net.links.find(from, to).map_or(0, |id| self.net.links.hits(id, hit))
            }
            Place::Host(node, hit) => self.hosts.get(node).hits[hit as usize],
            Place::Disk(node, hit) => self.hosts.get(node).disk.hits.get(hit),
        }
    }

    fn check_node(&self, node: NodeId) -> Result<(), Unsupported> {
        let is_there = node.index() < self.hosts.all.len();
        is_there.then_some(()).ok_or(Unsupported("there is no such node"))
    }

    pub fn target_of(&self, condition: &Condition) -> Result<Place, Unsupported> {
        let place = match condition {
            Condition::Block { from, to, .. } => Place::Link(*from, *to, LinkHit::Block),
            Condition::Hold { from, to } => Place::Link(*from, *to, LinkHit::Hold),
            Condition::Loss { from, to, .. } => Place::Link(*from, *to, LinkHit::Loss),
            Condition::Duplicate { from, to, .. } => Place::Link(*from, *to, LinkHit::Duplicate),
            Condition::Reorder { from, to, .. } => Place::Link(*from, *to, LinkHit::Reorder),
            Condition::Corrupt { from, to, .. } => Place::Link(*from, *to, LinkHit::Corrupt),
            Condition::Delay { from, to, .. } => Place::Link(*from, *to, LinkHit::Delay),
            Condition::Bandwidth { from, to, .. } => Place::Link(*from, *to, LinkHit::Bandwidth),
            Condition::Down { node, .. } => Place::Host(*node, HostHit::Down),
            Condition::Pause { node } => Place::Host(*node, HostHit::Pause),
            Condition::SlowCpu { node, .. } => Place::Host(*node, HostHit::SlowCpu),
            Condition::MemoryLimit { node, .. } => Place::Host(*node, HostHit::Memory),
            Condition::Drift { node, .. } => Place::Host(*node, HostHit::Drift),
            Condition::DiskSlow { node, .. } => Place::Disk(*node, DiskHit::Slow),
            Condition::SyncLies { node, .. } => Place::Disk(*node, DiskHit::SyncLies),
            Condition::SyncFails { node, .. } => Place::Disk(*node, DiskHit::SyncFails),
            Condition::WriteFails { node, .. } => Place::Disk(*node, DiskHit::WriteFails),
            Condition::ReadCorrupt { node, .. } => Place::Disk(*node, DiskHit::ReadCorrupt),
            Condition::WriteCorrupt { node, .. } => Place::Disk(*node, DiskHit::WriteCorrupt),
            Condition::Misdirect { node, .. } => Place::Disk(*node, DiskHit::Misdirect),
            Condition::Capacity { node, .. } => Place::Disk(*node, DiskHit::Full),
            Condition::ServiceTime { node, .. } => Place::Host(*node, HostHit::ServiceTime),
        };
        condition.target().nodes().try_for_each(|node| self.check_node(node))?;
        Ok(place)
    }
}
