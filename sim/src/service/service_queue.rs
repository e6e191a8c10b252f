//! Requests that are being worked on: what makes service time part of an answer's latency.
//!
//! A node that spends processor time on an input is busy afterwards, and its effects of that input
//! have left already. A request that costs something is therefore queued: its time is spent at once,
//! and it is carried out with the next input that the node handles, which is when the time is over.
//! A timer sees to it that there is one.

use alloc::vec::Vec;
use contract::{ConnId, Dist, Duration, Fx, Instant, TimerKey};

/// Requests whose time has been spent and that have not been carried out.
#[derive(Clone, Debug)]
pub struct ServiceQueue {
    served: TimerKey,
    bytes: Vec<u8>,
    requests: Vec<Queued>,
}

/// One request in the queue.
#[derive(Clone, Copy, Debug)]
struct Queued {
    conn: ConnId,
    since: Instant,
    /// Where it ends in the bytes of the queue.
    end: u32,
}

/// A request whose time has been spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served<'a> {
    /// On which connection it came.
    pub conn: ConnId,
    /// When it was queued.
    pub since: Instant,
    /// Its bytes.
    pub request: &'a [u8],
}

impl ServiceQueue {
    /// An empty queue of a node that hands inputs of the timer `served` to nobody else.
    #[must_use]
    pub const fn new(served: TimerKey) -> Self {
        Self { served, bytes: Vec::new(), requests: Vec::new() }
    }

    /// Queues a request that came at `now`, and spends the processor time that it takes.
    ///
    /// # Panics
    /// When it takes none: then it is carried out at once.
    pub fn push(
        &mut self,
        now: Instant,
        conn: ConnId,
        request: &[u8],
        cost: Duration,
        fx: &mut Fx<'_>,
    ) {
        assert!(cost > Duration::ZERO, "what costs nothing is carried out at once");
        fx.spend(cost);
        self.bytes.extend_from_slice(request);
        let end = u32::try_from(self.bytes.len()).expect("one input brings less than 4 GiB");
        self.requests.push(Queued { conn, since: now, end });
        fx.set_timer(self.served, Duration::ZERO);
    }

    /// Everything that was queued before the present input; see [`ServiceQueue::give_back`].
    #[must_use]
    pub fn take(&mut self) -> Self {
        let empty = Self::new(self.served);
        core::mem::replace(self, empty)
    }

    /// The requests in the order in which they were queued.
    pub fn iter(&self) -> impl Iterator<Item = Served<'_>> {
        let starts = core::iter::once(0).chain(self.requests.iter().map(|queued| queued.end));
        self.requests.iter().zip(starts).map(|(&Queued { conn, since, end }, start)| {
            let request = &self.bytes[start as usize..end as usize];
            Served { conn, since, request }
        })
    }

    /// Puts the buffers of a queue that was taken and worked off back to use.
    pub fn give_back(&mut self, mut done: Self) {
        assert!(done.served == self.served, "it was taken from here");
        if self.requests.is_empty() {
            done.bytes.clear();
            done.requests.clear();
            *self = done;
        }
    }

    /// True where nothing is queued.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// The memory that the requests take, in bytes.
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
