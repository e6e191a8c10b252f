//! An operation of a client over all of its tries, and what may be said of it when no more are made.
//!
//! An operation is tried at one node after another, and each try can end in silence: the connection
//! breaks, the node stops, the time is over. [`Attempts`] keeps account of every try that may have taken
//! effect or may yet, and so owns the verdict ([`Attempts::verdict`]).
//!
//! **Invariant:** [`Verdict::Fail`] means that the operation has no effect and never will: each try
//! was never written, or was ruled out by an answer of the node that got it. Everything else is
//! [`Verdict::Unknown`].
//!
//! The client writes each try once, says so ([`Attempts::sent`]), and names the try that an answer
//! rules out ([`Attempts::ruled_out`]), also where that is not the current one. A connection that
//! broke *before* the try was written cost nothing; one that broke after may have delivered it.

use super::redirects::Redirects;
use alloc::vec::Vec;

/// An operation over its tries. A try is named by the id of its request; ids rise.
#[derive(Clone, Debug)]
pub struct Attempts {
    /// Whether the operation can have an effect at all.
    has_effect: bool,
    made: u32,
    target: u32,
    /// The request ids of the first try and of the current one.
    requests: Option<(u64, u64)>,
    state: Try,
    /// The tries that were written and not ruled out.
    possible: Vec<u64>,
    redirects: Redirects,
}

/// The current try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Try {
    /// It waits for its connection.
    Connecting,
    /// It was written.
    Sent,
    /// It is over, and nothing is sent for it any more.
    Over,
}

/// What is known of an operation that got no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has no effect and never will.
    Fail,
    /// It may have taken effect, or may yet.
    Unknown,
}

impl Attempts {
    /// An operation that was not tried yet. One without an effect, such as a read, never ends as
    /// unknown.
    #[must_use]
    pub const fn new(has_effect: bool) -> Self {
        Self {
            has_effect,
            made: 0,
            target: 0,
            requests: None,
            state: Try::Over,
            possible: Vec::new(),
            redirects: Redirects::new(),
        }
    }

    /// A try begins, at the node with the index `target`, as the request with this id.
    ///
    /// # Panics
    /// When ids do not rise.
    pub fn begin(&mut self, request: u64, target: u32) {
        let first = match self.requests {
            Some((first, last)) => {
                assert!(last < request, "ids of requests rise");
                first
            }
            None => request,
        };
        self.requests = Some((first, request));
        self.target = target;
        self.made += 1;
        self.state = Try::Connecting;
    }

    /// The current try is written to its connection. From now on it may take effect.
    ///
    /// # Panics
    /// When it was written before, or is over.
    pub fn sent(&mut self) {
        assert!(self.state == Try::Connecting, "each try is sent once");
        self.state = Try::Sent;
        if self.has_effect {
            self.possible.push(self.request());
        }
    }

    /// The node that got this try says that the try has no effect and never will. Said twice, it
    /// counts once.
    pub fn ruled_out(&mut self, request: u64) {
        self.possible.retain(|possible| *possible != request);
    }

    /// The current try is over without a result, and the client waits before the next. Nothing is
    /// sent for it any more, even if its connection opens now.
    pub const fn over(&mut self) {
        self.state = Try::Over;
        self.redirects.reset();
    }

    /// The node to try next after the current one hinted at it; see [`Redirects::follow`].
    pub fn redirected(&mut self, hint: Option<u32>, peers: u32) -> Option<u32> {
        self.redirects.follow(hint, self.target, peers)
    }

    /// What is known of the operation if nothing more comes.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        if self.possible.is_empty() { Verdict::Fail } else { Verdict::Unknown }
    }

    /// How many tries were made.
    #[must_use]
    pub const fn made(&self) -> u32 {
        self.made
    }

    /// The node of the current try, by index.
    #[must_use]
    pub const fn target(&self) -> u32 {
        self.target
    }

    /// The request id of the current try.
    ///
    /// # Panics
    /// When nothing was tried yet.
    #[must_use]
    pub fn request(&self) -> u64 {
        let (_, current) = self.requests.expect("a try was begun");
        current
    }

    /// Whether a request was a try of this operation.
    #[must_use]
    pub fn includes(&self, request: u64) -> bool {
        self.requests.is_some_and(|(first, last)| (first..=last).contains(&request))
    }

    /// Whether the client waits before the next try.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.state == Try::Over
    }

    /// Whether the current try is at `target` and not over.
    #[must_use]
    pub fn is_at(&self, target: u32) -> bool {
        self.target == target && self.state != Try::Over
    }

    /// Whether the current try waits for the connection to `target`.
    #[must_use]
    pub fn is_connecting_to(&self, target: u32) -> bool {
        self.target == target && self.state == Try::Connecting
    }
}

#[cfg(test)]
mod tests;
