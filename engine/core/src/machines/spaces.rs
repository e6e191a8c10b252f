//! The files of seats: a space of their own on the disk of each machine that they live on.
//!
//! A space is a [`SimDisk`] with a random stream of its own, named after seat and machine, and with
//! the law of the machine's disk. It goes with the workload, unless that is durable. Whatever befalls
//! the machine's disk while the machine is down befalls every space on it.

use crate::config::Boots;
use crate::disk::{DiskLaw, SimDisk};
use crate::kernel::Kernel;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use contract::{DiskFate, NodeId};
use core::ops::RangeInclusive;

impl Kernel {
    /// The seat's space on `machine` becomes its disk; that on `old`, where it lived, is put aside.
    pub(super) fn change_space(&mut self, seat: NodeId, machine: NodeId, old: Option<NodeId>) {
        let (seed, name) = (self.seed, self.name_of_space(machine, seat));
        let spec = &self.hosts.get(machine).spec.disk;
        let law = DiskLaw::new(spec, core::iter::empty());
        let kept = self.machines.spaces.remove(&(machine, seat));
        let space = kept.unwrap_or_else(|| SimDisk::new(seed, &name, law));
        let left = core::mem::replace(&mut self.hosts.get_mut(seat).disk, space);
        if let Some(old) = old {
            self.machines.spaces.insert((old, seat), left);
        }
    }

    /// A workload is gone, and its files with it unless its role says otherwise.
    pub(super) fn clear_space(&mut self, seat: NodeId) {
        let host = self.hosts.get_mut(seat);
        let fate = match host.spec.boots {
            Boots::WhenStarted { durable: true } => host.fate,
            Boots::WhenStarted { durable: false } => DiskFate::Wiped,
            Boots::WithWorld => panic!("a node that booted by itself keeps its disk"),
        };
        host.disk.suffer(fate);
        (host.fate, host.starved) = (DiskFate::Kept, false);
    }

    /// The machine is about to boot: what its outage did to its disk is done to every space on it.
    pub fn outage_of_spaces(&mut self, machine: NodeId) {
        let fate = self.hosts.get(machine).fate;
        if fate == DiskFate::Kept || !self.has_residents() {
            return;
        }
        let residents: Vec<NodeId> = self.net.links.homes.residents(machine).collect();
        for seat in residents {
            assert!(self.hosts.get(seat).tenancy.is_none(), "a machine comes back empty");
            self.hosts.get_mut(seat).disk.suffer(fate);
        }
        for space in self.machines.spaces.range_mut(all_on(machine)).map(|(_, space)| space) {
            space.suffer(fate);
        }
    }

    /// Tells each space of a machine, and the machine's own disk, what the others hold, where the
    /// disk has a limit. A limit on one space alone counts what is in that space.
    pub fn share_room(&mut self, node: NodeId) {
        let machine = self.net.links.homes.machine_of(node);
        if self.hosts.get(machine).disk.law.capacity.is_none() {
            self.hosts.get_mut(node).disk.elsewhere_bytes = 0;
            return;
        }
        let residents: Vec<NodeId> = self.net.links.homes.residents(machine).collect();
        let mut all_bytes = self.hosts.get(machine).disk.used_bytes();
        all_bytes +=
            residents.iter().map(|seat| self.hosts.get(*seat).disk.used_bytes()).sum::<u64>();
        let aside = self.machines.spaces.range(all_on(machine));
        all_bytes += aside.map(|(_, space)| space.used_bytes()).sum::<u64>();
        for node in core::iter::once(machine).chain(residents) {
            let disk = &mut self.hosts.get_mut(node).disk;
            assert!(disk.used_bytes() <= all_bytes, "a part is at most the whole");
            disk.elsewhere_bytes = all_bytes - disk.used_bytes();
        }
    }

    /// Draws from the streams of another seed from now on.
    pub fn reseed_spaces(&mut self, seed: u64) {
        let seats = (0..self.hosts.all.len() as u32).map(NodeId);
        let homes: Vec<(NodeId, NodeId)> =
            seats.filter_map(|seat| Some((self.net.links.homes.get(seat)?, seat))).collect();
        let aside: Vec<(NodeId, NodeId)> = self.machines.spaces.keys().copied().collect();
        assert!(homes.iter().all(|home| !aside.contains(home)), "a space is in one place");
        for (machine, seat) in homes {
            let name = self.name_of_space(machine, seat);
            self.hosts.get_mut(seat).disk.reseed(seed, &name);
        }
        for (machine, seat) in aside {
            let name = self.name_of_space(machine, seat);
            let space = self.machines.spaces.get_mut(&(machine, seat));
            space.expect("its key was just read").reseed(seed, &name);
        }
    }

    /// What names the random stream of a space.
    fn name_of_space(&self, machine: NodeId, seat: NodeId) -> String {
        let name = |node: NodeId| &self.hosts.get(node).spec.name;
        format!("{} on {}", name(seat), name(machine))
    }
}

/// The keys of all spaces that are put aside on a machine.
fn all_on(machine: NodeId) -> RangeInclusive<(NodeId, NodeId)> {
    (machine, NodeId(0))..=(machine, NodeId(u32::MAX))
}
