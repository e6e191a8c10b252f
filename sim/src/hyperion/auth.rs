//! The role `auth`: says whether a token is good.
//!
//! A service of its own, because checking tokens is bound by the processor and scales apart from the
//! gateway. What a token is, and how it is asked about, stands in [`crate::protocol::token`].

use super::tables::Event;
use super::tables::settings::AuthSettings;
use crate::protocol::frame;
use crate::protocol::token::Question;
use crate::service::InboundConns;
use crate::service::service_queue::{ServiceQueue, draw};
use alloc::boxed::Box;
use alloc::sync::Arc;
use catalog::Seat;
use contract::{ConnId, Dist, Duration, Fx, Input, Instant, Node, Now};

catalog::timer_keys! {
    beside [];
    /// What lies in the service queue is done.
    const SERVED = 0xDE5C;
}

/// An auth node.
#[derive(Clone, Debug)]
pub struct Auth {
    secret: Arc<[u8]>,
    /// Processor time of one check, in nanoseconds.
    service: Arc<Dist>,
    conns: InboundConns,
    queue: ServiceQueue,
}

impl Auth {
    /// Boots an auth node.
    #[must_use]
    pub fn boot(seat: &Seat<'_>) -> Self {
        let settings = AuthSettings::from(seat.settings);
        Self {
            secret: Arc::from(settings.secret.as_bytes()),
            service: Arc::new(settings.service),
            conns: InboundConns::default(),
            queue: ServiceQueue::new(SERVED),
        }
    }

    fn on_data(&mut self, now: Instant, conn: ConnId, bytes: &[u8], fx: &mut Fx<'_>) {
        let Some(mut decoder) = self.conns.take(conn) else { return };
        let intact = decoder.feed_each(bytes, |frame| self.on_question(now, conn, frame, fx));
        if !intact {
            fx.mark(Event::BadRequest.row(), [0; 3], bytes.len() as u64);
        }
        self.conns.settle(conn, decoder, intact, fx);
    }

    /// Takes one question in; false where it is none and the connection must go.
    fn on_question(&mut self, now: Instant, conn: ConnId, frame: &[u8], fx: &mut Fx<'_>) -> bool {
        if Question::decode(frame).is_err() {
            return false;
        }
        match draw(&self.service, 1, fx) {
            Duration::ZERO => self.answer(conn, frame, fx),
            cost => self.queue.push(now, conn, frame, cost, fx),
        }
        true
    }

    fn answer(&self, conn: ConnId, question: &[u8], fx: &mut Fx<'_>) {
        let question = Question::decode(question).expect("it was read when it arrived");
        let verdict = question.judge(&self.secret);
        fx.mark(Event::AuthChecked.row(), [u64::from(verdict.granted), 0, 0], 0);
        fx.write(conn, |out| frame::write(out, |out| verdict.encode(out)));
    }
}

impl Node for Auth {
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        let done = self.queue.take();
        done.iter().for_each(|served| self.answer(served.conn, served.request, fx));
        self.queue.give_back(done);
        match input {
            Input::Opened { conn, .. } => self.conns.opened(conn),
            Input::Data { conn, bytes } => self.on_data(now.mono, conn, bytes, fx),
            Input::Closed { conn, .. } => drop(self.conns.closed(conn)),
            // The queue was worked off above; nobody sends datagrams to an auth node.
            Input::Timer(SERVED) | Input::Datagram { .. } => {}
            other => panic!("an auth node asked for nothing that {other:?} answers"),
        }
    }

    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }

    fn memory_bytes(&self) -> u64 {
        self.conns.buffered_bytes() + self.queue.size_bytes()
    }
}
