//! One machine on a simulator's own network: nothing is decided here that the simulator can do.
//!
//! The node's clocks, timers and disk stay ours, and inputs are handed over as they come. Two
//! simulators then see different runs; what they are compared by is what the checks say.

use super::Parts;
use super::adapter::Adapter;
use super::conns::End;
use super::schedule::{Inbound, Item, Waiting};
use super::script::Timed;
use super::{Harvest, HostRun};
use crate::api::{Observer, Workload};
use crate::config::Config;
use crate::record::Class;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use contract::{
    CloseReason, Condition, ConditionId, ConnId, Mark, Node, NodeId, OpId, Outcome, Shock, SimTime,
};

/// What a simulator needs to know of a loose run.
#[derive(Clone, Copy)]
pub struct LooseRun<'a> {
    /// The world. Of a link a simulator takes what it can do.
    pub config: &'a Config,
    /// Makes the nodes' boots, the load and who watches, on the thread of the run.
    pub parts: &'a (dyn Fn() -> LooseParts + Sync),
    /// Every fault, resolved.
    pub script: &'a [Timed],
    /// The end of the run.
    pub until: SimTime,
}

/// What differs from run to run and cannot leave its thread.
pub struct LooseParts {
    /// Boots and load, as in an exact run.
    pub parts: Parts,
    /// Watches all nodes.
    pub observer: Box<dyn Observer>,
    /// Judges the run once it is over, from each node's own copy of the load.
    pub judge: Judge,
}

/// Takes what is of interest out of the loads of a run that is over.
pub type Judge = Box<dyn FnOnce(&[&dyn Workload]) -> Harvest>;

/// What came of a loose run.
pub struct LooseResult {
    /// What `LooseParts::judge` returned.
    pub harvest: Harvest,
    /// Inputs handled, boots and crashes.
    pub events: u64,
    /// What the world or the script asks for and the simulator does not offer.
    pub skipped: Vec<String>,
    /// What went wrong with the run itself.
    pub problems: Vec<String>,
}

/// What the node asks the network for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `contract::Effect`")]
pub enum Outgoing {
    Datagram { to: NodeId, bytes: Vec<u8> },
    Open { conn: ConnId, to: NodeId },
    Write { conn: ConnId, bytes: Vec<u8> },
    Close { conn: ConnId },
}

/// What the network has for the node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `contract::Input`")]
pub enum Arrival {
    Datagram { from: NodeId, bytes: Vec<u8> },
    Opened { conn: ConnId, peer: NodeId },
    Data { conn: ConnId, bytes: Vec<u8> },
    Closed { conn: ConnId, reason: CloseReason },
}

/// What an observer is to hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The node made a mark.
    Mark(Mark),
    /// A client's operation ended.
    Complete(OpId, Outcome),
    /// The node handled an input, booted or crashed.
    Event,
}

/// What a machine in loose mode has that one in exact mode has not.
#[derive(Debug, Default)]
pub(super) struct Loose {
    outgoing: Vec<Outgoing>,
    notices: Vec<(SimTime, Notice)>,
}

impl Adapter {
    /// A machine on a simulator's own network, not booted yet.
    #[must_use]
    pub fn loose(run: &LooseRun<'_>, me: NodeId, parts: &Parts) -> Self {
        let run = HostRun {
            config: run.config,
            parts: &|| panic!("the parts are made already"),
            script: &[],
            until: run.until,
            harvest: &|_| Box::new(()),
            traced: false,
        };
        let (boot, load) = (alloc::rc::Rc::clone(&parts.boot), parts.workload.fork());
        let mut machine = Self::new(&run, me, boot, load);
        machine.loose = Some(Loose::default());
        machine
    }

    /// The network has something for the node.
    pub fn hand_over(&mut self, now: SimTime, arrival: Arrival) {
        assert!(self.loose.is_some(), "the network is the simulator's own");
        self.schedule.pass(now);
        let heard = self.host.alive;
        let (class, src, what) = match arrival {
            Arrival::Datagram { from, bytes } => (Class::Data, from, Inbound::Datagram(bytes)),
            Arrival::Opened { conn, peer } => {
                if conn.opener != self.me && heard {
                    self.conns.insert(conn, End::new(peer, self.pos));
                }
                (Class::Opened, peer, Inbound::Opened(conn))
            }
            Arrival::Data { conn, bytes } => {
                let src = self.conns.get(&conn).map_or(self.me, End::peer);
                (Class::Data, src, Inbound::Data(conn, bytes))
            }
            Arrival::Closed { conn, reason } => {
                let src = self.conns.get(&conn).map_or(self.me, End::peer);
                (Class::Closed, src, Inbound::Closed(conn, reason))
            }
        };
        let open = match &what {
            Inbound::Opened(conn) | Inbound::Data(conn, _) => self.conns.contains_key(conn),
            Inbound::Closed(conn, _) => self.conns.remove(conn).is_some(),
            _ => true,
        };
        if !heard || !open {
            return;
        }
        // In the order of arrival, whatever the class: a stream keeps its order.
        let n = self.host.number();
        let boot = Some(self.host.boot);
        let waiting = Waiting { src, n, what };
        let class = if class == Class::Closed { Class::Data } else { class };
        self.schedule.put(now, class, self.me, n, Item::Input { boot, waiting });
    }

    /// Does one thing that is due by `now`; `false` when nothing is.
    pub fn run_one(&mut self, now: SimTime) -> bool {
        let until = SimTime(now.0.saturating_add(1)).min(self.until);
        self.advance(until)
    }

    /// What the node asked the network for, in order.
    pub fn take_outgoing(&mut self) -> Vec<Outgoing> {
        self.loose.as_mut().map(|loose| core::mem::take(&mut loose.outgoing)).unwrap_or_default()
    }

    /// What an observer is to hear of, in order.
    pub fn take_notices(&mut self) -> Vec<(SimTime, Notice)> {
        self.loose.as_mut().map(|loose| core::mem::take(&mut loose.notices)).unwrap_or_default()
    }

    /// A condition on this machine begins.
    pub fn bend(&mut self, now: SimTime, id: ConditionId, condition: &Condition) {
        assert_eq!(condition.target().node(), Some(self.me), "links are the simulator's");
        self.schedule.pass(now);
        self.impose(id, condition);
    }

    /// A condition on this machine ends.
    pub fn unbend(&mut self, now: SimTime, id: ConditionId) {
        assert!(self.loose.is_some(), "an exact run plays its script itself");
        self.schedule.pass(now);
        self.lift(id);
    }

    /// A shock strikes this machine.
    pub fn shock(&mut self, now: SimTime, shock: &Shock) {
        assert!(self.loose.is_some(), "an exact run plays its script itself");
        self.schedule.pass(now);
        self.strike(shock);
    }

    /// What went wrong with the run itself.
    pub fn take_troubles(&mut self) -> Vec<String> {
        self.take_problems()
    }

    /// The node, when it is up.
    #[must_use]
    pub fn node(&self) -> Option<&dyn Node> {
        self.host.node.as_deref()
    }

    /// How often the node has booted before.
    #[must_use]
    pub fn boot_number(&self) -> u32 {
        self.host.boot
    }

    /// The connections with `peer` that are open at this end.
    pub fn conns_with(&self, peer: NodeId) -> impl Iterator<Item = ConnId> + '_ {
        let with = self.conns.iter().filter(move |(_, end)| end.peer() == peer);
        with.map(|(conn, _)| *conn)
    }

    /// Tells the observer, in loose mode.
    pub(super) fn notice(&mut self, notice: impl FnOnce() -> Notice) {
        let at = self.schedule.now;
        if let Some(loose) = &mut self.loose {
            loose.notices.push((at, notice()));
        }
    }

    /// Whether the network is the simulator's own; then it gets what `ask` makes.
    pub(super) fn ask(&mut self, ask: impl FnOnce() -> Outgoing) -> bool {
        let Some(loose) = &mut self.loose else {
            return false;
        };
        loose.outgoing.push(ask());
        true
    }
}
