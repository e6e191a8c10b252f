//! Random runs of whole groups: silent without a flaw, loud with one.

use super::Flaws;
extern crate std;

use super::testkit::{Profile, run};
use alloc::vec::Vec;

#[test]
fn clean_runs_break_nothing() {
    let mut totals = [0; 4];
    for (profile, seeds) in [
        (Profile::mixed(), 60),
        (Profile::triggers(), 30),
        (Profile::storm(), 10),
    ] {
        for seed in 0..seeds {
            let outcome = run(seed, &profile, Flaws::default());
            assert_eq!(
                outcome.broken,
                Vec::<&str>::new(),
                "seed {seed}: {:?}",
                outcome.details
            );
            assert!(
                outcome.has_converged,
                "seed {seed} has no single leader after ten calm seconds"
            );
            let seen = [
                outcome.committed,
                outcome.reads,
                outcome.lease_reads,
                outcome.elections,
            ];
            totals
                .iter_mut()
                .zip(seen)
                .for_each(|(total, seen)| *total += seen);
        }
    }
    std::eprintln!("{totals:?}");
    assert!(
        totals.iter().all(|&total| total > 100),
        "the runs did nothing: {totals:?}"
    );
}
