//! The snapshots that a novelty search goes on from.

use super::World;
use contract::{Domain, Rng};
use std::collections::BTreeMap;

/// So many snapshots are kept of one abstract state: two pasts that look alike may differ in what
/// the abstraction leaves out.
const WORLDS_OF_STATE_MAX: usize = 4;

/// So many snapshots are kept in all, of some hundred kilobytes each; those of the state that was
/// reached most often give way.
const WORLDS_MAX: usize = 4096;

/// Snapshots of the abstract states that were reached, and how often each was.
pub struct Pool {
    rng: Rng,
    states: BTreeMap<u64, Kept>,
    /// How many snapshots are kept.
    worlds: usize,
}

#[derive(Default)]
struct Kept {
    worlds: Vec<World>,
    /// How many futures came into this state.
    reached: u64,
    /// How often the search has gone on from here.
    taken: u64,
}

impl Kept {
    /// How likely it is chosen: the less it was reached and gone on from, the likelier; not at all
    /// where nothing is kept to go on from.
    fn weight(&self) -> u64 {
        assert!(self.reached > 0, "a state is kept once a future came into it");
        if self.worlds.is_empty() {
            return 0;
        }
        (1 << 40) / ((1 + self.taken) * self.reached.isqrt())
    }
}

impl Pool {
    /// An empty pool; with equal salts the choices are equal.
    pub fn new(salt: u64) -> Self {
        Self { rng: Rng::new(salt, Domain::Search, "novelty"), states: BTreeMap::new(), worlds: 0 }
    }

    /// A future came into `state`; whether it is the first. Of all the worlds that come into a
    /// state, each is as likely to be among those that are kept (Vitter's reservoir), until room was
    /// made; from then on those that come next.
    pub fn reach(&mut self, state: u64, world: &World) -> bool {
        let kept = self.states.entry(state).or_default();
        kept.reached += 1;
        let is_first = kept.reached == 1;
        let place = self.rng.below(kept.reached) as usize;
        let before = kept.worlds.len();
        if before < WORLDS_OF_STATE_MAX {
            kept.worlds.extend(world.fork());
        } else if let Some(kept) = kept.worlds.get_mut(place)
            && let Some(fork) = world.fork()
        {
            *kept = fork;
        }
        self.worlds += kept.worlds.len() - before;
        if self.worlds > WORLDS_MAX {
            self.make_room();
        }
        is_first
    }

    fn make_room(&mut self) {
        let with_worlds = self.states.values_mut().filter(|kept| !kept.worlds.is_empty());
        if let Some(most) = with_worlds.max_by_key(|kept| kept.reached) {
            self.worlds -= most.worlds.len();
            most.worlds.clear();
        }
    }

    /// A copy of a world, by lot; `None` when there is none.
    pub fn take(&mut self) -> Option<World> {
        let total: u64 = self.states.values().map(Kept::weight).sum();
        if total == 0 {
            return None;
        }
        let mut lot = self.rng.below(total);
        let kept = self.states.values_mut().find(|kept| {
            let weight = kept.weight();
            let is_hit = lot < weight;
            lot = lot.saturating_sub(weight);
            is_hit
        })?;
        kept.taken += 1;
        let nth = self.rng.below(kept.worlds.len() as u64) as usize;
        kept.worlds.get(nth)?.fork()
    }
}
