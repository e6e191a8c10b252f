//! What the search asks of an object.

/// The interval of one operation in ranks; `ret` is [`OPEN`](crate::history::rank::OPEN) when it
/// may also never take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The rank of its call.
    pub call: u32,
    /// The rank of its return.
    pub ret: u32,
}

/// A sequential object in one state, with the operations of a history.
///
/// States are numbers: [`Object::next`] names the state after an operation, [`Object::enter`]
/// goes there, [`Object::leave`] comes back. Operations are numbered in the order of their calls.
pub trait Object {
    /// The present state.
    fn state(&self) -> u32;

    /// The state after `op`, or `None` when its answer is impossible now.
    fn next(&mut self, op: u32) -> Option<u32>;

    /// What the states take that it has named so far, in bytes.
    fn bytes(&self) -> usize {
        0
    }

    /// Whether `op` leaves this state and every later one as it is.
    fn observes(&self, op: u32) -> bool;

    /// Takes `op` and goes to `next`.
    fn enter(&mut self, op: u32, next: u32);

    /// Takes `op` back and returns to `previous`.
    fn leave(&mut self, op: u32, previous: u32);

    /// A fingerprint of the present state. States that no operation still to come can tell apart
    /// may share one.
    fn fingerprint(&self) -> u128;

    /// Whether taking `op` now leads nowhere, although it is legal.
    fn is_hopeless(&self, _op: u32) -> bool {
        false
    }

    /// By when `op` is wanted; the lowest is tried first. Any order is right.
    fn deadline(&self, op: u32) -> u32;

    /// How far `op` leads away from `must`, the operation that returns first of all; the lowest is
    /// tried first, before deadlines are compared. Any order is right, as long as of twins the one
    /// that returns first comes first.
    fn detour(&self, _op: u32, _must: u32) -> u32 {
        0
    }

    /// Operations of one class do the same now and later, so that trying the one that returns
    /// first is enough: it may come first, and a twin may take its place.
    fn twins(&self, _op: u32) -> Option<u64> {
        None
    }

    /// Open operations of one class do the same at all times, so they are taken in the order of
    /// their calls. They are kept aside, which matters when there are many.
    fn open_class(&self, _op: u32) -> Option<u64> {
        None
    }
}
