//! What holds of the members of a cluster, watched after every event.
//!
//! Start with [`all`]. No property knows of cuts: it takes two members for in reach of each other
//! where a probe of the one was answered by the other directly.

mod dead_stays_dead;
mod helpers_asked;
mod left_stays_left;
mod live_not_dead;
mod packets_fit;
mod probes_everyone;
mod queue_bounded;
mod suspicion_in_bounds;
mod tombstones_reaped;
mod views_converge;

use super::SwimOf;
use super::machine::Swim;
use super::member::Name;
use super::tables::Event;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Invariant, PerNode, Property, Watched, watch};
use contract::{Mark, NodeId};
use dead_stays_dead::DeadStaysDead;
use helpers_asked::HelpersAsked;
use left_stays_left::LeftStaysLeft;
use live_not_dead::LiveNotDead;
use packets_fit::PacketsFit;
use probes_everyone::ProbesEveryone;
use queue_bounded::QueueBounded;
use suspicion_in_bounds::SuspicionInBounds;
use tombstones_reaped::TombstonesReaped;
use views_converge::ViewsConverge;

/// A member as these properties see it.
type Look<'a> = catalog::Look<'a, Swim>;

/// What [`all`] holds, in its order.
pub const PROPERTIES: [Property; 10] = [
    LiveNotDead::PROPERTY,
    DeadStaysDead::PROPERTY,
    LeftStaysLeft::PROPERTY,
    ViewsConverge::PROPERTY,
    SuspicionInBounds::PROPERTY,
    ProbesEveryone::PROPERTY,
    HelpersAsked::PROPERTY,
    QueueBounded::PROPERTY,
    PacketsFit::PROPERTY,
    TombstonesReaped::PROPERTY,
];

/// Every property of the members in `watched`, whose SWIM is found by `swim_of`.
#[must_use]
pub fn all(watched: &Watched, swim_of: SwimOf) -> Vec<Box<dyn Invariant>> {
    vec![
        watch(LiveNotDead::new(swim_of), watched, swim_of),
        watch(DeadStaysDead, watched, swim_of),
        watch(LeftStaysLeft, watched, swim_of),
        watch(ViewsConverge::new(swim_of), watched, swim_of),
        watch(SuspicionInBounds, watched, swim_of),
        watch(ProbesEveryone, watched, swim_of),
        watch(HelpersAsked, watched, swim_of),
        watch(QueueBounded, watched, swim_of),
        watch(PacketsFit, watched, swim_of),
        watch(TombstonesReaped, watched, swim_of),
    ]
}

/// Whether `mark` is this event of the member's, and about whom.
fn about(swim: &Swim, mark: Mark, event: Event) -> Option<Name> {
    let is_it = mark.event == event.above(swim.config().events);
    is_it.then_some(Name(mark.labels[0] as u32))
}

/// The member that has just answered a probe directly, with its node: each reaches the other.
fn answered<'l>(look: &Look<'l>, mark: Mark, swim_of: SwimOf) -> Option<(NodeId, &'l Swim)> {
    let target = about(look.part, mark, Event::ProbeAnswered).filter(|_| mark.labels[1] == 0)?;
    let address = look.part.member(target)?.address;
    let node = look.part.node_of(address)?;
    let other = swim_of(look.nodes, node).filter(|other| other.name() == target)?;
    (!other.is_leaving() && !look.part.is_leaving()).then_some((node, other))
}
