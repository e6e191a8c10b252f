//! The kill table.

use super::{Kill, best};
use crate::stats::{clean_bound_ppm, percent, percent_up};
use reports::canvas::{Canvas, Cell, Table, Tone, figures, words};
use reports::units::{count, plural};
use std::collections::BTreeMap;

/// What the clean versions of the scenarios did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clean {
    /// Runs per scenario, and how many of them were not silent.
    pub scenarios: BTreeMap<String, (u64, u64)>,
}

/// The kills by flaw.
fn by_defect(kills: &[Kill]) -> BTreeMap<&str, Vec<&Kill>> {
    let mut found: BTreeMap<&str, Vec<&Kill>> = BTreeMap::new();
    for kill in kills {
        found.entry(kill.defect).or_default().push(kill);
    }
    found
}

/// Draws the kill table, and what the clean runs did.
pub fn draw(kills: &[Kill], clean: &Clean, canvas: &mut dyn Canvas) {
    let flaws = by_defect(kills);
    let caught = flaws.values().filter(|kills| kills.iter().any(|kill| kill.caught > 0)).count();
    let tone = if caught == flaws.len() { Tone::Good } else { Tone::Warn };
    let all = plural(flaws.len() as u64, "planted flaw", "planted flaws");
    canvas.banner(tone, &format!("{} of {all} caught.", count(caught as u64)));
    let mut table = Table::new(vec![
        words("flaw"),
        words("scenario"),
        words("fired"),
        words("as its row says"),
        figures("caught"),
        figures("of"),
        words("share of seeds, with 95 % confidence"),
        figures("first seed"),
        figures("events to it"),
    ]);
    for (defect, kills) in &flaws {
        if let Some(kill) = best(kills) {
            table.push(row(defect, kill));
        }
    }
    canvas.table(&table);
    if !clean.scenarios.is_empty() {
        canvas.heading("Without a flaw");
        canvas.table(&clean_table(clean));
    }
}

fn row(defect: &str, kill: &Kill) -> Vec<Cell> {
    let fired: Vec<&str> = kill.fired.iter().map(String::as_str).collect();
    let (low, high) = kill.interval_ppm();
    let (tone, promise) = match (kill.caught, kill.keeps_promise()) {
        (0, _) => (Tone::Bad, "not caught"),
        (_, true) => (Tone::Good, "yes"),
        (_, false) => (Tone::Warn, "no"),
    };
    let first = kill.first.as_ref();
    vec![
        Cell::from(defect),
        Cell::from(&kill.scenario),
        Cell::from(fired.join(", ")),
        Cell::new(tone, promise),
        Cell::from(count(kill.caught)),
        Cell::from(count(kill.runs)),
        Cell::from(format!("{} to {}", percent(low), percent_up(high))),
        Cell::from(first.map_or_else(String::new, |first| first.seed.to_string())),
        Cell::from(first.map_or_else(String::new, |_| count(kill.events))),
    ]
}

fn clean_table(clean: &Clean) -> Table {
    let mut table = Table::new(vec![
        words("scenario"),
        figures("seeds"),
        figures("not silent"),
        words("false alarms are rarer than, with 95 % confidence"),
    ]);
    for (scenario, (runs, loud)) in &clean.scenarios {
        let bound = match loud {
            0 => percent_up(clean_bound_ppm(*runs)),
            _ => String::new(),
        };
        let tone = if *loud > 0 { Tone::Bad } else { Tone::Plain };
        table.push(vec![
            Cell::from(scenario),
            Cell::from(count(*runs)),
            Cell::new(tone, count(*loud)),
            Cell::from(bound),
        ]);
    }
    table
}
