//! What the network and the disks do to what passes, by chance.

use contract::{Duration, Ratio, Rng};

/// The conditions of a random run. Everything is drawn from the world's own stream.
#[derive(Clone, Debug)]
pub struct Weather {
    pub rng: Rng,
    /// How long a frame takes.
    pub latency: (Duration, Duration),
    /// Frames that are late, and by how much at most.
    pub late: (Ratio, Duration),
    pub loss: Ratio,
    pub duplicate: Ratio,
    pub corrupt: Ratio,
    /// How long a sync takes.
    pub sync: (Duration, Duration),
    pub sync_failure: Ratio,
    /// Frames from row to column are lost.
    pub blocked: [[bool; 8]; 8],
}

/// What becomes of a frame: when each copy of it arrives.
pub type Fate = [Option<Duration>; 2];

impl Weather {
    /// Draws the fate of a frame.
    pub fn fate(&mut self, from: usize, to: usize) -> Fate {
        let mut copies = [Some(self.delay()), None];
        if self.rng.chance(self.duplicate) {
            copies[1] = Some(self.delay());
        }
        let is_lost = self.rng.chance(self.loss);
        if is_lost || self.blocked[from][to] {
            return [None; 2];
        }
        copies
    }

    pub fn is_corrupted(&mut self) -> bool {
        self.rng.chance(self.corrupt)
    }

    pub fn sync_time(&mut self) -> Duration {
        Duration(self.rng.range(self.sync.0.0, self.sync.1.0))
    }

    fn delay(&mut self) -> Duration {
        let usual = self.rng.range(self.latency.0.0, self.latency.1.0);
        let is_late = self.rng.chance(self.late.0);
        let extra = self.rng.range(0, self.late.1.0);
        Duration(usual + if is_late { extra } else { 0 })
    }
}
