//! User events: told to everybody, delivered to each once within the buffer's window.

use super::machine::{OwnEvent, Serf};
use super::ready::{NotSent, Ready};
use super::seen::News;
use super::settings::EVENT_BYTES_MAX;
use super::tables::Event;
use super::wire::{Message, UserEvent};
use contract::hash::{hash_bytes, mix};
use contract::{Duration, Fx};

impl Serf {
    /// Tells everybody that something happened; the own owner hears of it as well. Returns the
    /// Lamport time of the event.
    ///
    /// # Errors
    /// When it is too long, or too much waits already: then it has no effect, and the latter is counted.
    pub fn user_event(
        &mut self,
        name: &[u8],
        payload: &[u8],
        coalesces: bool,
        fx: &mut Fx<'_>,
    ) -> Result<u64, NotSent> {
        let settings = &self.upper.config.settings;
        fits(name.len() + payload.len(), u64::from(settings.user_event_bytes))?;
        let time = self.upper.event_clock.time();
        let event = UserEvent { time, name, payload, coalesces };
        let bytes = Message::UserEvent(event.clone()).shared();
        fits(bytes.len(), EVENT_BYTES_MAX)?;
        if self.upper.event_queue.len() >= settings.queue_depth as usize {
            self.upper.skipped += 1;
            self.mark(fx, Event::BroadcastSkipped, [time, 0, 0], bytes.len() as u64);
            return Err(NotSent::QueueFull);
        }
        self.upper.event_clock.increment();
        self.on_event(fx, &event);
        self.upper.event_queue.push(bytes);
        Ok(time)
    }

    /// An event is heard of. True where it is news, and to be passed on.
    pub(super) fn on_event(&mut self, fx: &mut Fx<'_>, event: &UserEvent<'_>) -> bool {
        let upper = &mut self.upper;
        if !upper.config.defects.never_witnesses {
            upper.event_clock.witness(event.time);
        }
        if event.time < upper.event_min {
            return false;
        }
        let own = OwnEvent {
            name: event.name.to_vec(),
            payload: event.payload.to_vec(),
            coalesces: event.coalesces,
        };
        let clock = upper.event_clock.time();
        let news = match upper.config.defects.slot_holds_one {
            true => upper.events.hear_one(event.time, clock, own),
            false => upper.events.hear(event.time, clock, own),
        };
        match news {
            News::Heard => return false,
            News::TooOld => {
                self.mark(fx, Event::EventTooOld, [event.time, clock, 0], 0);
                return false;
            }
            News::Fresh => {}
        }
        let identity = mix(hash_bytes(event.name), hash_bytes(event.payload));
        self.mark(fx, Event::EventDelivered, [event.time, identity, clock], 0);
        self.deliver(fx, event);
        true
    }

    fn deliver(&mut self, fx: &mut Fx<'_>, event: &UserEvent<'_>) {
        let (name, payload) = (event.name.to_vec(), event.payload.to_vec());
        let draws_together = self.upper.config.settings.coalesce_period > Duration::ZERO;
        if event.coalesces && draws_together {
            self.upper.coalescer.event(event.time, name, payload);
            self.set_coalescing(fx);
        } else {
            self.upper.ready.push(Ready::Event { time: event.time, name, payload });
        }
    }
}

/// Whether something is short enough.
pub(super) fn fits(bytes: usize, bytes_max: u64) -> Result<(), NotSent> {
    let bytes = bytes as u64;
    if bytes > bytes_max { Err(NotSent::TooLong { bytes, bytes_max }) } else { Ok(()) }
}
