//! What holds on one link right now: its specification with all conditions folded in.

use crate::config::LinkSpec;
use crate::odds::Odds;
use alloc::vec::Vec;
use contract::{Condition, Dist, Duration, Word};

/// How a link behaves.
#[derive(Clone, Debug)]
pub(crate) struct LinkLaw {
    pub latency: Dist,
    pub gate: Gate,
    reorder: Odds,
    reorder_extra: Duration,
    delays: Vec<Dist>,
    /// Nothing but latency: no other word of a message matters.
    pub plain: bool,
}

/// What decides whether and how a message gets through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    pub loss: Odds,
    pub duplicate: Odds,
    pub corrupt: Odds,
    pub bandwidth: Option<u64>,
    pub bandwidth_bent: bool,
    pub blocked: bool,
    pub held: bool,
}

impl LinkLaw {
    /// The law of `spec` under `conditions`, all of which are on this link.
    pub fn new<'a>(spec: &LinkSpec, conditions: impl Iterator<Item = &'a Condition>) -> Self {
        let mut loss = spec.loss;
        let mut duplicate = spec.duplicate;
        let mut corrupt = spec.corrupt;
        let mut reorder = spec.reorder;
        let mut reorder_extra = spec.reorder_extra;
        let mut delays = Vec::new();
        let mut bandwidth = spec.bandwidth;
        let (mut blocked, mut held) = (false, false);
        for condition in conditions {
            match condition {
                Condition::Block { .. } => blocked = true,
                Condition::Hold { .. } => held = true,
                Condition::Loss { ratio, .. } => loss = loss.or(*ratio),
                Condition::Duplicate { ratio, .. } => duplicate = duplicate.or(*ratio),
                Condition::Corrupt { ratio, .. } => corrupt = corrupt.or(*ratio),
                Condition::Reorder { ratio, extra, .. } => {
                    reorder = reorder.or(*ratio);
                    reorder_extra = reorder_extra.max(*extra);
                }
                Condition::Delay { extra, .. } => delays.push(extra.clone()),
                Condition::Bandwidth { bytes_per_s, .. } => {
                    let bytes_per_s = (*bytes_per_s).max(1);
                    bandwidth = Some(bandwidth.map_or(bytes_per_s, |least| least.min(bytes_per_s)));
                }
                Condition::Down { .. }
                | Condition::Pause { .. }
                | Condition::SlowCpu { .. }
                | Condition::ServiceTime { .. }
                | Condition::MemoryLimit { .. }
                | Condition::Drift { .. }
                | Condition::DiskSlow { .. }
                | Condition::SyncLies { .. }
                | Condition::SyncFails { .. }
                | Condition::WriteFails { .. }
                | Condition::ReadCorrupt { .. }
                | Condition::WriteCorrupt { .. }
                | Condition::Misdirect { .. }
                | Condition::Capacity { .. } => {
                    panic!("{condition:?} bends no link")
                }
            }
        }
        let no_chance = [loss, duplicate, corrupt, reorder].iter().all(|ratio| ratio.is_zero());
        let no_law = delays.is_empty() && bandwidth.is_none() && !blocked && !held;
        Self {
            latency: spec.latency.clone(),
            gate: Gate {
                loss: Odds::new(spec.loss, loss),
                duplicate: Odds::new(spec.duplicate, duplicate),
                corrupt: Odds::new(spec.corrupt, corrupt),
                bandwidth,
                bandwidth_bent: bandwidth != spec.bandwidth,
                blocked,
                held,
            },
            reorder: Odds::new(spec.reorder, reorder),
            reorder_extra,
            delays,
            plain: no_chance && no_law,
        }
    }

    /// How much longer a message takes because of delays. All of them read the same two words, so
    /// their number shifts no draw.
    pub fn delay(&self, words: [Word; 2]) -> u64 {
        let drawn = self.delays.iter().map(|delay| delay.sample_words(words));
        drawn.fold(0, u64::saturating_add)
    }

    /// How much longer a message takes because it is reordered, and whether a condition did it.
    pub fn reordering(&self, bits: u32, extra: Word) -> Option<(u64, bool)> {
        let is_hit = self.reorder.hit(bits) && self.reorder_extra > Duration::ZERO;
        let drawn = || extra.range(1, self.reorder_extra.0.saturating_add(1));
        is_hit.then(|| (drawn(), self.reorder.bent(bits)))
    }
}

/// What a condition can do to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkHit {
    Block = 0,
    Hold = 1,
    Loss = 2,
    Duplicate = 3,
    Reorder = 4,
    Corrupt = 5,
    Delay = 6,
    Bandwidth = 7,
}

const _: () = assert!(LinkHit::Bandwidth as usize + 1 == super::link::HITS);
