//! What holds on a machine holds for whatever lives there.
//!
//! A condition is imposed on one target and written into the lists of every target that it reaches,
//! so laws are folded from lists as ever. What it reaches changes when a seat moves: then the lists
//! are made anew, and what a condition changed so far is kept. Between two nodes of one machine there
//! is no wire, so no condition on a link holds there.

use crate::conditions::Place;
use crate::disk::DiskHit;
use crate::host::HostHit;
use crate::kernel::Kernel;
use crate::net::law::LinkHit;
use alloc::rc::Rc;
use alloc::vec::Vec;
use contract::NodeId;
use core::iter::once;

impl Place {
    fn concerns(self, seat: NodeId) -> bool {
        match self {
            Self::Link(from, to, _) => from == seat || to == seat,
            Self::Host(node, _) | Self::Disk(node, _) => node == seat,
        }
    }
}

/// Whether what strikes a machine strikes whatever lives there. A machine that is down takes it
/// along; a service time is that of one program.
const fn is_shared(hit: HostHit) -> bool {
    match hit {
        HostHit::Pause | HostHit::SlowCpu | HostHit::Memory | HostHit::Drift => true,
        HostHit::Down | HostHit::ServiceTime => false,
    }
}

impl Kernel {
    /// Everything that a condition on `target` holds for now.
    pub fn reach(&self, target: Place) -> Vec<Place> {
        let homes = &self.net.links.homes;
        let with = |node: NodeId| once(node).chain(homes.residents(node));
        let reached: Vec<Place> = match target {
            Place::Link(from, to, hit) => {
                let pairs = with(from).flat_map(|one| with(to).map(move |other| (one, other)));
                let is_wire = |(one, other): &(NodeId, NodeId)| !homes.is_inside(*one, *other);
                pairs.filter(is_wire).map(|(one, other)| Place::Link(one, other, hit)).collect()
            }
            Place::Host(node, hit) if is_shared(hit) => {
                with(node).map(|node| Place::Host(node, hit)).collect()
            }
            Place::Host(..) => Vec::from([target]),
            Place::Disk(node, hit) => with(node).map(|node| Place::Disk(node, hit)).collect(),
        };
        let is_wire = matches!(target, Place::Link(..));
        assert!(is_wire || reached.contains(&target), "what is on a machine is on the machine");
        reached
    }

    /// A seat moves to a machine: from now on it has that machine's network, clock and disk.
    pub fn rehome(&mut self, seat: NodeId, machine: NodeId) {
        let old = self.net.links.homes.get(seat);
        assert!(!self.hosts.get(seat).alive, "nobody moves while it runs");
        if old == Some(machine) {
            return;
        }
        let in_force = self.conditions.in_force();
        for number in &in_force {
            for place in self.places_of(*number, seat) {
                self.let_go(*number, place);
            }
        }
        self.net.links.homes.settle(seat, machine);
        self.move_in(seat, machine, old);
        for number in in_force {
            let target = self.target_of(self.conditions.get(number)).expect("it was imposed");
            for place in self.reach(target).into_iter().filter(|place| place.concerns(seat)) {
                self.hold(number, place);
            }
        }
        self.refit(Place::Host(seat, HostHit::Pause));
        self.refit(Place::Disk(seat, DiskHit::Slow));
        for link in self.net.links.respecify(seat) {
            let (from, to) = self.net.links.ends(link);
            self.refit(Place::Link(from, to, LinkHit::Block));
            self.release_link(from, to);
        }
    }

    fn places_of(&self, number: u32, seat: NodeId) -> Vec<Place> {
        self.conditions.places(number).filter(|place| place.concerns(seat)).collect()
    }

    /// The seat gets the hardware of its machine, and its files there.
    fn move_in(&mut self, seat: NodeId, machine: NodeId, old: Option<NodeId>) {
        self.change_space(seat, machine, old);
        let (clock, disk) = {
            let spec = &self.hosts.get(machine).spec;
            (spec.clock, spec.disk.clone())
        };
        let host = self.hosts.get_mut(seat);
        let spec = Rc::make_mut(&mut host.spec);
        (spec.clock, spec.disk) = (clock, disk);
    }

    /// A seat is about to boot: it reads the clock of its machine.
    pub fn set_clock_of(&mut self, seat: NodeId, machine: NodeId) {
        let now = self.now();
        let machine = self.hosts.get(machine);
        assert!(machine.alive, "a machine is up while others start on it");
        let (clock, ppm) = (machine.clock.clone(), machine.law.drift_ppm);
        let host = self.hosts.get_mut(seat);
        host.clock = clock;
        if host.law.drift_ppm != ppm {
            host.clock.set_drift(now, host.law.drift_ppm);
        }
    }

    /// Where time stands still and one clock was moved, those of the same machine follow.
    pub fn align_clocks(&mut self, moved: NodeId) {
        let now = self.now();
        let machine = self.net.links.homes.machine_of(moved);
        let others: Vec<NodeId> = once(machine).chain(self.tenants(machine)).collect();
        for other in others.into_iter().filter(|other| *other != moved) {
            let clock = self.hosts.get(moved).clock.clone();
            self.hosts.get_mut(other).clock.catch_up(now, &clock);
        }
    }
}
