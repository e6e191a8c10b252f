//! The run on our own engine that the others are compared with.

use super::script::{Action, Timed};
use super::{HostError, HostResult, HostRun};
use crate::api::{FaultClass, Observer, Stopped, Unwatched, Wake, Workload};
use crate::engine::Engine;
use crate::trace::Event;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use contract::{ConditionId, NodeId, OpId, Outcome, SimTime};
use core::any::Any;

/// Runs on [`Engine`], on this thread.
///
/// # Errors
/// When the run cannot be exact.
pub fn run_here(run: &HostRun<'_>) -> Result<HostResult, HostError> {
    run.check()?;
    let parts = (run.parts)();
    let count = run.config.nodes.len();
    let loads = (0..count).map(|_| parts.workload.fork()).collect();
    let load = Box::new(Apart { loads });
    let mut engine = Engine::new(run.config.clone(), parts.boot, load, Unwatched);
    if run.traced {
        engine.set_trace_len(1 << 22);
    }
    Replay::new(run.script).play(&mut engine, run.until);
    Ok(result(run, &mut engine))
}

fn result<O: Observer>(run: &HostRun<'_>, engine: &mut Engine<O>) -> HostResult {
    let count = run.config.nodes.len();
    let ids = || (0..count as u32).map(NodeId);
    let load = engine.workload().as_any().downcast_ref::<Apart>();
    let load = load.expect("the engine was given this load");
    assert_eq!(load.loads.len(), count, "each node has its copy");
    let loads: Vec<&dyn Workload> = load.loads.iter().map(|load| &**load).collect();
    let events_of = |node: NodeId| -> Vec<Event> {
        let mine = engine.trace().events().filter(|event| event.node == node);
        mine.copied().collect()
    };
    HostResult {
        node_digests: ids().map(|node| engine.node_digest(node)).collect(),
        digest: engine.digest(),
        events: engine.events(),
        late: 0,
        problems: Vec::new(),
        harvest: (run.harvest)(&loads),
        events_of: ids()
            .map(|node| if run.traced { events_of(node) } else { Vec::new() })
            .collect(),
    }
}

/// Plays a script on an engine.
struct Replay<'a> {
    script: &'a [Timed],
    /// Conditions by the ids of the script.
    imposed: BTreeMap<ConditionId, ConditionId>,
}

impl<'a> Replay<'a> {
    fn new(script: &'a [Timed]) -> Self {
        Self { script, imposed: BTreeMap::new() }
    }

    fn play<O: Observer>(&mut self, engine: &mut Engine<O>, until: SimTime) {
        assert!(self.script.is_sorted_by_key(|step| step.at), "a script is in order");
        for (index, step) in self.script.iter().enumerate() {
            engine.wake_at(step.at, FaultClass::End, index as u32);
        }
        loop {
            match engine.run_until(until) {
                Stopped::Due { token } => self.due(token, engine),
                Stopped::Paused => {}
                _ => return,
            }
        }
    }

    /// A step is due in its instant; it waits there for its round.
    fn due<O: Observer>(&mut self, token: u32, engine: &mut Engine<O>) {
        let step = &self.script[token as usize];
        assert!(engine.now() >= step.at, "a step is not played early");
        if engine.round() < step.round {
            return engine.wake_at(step.at, FaultClass::End, token);
        }
        let done = match step.action.clone() {
            Action::Impose(id, condition) => engine.impose(condition).map(|mine| {
                let before = self.imposed.insert(id, mine);
                assert!(before.is_none(), "a script imposes a condition once");
            }),
            Action::Lift(id) => {
                if let Some(mine) = self.imposed.get(&id) {
                    engine.lift(*mine);
                }
                Ok(())
            }
            Action::Strike(shock) => engine.strike(shock),
        };
        assert_eq!(done, Ok(()), "the engine that recorded the script could do it");
    }
}

/// A load in which no client knows of another: each node's own copy is asked for that node alone.
struct Apart {
    loads: Vec<Box<dyn Workload>>,
}

impl Workload for Apart {
    fn start(&mut self, client: NodeId) -> Option<SimTime> {
        self.loads[client.index()].start(client)
    }
    fn wake(&mut self, at: SimTime, client: NodeId) -> Wake {
        self.loads[client.index()].wake(at, client)
    }
    fn complete(
        &mut self,
        at: SimTime,
        client: NodeId,
        op: OpId,
        outcome: Outcome,
    ) -> Option<SimTime> {
        self.loads[client.index()].complete(at, client, op, outcome)
    }
    fn lost(&mut self, at: SimTime, client: NodeId) {
        self.loads[client.index()].lost(at, client);
    }
    fn fork(&self) -> Box<dyn Workload> {
        let loads = self.loads.iter().map(|load| load.fork()).collect();
        Box::new(Self { loads })
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl<O: Observer> Engine<O> {
    /// The round of the present instant: what a script needs to place a fault that an event
    /// brought about.
    #[must_use]
    pub fn round(&self) -> u32 {
        self.kernel.queue.round()
    }
}
