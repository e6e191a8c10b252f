//! A second protocol: members probe each other in turn and suspect who does not answer. It has the
//! rows of a failure detector and knows neither the nodes that embed it nor their tables.

use catalog::{Base, Find};
use contract::{Duration, Fx, NodeId, Nodes, TimerKey};
use std::ops::Range;

/// The timer keys of the protocol.
pub const TIMERS: Range<u64> = 0x9806_0000..0x9806_0010;

const TURN: TimerKey = TimerKey(TIMERS.start);
const PERIOD: Duration = Duration::from_millis(100);

catalog::events! {
    /// What the protocol marks.
    pub enum Event;
    /// The rows of [`Event`].
    pub const EVENTS;
    Probed = "probe.probed", "", ["peer"], "a member was asked whether it lives";
    Answered = "probe.answered", "", ["peer"], "a member answered";
    Suspected = "probe.suspected", "", ["peer"], "a member did not answer for a whole turn";
}

catalog::gauges! {
    /// What can be read off the protocol.
    pub fn gauges(probe: Probe);
    "probe.alive", "", "members that answered when they were asked last" =>
        Some(probe.peers.iter().filter(|peer| peer.is_alive).count() as u64);
    "probe.turns", "", "how often somebody was asked" => Some(probe.turns);
}

catalog::predicates! {
    /// What can be true of a group.
    pub fn predicates(Probe);
    "probe.all_alive", "every member takes every other for alive" => all_alive;
}

catalog::defects! {
    /// Which defects are planted.
    pub struct Defects;
    /// Every defect of the protocol.
    pub const DEFECTS;
    never_suspects, "probe-never-suspects", "who does not answer is taken for alive",
        "a toy", "converge", &[];
}

fn all_alive(group: &[NodeId], nodes: &dyn Nodes, find: Find<Probe>) -> bool {
    let is_content = |probe: &Probe| probe.peers.iter().all(|peer| peer.is_alive);
    group.iter().all(|&id| find(nodes, id).is_some_and(is_content))
}

/// One member.
#[derive(Clone, Debug)]
pub struct Probe {
    base: Base,
    defects: Defects,
    peers: Vec<Peer>,
    turns: u64,
}

#[derive(Clone, Debug)]
struct Peer {
    node: NodeId,
    is_alive: bool,
    has_answered: bool,
}

impl Probe {
    /// A member among `peers`, whose marks begin at `base`.
    pub fn boot(base: Base, defects: Defects, peers: Vec<NodeId>, fx: &mut Fx<'_>) -> Self {
        fx.set_timer(TURN, PERIOD);
        let peer = |node| Peer { node, is_alive: false, has_answered: false };
        Self { base, defects, peers: peers.into_iter().map(peer).collect(), turns: 0 }
    }

    /// Judges who was asked last, and asks the next.
    pub fn on_timer(&mut self, fx: &mut Fx<'_>) {
        let count = self.peers.len();
        if self.turns > 0 {
            let last = &mut self.peers[(self.turns as usize - 1) % count];
            last.is_alive = last.has_answered || self.defects.never_suspects;
            if !last.is_alive {
                fx.mark(Event::Suspected.above(self.base), [u64::from(last.node.0), 0, 0], 0);
            }
        }
        let next = &mut self.peers[self.turns as usize % count];
        next.has_answered = false;
        let to = next.node;
        fx.datagram(to, |out| out.push(b'?'));
        fx.mark(Event::Probed.above(self.base), [u64::from(to.0), 0, 0], 0);
        self.turns += 1;
        fx.set_timer(TURN, PERIOD);
    }

    /// Handles a message; `false` where it is none of the protocol's.
    pub fn on_datagram(&mut self, from: NodeId, bytes: &[u8], fx: &mut Fx<'_>) -> bool {
        match bytes {
            b"?" => fx.datagram(from, |out| out.push(b'!')),
            b"!" => {
                fx.mark(Event::Answered.above(self.base), [u64::from(from.0), 0, 0], 0);
                let peer = self.peers.iter_mut().find(|peer| peer.node == from);
                peer.expect("only members answer").has_answered = true;
                return true;
            }
            _ => return false,
        };
        true
    }
}
