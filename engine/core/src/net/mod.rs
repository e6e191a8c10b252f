//! The network: every link's latency, chance, bandwidth and conditions.
//!
//! Start with `Net::route`, which decides the fate of a datagram, and `Net::carry`, which does
//! so for a segment of a stream. Both draw all words of the message before they look at what
//! holds on the link, so a fault shifts no later draw. Connections live in `stream`.

mod chacha;
pub(crate) mod conn;
pub(crate) mod draws;
pub(crate) mod half_open;
pub(crate) mod law;
pub(crate) mod link;
pub mod pins;
pub(crate) mod retry;
pub(crate) mod stream;
mod streams;

use crate::config::{Config, LinkSpec};
use crate::counters::{Counters, DropReason};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use contract::hash::mix;
use contract::{Dist, Duration, NodeId, SimTime, Word};
use draws::{Draws, Words, halves, purpose};
use law::{Gate, LinkHit};
use link::Links;
use pins::Pins;

/// So many bytes may wait for a link's bandwidth; a datagram beyond is dropped.
pub const QUEUE_BYTES_MAX: u64 = 4 << 20;

/// A segment of a stream is lost at most so often in a row.
pub(crate) const LOSSES_MAX: u32 = 6;

/// How long a message between two nodes of one machine is under way: there is no wire.
pub const INSIDE_LATENCY: Duration = Duration::from_micros(50);

const _: () = assert!(QUEUE_BYTES_MAX >= contract::node::DATAGRAM_BYTES_MAX as u64);
const _: () = assert!(LOSSES_MAX < 32, "the wait doubles with each");

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Routed {
    /// The number of the message on its link.
    pub n: u64,
    pub to: NodeId,
    pub link: u32,
    pub cut: u32,
    pub due: SimTime,
    /// When a second copy arrives.
    pub copy: Option<SimTime>,
    /// A bit to flip.
    pub flip: Option<u64>,
    pub verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Deliver,
    Hold,
    Drop(DropReason),
}

/// What becomes of a segment of a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carried {
    pub n: u64,
    pub link: u32,
    pub cut: u32,
    /// From sending to arrival, without losses.
    pub latency_ns: u64,
    /// How often it is lost before it gets through; at most [`LOSSES_MAX`].
    pub losses: u32,
    /// Decides whether and where a write is split.
    pub split: Word,
}

/// All links, what is drawn for them, and what of that is pinned.
#[derive(Clone, Debug)]
pub(crate) struct Net {
    pub links: Links,
    draws: Draws,
    /// Everything waits until a test says otherwise.
    pub manual: bool,
    pub pins: Pins,
}

impl Net {
    pub fn new(config: &Config) -> Self {
        let mut specs = Vec::from([config.link.clone()]);
        let mut differing = BTreeMap::new();
        for (from, to, spec) in &config.links {
            differing.insert((*from, *to), specs.len() as u32);
            specs.push(spec.clone());
        }
        let inside = specs.len() as u32;
        specs.push(LinkSpec { latency: Dist::Constant(INSIDE_LATENCY.0), ..LinkSpec::default() });
        let names = config.nodes.iter().map(|node| node.name.clone()).collect();
        Self {
            links: Links::new(names, specs.into(), differing, inside),
            draws: Draws::new(config.seed),
            manual: false,
            pins: Pins::new(&config.pins),
        }
    }

    /// Draws from the streams of another seed from now on.
    pub fn reseed(&mut self, seed: u64) {
        self.draws = Draws::new(seed);
    }

    /// Decides the fate of a datagram of `len_bytes` sent now.
    #[inline]
    pub fn route(
        &mut self,
        at: SimTime,
        from: NodeId,
        to: NodeId,
        len_bytes: u32,
        counters: &mut Counters,
    ) -> Routed {
        let id = self.links.id(from, to);
        let link = self.links.next(id);
        let (n, cut) = (link.n, link.cut);
        let drawn = self.draws.draw(link.rank, link.stream, n);
        let law = self.links.law_of(link);
        let due = at + contract::Duration(law.latency.sample_words(drawn.latency()));
        let verdict = Verdict::Deliver;
        let mut routed = Routed { n, to, link: id, cut, due, copy: None, flip: None, verdict };
        if !law.plain || self.manual {
            let words = drawn.words();
            self.route_bent(at, &mut routed, &words, len_bytes, counters);
        }
        if !self.pins.is_idle() {
            self.pins.settle(at, from, &mut routed);
        }
        routed
    }

    /// The rest of [`Net::route`], for a link on which more than latency holds.
    fn route_bent(
        &mut self,
        at: SimTime,
        routed: &mut Routed,
        words: &Words,
        len_bytes: u32,
        counters: &mut Counters,
    ) {
        let extra_ns = self.extra(routed.link, words, counters);
        let (link, links) = (routed.link, &mut self.links);
        let law = links.law(link).gate;
        let (lost, doubled) = words.halves(purpose::FATE);
        let (_, corrupted) = words.halves(purpose::BEND);
        if law.blocked {
            links.hit(link, LinkHit::Block, 1);
            routed.verdict = Verdict::Drop(DropReason::Blocked);
            return;
        }
        let Some(sent_ns) = transmit(links, link, at, law.bandwidth, len_bytes, true) else {
            links.hit(link, LinkHit::Bandwidth, u64::from(law.bandwidth_bent));
            routed.verdict = Verdict::Drop(DropReason::QueueFull);
            return;
        };
        if sent_ns > 0 && law.bandwidth_bent {
            links.hit(link, LinkHit::Bandwidth, 1);
        }
        let late_ns = contract::Duration(sent_ns.saturating_add(extra_ns));
        routed.due = routed.due + late_ns;
        assert!(routed.due >= at, "nothing arrives before it was sent");
        if law.loss.hit(lost) {
            links.hit(link, LinkHit::Loss, u64::from(law.loss.bent(lost)));
            routed.verdict = Verdict::Drop(DropReason::Lost);
            return;
        }
        if law.corrupt.hit(corrupted) && len_bytes > 0 {
            links.hit(link, LinkHit::Corrupt, u64::from(law.corrupt.bent(corrupted)));
            counters.corrupted += 1;
            let bits = u64::from(len_bytes) * 8;
            routed.flip = Some(Word(mix(words.0[purpose::BEND].0, 1)).below(bits));
        }
        if law.duplicate.hit(doubled) {
            links.hit(link, LinkHit::Duplicate, u64::from(law.duplicate.bent(doubled)));
            counters.duplicated += 1;
            let copy_ns = links.spec(link).latency.sample_words(words.pair(purpose::COPY));
            routed.copy = Some(at + contract::Duration(copy_ns) + late_ns);
        }
        if law.held || self.manual {
            links.hit(link, LinkHit::Hold, 1);
            counters.held += 1;
            routed.verdict = Verdict::Hold;
        }
    }

    /// Decides the fate of a segment of a stream sent now. Corruption is noticed by a checksum and
    /// counts as a loss; a second copy is thrown away.
    pub fn carry(
        &mut self,
        at: SimTime,
        from: NodeId,
        to: NodeId,
        len_bytes: u32,
        counters: &mut Counters,
    ) -> Carried {
        let id = self.links.id(from, to);
        let link = self.links.next(id);
        let (n, cut) = (link.n, link.cut);
        let words = self.draws.draw(link.rank, link.stream, n).words();
        let extra_ns = self.extra(id, &words, counters);
        let law = self.links.law(id);
        let latency_ns = law.latency.sample_words(words.pair(purpose::LATENCY));
        let law = law.gate;
        let sent = transmit(&mut self.links, id, at, law.bandwidth, len_bytes, false);
        let sent_ns = sent.unwrap_or(0);
        if sent_ns > 0 && law.bandwidth_bent {
            self.links.hit(id, LinkHit::Bandwidth, 1);
        }
        let losses = losses(&mut self.links, id, law, &words);
        assert!(losses <= LOSSES_MAX, "the sender gives up");
        let latency_ns = latency_ns.saturating_add(sent_ns).saturating_add(extra_ns);
        let split = words.0[purpose::COPY + 1];
        let mut carried = Carried { n, link: id, cut, latency_ns, losses, split };
        if !self.pins.is_idle() {
            self.pins.settle_segment(from, to, &mut carried);
        }
        carried
    }

    /// Whether what is sent on `link` now does not get through: (cut, held).
    pub fn stops(&self, link: u32) -> (bool, bool) {
        let gate = self.links.law(link).gate;
        (gate.blocked, gate.held || self.manual)
    }

    /// How much longer a message takes because of delays and reordering.
    fn extra(&mut self, id: u32, words: &Words, counters: &mut Counters) -> u64 {
        let law = self.links.law(id);
        if law.plain {
            return 0;
        }
        let delay_ns = law.delay(words.pair(purpose::DELAY));
        let (reordered, _) = words.halves(purpose::BEND);
        let reordering = law.reordering(reordered, Word(mix(words.0[purpose::BEND].0, 2)));
        if delay_ns > 0 {
            self.links.hit(id, LinkHit::Delay, 1);
        }
        let Some((reorder_ns, is_bent)) = reordering else {
            return delay_ns;
        };
        self.links.hit(id, LinkHit::Reorder, u64::from(is_bent));
        counters.reordered += 1;
        delay_ns.saturating_add(reorder_ns)
    }
}

/// How long `len_bytes` wait for and take up the link; `None` when too much waits already.
fn transmit(
    links: &mut Links,
    link: u32,
    at: SimTime,
    bandwidth: Option<u64>,
    len_bytes: u32,
    may_drop: bool,
) -> Option<u64> {
    let Some(bytes_per_s) = bandwidth else {
        return Some(0);
    };
    assert!(bytes_per_s > 0, "a link carries something");
    let busy_until = links.busy_until(link);
    let waiting_ns = busy_until.since(at).0;
    let waiting = u128::from(waiting_ns) * u128::from(bytes_per_s) / 1_000_000_000;
    if may_drop && waiting + u128::from(len_bytes) > u128::from(QUEUE_BYTES_MAX) {
        return None;
    }
    let sending_ns = u128::from(len_bytes) * 1_000_000_000 / u128::from(bytes_per_s);
    let total_ns = waiting_ns.saturating_add(u64::try_from(sending_ns).unwrap_or(u64::MAX));
    assert!(total_ns >= waiting_ns, "bytes leave in order");
    *busy_until = at + contract::Duration(total_ns);
    Some(total_ns)
}

/// How often a segment is lost in a row. The first try reads the words of the message, the others
/// what is mixed from them.
fn losses(links: &mut Links, link: u32, gate: Gate, words: &Words) -> u32 {
    for tries in 0..LOSSES_MAX {
        let word = |purpose: usize| match tries {
            0 => words.0[purpose],
            _ => Word(mix(words.0[purpose].0, u64::from(tries))),
        };
        let (lost, _) = halves(word(purpose::FATE));
        let (_, corrupted) = halves(word(purpose::BEND));
        if gate.loss.hit(lost) {
            links.hit(link, LinkHit::Loss, u64::from(gate.loss.bent(lost)));
        } else if gate.corrupt.hit(corrupted) {
            links.hit(link, LinkHit::Corrupt, u64::from(gate.corrupt.bent(corrupted)));
        } else {
            return tries;
        }
    }
    LOSSES_MAX
}
