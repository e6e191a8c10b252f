//! A node on a simulator's own network and clock: the least that hosting takes.

use crate::work::Work;
use contract::{
    Domain, Effect, Fx, Input, Instant, NoDisk, Node, NodeId, Now, Outbox, Rng, TimerKey, WallTime,
};

/// One hosted node.
pub struct Native {
    me: NodeId,
    node: Box<dyn Node>,
    rng: Rng,
    outbox: Outbox,
    conns_opened: u32,
    /// When each timer is due, in nanoseconds.
    timers: Vec<(TimerKey, u64)>,
}

impl Native {
    /// Boots node `me` at time 0; `send` gets what it sends.
    pub fn boot(work: Work, me: u32, send: impl FnMut(NodeId, &[u8])) -> Self {
        let mut rng = Rng::new(1, Domain::Node, &format!("h/{} boot 0", me + 1));
        let mut outbox = Outbox::default();
        let mut conns_opened = 0;
        let me = NodeId(me);
        let node =
            work.start(&mut Fx::new(&mut outbox, me, &mut conns_opened, &mut NoDisk, &mut rng));
        let timers = Vec::new();
        let mut native = Self { me, node, rng, outbox, conns_opened, timers };
        native.drain(0, send);
        native
    }

    pub fn receive(
        &mut self,
        at_ns: u64,
        from: u32,
        bytes: &[u8],
        send: impl FnMut(NodeId, &[u8]),
    ) {
        let from = NodeId(from);
        self.handle(at_ns, Input::Datagram { from, bytes }, send);
    }

    /// Fires every timer that is due.
    pub fn fire(&mut self, at_ns: u64, mut send: impl FnMut(NodeId, &[u8])) {
        while let Some(due) = self.timers.iter().position(|(_, due_ns)| *due_ns <= at_ns) {
            let (key, _) = self.timers.swap_remove(due);
            self.handle(at_ns, Input::Timer(key), &mut send);
        }
    }

    /// When the next timer is due, in nanoseconds.
    pub fn next_ns(&self) -> Option<u64> {
        self.timers.iter().map(|(_, due_ns)| *due_ns).min()
    }

    fn handle(&mut self, at_ns: u64, input: Input<'_>, send: impl FnMut(NodeId, &[u8])) {
        let now = Now { mono: Instant(at_ns), wall: WallTime(at_ns) };
        let (opened, rng) = (&mut self.conns_opened, &mut self.rng);
        self.node.on_input(
            now,
            input,
            &mut Fx::new(&mut self.outbox, self.me, opened, &mut NoDisk, rng),
        );
        self.drain(at_ns, send);
    }

    fn drain(&mut self, at_ns: u64, mut send: impl FnMut(NodeId, &[u8])) {
        for effect in self.outbox.effects.drain(..) {
            match effect {
                Effect::Datagram { to, bytes } => send(to, bytes.of(&self.outbox.bytes)),
                Effect::SetTimer { key, after } => {
                    self.timers.retain(|(other, _)| *other != key);
                    self.timers.push((key, at_ns + after.as_nanos()));
                }
                other => panic!("the workloads do not ask for {other:?}"),
            }
        }
        self.outbox.clear();
    }
}
