//! The operations that the violations name: the core of the counterexample.

use super::Section;
use crate::canvas::{Canvas, Cell, Table, Tone, figures, words};
use crate::record::{OpOutcome, OpRow, RunRecord};
use crate::units::{instant, plural};

/// One row per operation that some violation names, in order of call.
pub struct Counterexample;

/// Rows of the table; a core that is larger than this is no longer read row by row.
const ROWS_MAX: usize = 40;

impl Section for Counterexample {
    fn title(&self) -> &'static str {
        "Counterexample"
    }

    fn applies(&self, run: &RunRecord) -> bool {
        let core = run.core_ops();
        run.ops.iter().any(|op| core.contains(&op.id))
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        let core = run.core_ops();
        let mut ops: Vec<&OpRow> = run.ops.iter().filter(|op| core.contains(&op.id)).collect();
        ops.sort_by_key(|op| (op.call_ns, op.id));
        let mut table = Table::new(vec![
            figures("op"),
            words("client"),
            figures("called"),
            figures("answered"),
            words("call"),
            words("answer"),
        ]);
        for op in ops.iter().take(ROWS_MAX) {
            table.push(vec![
                Cell::from(op.id.to_string()),
                Cell::from(run.node_name(op.client)),
                Cell::from(instant(op.call_ns)),
                Cell::from(op.ret_ns.map_or_else(|| "never".to_owned(), instant)),
                Cell::from(&op.call),
                answer(op),
            ]);
        }
        canvas.table(&table);
        if ops.len() > ROWS_MAX {
            let more = (ops.len() - ROWS_MAX) as u64;
            let text = format!("… and {}.", plural(more, "more operation", "more operations"));
            canvas.say(Tone::Faint, &text);
        }
    }
}

/// What came back, in words when nothing did.
fn answer(op: &OpRow) -> Cell {
    match (op.outcome, op.ret.as_str()) {
        (OpOutcome::Unknown, _) => Cell::new(Tone::Warn, "unknown: may take effect at any time"),
        (OpOutcome::Fail, "") => Cell::new(Tone::Faint, "fail"),
        (OpOutcome::Ok, "") => Cell::from("ok"),
        (OpOutcome::Fail, ret) => Cell::new(Tone::Faint, format!("fail: {ret}")),
        (OpOutcome::Ok, ret) => Cell::from(ret),
    }
}
