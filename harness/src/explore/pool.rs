//! The snapshots that a novelty search goes on from.

use super::World;
use std::collections::BTreeMap;

/// So many snapshots are kept at most; the state seen most often gives way.
const POOL_MAX: usize = 256;

/// One snapshot for each of the states that were seen least.
#[derive(Default)]
pub struct Pool {
    worlds: BTreeMap<u64, Kept>,
}

struct Kept {
    world: World,
    /// How often the search has gone on from here.
    taken: u64,
}

impl Pool {
    /// Keeps a world in a state, unless there is one already: what was first is closer to the start.
    pub fn add(&mut self, state: u64, world: World) {
        self.worlds.entry(state).or_insert(Kept { world, taken: 0 });
        if self.worlds.len() > POOL_MAX {
            let worst = self.worlds.iter().max_by_key(|(state, kept)| (kept.taken, **state));
            let worst = worst.map(|(state, _)| *state);
            worst.and_then(|state| self.worlds.remove(&state));
        }
    }

    /// A copy of the world whose state was seen and taken least; of equals, the deepest.
    pub fn take(&mut self, seen: &BTreeMap<u64, u64>) -> Option<World> {
        let weight = |(state, kept): &(&u64, &mut Kept)| {
            let times = seen.get(state).copied().unwrap_or(0);
            (kept.taken + times, u64::MAX - kept.world.depth, **state)
        };
        let (_, kept) = self.worlds.iter_mut().min_by_key(weight)?;
        kept.taken += 1;
        kept.world.fork()
    }
}
