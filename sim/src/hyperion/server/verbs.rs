//! What an operator asks of a node beside changes of membership: step down, evict, health.

use super::super::command::DropReason;
use super::super::wire::{Answer, Verb};
use super::requests::answer;
use super::{Requester, Server};
use crate::protocol::raft::Role;
use contract::{Fx, Now};

impl Server {
    /// Carries out an operator's verb, and says how many entries it concerned. What changes the
    /// cluster can only be asked of the node that leads.
    pub(super) fn on_verb(
        &mut self,
        now: Now,
        requester: Requester,
        verb: Verb,
        count: u64,
        fx: &mut Fx<'_>,
    ) {
        let leads = self.raft.role() == Role::Leader;
        let count = match verb {
            // Whose disk has failed takes no part until it is restarted.
            Verb::Health if self.raft.has_failed() => {
                return answer(&mut self.metrics, requester, &Answer::Unavailable, fx);
            }
            Verb::Health => self.machine.store().len(),
            Verb::StepDown | Verb::Evict if !leads => {
                let hint = self.raft.leader();
                return answer(&mut self.metrics, requester, &Answer::NotLeader { hint }, fx);
            }
            Verb::Evict => self.evict(now, count, DropReason::Manual, fx),
            Verb::StepDown => {
                let config = self.raft.config();
                let next = (config.me + 1) % config.peers.len() as u32;
                if self.raft.transfer(now, next, fx).is_err() {
                    return answer(&mut self.metrics, requester, &Answer::Retry, fx);
                }
                1
            }
        };
        answer(&mut self.metrics, requester, &Answer::Done { count }, fx);
    }
}
