//! A share of the traffic, repeated at a second cluster (`shadow_traffic_percent`).
//!
//! The shadow is for trying out: its answers reach nobody, and nobody waits for it. What it has not
//! answered is bounded, and what exceeds that is not sent.

use super::super::tables::Event;
use super::super::tables::settings::MirrorSettings;
use super::super::wire::{Answer, RequestFrame, ResponseFrame};
use crate::protocol::frame;
use crate::service::{PeerConns, Redirects};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use catalog::Seat;
use contract::{ConnId, Fx, Ratio};

/// The most requests that the second cluster has not answered.
const PENDING_MAX: usize = 1_000;

/// The way to the second cluster.
#[derive(Clone, Debug)]
pub struct Mirror {
    share: Ratio,
    peers: PeerConns,
    /// Which of its nodes leads, as far as is known.
    leader: u32,
    /// By the gateway's id.
    pending: BTreeMap<u64, Copied>,
}

/// A request that was repeated.
#[derive(Clone, Debug)]
struct Copied {
    asked: RequestFrame,
    at: u32,
    sent: bool,
    redirects: Redirects,
}

impl Mirror {
    /// The mirror of a gateway, where its role has one.
    pub fn of(seat: &Seat<'_>) -> Option<Self> {
        let shadow = seat.uses.get("shadow")?;
        let share = MirrorSettings::from(seat.settings).shadow_traffic_percent;
        Some(Self { share, peers: PeerConns::to(shadow), leader: 0, pending: BTreeMap::new() })
    }

    /// Repeats a request that goes to the cluster, if its turn has come.
    pub fn copy(&mut self, id: u64, asked: &RequestFrame, fx: &mut Fx<'_>) {
        if self.share == Ratio::ZERO || !fx.rng.chance(self.share) {
            return;
        }
        if self.pending.len() >= PENDING_MAX {
            return fx.mark(Event::GatewayMirrorFull.row(), [0; 3], 0);
        }
        fx.mark(Event::GatewayMirrored.row(), [0; 3], 0);
        let copied = Copied {
            asked: asked.clone(),
            at: self.leader,
            sent: false,
            redirects: Redirects::new(),
        };
        self.pending.insert(id, copied);
        self.send(id, fx);
    }

    fn send(&mut self, id: u64, fx: &mut Fx<'_>) {
        let Some(copied) = self.pending.get_mut(&id).filter(|copied| !copied.sent) else { return };
        let Some(conn) = self.peers.at(copied.at).open(fx) else { return };
        copied.sent = true;
        fx.write(conn, |out| frame::write(out, |out| copied.asked.pass_on(id, out)));
    }

    /// The node of the second cluster to which `conn` leads, by index.
    pub fn node_of(&self, conn: ConnId) -> Option<u32> {
        self.peers.index_of(conn)
    }

    /// The memory that it takes, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        let copied: u64 = self.pending.values().map(|copied| copied.asked.len_bytes()).sum();
        copied + self.peers.buffered_bytes()
    }

    /// A connection is open.
    pub fn on_opened(&mut self, node: u32, conn: ConnId, fx: &mut Fx<'_>) {
        self.peers.at(node).opened(conn);
        let due = self.pending.iter().filter(|(_, copied)| copied.at == node && !copied.sent);
        let due: Vec<u64> = due.map(|(id, _)| *id).collect();
        due.into_iter().for_each(|id| self.send(id, fx));
    }

    /// A connection is gone, and with it what was asked there.
    pub fn on_lost(&mut self, node: u32) {
        self.peers.at(node).closed();
        self.pending.retain(|_, copied| copied.at != node);
        if self.leader == node {
            self.leader = self.peers.after(node);
        }
    }

    /// Bytes came. Nobody but the counters hears what they say.
    pub fn on_data(&mut self, node: u32, conn: ConnId, bytes: &[u8], fx: &mut Fx<'_>) {
        let mut decoder = self.peers.at(node).take();
        let intact = decoder.feed_each(bytes, |frame| self.on_answer(node, frame, fx));
        self.peers.at(node).settle(decoder);
        if !intact {
            fx.mark(Event::BadRequest.row(), [0; 3], bytes.len() as u64);
            fx.close(conn);
            self.on_lost(node);
        }
    }

    fn on_answer(&mut self, from: u32, frame: &[u8], fx: &mut Fx<'_>) -> bool {
        let Ok(arrived) = ResponseFrame::decode(frame) else { return false };
        let (id, answer) = (arrived.id(), arrived.view());
        let Some(copied) = self.pending.get_mut(&id).filter(|_| !answer.is_partial()) else {
            return true;
        };
        if let Answer::NotLeader { hint } = answer {
            if let Some(to) = copied.redirects.follow(hint, from, self.peers.count()) {
                (copied.at, copied.sent) = (to, false);
                self.leader = to;
                self.send(id, fx);
                return true;
            }
            self.leader = self.peers.after(from);
        }
        let served = matches!(
            answer,
            Answer::Found { .. } | Answer::Missing | Answer::Item { .. } | Answer::Applied(_)
        );
        fx.mark(Event::GatewayMirrorAnswered.row(), [u64::from(served), 0, 0], 0);
        self.pending.remove(&id);
        true
    }
}
