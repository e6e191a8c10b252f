//! The table of links: one entry for each direction between two nodes, made when it is first used.
//!
//! What every message touches stands in 32 bytes, those of sixteen receivers of one sender side by
//! side, and the index of such chunks is small enough for the processor's caches. So a message
//! waits for one cache line, however many links there are: a million of them are 32 MB. What only
//! some links need, a bent law or a limit of bandwidth, is kept beside the table.

use super::law::{LinkHit, LinkLaw};
use super::streams::Streams;
use crate::config::LinkSpec;
use crate::machines::Homes;
use crate::record::Record;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use contract::{Condition, NodeId, Rng, SimTime};

/// No link yet between two nodes, or no chunk.
const NONE: u32 = u32::MAX;

/// So many receivers, one after the other, share a chunk of the table.
const CHUNK: usize = 16;

const _: () = assert!(CHUNK.is_power_of_two());

/// With fewer links the caches hold them all.
const MANY: usize = 8_192;

/// Marks a [`Link::law`] of the link's own.
const OWN_LAW: u32 = 1 << 31;

/// What a message reads and writes of its link.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(crate) struct Link {
    /// Messages so far.
    pub n: u64,
    /// The number of its random stream.
    pub stream: u64,
    /// Counts cuts that lose what is under way: a message of an earlier count is lost.
    pub cut: u32,
    /// Datagrams under way since the last cut.
    pub in_flight: u32,
    /// Its specification, or, with [`OWN_LAW`], its place among the bent ones.
    law: u32,
    /// How many links were used before this one; [`NONE`] until it is used.
    pub rank: u32,
}

impl Link {
    const UNUSED: Self = Self { n: 0, stream: 0, cut: 0, in_flight: 0, law: 0, rank: NONE };
}

/// Two links share a cache line, and none straddles two.
const _: () = assert!(size_of::<Link>() == 32);

/// The kinds of [`LinkHit`].
pub(crate) const HITS: usize = 8;

/// What conditions did to a link.
#[derive(Clone, Debug)]
pub(crate) struct Bent {
    spec: u32,
    law: LinkLaw,
    /// The conditions on it, by number, ascending.
    pub conditions: Vec<u32>,
    hits: [u64; HITS],
    /// Datagrams that wait for the link to be released, each with the time it is due without.
    pub held: Vec<(SimTime, Record)>,
}

/// All links of a world.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    names: Rc<[String]>,
    /// Default first, then those that differ.
    specs: Rc<[LinkSpec]>,
    laws: Rc<[LinkLaw]>,
    differing: Rc<BTreeMap<(NodeId, NodeId), u32>>,
    /// Which of `specs` holds between nodes of one machine.
    inside: u32,
    /// Where started nodes live.
    pub homes: Homes,
    /// For each sender, made when it first sends: where the chunk of each sixteen receivers begins.
    rows: Vec<Vec<u32>>,
    /// All chunks. A link's id is its place here.
    table: Vec<Link>,
    /// For each chunk, its sender and the first of its receivers.
    owners: Vec<(NodeId, NodeId)>,
    /// The links that were used, by rank.
    used: Vec<u32>,
    bent: Vec<Bent>,
    /// When the last byte queued for each link's bandwidth has left, by rank; short while no link
    /// has a limit.
    busy_until: Vec<SimTime>,
    streams: Rc<Streams>,
    /// Where names of links are put together.
    name: String,
}

impl Links {
    pub fn new(
        names: Rc<[String]>,
        specs: Rc<[LinkSpec]>,
        differing: BTreeMap<(NodeId, NodeId), u32>,
        inside: u32,
    ) -> Self {
        assert!(specs.len() > differing.len(), "the default stands before those that differ");
        assert!((inside as usize) < specs.len(), "what holds inside a machine is specified");
        assert!(specs.len() < OWN_LAW as usize, "a link's own law is told from a specification");
        let laws = specs.iter().map(|spec| LinkLaw::new(spec, core::iter::empty()));
        Self {
            laws: laws.collect(),
            rows: alloc::vec![Vec::new(); names.len()],
            names,
            specs,
            differing: Rc::new(differing),
            inside,
            homes: Homes::default(),
            table: Vec::new(),
            owners: Vec::new(),
            used: Vec::new(),
            bent: Vec::new(),
            busy_until: Vec::new(),
            streams: Rc::default(),
            name: String::new(),
        }
    }

    /// The links that were used so far, in the order of their first use.
    pub fn used(&self) -> impl Iterator<Item = u32> + '_ {
        self.used.iter().copied()
    }

    #[inline]
    pub fn get(&self, id: u32) -> &Link {
        &self.table[id as usize]
    }

    #[inline]
    pub fn get_mut(&mut self, id: u32) -> &mut Link {
        &mut self.table[id as usize]
    }

    /// Takes the next message number of a link; returns the link as it was before.
    #[inline]
    pub fn next(&mut self, id: u32) -> Link {
        let link = &mut self.table[id as usize];
        let before = *link;
        link.n += 1;
        before
    }

    /// The nodes that a link leads from and to.
    pub fn ends(&self, id: u32) -> (NodeId, NodeId) {
        let (from, first) = self.owners[id as usize / CHUNK];
        (from, NodeId(first.0 + id % CHUNK as u32))
    }

    /// The link between two nodes, made when it does not exist.
    #[inline]
    pub fn id(&mut self, from: NodeId, to: NodeId) -> u32 {
        match self.place(from, to) {
            Some(id) if self.table[id as usize].rank != NONE => id,
            _ => self.make(from, to),
        }
    }

    /// Whether they are so many that a message mostly finds its link out of the processor's caches.
    pub fn are_many(&self) -> bool {
        self.used.len() > MANY
    }

    /// Something of the link between two nodes, for whoever wants it in the processor's caches.
    pub fn peek(&self, from: NodeId, to: NodeId) -> u64 {
        self.place(from, to).map_or(0, |id| self.table[id as usize].n)
    }

    /// The link between two nodes, if it was ever used.
    #[inline]
    pub fn find(&self, from: NodeId, to: NodeId) -> Option<u32> {
        self.place(from, to).filter(|id| self.table[*id as usize].rank != NONE)
    }

    /// Where the link between two nodes is, or would be if its chunk exists.
    #[inline]
    fn place(&self, from: NodeId, to: NodeId) -> Option<u32> {
        let first = *self.rows[from.index()].get(to.index() / CHUNK)?;
        // A chunk begins at a multiple of its length.
        (first != NONE).then_some(first | (to.0 % CHUNK as u32))
    }

    /// What holds on a link.
    #[inline]
    pub fn law(&self, id: u32) -> &LinkLaw {
        self.law_of(self.table[id as usize])
    }

    /// As [`Links::law`], for a link that was read already.
    #[inline]
    pub fn law_of(&self, link: Link) -> &LinkLaw {
        if link.law & OWN_LAW == 0 {
            &self.laws[link.law as usize]
        } else {
            &self.bent[(link.law & !OWN_LAW) as usize].law
        }
    }

    /// What a link was specified to be.
    pub fn spec(&self, id: u32) -> &LinkSpec {
        let spec = self.own(id).map_or(self.get(id).law, |bent| bent.spec);
        &self.specs[spec as usize]
    }

    /// What conditions did to a link, made when it is first asked for.
    pub fn bent(&mut self, id: u32) -> &mut Bent {
        let link = &mut self.table[id as usize];
        if link.law & OWN_LAW == 0 {
            let (spec, law) = (link.law, self.laws[link.law as usize].clone());
            link.law = self.bent.len() as u32 | OWN_LAW;
            assert!(self.bent.len() < OWN_LAW as usize, "laws are counted in 31 bits");
            let (conditions, hits, held) = (Vec::new(), [0; HITS], Vec::new());
            self.bent.push(Bent { spec, law, conditions, hits, held });
        }
        &mut self.bent[(link.law & !OWN_LAW) as usize]
    }

    /// Refolds what holds on a link after conditions on it changed.
    pub fn refit<'a>(&mut self, id: u32, conditions: impl Iterator<Item = &'a Condition>) {
        let law = LinkLaw::new(self.spec(id), conditions);
        assert_ne!(self.get(id).law & OWN_LAW, 0, "its list was asked for");
        self.bent(id).law = law;
    }

    /// The datagrams that wait for a link to be released.
    pub fn held(&self, id: u32) -> &[(SimTime, Record)] {
        self.own(id).map_or(&[], |bent| &bent.held)
    }

    /// Takes the `nth` of the datagrams that wait for a link; `None` when there are fewer.
    pub fn take_held(&mut self, id: u32, nth: usize) -> Option<Record> {
        if nth >= self.held(id).len() {
            return None;
        }
        let (_, record) = self.bent(id).held.remove(nth);
        Some(record)
    }

    /// A condition changed something, `times` times. On a link without conditions nothing counts.
    pub fn hit(&mut self, id: u32, hit: LinkHit, times: u64) {
        if self.get(id).law & OWN_LAW != 0 {
            self.bent(id).hits[hit as usize] += times;
        }
    }

    /// How often conditions changed something on a link.
    pub fn hits(&self, id: u32, hit: LinkHit) -> u64 {
        self.own(id).map_or(0, |bent| bent.hits[hit as usize])
    }

    /// When the last byte queued for the link's bandwidth has left.
    pub fn busy_until(&mut self, id: u32) -> &mut SimTime {
        let rank = self.get(id).rank as usize;
        assert!(rank < self.used.len(), "the link is in use");
        if self.busy_until.len() <= rank {
            self.busy_until.resize(self.used.len(), SimTime::ZERO);
        }
        &mut self.busy_until[rank]
    }

    fn own(&self, id: u32) -> Option<&Bent> {
        let law = self.get(id).law;
        (law & OWN_LAW != 0).then(|| &self.bent[(law & !OWN_LAW) as usize])
    }

    #[cold]
    fn make(&mut self, from: NodeId, to: NodeId) -> u32 {
        assert!(to.index() < self.names.len(), "{to:?} is not a node of this world");
        let stream = self.stream(from, to);
        if !Rc::make_mut(&mut self.streams).insert(stream) {
            let twin = self.used().find(|id| self.get(*id).stream == stream);
            let twin = twin.map(|id| self.ends(id));
            panic!("links {from:?} -> {to:?} and {twin:?} share a random stream: rename a node");
        }
        let law = self.spec_of(from, to);
        let id = self.place(from, to).unwrap_or_else(|| self.make_chunk(from, to));
        let rank = self.used.len() as u32;
        self.used.push(id);
        let link = self.get_mut(id);
        assert_eq!(link.rank, NONE, "a link is made once");
        *link = Link { stream, law, rank, ..Link::UNUSED };
        assert_eq!(self.ends(id), (from, to), "a link is found by its ends");
        id
    }

    /// Which of `specs` holds between two nodes, where they live now.
    fn spec_of(&self, from: NodeId, to: NodeId) -> u32 {
        if self.homes.is_inside(from, to) {
            return self.inside;
        }
        match self.differing.is_empty() {
            true => 0,
            false => self.differing.get(&(from, to)).copied().unwrap_or(0),
        }
    }

    /// The node has moved: gives its links the specification that holds now, and returns those that
    /// conditions were ever imposed on.
    pub fn respecify(&mut self, node: NodeId) -> Vec<u32> {
        let mut own = Vec::new();
        for rank in 0..self.used.len() {
            let id = self.used[rank];
            let (from, to) = self.ends(id);
            if from != node && to != node {
                continue;
            }
            let spec = self.spec_of(from, to);
            if self.get(id).law & OWN_LAW == 0 {
                self.get_mut(id).law = spec;
            } else {
                self.bent(id).spec = spec;
                own.push(id);
            }
        }
        own
    }

    /// Makes the chunk of a link; returns where the link will be.
    fn make_chunk(&mut self, from: NodeId, to: NodeId) -> u32 {
        let row = &mut self.rows[from.index()];
        if row.is_empty() {
            row.resize(self.names.len().div_ceil(CHUNK), NONE);
        }
        let chunk = self.owners.len();
        assert!(chunk < (NONE as usize) / CHUNK, "a link's id is told from none");
        assert_eq!(chunk * CHUNK, self.table.len(), "every chunk has an owner");
        let (first, offset) = ((chunk * CHUNK) as u32, to.0 % CHUNK as u32);
        row[to.index() / CHUNK] = first;
        self.owners.push((from, NodeId(to.0 - offset)));
        self.table.resize(self.table.len() + CHUNK, Link::UNUSED);
        first | offset
    }

    /// The number of the link's random stream: it is named `h/2>h/1`.
    fn stream(&mut self, from: NodeId, to: NodeId) -> u64 {
        self.name.clear();
        let (from, to) = (&self.names[from.index()], &self.names[to.index()]);
        self.name.extend([from.as_str(), ">", to.as_str()]);
        Rng::stream_number(&self.name)
    }
}
