//! What is done to a run from outside of its plan: other random numbers, strikes, conditions, pinned
//! messages, and what is taken out of its future.

use super::Runner;
use crate::load::Load;
use contract::{Condition, ConditionId, NodeId, Shock, Unsupported};
use engine::{Pin, Sent};
use scenario::plan::Plan;

impl Runner {
    /// Goes on with other random numbers, which follow from the run's seed and `salt`: another
    /// future of the same past. See [`engine::Engine::reseed_from`].
    pub fn reseed_from(&mut self, salt: u64) {
        self.engine.reseed_from(salt);
        self.director.reseed(contract::hash::mix(self.roster.plan().seed, salt));
    }

    /// Goes on with another order of events at one instant, where that is explored, and with
    /// nothing else that is new.
    pub fn reseed_ties(&mut self, salt: u64) {
        self.engine.reseed_ties(salt);
    }

    /// The abstract state of all systems: equal for states that should count as one. Which faults
    /// are on shows in what the nodes are; as a part of the state it would only multiply them.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut state = 0;
        for system in self.roster.systems() {
            let groups = self.roster.groups_of(system.name());
            state = contract::hash::mix(state, system.fingerprint(&groups, self.engine.nodes()));
        }
        state
    }

    /// Goes on as the run of `plan` would, which has the same past: without the faults `ids`, and
    /// with fewer of the listed operations that are still to come.
    pub fn take_out(&mut self, ids: &[String], plan: &Plan) {
        let gone = |id: &String| plan.faults.iter().all(|fault| fault.id != *id);
        assert!(ids.iter().all(gone), "the plan is the one without them");
        self.director.take_out(ids);
        let load = self.engine.workload_mut().as_any_mut();
        let load = load.and_then(|load| load.downcast_mut::<Load>());
        load.expect("the runner gave the engine a Load").list_less(plan.seed, &plan.groups);
    }

    /// Strikes the world now, from outside of its plan.
    ///
    /// # Errors
    /// When the host cannot do that.
    pub fn strike(&mut self, shock: Shock) -> Result<(), Unsupported> {
        self.engine.strike(shock)
    }

    /// Imposes a condition, from outside of the plan.
    ///
    /// # Errors
    /// When the host cannot do that.
    pub fn impose(&mut self, condition: Condition) -> Result<ConditionId, Unsupported> {
        self.engine.impose(condition)
    }

    /// Lifts what [`Runner::impose`] returned.
    pub fn lift(&mut self, id: ConditionId) {
        self.engine.lift(id);
    }

    /// Pins a datagram that is still to be sent. See [`engine::Engine::pin`].
    pub fn pin(&mut self, from: NodeId, to: NodeId, n: u64, pin: Pin) {
        assert_ne!(from, to, "no link leads from a node to itself");
        self.engine.pin(from, to, n, pin);
    }

    /// From now on writes down every datagram that is sent.
    pub fn log_datagrams(&mut self) {
        self.engine.log_datagrams();
    }

    /// What was written down.
    pub fn take_datagrams(&mut self) -> Vec<Sent> {
        self.engine.take_datagrams()
    }
}
