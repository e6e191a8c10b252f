//! Writes: checked, proposed, and answered when they are applied.

use super::super::command::{Applied, Command, HEAD_BYTES_MAX, Refusal, Write};
use super::super::machine::Effect;
use super::super::tables::Event;
use super::super::wire::Answer;
use super::batch::SMALL_BYTES_MAX;
use super::requests::{answer, refuse};
use super::{Requester, Server};
use crate::protocol::cache::entry::Key;
use crate::protocol::raft::{LogId, NotLeader, Role};
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{Fx, Instant, Now, Value};

/// Writes that this node proposed as leader and has not answered, in the order of the log.
#[derive(Clone, Debug, Default)]
pub struct PendingWrites(VecDeque<PendingWrite>);

/// A write that was proposed.
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingWrite {
    pub log_id: LogId,
    pub requester: Requester,
    pub key: u64,
    /// The id of the value that is written; 0 for none.
    pub value: u64,
    pub proposed_at: Instant,
}

impl PendingWrites {
    /// How many there are.
    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Where the first of them is in the log.
    pub fn first(&self) -> Option<LogId> {
        self.0.front().map(|write| write.log_id)
    }

    pub(super) fn push(&mut self, write: PendingWrite) {
        let last = self.0.back().map_or(0, |last| last.log_id.index);
        assert!(last < write.log_id.index, "a leader appends to its log");
        self.0.push_back(write);
    }

    /// The write with the first index up to `index`.
    fn pop_through(&mut self, index: u64) -> Option<PendingWrite> {
        let first = self.0.front()?;
        (first.log_id.index <= index).then(|| self.0.pop_front())?
    }
}

impl Server {
    pub(super) fn on_write(
        &mut self,
        now: Now,
        requester: Requester,
        command: &Command<'_>,
        fx: &mut Fx<'_>,
    ) {
        let value = match self.check_write(command) {
            Ok(value) => value,
            Err(refusal) => return refuse(&mut self.metrics, requester, refusal, fx),
        };
        let size = HEAD_BYTES_MAX + command.key.len() + written(command).len();
        let mut bytes = Vec::with_capacity(size);
        command.encode(&mut bytes);
        let leads = self.raft.role() == Role::Leader;
        if self.config.batches && leads && written(command).len() <= SMALL_BYTES_MAX {
            return self.wait_for_company(now, requester, value, Arc::from(bytes), fx);
        }
        self.make_room_for(now, command, fx);
        match self.raft.propose(now, Arc::from(bytes), fx) {
            Ok(log_id) => {
                self.takes_room(log_id, command.key, written(command));
                let key = Key::new(command.key).label();
                let proposed_at = now.mono;
                self.writes.push(PendingWrite { log_id, requester, key, value, proposed_at });
            }
            Err(NotLeader { hint }) => {
                answer(&mut self.metrics, requester, &Answer::NotLeader { hint }, fx)
            }
        }
    }

    /// Sees to it that what `command` writes fits when it is applied.
    pub(super) fn make_room_for(&mut self, now: Now, command: &Command<'_>, fx: &mut Fx<'_>) {
        let value = written(command);
        if self.raft.role() == Role::Leader && !value.is_empty() {
            self.make_room(now, command.key, value, fx);
        }
    }

    /// The id of the value that is written, 0 for none; or why the write is refused before it
    /// reaches the log.
    fn check_write(&self, command: &Command<'_>) -> Result<u64, Refusal> {
        if matches!(command.write, Write::Drop { .. } | Write::Fill { .. }) {
            // Only a leader decides what leaves, and what is kept of the database.
            return Err(Refusal::MALFORMED);
        }
        let value = written(command);
        self.machine.store().check(command.key, value)?;
        if value.is_empty() {
            return Ok(0);
        }
        // What is damaged on arrival must not become the truth.
        let value = Value::from_bytes(value).ok_or(Refusal::DAMAGED)?;
        Ok(value.id)
    }

    /// Answers whoever proposed the entry, if that was at this node and in this leadership.
    pub(super) fn acknowledge(&mut self, log_id: LogId, effect: &Effect, fx: &mut Fx<'_>) {
        while let Some(write) = self.writes.pop_through(log_id.index) {
            if write.log_id != log_id {
                // Another leader's entry took its place, or will.
                answer(&mut self.metrics, write.requester, &Answer::Unknown, fx);
                continue;
            }
            self.metrics.replicated(write.proposed_at);
            if effect.fresh && !matches!(effect.answer, Applied::Conflict { .. }) {
                let labels = [write.key, log_id.term, log_id.index];
                fx.mark(Event::WriteAcked.row(), labels, write.value);
            }
            answer(&mut self.metrics, write.requester, &Answer::Applied(effect.answer), fx);
        }
    }

    /// Leadership is gone: what was proposed may still be committed by a later leader.
    pub(super) fn give_up_writes(&mut self, fx: &mut Fx<'_>) {
        while let Some(write) = self.writes.pop_through(u64::MAX) {
            if self.config.defects.definite_error {
                refuse(&mut self.metrics, write.requester, Refusal::Aborted, fx);
            } else {
                answer(&mut self.metrics, write.requester, &Answer::Unknown, fx);
            }
        }
    }
}

/// The bytes of the value that a command writes; none where it writes none.
pub(super) const fn written<'a>(command: &Command<'a>) -> &'a [u8] {
    match command.write {
        Write::Put { value, .. } | Write::Cas { value, .. } => value,
        Write::Fill { value, .. } => value,
        Write::Delete | Write::Drop { .. } => &[],
    }
}
