//! The shape of the run: faults, states and operations over time.

use super::Section;
use crate::canvas::Canvas;
use crate::record::RunRecord;
use crate::timeline::Timeline;

/// The run from start to end.
pub struct Shape;

impl Section for Shape {
    fn title(&self) -> &'static str {
        "Shape of the run"
    }

    fn applies(&self, run: &RunRecord) -> bool {
        Timeline::whole(run).is_some()
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        if let Some(timeline) = Timeline::whole(run) {
            canvas.timeline(&timeline);
        }
    }
}

/// The neighbourhood of the first violation.
pub struct CloseUp;

impl Section for CloseUp {
    fn title(&self) -> &'static str {
        "Around the first violation"
    }

    fn applies(&self, run: &RunRecord) -> bool {
        Timeline::close_up(run).is_some()
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        if let Some(timeline) = Timeline::close_up(run) {
            canvas.timeline(&timeline);
        }
    }
}
