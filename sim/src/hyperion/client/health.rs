//! Health checks: one node is asked once, and silence is a no.
//!
//! Any other operation wants its effect and may go to another node for it. A health check wants to
//! know about this one: it waits for [`super::Config::health_timeout`] (`HEALTH_CHECK_TIMEOUT_MS` of
//! the modelled codebase), is not repeated, and follows no redirect. Whoever watches a whole group
//! pins one client to each node.

use super::super::tables::Event;
use super::{Client, in_flight};
use contract::{Duration, Fx, Outcome};

impl Client {
    /// How long the operation in flight may take, its retries among it.
    pub(super) fn time_for_operation(&mut self) -> Duration {
        match in_flight(&mut self.operation).is_health_check() {
            true => self.config.health_timeout,
            false => self.config.timeout,
        }
    }

    /// How long its current try may take.
    pub(super) fn time_for_try(&mut self) -> Duration {
        match in_flight(&mut self.operation).is_health_check() {
            // Its one try ends when it does; the deadline was set first, and comes first.
            true => self.config.health_timeout,
            false => self.config.try_timeout,
        }
    }

    /// The health check in flight got no yes.
    pub(super) fn unhealthy(&mut self, fx: &mut Fx<'_>) {
        let operation = in_flight(&mut self.operation);
        assert!(operation.is_health_check(), "nothing else asks how a node is");
        let waited = self.now.since(operation.since);
        let labels = [u64::from(operation.attempts.target()), 0, 0];
        fx.mark(Event::ClientUnhealthy.row(), labels, waited.as_nanos());
        self.complete(Outcome::Fail, fx);
    }
}
