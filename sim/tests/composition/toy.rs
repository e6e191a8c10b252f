//! Two systems of the same two protocols. Their nodes are alike; their tables are not: the one puts
//! the failure detector first, the other Raft and rows of its own before it.

use crate::probe::{self, Probe};
use catalog::{
    Base, Code, Defect, Embeds, EventKind, GaugeKind, Group, Invariant, Itself, PredicateKind,
    PropertyRow, Role, Seat, System, Watched, joined,
};
use contract::{Fx, Input, Node, NodeId, Nodes, Now, Refused};
use sim::protocol::raft::{self, Raft, Ready};

const MEMBERS: &[&str] = &["member"];

/// A node of both systems.
#[derive(Clone)]
pub struct Member {
    probe: Probe,
    raft: Raft,
    group: Vec<NodeId>,
    leaderships: u64,
    event: u16,
}

/// A node that embeds nothing.
#[derive(Clone)]
pub struct Bystander;

catalog::events! {
    /// What a member marks itself.
    pub enum Event;
    /// The rows of [`Event`].
    const OWN_EVENTS;
    Led = "toy.led", "", ["term"], "a member heard from its Raft that it leads";
}

catalog::gauges! {
    /// What can be read off a member beside its protocols.
    fn own_gauges(member: Member);
    "toy.leaderships", "", "how often it led" => Some(member.leaderships);
}

/// What differs between the systems.
pub struct Toy {
    pub name: &'static str,
    pub events: &'static [EventKind],
    pub gauges: &'static [GaugeKind],
    pub predicates: &'static [PredicateKind],
    pub defects: &'static [Defect],
    pub properties: &'static [PropertyRow],
    pub probe: Base,
    pub raft: Base,
    pub own: Base,
}

/// Where members keep their protocols.
struct Of;

impl Embeds<Raft> for Of {
    fn part(node: &dyn Node) -> Option<&Raft> {
        <Itself as Embeds<Member>>::part(node).map(|member| &member.raft)
    }
}

impl Embeds<Probe> for Of {
    fn part(node: &dyn Node) -> Option<&Probe> {
        <Itself as Embeds<Member>>::part(node).map(|member| &member.probe)
    }
}

const PROBE_FIRST: &[EventKind] = joined!(EventKind, name: probe::EVENTS, raft::EVENTS, OWN_EVENTS);
const RAFT_LATER: &[EventKind] = joined!(EventKind, name: OWN_EVENTS, raft::EVENTS, probe::EVENTS);

/// The failure detector first.
pub const WATCHMEN: Toy = Toy {
    name: "watchmen",
    events: PROBE_FIRST,
    gauges: joined!(GaugeKind, name:
        &probe::gauges::<Of>(), &own_gauges::<Itself>(), &raft::gauges::<Of>()),
    predicates: joined!(PredicateKind, name:
        &probe::predicates::<Of>(MEMBERS), &raft::predicates::<Of>(MEMBERS)),
    defects: joined!(Defect, name: probe::DEFECTS, raft::DEFECTS),
    properties: &raft::properties(MEMBERS),
    probe: Base::of(PROBE_FIRST, probe::EVENTS),
    raft: Base::of(PROBE_FIRST, raft::EVENTS),
    own: Base::of(PROBE_FIRST, OWN_EVENTS),
};

/// Raft behind the rows of the system.
pub const COUNCIL: Toy = Toy {
    name: "council",
    events: RAFT_LATER,
    gauges: joined!(GaugeKind, name: &raft::gauges::<Of>(), &probe::gauges::<Of>()),
    predicates: joined!(PredicateKind, name:
        &raft::predicates::<Of>(MEMBERS), &probe::predicates::<Of>(MEMBERS)),
    defects: joined!(Defect, name: raft::DEFECTS, probe::DEFECTS),
    properties: &raft::properties(MEMBERS),
    probe: Base::of(RAFT_LATER, probe::EVENTS),
    raft: Base::of(RAFT_LATER, raft::EVENTS),
    own: Base::of(RAFT_LATER, OWN_EVENTS),
};

// Raft's rows begin at different places, neither of them the first.
const _: () = assert!(WATCHMEN.raft.row(0) != COUNCIL.raft.row(0));
const _: () = assert!(WATCHMEN.raft.row(0) > 0 && COUNCIL.raft.row(0) > 0);
// A member's timers are those of its protocols, which are apart.
const _: () = assert!(probe::TIMERS.end <= raft::TIMERS.start);

const RAFT_OF: raft::RaftOf = catalog::rows::find::<Raft, Of>;

impl System for Toy {
    fn name(&self) -> &'static str {
        self.name
    }
    fn roles(&self) -> &'static [Role] {
        const ROLES: [Role; 2] =
            [Role::plain("member", "takes part"), Role::plain("bystander", "does nothing")];
        &ROLES
    }
    fn defects(&self) -> &'static [Defect] {
        self.defects
    }
    fn events(&self) -> &'static [EventKind] {
        self.events
    }
    fn gauges(&self) -> &'static [GaugeKind] {
        self.gauges
    }
    fn predicates(&self) -> &'static [PredicateKind] {
        self.predicates
    }
    fn properties(&self) -> &'static [PropertyRow] {
        self.properties
    }
    fn codes(&self) -> &'static [Code] {
        raft::CODES
    }
    fn boot(&self, seat: &Seat<'_>, now: Now, fx: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused> {
        if seat.role == "bystander" {
            return Ok(Box::new(Bystander));
        }
        let others = seat.group.iter().copied().filter(|&node| node != seat.node).collect();
        let defects = probe::Defects::from_names(seat.defects);
        let config = raft::Config {
            events: self.raft,
            defects: raft::Defects::from_names(seat.defects),
            ..raft::Config::new(seat.index, seat.group.to_vec())
        };
        let mut member = Member {
            probe: Probe::boot(self.probe, defects, others, fx),
            raft: Raft::boot(config, now, fx)?,
            group: seat.group.to_vec(),
            leaderships: 0,
            event: Event::Led.above(self.own),
        };
        member.drain(fx);
        Ok(Box::new(member))
    }
    fn invariants(&self, groups: &[Group]) -> Vec<Box<dyn Invariant>> {
        let members = groups.iter().filter(|group| group.role == "member");
        let of_raft = members.flat_map(|group| {
            let watched = Watched::of([(group.name.as_str(), group.nodes.as_slice())]);
            raft::invariants::all(&watched, RAFT_OF)
        });
        of_raft.collect()
    }
    fn select(&self, word: &str, group: &[NodeId], nodes: &dyn Nodes) -> Vec<NodeId> {
        raft::select(word, group, nodes, RAFT_OF)
    }
}

impl Member {
    fn drain(&mut self, fx: &mut Fx<'_>) {
        let mut ready = Vec::new();
        self.raft.drain(&mut ready);
        for one in ready {
            if let Ready::BecameLeader { .. } = one {
                self.leaderships += 1;
                fx.mark(self.event, [self.raft.term(), 0, 0], 0);
            }
        }
    }
}

impl Node for Member {
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            Input::Datagram { from, bytes } => {
                if !self.probe.on_datagram(from, bytes, fx) {
                    let peer = self.group.iter().position(|&node| node == from);
                    let peer = peer.expect("only members send") as u32;
                    self.raft.on_datagram(now, peer, bytes, fx);
                }
            }
            Input::Timer(key) if probe::TIMERS.contains(&key.0) => self.probe.on_timer(fx),
            Input::Timer(key) => self.raft.on_timer(now, key, fx),
            Input::Synced { sync, result } => self.raft.on_synced(now, sync, result, fx),
            other => panic!("a member gets no {other:?}"),
        }
        self.drain(fx);
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

impl Node for Bystander {
    fn on_input(&mut self, _: Now, _: Input<'_>, _: &mut Fx<'_>) {}
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}
