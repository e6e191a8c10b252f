//! Nodes that start nodes.
//!
//! A *machine* is a node that starts others; a *seat* is a dormant node, which runs when a machine
//! starts it and not before. While it runs it lives on that machine: it goes down with it, and
//! whatever bends the machine's clock, processor, memory, disk or network bends it as well
//! ([`laws`]). Its files lie on the machine's disk ([`spaces`]). Start with [`Kernel::ask_start`].
//!
//! **Invariant:** a seat runs on exactly one machine, which is up, or does not run at all. Every
//! `Effect::Start` is answered exactly once, unless the machine that asked is gone first.

mod homes;
mod laws;
mod spaces;

pub(crate) use homes::Homes;

use crate::api::{Control, IncidentKind, NoStart, Observer};
use crate::disk::SimDisk;
use crate::engine::Engine;
use crate::kernel::Kernel;
use crate::record::What;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use contract::hash::{hash_bytes, mix};
use contract::{NodeId, Sockets, StartError};

/// What a run knows of its machines, beside who lives where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machines {
    /// What machines asked for in this instant, by machine and number of the record.
    asks: BTreeMap<(NodeId, u64), Ask>,
    /// The files of seats on machines where they do not live now, by machine and seat.
    spaces: BTreeMap<(NodeId, NodeId), SimDisk>,
    /// How many starts were asked for, were answered, and were forgotten by a machine that went down.
    asked: u64,
    answered: u64,
    forgotten: u64,
}

/// An `Effect::Start` that is still to be carried out.
#[derive(Clone, Debug)]
struct Ask {
    /// The life of the machine that asked.
    boot: u32,
    ticket: u64,
    role: &'static str,
    settings: Rc<[u8]>,
}

/// A seat that runs: who started it, and how.
#[derive(Clone, Debug)]
pub(crate) struct Tenancy {
    pub machine: NodeId,
    ticket: u64,
    pub settings: Rc<[u8]>,
    /// The machine was told that it runs.
    is_reported: bool,
}

impl Tenancy {
    /// What of a boot goes into the seat's digest.
    pub fn boot_hash(&self, boot: u32) -> u64 {
        mix(u64::from(boot), hash_bytes(&self.settings))
    }
}

impl Machines {
    /// Every wish is waiting, answered or forgotten.
    fn assert_tickets(&self) {
        let settled = self.answered + self.forgotten;
        assert!(settled <= self.asked, "more starts were answered than asked for");
        assert_eq!(self.asked - settled, self.asks.len() as u64, "a start is answered once");
    }
}

impl<O: Observer> Engine<O> {
    /// Starts a node for the machine that asked for it, and answers.
    pub(crate) fn start(&mut self, machine: NodeId, n: u64) {
        self.kernel.counters.starts += 1;
        let machines = &mut self.kernel.machines;
        let ask = machines.asks.remove(&(machine, n)).expect("a wish is carried out once");
        if !self.kernel.hosts.get(machine).is_in_life(ask.boot) {
            self.kernel.machines.forgotten += 1;
            return self.kernel.machines.assert_tickets();
        }
        match self.choose_seat(machine, &ask) {
            Ok(seat) => self.occupy(seat, machine, ask),
            Err(NoStart::NoSeat) => {
                self.kernel.incident(machine, IncidentKind::NoRoom);
                self.kernel.report_not_started(machine, ask.ticket, StartError::NoSeat);
            }
            Err(NoStart::Mistake(what)) => {
                self.mistake(machine, what);
                self.kernel.report_not_started(machine, ask.ticket, StartError::Settings);
            }
        }
        self.kernel.machines.assert_tickets();
    }

    fn choose_seat(&mut self, machine: NodeId, ask: &Ask) -> Result<NodeId, NoStart> {
        if self.kernel.hosts.get(machine).spec.is_dormant() {
            return Err(NoStart::NoSeat);
        }
        let free = self.kernel.free_seats();
        assert!(self.current.is_none(), "a seat is chosen between two inputs");
        // Whoever panics in there is known by this.
        self.current = Some((self.kernel.now(), machine));
        let hosts = &self.kernel.hosts;
        let chosen = self.boot.place(machine, ask.role, &ask.settings, &free, hosts);
        if let Ok(seat) = &chosen {
            assert!(free.contains(seat), "a start takes one of the free seats");
        }
        self.current = None;
        chosen
    }

    fn occupy(&mut self, seat: NodeId, machine: NodeId, ask: Ask) {
        self.kernel.rehome(seat, machine);
        self.kernel.set_clock_of(seat, machine);
        let Ask { ticket, settings, .. } = ask;
        let host = self.kernel.hosts.get_mut(seat);
        host.tenancy = Some(Tenancy { machine, ticket, settings, is_reported: false });
        self.boot_node(seat);
        self.kernel.assert_seat(seat);
    }

    /// Stops a node for the machine that started it, if it still runs there.
    pub(crate) fn stop(&mut self, machine: NodeId, boot: u32, node: NodeId) {
        self.kernel.counters.stops += 1;
        if !self.kernel.hosts.get(machine).is_in_life(boot) {
            return;
        }
        let Some(host) = self.kernel.hosts.all.get(node.index()) else { return };
        if host.tenancy.as_ref().is_some_and(|tenancy| tenancy.machine == machine) {
            self.crash(node, Sockets::Closed);
            self.kernel.assert_seat(node);
        }
    }

    fn mistake(&mut self, node: NodeId, what: String) {
        let at = self.kernel.now();
        let control = self.observer.on_mistake(at, node, &what);
        self.pause_asked |= control == Control::Pause;
        self.kernel.incident(node, IncidentKind::Mistake(what));
    }
}

impl Kernel {
    /// A machine asks for a node; it is chosen and started in the next round of this instant.
    pub fn ask_start(
        &mut self,
        machine: NodeId,
        ticket: u64,
        role: &'static str,
        settings: Rc<[u8]>,
    ) {
        let boot = self.hosts.get(machine).boot;
        let n = self.own_record(machine, What::Start);
        self.machines.asked += 1;
        self.machines.asks.insert((machine, n), Ask { boot, ticket, role, settings });
        self.machines.assert_tickets();
    }

    /// Whether any seat was ever started.
    #[inline]
    pub fn has_residents(&self) -> bool {
        !self.net.links.homes.is_empty()
    }

    /// What runs on a machine, in the order of ids.
    pub fn tenants(&self, machine: NodeId) -> Vec<NodeId> {
        let residents = self.net.links.homes.residents(machine);
        residents.filter(|seat| self.hosts.get(*seat).tenancy.is_some()).collect()
    }

    /// The seats that do not run and that no condition keeps down.
    fn free_seats(&self) -> Vec<NodeId> {
        let ids = (0..self.hosts.all.len() as u32).map(NodeId);
        let is_free = |node: &NodeId| {
            let host = self.hosts.get(*node);
            host.spec.is_dormant() && host.tenancy.is_none() && !host.law.down
        };
        ids.filter(is_free).collect()
    }

    /// Tells the machine that a node that it started runs; nothing for a node that booted by itself.
    pub fn report_started(&mut self, node: NodeId) {
        let Some(tenancy) = &mut self.hosts.get_mut(node).tenancy else { return };
        assert!(!tenancy.is_reported, "a node is reported as started once");
        tenancy.is_reported = true;
        let (machine, ticket) = (tenancy.machine, tenancy.ticket);
        let boot = self.hosts.get(machine).boot;
        self.own_record(machine, What::Started { ticket, node, boot });
        self.machines.answered += 1;
    }

    fn report_not_started(&mut self, machine: NodeId, ticket: u64, reason: StartError) {
        let boot = self.hosts.get(machine).boot;
        self.own_record(machine, What::NotStarted { ticket, reason, boot });
        self.machines.answered += 1;
    }

    /// A node is gone: whoever started it learns that, and its files go with it unless they are
    /// durable. Nothing for a node that booted by itself.
    pub fn leave(&mut self, node: NodeId) {
        let Some(tenancy) = self.hosts.get_mut(node).tenancy.take() else { return };
        self.clear_space(node);
        let (machine, ticket) = (tenancy.machine, tenancy.ticket);
        if tenancy.is_reported {
            // Where the machine goes down with it, this belongs to a life that is over.
            let boot = self.hosts.get(machine).boot;
            self.own_record(machine, What::Exited { node, boot });
        } else {
            self.report_not_started(machine, ticket, StartError::Refused);
        }
        self.assert_seat(node);
    }

    /// A seat is in exactly one state: it runs on a machine that is up, or it does not run.
    fn assert_seat(&self, seat: NodeId) {
        let host = self.hosts.get(seat);
        assert!(host.spec.is_dormant(), "only a dormant node is started and stopped by others");
        let Some(tenancy) = &host.tenancy else {
            assert!(!host.alive, "what runs was started");
            return;
        };
        assert!(host.alive, "a node that runs is up");
        assert!(self.hosts.get(tenancy.machine).alive, "a machine is up while others run on it");
        let home = self.net.links.homes.machine_of(seat);
        assert_eq!(home, tenancy.machine, "a node lives where it was started");
    }
}
