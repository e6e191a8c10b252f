//! What a world is made from: a few numbers, each of which decides one part of it.
//!
//! Every part draws from a stream of its own, so a mutation of one leaves the others as they were: the
//! same topology under another load, the same faults with one more.

use contract::{Domain, Rng};

/// The most faults of a world.
pub const FAULTS_MAX: usize = 16;

/// A world in a few numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Genome {
    /// Nodes, settings, network, disks and clocks.
    pub shape: u64,
    /// What clients do.
    pub load: u64,
    /// How likely each way of failing is: weights that swing from world to world (swarm testing).
    pub weights: u64,
    /// One for each fault.
    pub faults: Vec<u64>,
    /// The seed of the run.
    pub run: u64,
}

impl Genome {
    /// The world with the number `nth` of a hunt.
    #[must_use]
    pub fn of(seed: u64, nth: u64) -> Self {
        let mut rng = Rng::new(seed, Domain::Swarm, &format!("hunted world {nth}"));
        // Few faults show what they do; many show what they do together.
        let count = match rng.below(4) {
            0 => rng.range(1, 4),
            1 | 2 => rng.range(4, 9),
            _ => rng.range(9, FAULTS_MAX as u64 + 1),
        };
        Self {
            shape: rng.next_u64(),
            load: rng.next_u64(),
            weights: rng.next_u64(),
            faults: (0..count).map(|_| rng.next_u64()).collect(),
            run: short(&mut rng),
        }
    }

    /// The same world with one or two things drawn anew; with a part of `other` now and then.
    #[must_use]
    pub fn mutated(&self, other: &Self, rng: &mut Rng) -> Self {
        let mut new = self.clone();
        for _ in 0..rng.range(1, 3) {
            match rng.below(9) {
                0 => new.shape = rng.next_u64(),
                1 => new.load = rng.next_u64(),
                2 => new.shape = other.shape,
                3 => new.faults.push(other.faults[rng.below(other.faults.len() as u64) as usize]),
                4 => new.faults.push(rng.next_u64()),
                5 if new.faults.len() > 1 => {
                    new.faults.remove(rng.below(new.faults.len() as u64) as usize);
                }
                6 | 7 => {
                    let nth = rng.below(new.faults.len() as u64) as usize;
                    new.faults[nth] = rng.next_u64();
                }
                _ => {}
            }
        }
        new.faults.truncate(FAULTS_MAX);
        new.run = short(rng);
        assert!(!new.faults.is_empty(), "a world has a fault");
        new
    }
}

/// A seed that people can read.
fn short(rng: &mut Rng) -> u64 {
    rng.below(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutation_leaves_most_of_a_world_as_it_was() {
        let mut rng = Rng::new(1, Domain::Swarm, "test");
        let other = Genome::of(7, 1);
        for nth in 0..200 {
            let old = Genome::of(7, nth);
            assert_eq!(old, Genome::of(7, nth), "a number says which world it is");
            let new = old.mutated(&other, &mut rng);
            let kept = [new.shape == old.shape, new.load == old.load, new.weights == old.weights];
            assert!(kept.iter().any(|kept| *kept), "{old:?} {new:?}");
            assert!((1..=FAULTS_MAX).contains(&new.faults.len()), "{new:?}");
        }
    }
}
