//! The network: every link's latency, chance, bandwidth and conditions.
//!
//! Start with `Net::route`, which decides the fate of a datagram, and `Net::carry`, which does
//! so for a segment of a stream. Both draw all words of the message before they look at what
//! holds on the link, so a fault shifts no later draw. Connections live in `stream`.

mod chacha;
pub(crate) mod conn;
pub(crate) mod draws;
pub(crate) mod law;
pub(crate) mod link;
pub mod pins;
pub(crate) mod retry;
pub(crate) mod stream;

use crate::config::{Config, LinkSpec};
use crate::counters::{Counters, DropReason};
use crate::machines::Homes;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use contract::hash::mix;
use contract::{Condition, Dist, Duration, NodeId, Rng, SimTime, Word};
use draws::{Draws, Words, halves, purpose};
use law::{Gate, LinkHit, LinkLaw};
use link::{Bent, Link};
use pins::Pins;

/// So many bytes may wait for a link's bandwidth; a datagram beyond is dropped.
pub const QUEUE_BYTES_MAX: u64 = 4 << 20;

/// A segment of a stream is lost at most so often in a row.
pub(crate) const LOSSES_MAX: u32 = 6;

/// How long a message between two nodes of one machine is under way: there is no wire.
pub const INSIDE_LATENCY: Duration = Duration::from_micros(50);

const NO_LINK: u32 = u32::MAX;

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

/// All links.
#[derive(Clone, Debug)]
pub(crate) struct Net {
    names: Rc<[String]>,
    /// Default first, then those that differ.
    specs: Rc<[LinkSpec]>,
    laws: Rc<[LinkLaw]>,
    differing: Rc<BTreeMap<(NodeId, NodeId), u32>>,
    /// Which of `specs` holds between nodes of one machine.
    inside: u32,
    /// Where started nodes live.
    pub homes: Homes,
    /// For each sender, made when it first sends: the link to each receiver.
    rows: Vec<Vec<u32>>,
    links: Vec<Link>,
    draws: Draws,
    /// The stream numbers in use.
    streams: Rc<BTreeMap<u64, u32>>,
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
        let laws = specs.iter().map(|spec| LinkLaw::new(spec, core::iter::empty()));
        Self {
            names: config.nodes.iter().map(|node| node.name.clone()).collect(),
            laws: laws.collect(),
            specs: specs.into(),
            differing: Rc::new(differing),
            inside,
            homes: Homes::default(),
            rows: alloc::vec![Vec::new(); config.nodes.len()],
            links: Vec::new(),
            draws: Draws::new(config.seed),
            streams: Rc::default(),
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
        let id = self.link_id(from, to);
        let link = &mut self.links[id as usize];
        let n = link.n;
        link.n += 1;
        let drawn = self.draws.draw(id, link.stream, n, &mut link.place);
        let law = match &link.bent {
            Some(bent) => &bent.law,
            None => &self.laws[link.spec as usize],
        };
        let latency_ns = law.latency.sample_words(drawn.latency());
        let (due, cut) = (at + contract::Duration(latency_ns), link.cut);
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
        let law = self.law(routed.link).gate;
        let link = &mut self.links[routed.link as usize];
        let (lost, doubled) = words.halves(purpose::FATE);
        let (_, corrupted) = words.halves(purpose::BEND);
        if law.blocked {
            link.hit(LinkHit::Block, 1);
            routed.verdict = Verdict::Drop(DropReason::Blocked);
            return;
        }
        let Some(sent_ns) = transmit(link, at, law.bandwidth, len_bytes, true) else {
            link.hit(LinkHit::Bandwidth, u64::from(law.bandwidth_bent));
            routed.verdict = Verdict::Drop(DropReason::QueueFull);
            return;
        };
        if sent_ns > 0 && law.bandwidth_bent {
            link.hit(LinkHit::Bandwidth, 1);
        }
        let late_ns = contract::Duration(sent_ns.saturating_add(extra_ns));
        routed.due = routed.due + late_ns;
        if law.loss.hit(lost) {
            link.hit(LinkHit::Loss, u64::from(law.loss.bent(lost)));
            routed.verdict = Verdict::Drop(DropReason::Lost);
            return;
        }
        if law.corrupt.hit(corrupted) && len_bytes > 0 {
            link.hit(LinkHit::Corrupt, u64::from(law.corrupt.bent(corrupted)));
            counters.corrupted += 1;
            let bits = u64::from(len_bytes) * 8;
            routed.flip = Some(Word(mix(words.0[purpose::BEND].0, 1)).below(bits));
        }
        if law.duplicate.hit(doubled) {
            link.hit(LinkHit::Duplicate, u64::from(law.duplicate.bent(doubled)));
            counters.duplicated += 1;
            let spec = link.spec as usize;
            let copy_ns = self.specs[spec].latency.sample_words(words.pair(purpose::COPY));
            routed.copy = Some(at + contract::Duration(copy_ns) + late_ns);
        }
        if law.held || self.manual {
            self.links[routed.link as usize].hit(LinkHit::Hold, 1);
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
        let id = self.link_id(from, to);
        let link = &mut self.links[id as usize];
        let n = link.n;
        link.n += 1;
        let words = self.draws.draw(id, link.stream, n, &mut link.place).words();
        let extra_ns = self.extra(id, &words, counters);
        let law = self.law(id);
        let latency_ns = law.latency.sample_words(words.pair(purpose::LATENCY));
        let law = law.gate;
        let link = &mut self.links[id as usize];
        let sent_ns = transmit(link, at, law.bandwidth, len_bytes, false).unwrap_or(0);
        if sent_ns > 0 && law.bandwidth_bent {
            link.hit(LinkHit::Bandwidth, 1);
        }
        let losses = losses(link, law, &words);
        let latency_ns = latency_ns.saturating_add(sent_ns).saturating_add(extra_ns);
        let split = words.0[purpose::COPY + 1];
        Carried { n, link: id, cut: link.cut, latency_ns, losses, split }
    }

    /// Whether what is sent on `link` now does not get through: (cut, held).
    pub fn stops(&self, link: u32) -> (bool, bool) {
        let gate = self.law(link).gate;
        (gate.blocked, gate.held || self.manual)
    }

    pub fn link(&self, id: u32) -> &Link {
        &self.links[id as usize]
    }

    pub fn link_mut(&mut self, id: u32) -> &mut Link {
        &mut self.links[id as usize]
    }

    /// How many links were used so far; their ids are below.
    pub fn links(&self) -> u32 {
        self.links.len() as u32
    }

    /// The link between two nodes, made when it does not exist.
    #[inline]
    pub fn link_id(&mut self, from: NodeId, to: NodeId) -> u32 {
        let id = self.rows[from.index()].get(to.index()).copied().unwrap_or(NO_LINK);
        if id == NO_LINK { self.make(from, to) } else { id }
    }

    /// Refolds what holds on a link after conditions on it changed.
    pub fn refit<'a>(&mut self, id: u32, conditions: impl Iterator<Item = &'a Condition>) {
        let link = &mut self.links[id as usize];
        let law = LinkLaw::new(&self.specs[link.spec as usize], conditions);
        link.bent.as_mut().expect("its list was asked for").law = law;
    }

    /// What conditions did to a link, made when it is first asked for.
    pub fn bent(&mut self, id: u32) -> &mut Bent {
        let link = &mut self.links[id as usize];
        let law = &self.laws[link.spec as usize];
        link.bent.get_or_insert_with(|| Box::new(Bent::new(law.clone())))
    }

    /// How often conditions changed something on the link, if it was ever used.
    pub fn hits(&self, from: NodeId, to: NodeId, hit: LinkHit) -> u64 {
        let id = self.rows[from.index()].get(to.index()).copied().unwrap_or(NO_LINK);
        if id == NO_LINK { 0 } else { self.links[id as usize].hits(hit) }
    }

    /// Which of `specs` holds between two nodes, where they live now.
    fn spec_of(&self, from: NodeId, to: NodeId) -> u32 {
        if self.homes.is_inside(from, to) {
            return self.inside;
        }
        self.differing.get(&(from, to)).copied().unwrap_or(0)
    }

    /// The node has moved: gives its links the specification that holds now, and returns those that
    /// conditions were ever imposed on.
    pub fn respecify(&mut self, node: NodeId) -> Vec<u32> {
        let mut bent = Vec::new();
        for id in 0..self.links() {
            let link = &self.links[id as usize];
            if link.from != node && link.to != node {
                continue;
            }
            let spec = self.spec_of(link.from, link.to);
            let link = &mut self.links[id as usize];
            link.spec = spec;
            if link.bent.is_some() {
                bent.push(id);
            }
        }
        bent
    }

    fn law(&self, id: u32) -> &LinkLaw {
        let link = &self.links[id as usize];
        match &link.bent {
            Some(bent) => &bent.law,
            None => &self.laws[link.spec as usize],
        }
    }

    /// How much longer a message takes because of delays and reordering.
    fn extra(&mut self, id: u32, words: &Words, counters: &mut Counters) -> u64 {
        let law = self.law(id);
        if law.plain {
            return 0;
        }
        let delay_ns = law.delay(words.pair(purpose::DELAY));
        let (reordered, _) = words.halves(purpose::BEND);
        let reordering = law.reordering(reordered, Word(mix(words.0[purpose::BEND].0, 2)));
        let link = &mut self.links[id as usize];
        if delay_ns > 0 {
            link.hit(LinkHit::Delay, 1);
        }
        let Some((reorder_ns, is_bent)) = reordering else {
            return delay_ns;
        };
        link.hit(LinkHit::Reorder, u64::from(is_bent));
        counters.reordered += 1;
        delay_ns.saturating_add(reorder_ns)
    }

    #[cold]
    fn make(&mut self, from: NodeId, to: NodeId) -> u32 {
        assert!(to.index() < self.names.len(), "{to:?} is not a node of this world");
        let name = format!("{}>{}", self.names[from.index()], self.names[to.index()]);
        let stream = Rng::stream_number(&name);
        let id = self.links.len() as u32;
        if let Some(other) = Rc::make_mut(&mut self.streams).insert(stream, id) {
            let other = &self.links[other as usize];
            panic!(
                "link {name} and the link {:?} -> {:?} share a random stream: rename a node",
                other.from, other.to
            );
        }
        let spec = self.spec_of(from, to);
        self.links.push(Link::new(from, to, stream, spec));
        let row = &mut self.rows[from.index()];
        row.resize(self.names.len(), NO_LINK);
        row[to.index()] = id;
        id
    }
}

/// How long `len_bytes` wait for and take up the link; `None` when too much waits already.
fn transmit(
    link: &mut Link,
    at: SimTime,
    bandwidth: Option<u64>,
    len_bytes: u32,
    may_drop: bool,
) -> Option<u64> {
    let Some(bytes_per_s) = bandwidth else {
        return Some(0);
    };
    assert!(bytes_per_s > 0, "a link carries something");
    let waiting_ns = link.busy_until.since(at).0;
    let waiting = u128::from(waiting_ns) * u128::from(bytes_per_s) / 1_000_000_000;
    if may_drop && waiting + u128::from(len_bytes) > u128::from(QUEUE_BYTES_MAX) {
        return None;
    }
    let sending_ns = u128::from(len_bytes) * 1_000_000_000 / u128::from(bytes_per_s);
    let total_ns = waiting_ns.saturating_add(u64::try_from(sending_ns).unwrap_or(u64::MAX));
    link.busy_until = at + contract::Duration(total_ns);
    Some(total_ns)
}

/// How often a segment is lost in a row. The first try reads the words of the message, the others
/// what is mixed from them.
fn losses(link: &mut Link, gate: Gate, words: &Words) -> u32 {
    for tries in 0..LOSSES_MAX {
        let word = |purpose: usize| match tries {
            0 => words.0[purpose],
            _ => Word(mix(words.0[purpose].0, u64::from(tries))),
        };
        let (lost, _) = halves(word(purpose::FATE));
        let (_, corrupted) = halves(word(purpose::BEND));
        if gate.loss.hit(lost) {
            link.hit(LinkHit::Loss, u64::from(gate.loss.bent(lost)));
        } else if gate.corrupt.hit(corrupted) {
            link.hit(LinkHit::Corrupt, u64::from(gate.corrupt.bent(corrupted)));
        } else {
            return tries;
        }
    }
    LOSSES_MAX
}
