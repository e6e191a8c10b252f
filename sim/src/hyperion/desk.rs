//! Requests that are being worked on: what makes service time part of an answer's latency.
//!
//! A node that spends processor time on an input is busy afterwards, and its effects of that input
//! have left already. A request that costs something is therefore laid on the desk: its time is
//! spent at once, and it is carried out with the next input that the node handles, which is when the
//! time is over. A timer sees to it that there is one.

use alloc::vec::Vec;
use contract::{ConnId, Dist, Duration, Fx, TimerKey};

/// Sees to it that the node runs when what lies on the desk is done. Every node that has a desk
/// keeps this key for it.
pub const DESK: TimerKey = TimerKey(0xDE5C);

/// Requests whose time has been spent and that have not been carried out.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    bytes: Vec<u8>,
    /// Whose they are, and where each ends in `bytes`.
    requests: Vec<(ConnId, u32)>,
}

impl Desk {
    /// Lays a request down, and spends the processor time that it takes.
    pub fn lay(&mut self, conn: ConnId, request: &[u8], cost: Duration, fx: &mut Fx<'_>) {
        assert!(cost > Duration::ZERO, "what costs nothing is carried out at once");
        fx.spend(cost);
        self.bytes.extend_from_slice(request);
        let end = u32::try_from(self.bytes.len()).expect("one input brings less than 4 GiB");
        self.requests.push((conn, end));
        fx.set_timer(DESK, Duration::ZERO);
    }

    /// Everything that was laid down before the present input; see [`Desk::give_back`].
    pub fn take(&mut self) -> Self {
        core::mem::take(self)
    }

    /// The requests in the order in which they were laid down.
    pub fn iter(&self) -> impl Iterator<Item = (ConnId, &[u8])> {
        let starts = core::iter::once(0).chain(self.requests.iter().map(|(_, end)| *end));
        let ends = self.requests.iter().zip(starts);
        ends.map(|((conn, end), start)| (*conn, &self.bytes[start as usize..*end as usize]))
    }

    /// Puts the buffers of a desk that was taken and worked off back to use.
    pub fn give_back(&mut self, mut done: Self) {
        if self.requests.is_empty() {
            done.bytes.clear();
            done.requests.clear();
            *self = done;
        }
    }

    /// True where nothing lies on it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// The memory that it takes, in bytes.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// A draw of `cost` for each of `times` units of work. A cost of nothing draws nothing.
pub fn draw(cost: &Dist, times: u64, fx: &mut Fx<'_>) -> Duration {
    if *cost == Dist::Constant(0) {
        return Duration::ZERO;
    }
    Duration((0..times).map(|_| cost.sample(fx.rng)).sum())
}
