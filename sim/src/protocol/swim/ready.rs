//! What SWIM tells its owner, and what it asks of it.

use super::broadcasts::Room;
use super::member::{Address, Name};
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{Fx, Now};

/// What the owner must know, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// A member that was not there, or gone, lives.
    Joined(Name),
    /// A living member says something else of itself.
    Updated(Name),
    /// A member said that it leaves.
    Left(Name),
    /// A member was declared dead.
    Failed(Name),
    /// A member's name is claimed from another address; the claim was not believed.
    Conflict {
        /// The member.
        name: Name,
        /// Who claims to be it.
        claimed: Address,
    },
    /// Everything was exchanged with this contact of [`super::Swim::join`].
    Contacted(Address),
    /// That contact was not reached.
    Unreachable(Address),
    /// The own leaving has been told as often as anything is.
    LeaveDone,
    /// A message of another owner.
    User(Vec<u8>),
    /// The state that another owner gave to a push/pull.
    UserState {
        /// Whether it is one of a join.
        join: bool,
        /// As it was encoded.
        bytes: Vec<u8>,
    },
}

/// What the owner adds to what SWIM sends.
pub trait Delegate {
    /// Takes out messages that fit into `room`, for a cluster of so many members.
    fn broadcasts(&mut self, room: Room, members: u64, out: &mut Vec<Arc<[u8]>>);
    /// Takes out a message longer than `bytes`: it travels in a packet of its own.
    fn oversize(&mut self, bytes: usize, members: u64) -> Option<Arc<[u8]>>;
    /// Appends the state that a push/pull carries.
    fn local_state(&self, join: bool, out: &mut Vec<u8>);
}

/// An owner that has nothing to add.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDelegate;

impl Delegate for NoDelegate {
    fn broadcasts(&mut self, _: Room, _: u64, _: &mut Vec<Arc<[u8]>>) {}

    fn oversize(&mut self, _: usize, _: u64) -> Option<Arc<[u8]>> {
        None
    }

    fn local_state(&self, _: bool, _: &mut Vec<u8>) {}
}

/// What one input is handled with.
pub struct Context<'a, 'f> {
    /// The time.
    pub now: Now,
    /// The door to the world.
    pub fx: &'a mut Fx<'f>,
    /// The owner.
    pub delegate: &'a mut dyn Delegate,
}
