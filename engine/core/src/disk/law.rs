//! What holds on one disk right now: its specification with all conditions folded in.

use crate::config::DiskSpec;
use crate::odds::Odds;
use contract::{Condition, Dist, Ratio};

/// How a disk behaves.
#[derive(Clone, Debug)]
pub(crate) struct DiskLaw {
    pub read: Dist,
    pub write: Dist,
    pub sync: Dist,
    pub slow_read_ns: u64,
    pub slow_write_ns: u64,
    pub slow_sync_ns: u64,
    pub sync_lies: Odds,
    pub sync_fails: Odds,
    pub write_fails: Odds,
    pub read_corrupt: Odds,
    pub write_corrupt: Odds,
    pub misdirect: Odds,
    pub torn: Odds,
    pub capacity: Option<u64>,
    pub capacity_base: Option<u64>,
}

impl DiskLaw {
    /// The law of `spec` under the `conditions` on its node.
    pub fn new<'a>(spec: &DiskSpec, conditions: impl Iterator<Item = &'a Condition>) -> Self {
        let (mut slow_read_ns, mut slow_write_ns, mut slow_sync_ns) = (0_u64, 0_u64, 0_u64);
        let mut lies = spec.sync_lie;
        let mut fails = Ratio::ZERO;
        let mut write_fails = Ratio::ZERO;
        let mut read_corrupt = spec.read_corrupt;
        let mut write_corrupt = spec.write_corrupt;
        let mut misdirect = spec.misdirect;
        let mut capacity = spec.capacity;
        for condition in conditions {
            match condition {
                Condition::DiskSlow { read, write, sync, .. } => {
                    slow_read_ns = slow_read_ns.saturating_add(read.0);
                    slow_write_ns = slow_write_ns.saturating_add(write.0);
                    slow_sync_ns = slow_sync_ns.saturating_add(sync.0);
                }
                Condition::SyncLies { ratio, .. } => lies = lies.or(*ratio),
                Condition::SyncFails { ratio, .. } => fails = fails.or(*ratio),
                Condition::WriteFails { ratio, .. } => write_fails = write_fails.or(*ratio),
                Condition::ReadCorrupt { ratio, .. } => read_corrupt = read_corrupt.or(*ratio),
                Condition::WriteCorrupt { ratio, .. } => write_corrupt = write_corrupt.or(*ratio),
                Condition::Misdirect { ratio, .. } => misdirect = misdirect.or(*ratio),
                Condition::Capacity { bytes, .. } => {
                    capacity = Some(capacity.map_or(*bytes, |least| least.min(*bytes)));
                }
                // The node's own law folds these.
                Condition::Down { .. }
                | Condition::Pause { .. }
                | Condition::SlowCpu { .. }
                | Condition::ServiceTime { .. }
                | Condition::MemoryLimit { .. }
                | Condition::Drift { .. } => {}
                Condition::Block { .. }
                | Condition::Hold { .. }
                | Condition::Loss { .. }
                | Condition::Duplicate { .. }
                | Condition::Reorder { .. }
                | Condition::Corrupt { .. }
                | Condition::Delay { .. }
                | Condition::Bandwidth { .. } => {
                    panic!("{condition:?} bends no node")
                }
            }
        }
        assert!(spec.capacity.is_none_or(|base| capacity <= Some(base)), "no fault adds room");
        Self {
            read: spec.read.clone(),
            write: spec.write.clone(),
            sync: spec.sync.clone(),
            slow_read_ns,
            slow_write_ns,
            slow_sync_ns,
            sync_lies: Odds::new(spec.sync_lie, lies),
            sync_fails: Odds::new(Ratio::ZERO, fails),
            write_fails: Odds::new(Ratio::ZERO, write_fails),
            read_corrupt: Odds::new(spec.read_corrupt, read_corrupt),
            write_corrupt: Odds::new(spec.write_corrupt, write_corrupt),
            misdirect: Odds::new(spec.misdirect, misdirect),
            torn: Odds::new(spec.torn, spec.torn),
            capacity,
            capacity_base: spec.capacity,
        }
    }
}

/// What a condition can do to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiskHit {
    Slow = 0,
    SyncLies = 1,
    SyncFails = 2,
    WriteFails = 3,
    ReadCorrupt = 4,
    WriteCorrupt = 5,
    Misdirect = 6,
    Full = 7,
}

/// How often conditions of each kind changed something.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DiskHits([u64; 8]);

/// Each kind has a counter.
const _: () = assert!(size_of::<DiskHits>() == (DiskHit::Full as usize + 1) * size_of::<u64>());

impl DiskHits {
    pub fn count(&mut self, hit: DiskHit) {
        self.0[hit as usize] += 1;
    }

    pub fn get(&self, hit: DiskHit) -> u64 {
        self.0[hit as usize]
    }
}
