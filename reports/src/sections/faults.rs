//! What was done to the systems, and whether it changed anything.

use super::Section;
use crate::canvas::{Canvas, Cell, Table, Tone, figures, words};
use crate::record::{FaultRow, RunRecord};
use crate::units::{count, instant};
use std::collections::BTreeMap;

/// One row per fault; the repetitions of a fault are one row.
pub struct Faults;

impl Section for Faults {
    fn title(&self) -> &'static str {
        "Faults"
    }

    fn applies(&self, run: &RunRecord) -> bool {
        !run.faults.is_empty()
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        let mut table = Table::new(vec![
            words("fault"),
            words("kind"),
            figures("times"),
            figures("from"),
            figures("to"),
            words("hit"),
            figures("effects"),
        ]);
        for fault in merged(&run.faults) {
            table.push(row(&fault));
        }
        canvas.table(&table);
    }
}

/// A fault with all its repetitions.
struct Merged<'a> {
    first: &'a FaultRow,
    times: u64,
    end_ns: Option<u64>,
    hits: Vec<&'a str>,
    effects: u64,
    vacuous: bool,
}

fn merged(faults: &[FaultRow]) -> Vec<Merged<'_>> {
    let mut all: Vec<Merged<'_>> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for fault in faults {
        let at = match places.get(fault.id.as_str()) {
            Some(at) => *at,
            None => {
                places.insert(&fault.id, all.len());
                all.push(Merged {
                    first: fault,
                    times: 0,
                    end_ns: fault.end_ns,
                    hits: Vec::new(),
                    effects: 0,
                    vacuous: true,
                });
                all.len() - 1
            }
        };
        let merged = &mut all[at];
        merged.times += u64::from(fault.start_ns.is_some());
        merged.end_ns = merged.end_ns.zip(fault.end_ns).map(|(a, b)| a.max(b));
        merged.effects += fault.effects;
        merged.vacuous &= fault.vacuous;
        if !fault.targets.is_empty() && !merged.hits.contains(&fault.targets.as_str()) {
            merged.hits.push(&fault.targets);
        }
    }
    all
}

fn row(fault: &Merged<'_>) -> Vec<Cell> {
    let never = fault.times == 0;
    let (from, to) = match (fault.first.start_ns, fault.end_ns) {
        (None, _) => ("never".to_owned(), String::new()),
        (Some(from), None) => (instant(from), "the end".to_owned()),
        (Some(from), Some(to)) => (instant(from), instant(to)),
    };
    let effects = match fault.vacuous || never {
        true => Cell::new(Tone::Warn, if never { "never started" } else { "vacuous" }),
        false => Cell::from(count(fault.effects)),
    };
    vec![
        Cell::from(&fault.first.id),
        Cell::from(&fault.first.kind),
        Cell::from(count(fault.times)),
        Cell::from(from),
        Cell::from(to),
        Cell::from(fault.hits.join("; ")),
        effects,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_one_row() {
        let fault = |start_ns, end_ns, targets: &str, vacuous| FaultRow {
            id: "clog".into(),
            start_ns: Some(start_ns),
            end_ns: Some(end_ns),
            targets: targets.into(),
            effects: 3,
            vacuous,
            ..FaultRow::default()
        };
        let faults = [
            fault(0, 5_000_000, "h/1", true),
            fault(9_000_000, 10_000_000, "h/2", false),
            fault(20_000_000, 21_000_000, "h/1", true),
        ];
        let merged = merged(&faults);
        assert_eq!(merged.len(), 1);
        let row: Vec<String> = row(&merged[0]).into_iter().map(|cell| cell.text).collect();
        assert_eq!(row, ["clog", "", "3", "0.000 s", "0.021 s", "h/1; h/2", "9"]);
    }
}
