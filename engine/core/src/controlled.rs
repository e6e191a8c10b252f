//! A world that stands is_frozen: nothing happens by itself, and whoever looks for orders of events
//! chooses what happens next.
//!
//! Simulated time stops. Every message waits until it is delivered ([`Engine::deliver_waiting`]),
//! every timer until it is fired ([`Engine::fire_timer`]), which moves the clock of that one node to
//! the timer's instant: clocks know nothing of each other, so any order of timers and messages can
//! be had. That is the asynchronous model of Fischer, Lynch and Paterson (JACM 1985, section 2),
//! where a message that is never delivered is a message that was lost. Processor time counts for
//! nothing, and disks end their syncs at once.

use crate::api::{Observer, Stopped};
use crate::engine::Engine;
use crate::queue::Next;
use crate::record::What;
use crate::trace::{Event, EventKind};
use contract::hash::{hash_bytes, mix};
use contract::{Input, NodeId};

impl<O: Observer> Engine<O> {
    /// From now on nothing happens but what is chosen, and what follows from it at once. What the
    /// queue holds for later never comes: not what is under way, not the load, not the slots of the
    /// harness.
    pub fn freeze(&mut self) {
        self.hold_all();
        self.kernel.is_frozen = true;
        let now = self.kernel.now();
        for host in &mut self.kernel.hosts.all {
            host.busy_until = host.busy_until.min(now);
        }
    }

    /// Lets everything happen that is due at this instant.
    pub fn settle(&mut self) -> Stopped {
        assert!(self.kernel.is_frozen, "a world that runs has no end of an instant");
        loop {
            if core::mem::take(&mut self.pause_asked) {
                return Stopped::Paused;
            }
            if self.drain_one() {
                continue;
            }
            let record = match self.kernel.queue.next_at_once() {
                Next::Record(record) => record,
                Next::Stuck => return Stopped::Stuck,
                Next::Reached | Next::Idle => return Stopped::Idle,
            };
            if let What::Fault { token } = record.what {
                return Stopped::Due { token };
            }
            self.step(&record);
        }
    }

    /// Tells, for each link that some datagram waits on, from whom, to whom and how many; links come
    /// in the order of first use.
    pub fn each_waiting(&self, mut tell: impl FnMut(NodeId, NodeId, usize)) {
        for id in 0..self.kernel.net.links() {
            let link = self.kernel.net.link(id);
            let count = link.bent.as_ref().map_or(0, |bent| bent.held.len());
            if count > 0 {
                tell(link.from, link.to, count);
            }
        }
    }

    /// Whether `node` is up and has set a timer.
    #[must_use]
    pub fn has_timer(&self, node: NodeId) -> bool {
        let host = self.kernel.hosts.get(node);
        host.alive && !host.timers.is_empty()
    }

    /// Fires the timer of `node` that is due first by its own clock, which is moved there; of equals,
    /// that with the least key. `false` when none is set.
    pub fn fire_timer(&mut self, node: NodeId) -> bool {
        assert!(self.kernel.is_frozen, "timers fire by themselves in a world that runs");
        let at = self.kernel.now();
        let host = self.kernel.hosts.get_mut(node);
        if !host.alive {
            return false;
        }
        let Some((key, due)) = host.timers.take_first() else { return false };
        host.clock.advance_to(at, due);
        self.kernel.align_clocks(node);
        self.kernel.counters.timers_fired += 1;
        self.begin(node);
        let event =
            Event { at, node, src: node, kind: EventKind::Timer, len_bytes: 0, hash: key.0 };
        let kernel = &mut self.kernel;
        kernel.hosts.handle(event, &mut kernel.trace, Input::Timer(key), &mut self.outbox);
        self.finish(node);
        true
    }

    /// A hash of everything that the future can depend on: what each node has seen, in its own
    /// order, and what is under way. Two orders of events that no node can tell apart have one.
    #[must_use]
    pub fn still_state(&self) -> u64 {
        let kernel = &self.kernel;
        let links = (0..kernel.net.links()).map(|id| kernel.net.link(id));
        let waiting = links.fold(0_u64, |sum, link| {
            let held = link.bent.iter().flat_map(|bent| &bent.held);
            held.fold(sum, |sum, (_, record)| {
                let What::Datagram { frame, .. } = record.what else { return sum };
                let way = mix(u64::from(link.from.0), u64::from(link.to.0));
                sum.wrapping_add(mix(way, hash_bytes(kernel.frames.get(frame))))
            })
        });
        mix(self.digest(), waiting)
    }
}
