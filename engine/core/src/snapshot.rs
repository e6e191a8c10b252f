//! Copies of a running world.
//!
//! A copy holds everything that the run changes; nodes copy themselves, disks share their pages
//! until one of the copies writes. Continued, a copy does what the original does, unless it is
//! given other random numbers: then it is another future of the same past.

use crate::api::Observer;
use crate::engine::Engine;
use alloc::rc::Rc;
use contract::hash::mix;
use contract::{Domain, Outbox, Rng};

impl<O: Observer + Clone> Engine<O> {
    /// A copy of the world; `None` when a node that is up cannot be copied.
    #[must_use]
    pub fn fork(&self) -> Option<Self> {
        assert!(self.outbox.is_empty(), "a world is copied between two events");
        Some(Self {
            kernel: self.kernel.fork()?,
            boot: Rc::clone(&self.boot),
            workload: self.workload.fork(),
            observer: self.observer.clone(),
            outbox: Outbox::default(),
            events_max: self.events_max,
            draining: self.draining,
            pause_asked: self.pause_asked,
            current: self.current,
        })
    }
}

impl<O: Observer> Engine<O> {
    /// From now on every draw comes from a seed that follows from the run's and `salt`. Whatever is
    /// settled stays: states, disks, timers, messages on their way with the instants at which they
    /// arrive, syncs in flight, what is scheduled. What is not yet drawn is drawn anew: latencies
    /// and fates of later messages, nodes and disks, boots, the load, and, where it is explored,
    /// the order within an instant. Copies that are given one salt are equal.
    ///
    /// The whole past stays in the digest, so what is replayed is (seed, time, salt).
    pub fn reseed_from(&mut self, salt: u64) {
        assert!(self.outbox.is_empty(), "a world is changed between two events");
        let seed = mix(self.kernel.seed, salt);
        self.kernel.reseed(seed);
        self.workload.reseed(seed);
    }

    /// As [`Engine::reseed_from`], for nothing but the order of events at one instant, where that
    /// is explored.
    pub fn reseed_ties(&mut self, salt: u64) {
        let seed = mix(self.kernel.seed, salt);
        self.kernel.queue.reseed(Rng::new(seed, Domain::Ties, "ties").next_u64());
    }
}

impl crate::kernel::Kernel {
    fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        self.net.reseed(seed);
        for host in &mut self.hosts.all {
            host.reseed(seed);
            host.disk.reseed(seed, &host.spec.name);
        }
        self.reseed_spaces(seed);
        self.queue.reseed(Rng::new(seed, Domain::Ties, "ties").next_u64());
    }
}
