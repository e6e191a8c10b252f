//! The views of a run: one [`Section`] per view. A section says what is shown; the canvas says how.
//!
//! Each format lists the sections that it shows, in its own order: a terminal ends with what
//! matters most, because that is what stands above the prompt; a page begins with it.

mod checks;
mod counterexample;
mod faults;
mod figures;
mod operations;
mod origin;
mod shape;
mod tail;
mod verdict;

pub use checks::{Checks, Covers, Evidences};
pub use counterexample::Counterexample;
pub use faults::Faults;
pub use figures::{Counters, Messages, Plots};
pub use operations::Operations;
pub use origin::{Origin, Replay};
pub use shape::{CloseUp, Shape};
pub use tail::LastEvents;
pub use verdict::{VerdictLine, sentence, tone};

use crate::canvas::Canvas;
use crate::record::RunRecord;

/// One part of a report. Renders to any canvas.
pub trait Section: Sync {
    /// The heading above it; empty for none.
    fn title(&self) -> &'static str;
    /// Whether the run has anything to show here; a section without is left out with its heading.
    fn applies(&self, run: &RunRecord) -> bool;
    /// Draws the section, without its heading.
    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas);
}

/// Draws the sections that apply, in the given order.
pub fn draw(run: &RunRecord, sections: &[&dyn Section], canvas: &mut dyn Canvas) {
    for section in sections.iter().filter(|section| section.applies(run)) {
        if !section.title().is_empty() {
            canvas.heading(section.title());
        }
        section.render(run, canvas);
    }
}
