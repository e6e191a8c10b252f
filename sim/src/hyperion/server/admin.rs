//! What an operator asks of a node: changes of membership (see [`crate::service::operator`]).

use super::super::tables::Event;
use super::Server;
use crate::protocol::raft::Role;
use crate::service::operator::{MembershipRequest, Progress};
use contract::{Fx, Now};

impl Server {
    /// An operator asks for a change. Only a leader can start it.
    pub(super) fn on_admin(&mut self, now: Now, bytes: &[u8], fx: &mut Fx<'_>) {
        let peers = self.raft.config().peers.len() as u32;
        match MembershipRequest::decode(bytes, peers) {
            Some(request) if self.raft.role() == Role::Leader => {
                let before = self.membership_request.unwrap_or_default();
                self.membership_request = Some(before.and(request));
                self.pursue_membership(now, fx);
            }
            Some(_) => fx.mark(Event::ChangeRefused.row(), [self.raft.term(), 0, 0], 0),
            None => fx.mark(Event::BadRequest.row(), [0; 3], bytes.len() as u64),
        }
    }

    /// Takes the next step of the change that the operator asked for, when it is time.
    pub(super) fn pursue_membership(&mut self, now: Now, fx: &mut Fx<'_>) {
        let Some(request) = self.membership_request else {
            return;
        };
        let progress = request.pursue(&mut self.raft, now, fx);
        if progress != Progress::Pending {
            self.membership_request = None;
        }
        if let Progress::Refused { leads } = progress {
            let labels = [self.raft.term(), u64::from(leads), 0];
            fx.mark(Event::ChangeRefused.row(), labels, 0);
        }
    }
}
