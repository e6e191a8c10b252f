//! Copies of a running world.
//!
//! A copy holds everything that the run changes; nodes copy themselves, disks share their pages
//! until one of the copies writes. Continued, a copy does what the original does.

use crate::api::Observer;
use crate::engine::Engine;
use alloc::rc::Rc;
use contract::Outbox;

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
