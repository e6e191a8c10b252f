//! One frame for properties that look at the nodes of some groups, one node at a time.
//!
//! A property says what it looks into, what it remembers of one node, and how it judges; the frame
//! finds the part in the node, begins the memory of a node anew when it boots, and counts what was
//! judged. Start with [`PerNode`] and [`watch`].

use crate::check::{Invariant, Property, Violation};
use crate::rows::Find;
use crate::system::Group;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use contract::{Mark, NodeId, Nodes, SimTime};

/// How many things were judged, or the breach that was found.
pub type Judged = Result<u64, Violation>;

/// A property of the nodes of some groups.
pub trait PerNode: Clone + 'static {
    /// What it looks into: a kind of node, or a protocol inside one.
    type Part: 'static;
    /// What it remembers of one node.
    type Memory: Clone + Default + 'static;
    /// What it holds.
    const PROPERTY: Property;

    /// A node has booted again. Nothing of its earlier lives is remembered, unless the property
    /// says otherwise.
    fn reboot(memory: &mut Self::Memory) {
        *memory = Self::Memory::default();
    }
    /// Judges a node that made a mark.
    ///
    /// # Errors
    /// With the breach.
    fn on_mark(&mut self, _: &Look<'_, Self::Part>, _: &mut Self::Memory, _: Mark) -> Judged {
        Ok(0)
    }
    /// Judges a node that has just handled an event.
    ///
    /// # Errors
    /// With the breach.
    fn look(&mut self, _: &Look<'_, Self::Part>, _: &mut Self::Memory) -> Judged {
        Ok(0)
    }
    /// As [`Invariant::measured`].
    fn measured(&self) -> String {
        String::new()
    }
}

/// The property as the lab asks for it: over the nodes `watched`, in which `find` finds the part.
#[must_use]
pub fn watch<P: PerNode>(
    property: P,
    watched: &Watched,
    find: Find<P::Part>,
) -> Box<dyn Invariant> {
    let lives = vec![(0, P::Memory::default()); watched.nodes.len()];
    Box::new(Frame { property, watched: watched.clone(), find, lives, looked: 0 })
}

/// A node that is up, as a property sees it.
pub struct Look<'a, P> {
    /// The time.
    pub at: SimTime,
    /// The node.
    pub node: NodeId,
    /// Where it sits.
    pub place: &'a Place,
    /// What is looked into.
    pub part: &'a P,
    /// All nodes of the world.
    pub nodes: &'a (dyn Nodes + 'a),
    watched: &'a Watched,
    find: Find<P>,
}

impl<P> Look<'_, P> {
    /// What the node is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.place.name
    }

    /// What another node that is watched is called.
    #[must_use]
    pub fn name_of(&self, node: NodeId) -> &str {
        self.watched.name(node)
    }

    /// The nodes of the same group that are up, itself among them.
    pub fn group(&self) -> impl Iterator<Item = (NodeId, &P)> {
        let same = |&(_, group): &(NodeId, usize)| group == self.place.group;
        let nodes = self.watched.nodes.iter().copied().filter(same);
        nodes.filter_map(|(node, _)| Some((node, (self.find)(self.nodes, node)?)))
    }

    /// A breach of `property` between `nodes`.
    #[must_use]
    pub fn breach(
        &self,
        property: Property,
        rule: &'static str,
        nodes: &[NodeId],
        detail: String,
    ) -> Violation {
        assert!(!nodes.is_empty(), "a breach is of some node");
        let (at, nodes, ops) = (self.at, nodes.to_vec(), Vec::new());
        Violation { property: property.name, rule, at, nodes, ops, detail }
    }
}

/// The nodes that a property watches. A copy shares the table.
#[derive(Clone, Debug)]
pub struct Watched {
    /// By node id; `None` for nodes that are not watched.
    places: Arc<[Option<Place>]>,
    /// The nodes that are watched, each with its group, in the order of their slots.
    nodes: Arc<[(NodeId, usize)]>,
    groups: usize,
}

/// Where a watched node sits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number among the nodes that are watched.
    pub slot: usize,
    /// The number of its group among those that are watched.
    pub group: usize,
    /// What a scenario calls it: the group, and the number in it from 1.
    pub name: String,
}

impl Watched {
    /// The nodes of groups with these names.
    #[must_use]
    pub fn of<'g>(groups: impl IntoIterator<Item = (&'g str, &'g [NodeId])>) -> Self {
        let (mut places, mut watched, mut count) = (Vec::new(), Vec::new(), 0);
        for (number, (group, nodes)) in groups.into_iter().enumerate() {
            count = number + 1;
            for (position, &node) in nodes.iter().enumerate() {
                places.resize(places.len().max(node.index() + 1), None);
                let name = format!("{group}/{}", position + 1);
                let place = Place { slot: watched.len(), group: number, name };
                let twice = places[node.index()].replace(place);
                assert!(twice.is_none(), "a node is in one group");
                watched.push((node, number));
            }
        }
        Self { places: Arc::from(places), nodes: Arc::from(watched), groups: count }
    }

    /// The nodes of all groups with one of `roles`.
    #[must_use]
    pub fn with_roles(groups: &[Group], roles: &[&str]) -> Self {
        let ours = groups.iter().filter(|group| roles.contains(&group.role));
        Self::of(ours.map(|group| (group.name.as_str(), group.nodes.as_slice())))
    }

    /// Where `node` sits, if it is watched.
    #[must_use]
    pub fn place(&self, node: NodeId) -> Option<&Place> {
        self.places.get(node.index())?.as_ref()
    }

    /// What `node` is called.
    #[must_use]
    pub fn name(&self, node: NodeId) -> &str {
        self.place(node).map_or("?", |place| &place.name)
    }

    /// How many nodes are watched: one more than the highest slot.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.nodes.len()
    }

    /// How many groups are watched.
    #[must_use]
    pub const fn groups(&self) -> usize {
        self.groups
    }
}

struct Frame<P: PerNode> {
    property: P,
    watched: Watched,
    find: Find<P::Part>,
    /// By slot: how often the node had booted when it was last looked at, and its memory.
    lives: Vec<(u32, P::Memory)>,
    looked: u64,
}

impl<P: PerNode> Frame<P> {
    fn judge(
        &mut self,
        at: SimTime,
        node: NodeId,
        nodes: &dyn Nodes,
        how: impl FnOnce(&mut P, &Look<'_, P::Part>, &mut P::Memory) -> Judged,
    ) -> Result<(), Violation> {
        let (watched, find) = (&self.watched, self.find);
        let Some(place) = watched.place(node) else { return Ok(()) };
        let Some(part) = find(nodes, node) else { return Ok(()) };
        let (boot, memory) = &mut self.lives[place.slot];
        let boots = nodes.boot(node);
        assert!(*boot <= boots, "boots are counted upwards");
        if *boot != boots {
            *boot = boots;
            P::reboot(memory);
        }
        let look = Look { at, node, place, part, nodes, watched, find };
        let judged = how(&mut self.property, &look, memory);
        self.looked += judged.as_ref().map_or(1, |count| *count);
        judged.map(|_| ())
    }
}

impl<P: PerNode> Invariant for Frame<P> {
    fn property(&self) -> Property {
        P::PROPERTY
    }

    fn concerns(&self, node: NodeId) -> bool {
        self.watched.place(node).is_some()
    }

    fn on_mark(
        &mut self,
        at: SimTime,
        node: NodeId,
        mark: Mark,
        nodes: &dyn Nodes,
    ) -> Result<(), Violation> {
        self.judge(at, node, nodes, |property, look, memory| property.on_mark(look, memory, mark))
    }

    fn after_event(
        &mut self,
        at: SimTime,
        touched: NodeId,
        nodes: &dyn Nodes,
    ) -> Result<(), Violation> {
        self.judge(at, touched, nodes, P::look)
    }

    fn looked(&self) -> u64 {
        self.looked
    }

    fn measured(&self) -> String {
        self.property.measured()
    }

    fn fork(&self) -> Box<dyn Invariant> {
        Box::new(Self {
            property: self.property.clone(),
            watched: self.watched.clone(),
            find: self.find,
            lives: self.lives.clone(),
            looked: self.looked,
        })
    }
}
