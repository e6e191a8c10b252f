//! A run that stands still: what may happen next, and making one of it happen.
//!
//! Simulated time has stopped, as the engine's module `choose` describes. Messages, timers and the
//! faults of the plan come in whatever order they are chosen; the load is silent, and what is judged
//! are the invariants, after every event as ever.

use super::{Ended, Runner};
use crate::panics;
use contract::NodeId;
use contract::hash::mix;
use engine::Stopped;

/// How many events a world that stands still remembers.
const TRACE_LEN: usize = 16;

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Of the messages that wait from one node to another, that with this position arrives. Links
    /// keep order: those before it are lost.
    Deliver {
        /// Who sent it.
        from: NodeId,
        /// Who gets it.
        to: NodeId,
        /// How many before it are lost.
        nth: usize,
    },
    /// The first timer of a node fires.
    Timer(NodeId),
    /// A fault of the plan starts, goes on or ends.
    Fault(u32),
}

impl Runner {
    /// Lets simulated time stop. So many messages wait on a link at most: a further one takes the
    /// place of the oldest, which is lost.
    pub fn freeze(&mut self, waiting_max: usize) {
        assert!(waiting_max > 0, "something arrives");
        assert!(!self.is_over(), "a run that ended stands still already");
        self.waiting_max = waiting_max;
        self.engine.freeze();
        // A search copies worlds all the time, and replays what it found.
        self.engine.set_trace_len(TRACE_LEN);
        self.settle();
    }

    /// Everything that may happen next: messages, then timers, then faults.
    #[must_use]
    pub fn choices(&self) -> Vec<Choice> {
        let mut all = Vec::new();
        if self.is_over() {
            return all;
        }
        self.engine.each_waiting(|from, to, count| {
            all.extend((0..count).map(|nth| Choice::Deliver { from, to, nth }));
        });
        let nodes = (0..self.engine.nodes().count() as u32).map(NodeId);
        all.extend(nodes.filter(|node| self.engine.has_timer(*node)).map(Choice::Timer));
        all.extend(self.director.pending.iter().copied().map(Choice::Fault));
        all
    }

    /// A choice for people, and for a token that replays: `h/1>h/2` is a delivery, `h/1>h/2-1` one
    /// after a loss, `h/1` a timer, `+cut` the start of a fault.
    #[must_use]
    pub fn name_of(&self, choice: Choice) -> String {
        let name = |node: NodeId| self.roster.name(node);
        match choice {
            Choice::Deliver { from, to, nth: 0 } => format!("{}>{}", name(from), name(to)),
            Choice::Deliver { from, to, nth } => format!("{}>{}-{nth}", name(from), name(to)),
            Choice::Timer(node) => name(node).to_owned(),
            Choice::Fault(token) => self.director.name_of(token),
        }
    }

    /// Makes a choice happen, and what follows from it at once.
    pub fn choose(&mut self, choice: Choice) {
        assert!(!self.is_over(), "nothing happens after the end");
        assert!(self.waiting_max < usize::MAX, "only where time stands still");
        match choice {
            Choice::Deliver { from, to, nth } => {
                for _ in 0..nth {
                    self.engine.drop_waiting(from, to, 0);
                }
                self.engine.deliver_waiting(from, to, 0);
            }
            Choice::Timer(node) => {
                let engine = &mut self.engine;
                if let Err(said) = panics::catch(|| engine.fire_timer(node)) {
                    return self.panicked(said);
                }
            }
            Choice::Fault(token) => self.due(token),
        }
        self.settle();
    }

    /// A hash of everything that the future can depend on.
    #[must_use]
    pub fn still_state(&self) -> u64 {
        let pending = self.director.pending.iter();
        pending.fold(self.engine.still_state(), |state, token| mix(state, u64::from(*token)))
    }

    /// Loses the oldest of what waits on a link beyond what may.
    fn lose(&mut self) {
        let mut full = Vec::new();
        self.engine.each_waiting(|from, to, count| {
            full.extend((self.waiting_max..count).map(|_| (from, to)));
        });
        for (from, to) in full {
            self.engine.drop_waiting(from, to, 0);
        }
    }

    fn settle(&mut self) {
        while self.ended.is_none() {
            let engine = &mut self.engine;
            match panics::catch(|| engine.settle()) {
                Ok(Stopped::Paused) => self.happened(),
                Ok(Stopped::Due { token }) => self.due(token),
                Ok(Stopped::Stuck) => self.stuck(),
                Ok(_) => return self.lose(),
                Err(said) => self.panicked(said),
            }
        }
        assert!(self.ended != Some(Ended::InTime), "time stands still");
    }
}
