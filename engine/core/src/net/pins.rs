//! Messages whose fate is not left to chance: pinned, one by one, by link and number.
//!
//! A pinned message draws what it would draw without, and then has what its pin says. So a pin
//! changes that one message and moves no other draw: what `shrink` writes into a file, and what
//! `cause` asks of a run ("what if this one had been delivered?").

use super::{Carried, Routed, Verdict};
use crate::counters::DropReason;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use contract::{Duration, NodeId, SimTime};

/// What is pinned of a datagram, or of a segment of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pin {
    /// How long it is under way.
    pub latency: Option<Duration>,
    /// Whether it gets through, whatever the link does.
    pub fate: Option<Fate>,
}

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives, once and whole.
    Delivered,
    /// It does not. A segment of a stream is sent again and comes later.
    Lost,
}

/// A datagram that was sent: what was decided about it there and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When.
    pub at: SimTime,
    /// By whom.
    pub from: NodeId,
    /// To whom.
    pub to: NodeId,
    /// Its number on its link, from 0; streams on the link count too.
    pub n: u64,
    /// When it is due, were it not lost.
    pub due: SimTime,
    /// Why it was lost; `None` when it was put on its way.
    pub lost: Option<DropReason>,
}

/// All pins of a world, and the log of its datagrams while somebody wants it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pins {
    /// By link and number: the pin, and whether its message was sent.
    pins: BTreeMap<(NodeId, NodeId, u64), (Pin, bool)>,
    log: Option<Vec<Sent>>,
}

impl Pins {
    pub fn new(pins: &[(NodeId, NodeId, u64, Pin)]) -> Self {
        let by_link = pins.iter().map(|(from, to, n, pin)| ((*from, *to, *n), (*pin, false)));
        let by_link: BTreeMap<_, _> = by_link.collect();
        assert_eq!(by_link.len(), pins.len(), "a message is pinned once");
        Self { pins: by_link, log: None }
    }

    /// Whether anything has to be looked at for each datagram.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.pins.is_empty() && self.log.is_none()
    }

    pub fn pin(&mut self, from: NodeId, to: NodeId, n: u64, pin: Pin) {
        self.pins.insert((from, to, n), (pin, false));
    }

    /// The pins whose messages were never sent.
    pub fn unmet(&self) -> impl Iterator<Item = (NodeId, NodeId, u64)> {
        self.pins.iter().filter(|(_, (_, met))| !met).map(|(link, _)| *link)
    }

    pub fn start_log(&mut self) {
        self.log.get_or_insert_default();
    }

    pub fn take_log(&mut self) -> Vec<Sent> {
        self.log.take().unwrap_or_default()
    }

    /// Gives a segment that `from` sends to `to` what its pin says.
    pub fn settle_segment(&mut self, from: NodeId, to: NodeId, carried: &mut Carried) {
        let Some((pin, met)) = self.pins.get_mut(&(from, to, carried.n)) else {
            return;
        };
        *met = true;
        if let Some(latency) = pin.latency {
            carried.latency_ns = latency.as_nanos();
        }
        match pin.fate {
            None => {}
            Some(Fate::Lost) => carried.losses = carried.losses.max(1),
            Some(Fate::Delivered) => carried.losses = 0,
        }
    }

    /// Gives a datagram from `from` what its pin says, and writes down what became of it.
    pub fn settle(&mut self, at: SimTime, from: NodeId, routed: &mut Routed) {
        let Routed { to, n, .. } = *routed;
        assert!(routed.due >= at, "nothing arrives before it was sent");
        if let Some((pin, met)) = self.pins.get_mut(&(from, to, n)) {
            *met = true;
            if let Some(latency) = pin.latency {
                routed.due = at + latency;
            }
            match pin.fate {
                None => {}
                Some(Fate::Lost) => routed.verdict = Verdict::Drop(DropReason::Lost),
                Some(Fate::Delivered) => {
                    (routed.verdict, routed.copy, routed.flip) = (Verdict::Deliver, None, None);
                }
            }
        }
        if let Some(log) = &mut self.log {
            assert!(log.last().is_none_or(|last| last.at <= at), "it stands in the order of time");
            let lost = match routed.verdict {
                Verdict::Drop(reason) => Some(reason),
                Verdict::Deliver | Verdict::Hold => None,
            };
            log.push(Sent { at, from, to, n, due: routed.due, lost });
        }
    }
}
