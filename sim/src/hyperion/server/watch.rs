//! Clients that keep what they read are told when it is over.
//!
//! A client that may keep an answer says so in its request (`watch`). The answer says for how long, and
//! from then on every key that is written, deleted, evicted or expired is named on that connection, when
//! this node applies it. A connection that is lost tells nothing more, so a client must forget what came
//! over it.

use super::super::command::{Command, Write};
use super::super::machine::Effect;
use super::super::wire::Answer;
use super::{Requester, Server};
use crate::protocol::cache::entry::Entry;
use crate::protocol::frame;
use contract::{Duration, Fx};

impl Server {
    /// How long `requester` may keep `entry`, which is read at the cluster time `time`; zero for not at
    /// all.
    pub(super) fn keeps(&self, requester: &Requester, entry: &Entry, time: u64) -> Duration {
        let max = self.config.client_cache_ttl;
        if !requester.watch || max == Duration::ZERO {
            return Duration::ZERO;
        }
        let left = entry.ends_at().map(|ends_at| Duration(ends_at.saturating_sub(time)));
        left.map_or(max, |left| left.min(max))
    }

    /// Tells whoever keeps something what the entry of the log at `index` changed.
    pub(super) fn tell_watchers(
        &self,
        index: u64,
        command: &[u8],
        effect: &Effect,
        fx: &mut Fx<'_>,
    ) {
        if self.watchers.is_empty() || !effect.fresh {
            return;
        }
        let Ok(command) = Command::decode(command) else { return };
        match command.write {
            Write::Drop { entries, .. } => {
                entries.iter().for_each(|(key, _)| self.tell(Some(key), index, fx));
            }
            _ => self.tell(Some(command.key), index, fx),
        }
    }

    /// Tells whoever keeps something that all of it may be over.
    pub(super) fn tell_watchers_all(&self, index: u64, fx: &mut Fx<'_>) {
        self.tell(None, index, fx);
    }

    fn tell(&self, key: Option<&[u8]>, version: u64, fx: &mut Fx<'_>) {
        for &conn in &self.watchers {
            fx.write(conn, |out| {
                frame::write(out, |out| Answer::Invalidate { key, version }.encode(0, out));
            });
        }
    }
}
