//! What the engine is given: how nodes boot, what load there is, who watches.

use alloc::boxed::Box;
use alloc::string::String;
use contract::{Call, Fx, Mark, Node, NodeId, Nodes, Now, OpId, Outcome, Refused, SimTime};
use core::any::Any;

/// Makes nodes. Shared by all forks of a world, so it holds nothing that a run changes.
pub trait Boot {
    /// Boots node `node` for the `boot`-th time, counted from 0, from what is on its disk.
    ///
    /// # Errors
    /// When the node refuses to serve from what it finds; it then stays down.
    fn boot(
        &self,
        node: NodeId,
        boot: u32,
        now: Now,
        fx: &mut Fx<'_>,
    ) -> Result<Box<dyn Node>, Refused>;

    /// Chooses which of the `free` seats, dormant nodes that do not run and that nothing keeps
    /// down, in the order of their ids, `machine` gets for an `Effect::Start`. From the world alone:
    /// the same world gives the same seat.
    ///
    /// # Errors
    /// When there is no room, or when what the node asked for makes no sense.
    fn place(
        &self,
        _machine: NodeId,
        _role: &str,
        _settings: &[u8],
        _free: &[NodeId],
        _nodes: &dyn Nodes,
    ) -> Result<NodeId, NoStart> {
        Err(NoStart::NoSeat)
    }

    /// Boots a node that `machine` started, with the settings that it gave.
    ///
    /// # Errors
    /// As [`Boot::boot`].
    fn boot_started(
        &self,
        node: NodeId,
        boot: u32,
        _machine: NodeId,
        _settings: &[u8],
        now: Now,
        fx: &mut Fx<'_>,
    ) -> Result<Box<dyn Node>, Refused> {
        self.boot(node, boot, now, fx)
    }
}

/// Why no seat was chosen for an `Effect::Start`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoStart {
    /// None is free that would do.
    NoSeat,
    /// The node asked for something that no seat could give: a defect of the node, in words.
    Mistake(String),
}

/// The load: asks client nodes for operations.
///
/// Each client has at most one wake-up ahead of it: asking for an earlier one moves it, asking
/// for a later one does nothing. A load that needs the later one asks again when it is woken.
pub trait Workload {
    /// The first wake-up of a client node; `None` when the node is not a client.
    fn start(&mut self, client: NodeId) -> Option<SimTime>;
    /// The client is woken: what it invokes now, if anything, and when to wake it next.
    fn wake(&mut self, at: SimTime, client: NodeId) -> Wake;
    /// An operation ended; returns the next wake-up (`at` is allowed: the next round).
    fn complete(
        &mut self,
        at: SimTime,
        client: NodeId,
        op: OpId,
        outcome: Outcome,
    ) -> Option<SimTime>;
    /// The client node crashed: its operation in flight has an unknown outcome. It is woken again
    /// when it has rebooted.
    fn lost(&mut self, at: SimTime, client: NodeId);
    /// Whatever is not yet drawn is drawn from the streams of `seed`; see `Engine::reseed_from`.
    fn reseed(&mut self, _seed: u64) {}
    /// A copy, for forks.
    fn fork(&self) -> Box<dyn Workload>;
    /// The load as its concrete type, for whoever gave it to the engine.
    fn as_any(&self) -> &dyn Any;
    /// The same, to change; `None` for a load that nobody changes.
    fn as_any_mut(&mut self) -> Option<&mut dyn Any> {
        None
    }
}

/// What a woken client does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wake {
    /// The operation that it invokes now.
    pub invoke: Option<(OpId, Call)>,
    /// When to wake it next.
    pub next: Option<SimTime>,
}

/// No load at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Idle;

impl Workload for Idle {
    fn start(&mut self, _client: NodeId) -> Option<SimTime> {
        None
    }
    fn wake(&mut self, _at: SimTime, _client: NodeId) -> Wake {
        Wake::default()
    }
    fn complete(
        &mut self,
        _at: SimTime,
        _client: NodeId,
        _op: OpId,
        _outcome: Outcome,
    ) -> Option<SimTime> {
        None
    }
    fn lost(&mut self, _at: SimTime, _client: NodeId) {}
    fn fork(&self) -> Box<dyn Workload> {
        Box::new(Self)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Watches a run: history, invariants, coverage, cost.
pub trait Observer {
    /// A node made a mark.
    fn on_mark(&mut self, _at: SimTime, _node: NodeId, _mark: Mark, _nodes: &dyn Nodes) -> Control {
        Control::Continue
    }
    /// A client's operation ended.
    fn on_complete(
        &mut self,
        _at: SimTime,
        _client: NodeId,
        _op: OpId,
        _outcome: &Outcome,
    ) -> Control {
        Control::Continue
    }
    /// A node asked for something that makes no sense, in words.
    fn on_mistake(&mut self, _at: SimTime, _node: NodeId, _what: &str) -> Control {
        Control::Continue
    }
    /// A node is about to handle an input.
    fn before_input(&mut self) {}
    /// It has handled it; its effects come next.
    fn after_input(&mut self) {}
    /// A node handled an input, booted or crashed; no other node changed.
    fn after_event(&mut self, _at: SimTime, _touched: NodeId, _nodes: &dyn Nodes) -> Control {
        Control::Continue
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Observer for Unwatched {}

/// What an observer wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    #[default]
    Continue,
    /// `run_until` returns `Stopped::Paused` after this event.
    Pause,
}

/// Why `run_until` returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Everything before the time asked for has happened.
    Reached,
    /// A slot asked for with `wake_at` is due: act, and run on.
    Due {
        /// What was passed to `wake_at`.
        token: u32,
    },
    /// An observer asked for it.
    Paused,
    /// `events_max` is spent.
    Budget,
    /// Nothing is left to happen before the time asked for, nor after it.
    Idle,
    /// Time does not advance: more than 1 000 rounds at one instant.
    Stuck,
}

/// Where a slot of the harness stands among the events of its instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultClass {
    /// A fault ends: first of all.
    End,
    /// A fault starts: after those that end, before everything else.
    Start,
}

/// Something that happened to a node and that no node reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// When.
    pub at: SimTime,
    /// To whom.
    pub node: NodeId,
    /// What.
    pub kind: IncidentKind,
}

/// What happened to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IncidentKind {
    /// It exceeded its memory limit and was killed; its disk is as it was.
    OutOfMemory {
        /// What it used.
        used_bytes: u64,
        /// What it was allowed.
        limit_bytes: u64,
    },
    /// It refused to boot, and why.
    Refused(String),
    /// It asked to start a node, and there was no room.
    NoRoom,
    /// It asked for something that makes no sense, in words.
    Mistake(String),
}
