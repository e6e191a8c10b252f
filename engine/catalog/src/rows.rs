//! Tables of rows that a system and the protocols in it declare once, so that a misspelt row does
//! not compile.
//!
//! Each macro makes one declaration of what would otherwise be two or three lists that must agree:
//! [`events!`](crate::events) an enum and its table, [`defects!`](crate::defects) a struct of flags
//! and its table, [`gauges!`](crate::gauges) and [`predicates!`](crate::predicates) rows with the
//! functions that read them.
//!
//! A shared protocol knows neither the nodes that embed it nor the tables of their system. The
//! system says where it keeps the protocol by [`Embeds`], puts the rows into its own tables in any
//! order by [`joined!`](crate::joined), and tells each instance the [`Base`] above which its marks
//! count.
//!
//! **Invariant:** no row is known by its number outside the declaration that it stands in.

use crate::system::EventKind;
use contract::{Node, NodeId, Nodes};
use core::any::Any;

/// Where the nodes of a system keep a protocol, or another part, of type `P`.
pub trait Embeds<P> {
    /// The part inside `node`; `None` where the node is of another kind.
    fn part(node: &dyn Node) -> Option<&P>;
}

/// A node that is itself the part that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Itself;

impl<N: Node> Embeds<N> for Itself {
    fn part(node: &dyn Node) -> Option<&N> {
        let node: &dyn Any = node;
        node.downcast_ref()
    }
}

/// Finds the part of type `P` in a node of a world; `None` where the node is down or of another
/// kind.
pub type Find<P> = for<'a> fn(&'a (dyn Nodes + 'a), NodeId) -> Option<&'a P>;

/// [`Find`] for the parts that `E` embeds.
#[must_use]
pub fn find<'a, P, E: Embeds<P>>(nodes: &'a (dyn Nodes + 'a), node: NodeId) -> Option<&'a P> {
    E::part(nodes.node(node)?)
}

/// Whether something about parts of type `P` can be said of `group`: `false` where nodes are up
/// and no one of them has such a part, and for a group without nodes.
#[must_use]
pub fn applies<P, E: Embeds<P>>(group: &[NodeId], nodes: &dyn Nodes) -> bool {
    let mut up = group.iter().filter_map(|&id| nodes.node(id)).peekable();
    !group.is_empty() && (up.peek().is_none() || up.any(|node| E::part(node).is_some()))
}

/// Where the rows of one protocol begin in the table of events of the system that embeds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Base(u16);

impl Base {
    /// The beginning of a table.
    pub const ZERO: Self = Self(0);

    /// Where the rows of `part` stand in `whole`, in their order.
    ///
    /// # Panics
    /// When they do not: in a constant, that is an error of the compiler.
    #[must_use]
    pub const fn of(whole: &[EventKind], part: &[EventKind]) -> Self {
        assert!(!part.is_empty(), "a part has rows");
        assert!(whole.len() <= u16::MAX as usize, "a mark names its row in two bytes");
        let mut start = 0;
        while start + part.len() <= whole.len() {
            if is_at(whole, part, start) {
                return Self(start as u16);
            }
            start += 1;
        }
        panic!("the rows are not in the table")
    }

    /// The number that marks of the row `row` of the part carry.
    #[must_use]
    pub const fn row(self, row: u16) -> u16 {
        self.0 + row
    }
}

const fn is_at(whole: &[EventKind], part: &[EventKind], start: usize) -> bool {
    let mut row = 0;
    while row < part.len() {
        if !is_same(whole[start + row].name, part[row].name) {
            return false;
        }
        row += 1;
    }
    true
}

const fn is_same(one: &str, two: &str) -> bool {
    let (one, two) = (one.as_bytes(), two.as_bytes());
    if one.len() != two.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != two[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// How many rows `parts` have together.
#[must_use]
pub const fn count<T>(parts: &[&[T]]) -> usize {
    let (mut count, mut part) = (0, 0);
    while part < parts.len() {
        count += parts[part].len();
        part += 1;
    }
    count
}

/// The rows of `parts`, one part after the other. Use [`joined!`](crate::joined).
///
/// # Panics
/// When `N` is not [`count`], or there are no rows.
#[must_use]
pub const fn joined<T: Copy, const N: usize>(parts: &[&[T]]) -> [T; N] {
    assert!(count(parts) == N, "the length is the sum");
    let (mut part, mut at) = (0, 0);
    while parts[part].is_empty() {
        part += 1;
    }
    let mut all = [parts[part][0]; N];
    while part < parts.len() {
        let mut row = 0;
        while row < parts[part].len() {
            all[at] = parts[part][row];
            at += 1;
            row += 1;
        }
        part += 1;
    }
    all
}

/// Panics when a name stands twice among `names`.
pub const fn assert_unique(names: &[&str]) {
    let mut one = 0;
    while one < names.len() {
        let mut two = one + 1;
        while two < names.len() {
            assert!(!is_same(names[one], names[two]), "two rows of a table have one name");
            two += 1;
        }
        one += 1;
    }
}

/// Joins tables into one: `joined!(EventKind, name: raft::EVENTS, OWN_EVENTS)`, with the field that
/// names a row. Two rows of one name do not compile.
#[macro_export]
macro_rules! joined {
    ($row:ty, $($name:ident).+: $($part:expr),+ $(,)?) => {{
        const PARTS: &[&[$row]] = &[$($part),+];
        const ROWS: [$row; $crate::rows::count(PARTS)] = $crate::rows::joined(PARTS);
        const _: () = {
            let mut names = [""; ROWS.len()];
            let mut row = 0;
            while row < ROWS.len() {
                names[row] = ROWS[row].$($name).+;
                row += 1;
            }
            $crate::rows::assert_unique(&names);
        };
        &ROWS
    }};
}

/// Declares an enum of events and the table of their rows, in one order.
///
/// ```
/// catalog::events! {
///     /// What a node of the toy marks.
///     pub enum Event;
///     /// The rows of [`Event`].
///     pub const EVENTS;
///     Asked = "toy.asked", "", ["node"], "a node asked another";
///     Answered = "toy.answered", "ns", [], "an answer came; the value is how long it took";
/// }
/// assert_eq!(EVENTS[Event::Answered as usize].name, "toy.answered");
/// ```
#[macro_export]
macro_rules! events {
    (
        $(#[$enum_doc:meta])* $enum_vis:vis enum $event:ident;
        $(#[$rows_doc:meta])* $rows_vis:vis const $rows:ident;
        $($variant:ident = $name:literal, $unit:literal, [$($label:literal),*], $about:literal;)+
    ) => {
        $(#[$enum_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        $enum_vis enum $event {
            $(#[doc = concat!("`", $name, "`: ", $about)] $variant,)+
        }

        impl $event {
            /// The number that its marks carry where its rows begin at `base`.
            #[must_use]
            $enum_vis const fn above(self, base: $crate::Base) -> u16 {
                base.row(self as u16)
            }
        }

        $(#[$rows_doc])*
        $rows_vis const $rows: &[$crate::EventKind] = &[
            $($crate::EventKind {
                name: $name,
                unit: $unit,
                labels: &[$($label),*],
                about: $about,
            },)+
        ];
    };
}

/// Declares gauges with what reads them off a part of a node, for any system that embeds the part.
///
/// ```
/// struct Counter(u64);
/// catalog::gauges! {
///     /// What can be read off a counter.
///     pub fn gauges(counter: Counter);
///     "toy.count", "", "how far it has counted" => Some(counter.0);
/// }
/// ```
#[macro_export]
macro_rules! gauges {
    (
        $(#[$doc:meta])* $vis:vis fn $rows:ident($part:ident: $type:ty);
        $($name:literal, $unit:literal, $about:literal => $read:expr;)+
    ) => {
        $(#[$doc])*
        #[must_use]
        $vis const fn $rows<E: $crate::Embeds<$type>>()
        -> [$crate::GaugeKind; [$($name),+].len()] {
            [$($crate::GaugeKind {
                name: $name,
                unit: $unit,
                about: $about,
                read: |node| {
                    let $part: &$type = E::part(node)?;
                    $read
                },
            },)+]
        }
    };
}

/// Declares predicates of groups of nodes with such a part, each with its function from the group,
/// the nodes and what finds the part in them ([`Find`]). For other groups they do not apply.
///
/// ```
/// struct Counter(u64);
/// catalog::predicates! {
///     /// What can be true of a group of counters.
///     pub fn predicates(Counter);
///     "toy.all_done", "every counter has reached ten" => |group, nodes, find| {
///         group.iter().all(|&id| find(nodes, id).is_some_and(|counter| counter.0 >= 10))
///     };
/// }
/// ```
#[macro_export]
macro_rules! predicates {
    (
        $(#[$doc:meta])* $vis:vis fn $rows:ident($type:ty);
        $($name:literal, $about:literal => $holds:expr;)+
    ) => {
        $(#[$doc])*
        /// `roles` are those whose nodes have the part.
        #[must_use]
        $vis const fn $rows<E: $crate::Embeds<$type>>(
            roles: &'static [&'static str],
        ) -> [$crate::PredicateKind; [$($name),+].len()] {
            [$($crate::PredicateKind {
                name: $name,
                about: $about,
                roles,
                holds: |group, nodes| {
                    type Holds = fn(
                        &[$crate::contract::NodeId],
                        &dyn $crate::contract::Nodes,
                        $crate::Find<$type>,
                    ) -> bool;
                    const HOLDS: Holds = $holds;
                    $crate::rows::applies::<$type, E>(group, nodes)
                        .then(|| HOLDS(group, nodes, $crate::rows::find::<$type, E>))
                },
            },)+]
        }
    };
}

/// Declares a struct of planted defects, one flag per row, and their table.
///
/// ```
/// catalog::defects! {
///     /// Which defects are planted.
///     pub struct Defects;
///     /// Every defect of the toy.
///     pub const DEFECTS;
///     answers_twice, "answers-twice", "it answers twice", "nowhere", "count", &[];
/// }
/// assert!(Defects::from_names(&["answers-twice"]).answers_twice);
/// ```
#[macro_export]
macro_rules! defects {
    (
        $(#[$struct_doc:meta])* $struct_vis:vis struct $defects:ident;
        $(#[$rows_doc:meta])* $rows_vis:vis const $rows:ident;
        $($field:ident, $name:literal, $about:literal, $source:literal, $caught_by:literal,
            $needs:expr;)+
    ) => {
        $(#[$struct_doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        $struct_vis struct $defects {
            $(#[doc = $about] $struct_vis $field: bool,)+
        }

        impl $defects {
            /// The defects among `names`; names of other tables are left alone.
            #[must_use]
            $struct_vis fn from_names(names: &[&'static str]) -> Self {
                Self { $($field: names.contains(&$name),)+ }
            }
        }

        $(#[$rows_doc])*
        $rows_vis const $rows: &[$crate::Defect] = &[
            $($crate::Defect {
                name: $name,
                about: $about,
                source: $source,
                caught_by: $caught_by,
                needs: $needs,
            },)+
        ];
    };
}
