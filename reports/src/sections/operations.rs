//! What the clients asked for, how it ended and how long it took.

use super::Section;
use crate::canvas::{Canvas, Cell, Table, Tone, figures, words};
use crate::record::{OperationRow, RunRecord};
use crate::units::{count, duration};

/// One row per kind of operation; latency from arrival to answer.
pub struct Operations;

impl Section for Operations {
    fn title(&self) -> &'static str {
        "Operations"
    }

    fn applies(&self, run: &RunRecord) -> bool {
        !run.operations.is_empty()
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        let mut table = Table::new(vec![
            words("operation"),
            figures("ok"),
            figures("fail"),
            figures("unknown"),
            figures("p50"),
            figures("p99"),
            figures("p99.9"),
            figures("max"),
        ]);
        for row in &run.operations {
            let mut cells = vec![
                Cell::from(&row.op),
                Cell::from(count(row.ok)),
                Cell::from(count(row.fail)),
                Cell::from(count(row.unknown)),
            ];
            cells.extend(quantiles(row));
            table.push(cells);
        }
        canvas.table(&table);
    }
}

fn quantiles(row: &OperationRow) -> [Cell; 4] {
    match row.latency {
        Some(latency) => [latency.p50_ns, latency.p99_ns, latency.p999_ns, latency.max_ns]
            .map(|ns| Cell::from(duration(ns))),
        None => [(); 4].map(|()| Cell::new(Tone::Faint, "–")),
    }
}
