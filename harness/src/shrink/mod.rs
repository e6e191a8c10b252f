//! From a failing run to the smallest scenario that still fails for the same cause: the same check,
//! the same rule of it, the same kinds of nodes.
//!
//! Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
//! TSE 2002, section 3), with the reductions in proptest's order of what people read first: faults,
//! nodes, operations, clients, settings, then times towards round numbers. Faults and operations
//! are first written out as they happened, so that one of them can go without moving the others.
//!
//! [`trial`] asks whether a candidate still fails, [`passes`] makes candidates, [`minimal`] says in
//! the file what was done. Everything is deterministic; a budget or Ctrl-C ends it with the best
//! so far.

pub mod as_run;
pub mod ddmin;
pub mod minimal;
mod operations;
pub mod passes;
mod pinning;
pub mod prefix_cache;
pub mod subject;
pub mod trial;

pub use minimal::Shrunk;
pub use subject::{Subject, target};
pub use trial::{Budget, Trials, Verdict, judge};

use passes::Shrinking;
use scenario::edit::draft::Draft;

/// Shrinks `subject` until nothing more goes, or the trials are over.
///
/// # Errors
/// When the run does not fail any more: what it did instead.
pub fn shrink(
    subject: &Subject,
    trials: &mut Trials<'_>,
    tell: &mut dyn FnMut(&Draft, u64),
) -> Result<Shrunk, String> {
    let mut shrinking = Shrinking::begin(subject, trials, tell)?;
    shrinking.plain();
    shrinking.keep_flaws();
    shrinking.shorten();
    shrinking.faults();
    shrinking.nodes();
    shrinking.operations();
    shrinking.shorten();
    while shrinking.singles() {
        shrinking.shorten();
    }
    shrinking.times();
    shrinking.simplify();
    shrinking.pins();
    // A round time may make something else go that an odd one needed.
    let needed = shrinking.certify();
    Ok(shrinking.end(needed))
}
