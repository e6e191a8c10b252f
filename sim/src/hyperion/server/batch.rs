//! Small writes wait a moment for company, and are proposed together (`enable_batching`).
//!
//! What is proposed together is one write to the disk and one message to each follower.

use super::super::command::Command;
use super::super::wire::Answer;
use super::requests::answer;
use super::timers::BATCH;
use super::writes::PendingWrite;
use super::{Requester, Server};
use crate::protocol::cache::entry::Key;
use crate::protocol::raft::NotLeader;
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{Duration, Fx, Now};

/// How long a small write waits.
const WINDOW: Duration = Duration::from_millis(1);
/// The largest value that waits, in bytes.
pub(super) const SMALL_BYTES_MAX: usize = 1024;
/// The most writes that wait; the last of them ends the wait.
const BATCH_MAX: usize = 64;

/// Writes that wait to be proposed.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch(Vec<Waiting>);

#[derive(Clone, Debug)]
struct Waiting {
    requester: Requester,
    /// The id of the value that is written; 0 for none.
    value: u64,
    command: Arc<[u8]>,
}

impl Batch {
    /// How many there are.
    pub const fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// The memory that they take, in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.0.iter().map(|waiting| waiting.command.len() as u64).sum()
    }
}

impl Server {
    /// Lets a write wait for company.
    pub(super) fn wait_for_company(
        &mut self,
        now: Now,
        requester: Requester,
        value: u64,
        command: Arc<[u8]>,
        fx: &mut Fx<'_>,
    ) {
        if self.batch.0.is_empty() {
            fx.set_timer(BATCH, WINDOW);
        }
        self.batch.0.push(Waiting { requester, value, command });
        if self.batch.0.len() == BATCH_MAX {
            self.propose_batch(now, fx);
        }
    }

    /// Proposes what waits.
    pub(super) fn propose_batch(&mut self, now: Now, fx: &mut Fx<'_>) {
        let waiting = core::mem::take(&mut self.batch.0);
        if waiting.is_empty() {
            return;
        }
        fx.cancel_timer(BATCH);
        for write in &waiting {
            let command = Command::decode(&write.command).expect("this node wrote it");
            self.make_room_for(now, &command, fx);
        }
        let commands = waiting.iter().map(|write| Arc::clone(&write.command));
        match self.raft.propose_all(now, commands, fx) {
            Ok(log_ids) => {
                assert!(log_ids.len() == waiting.len(), "each was appended");
                for (write, log_id) in waiting.into_iter().zip(log_ids) {
                    let command = Command::decode(&write.command).expect("this node wrote it");
                    self.takes_room(log_id, command.key, super::writes::written(&command));
                    let key = Key::new(command.key).label();
                    let Waiting { requester, value, .. } = write;
                    let proposed_at = now.mono;
                    self.writes.push(PendingWrite { log_id, requester, key, value, proposed_at });
                }
            }
            Err(NotLeader { hint }) => {
                for write in waiting {
                    answer(&mut self.metrics, write.requester, &Answer::NotLeader { hint }, fx);
                }
            }
        }
    }
}
