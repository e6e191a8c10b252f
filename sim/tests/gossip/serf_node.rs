//! A node that is a Serf: it answers every query with its name, and counts what reaches it.

use contract::{Fx, Input, Node, Now};
use sim::protocol::serf::{Change, NotSent, QueryKey, QueryOptions, Ready, Serf};
use sim::protocol::swim::{Address, Name};
use std::collections::BTreeMap;

/// What the owner of a Serf saw.
#[derive(Clone, Default)]
pub struct Seen {
    /// How often each event was delivered, by what it says.
    pub events: BTreeMap<Vec<u8>, u32>,
    /// How many answers and how many acknowledgements each query got.
    pub answers: BTreeMap<QueryKey, (u32, u32)>,
    pub done: u32,
    pub changes: BTreeMap<(Name, Change), u32>,
    pub refused: Vec<NotSent>,
    pub sent: u32,
}

#[derive(Clone)]
pub struct SerfMember {
    pub serf: Serf,
    pub seen: Seen,
    has_left: bool,
}

impl SerfMember {
    pub fn new(serf: Serf) -> Self {
        Self { serf, seen: Seen::default(), has_left: false }
    }

    /// What an operator asks for: a word and what it is about.
    fn command(&mut self, now: Now, command: &[u8], fx: &mut Fx<'_>) -> bool {
        let Ok(text) = std::str::from_utf8(command) else { return false };
        let (word, about) = text.split_once(' ').unwrap_or((text, ""));
        match word {
            "leave" => self.serf.leave(now, fx),
            "force-leave" => {
                let name = Name(about.parse().expect("a member is a number"));
                self.serf.force_leave(now, name, false, fx);
            }
            "event" => self.event(about.as_bytes(), fx),
            "long" => self.event(&vec![b'x'; about.parse().expect("a length")], fx),
            "burst" => {
                for turn in 0..about.parse::<u32>().expect("a count") {
                    self.event(format!("{} {turn}", self.serf.swim().name().0).as_bytes(), fx);
                }
            }
            "query" => self.query(now, about.parse().expect("a relay factor"), fx),
            "queries" => {
                self.query(now, 0, fx);
                self.query(now, 0, fx);
            }
            _ => return false,
        }
        true
    }

    fn event(&mut self, payload: &[u8], fx: &mut Fx<'_>) {
        match self.serf.user_event(b"event", payload, false, fx) {
            Ok(_) => self.seen.sent += 1,
            Err(refused) => self.seen.refused.push(refused),
        }
    }

    fn query(&mut self, now: Now, relay_factor: u32, fx: &mut Fx<'_>) {
        let options = QueryOptions { relay_factor, wants_acks: true, ..QueryOptions::default() };
        let key = self.serf.query(now, b"who", b"?", &options, fx).expect("it is short");
        self.seen.answers.entry(key).or_default();
    }

    fn drain(&mut self, now: Now, fx: &mut Fx<'_>) {
        let mut ready = Vec::new();
        self.serf.drain(&mut ready);
        while !ready.is_empty() {
            for one in ready.drain(..) {
                self.take(now, fx, one);
            }
            self.serf.drain(&mut ready);
        }
    }

    fn take(&mut self, now: Now, fx: &mut Fx<'_>, one: Ready) {
        match one {
            Ready::Member(name, change) => {
                *self.seen.changes.entry((name, change)).or_default() += 1
            }
            Ready::Event { payload, .. } => *self.seen.events.entry(payload).or_default() += 1,
            Ready::Query { key, .. } => {
                let name = self.serf.swim().name().0.to_be_bytes();
                self.serf.answer(now, key, &name, fx).expect("a name is short");
            }
            Ready::Answer { key, .. } => self.seen.answers.entry(key).or_default().0 += 1,
            Ready::Acked { key, .. } => self.seen.answers.entry(key).or_default().1 += 1,
            Ready::QueryDone(_) => self.seen.done += 1,
            Ready::LeaveDone => self.has_left = true,
            Ready::Contact { .. } => {}
        }
    }
}

impl Node for SerfMember {
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        if self.has_left {
            return;
        }
        match input {
            Input::Datagram { bytes, .. } => {
                if !self.command(now, bytes, fx) {
                    self.serf.on_datagram(now, bytes, fx);
                }
            }
            Input::Timer(key) => self.serf.on_timer(now, key, fx),
            Input::Opened { conn, .. } => self.serf.on_opened(now, conn, fx),
            Input::Data { conn, bytes } => self.serf.on_data(now, conn, bytes, fx),
            Input::Closed { conn, .. } => self.serf.on_closed(now, conn, fx),
            other => panic!("a node gets no {other:?}"),
        }
        self.drain(now, fx);
    }

    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

/// The first contact, and two at random.
pub fn contacts(members: u32, fx: &mut Fx<'_>) -> [Address; 3] {
    let mut pick = || fx.rng.below(u64::from(members)) as u32;
    [Address(0), Address(pick()), Address(pick())]
}
