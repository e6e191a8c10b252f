//! Everything that was counted or measured.

use super::Section;
use crate::canvas::{Canvas, Cell, Table, figures, words};
use crate::plot::Plot;
use crate::record::RunRecord;
use crate::units::count;
use std::collections::BTreeMap;

/// One plot per gauge.
pub struct Plots;

impl Section for Plots {
    fn title(&self) -> &'static str {
        "Gauges"
    }

    fn applies(&self, run: &RunRecord) -> bool {
        run.series.iter().any(|series| !series.points.is_empty())
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        for plot in Plot::all(run) {
            canvas.plot(&plot);
        }
    }
}

/// What became of the messages.
pub struct Messages;

impl Section for Messages {
    fn title(&self) -> &'static str {
        "Messages"
    }

    fn applies(&self, run: &RunRecord) -> bool {
        !run.messages.is_empty()
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        canvas.table(&listed("messages", &run.messages));
    }
}

/// The counters of the systems.
pub struct Counters;

impl Section for Counters {
    fn title(&self) -> &'static str {
        "Counters"
    }

    fn applies(&self, run: &RunRecord) -> bool {
        !run.counters.is_empty()
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        canvas.table(&listed("counter", &run.counters));
    }
}

fn listed(title: &'static str, counters: &BTreeMap<String, u64>) -> Table {
    let mut table = Table::new(vec![words(title), figures("count")]);
    for (name, &n) in counters {
        table.push(vec![Cell::from(name), Cell::from(count(n))]);
    }
    table
}
