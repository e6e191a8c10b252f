//! The last events of the nodes involved, as the trace prints them.

use super::Section;
use crate::canvas::Canvas;
use crate::record::RunRecord;
use crate::units::instant;

/// One line per event: when, where, what.
pub struct LastEvents;

impl Section for LastEvents {
    fn title(&self) -> &'static str {
        "Last events"
    }

    fn applies(&self, run: &RunRecord) -> bool {
        !run.tail.is_empty()
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        let rows: Vec<[String; 3]> = run
            .tail
            .iter()
            .map(|row| {
                let node = row.node.map_or_else(String::new, |id| run.node_name(id));
                [instant(row.at_ns), node, row.line.clone()]
            })
            .collect();
        let widest = |n: usize| rows.iter().map(|row| row[n].chars().count()).max().unwrap_or(0);
        let (at_width, node_width) = (widest(0), widest(1));
        let lines: Vec<String> = rows
            .iter()
            .map(|[at, node, line]| format!("{at:>at_width$}  {node:node_width$}  {line}"))
            .collect();
        canvas.lines(&lines);
    }
}
