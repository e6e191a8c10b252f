//! `diff`: two recorded runs side by side: the plan, the verdicts, the figures, and the first event
//! at which they part.

use super::args::DiffArgs;
use super::recorded::Recorded;
use super::{Lab, print};
use crate::difference::{self, Difference};
use crate::outcome::Exit;
use crate::select::Roster;
use crate::shell::Shell;
use reports::RunRecord;
use reports::canvas::{Canvas, Cell, Table, Tone, words};
use std::collections::BTreeSet;
use std::rc::Rc;

/// Lines of the plans that are shown, at most.
const LINES_MAX: usize = 20;

/// Compares two runs.
pub fn main(lab: &Lab, shell: Shell, args: &DiffArgs) -> Exit {
    match compare(lab, shell, args) {
        Ok(exit) => exit,
        Err(message) => {
            shell.error(message.trim_end());
            Exit::Usage
        }
    }
}

fn compare(lab: &Lab, shell: Shell, args: &DiffArgs) -> Result<Exit, String> {
    let one = Recorded::open(lab, &args.one, &args.out)?.without_rows();
    let two = Recorded::open(lab, &args.two, &args.out)?.without_rows();
    let roster = |recorded: &Recorded| -> Result<Rc<Roster>, String> {
        Ok(Rc::new(Roster::new(Rc::new(recorded.plan(lab)?))))
    };
    let (rosters, digests) =
        ((roster(&one)?, roster(&two)?), (one.record.digest, two.record.digest));
    let plans = differing_lines(&rosters.0.plan().document, &rosters.1.plan().document);
    let first = match digests.0 == digests.1 {
        true => None,
        false => difference::first(&rosters.0, &rosters.1)?,
    };
    let draw = |canvas: &mut dyn Canvas| draw(&one.record, &two.record, &plans, &first, canvas);
    shell.data(&print::on_text(shell, draw));
    // One plan with two digests: the lab itself is not deterministic, or has changed since.
    let torn = plans.iter().all(Vec::is_empty) && digests.0 != digests.1;
    Ok(if torn { Exit::Nondeterminism } else { Exit::Fine })
}

/// The lines that only one of two texts has, of each; comments left out.
fn differing_lines(one: &str, two: &str) -> [Vec<String>; 2] {
    let only = |here: &str, there: &str| {
        let others: BTreeSet<&str> = there.lines().collect();
        let mine = here.lines().filter(|line| !others.contains(line) && !line.starts_with('#'));
        mine.map(str::to_owned).collect()
    };
    [only(one, two), only(two, one)]
}

fn draw(
    one: &RunRecord,
    two: &RunRecord,
    plans: &[Vec<String>; 2],
    first: &Option<Difference>,
    canvas: &mut dyn Canvas,
) {
    if one.digest == two.digest {
        canvas.banner(Tone::Good, "The two runs are the same, event for event.");
    } else {
        canvas.banner(Tone::Warn, "The two runs differ.");
    }
    canvas.table(&heads(one, two));
    let titles =
        [format!("Only in the plan of {}", one.replay), format!("Only in that of {}", two.replay)];
    for (title, lines) in titles.iter().zip(plans).filter(|(_, lines)| !lines.is_empty()) {
        canvas.heading(title);
        let mut cells: Vec<Cell> = lines.iter().take(LINES_MAX).map(Cell::from).collect();
        if lines.len() > LINES_MAX {
            cells.push(Cell::from(format!("and {} more", lines.len() - LINES_MAX)));
        }
        canvas.list(&cells);
    }
    section("Verdicts that differ", verdicts(one), verdicts(two), canvas);
    section("Figures that differ", figures(one), figures(two), canvas);
    let Some(first) = first else { return };
    canvas.heading("The first event that differs");
    let before = first.before.iter().map(|line| Cell::new(Tone::Faint, line.clone()));
    canvas.list(&before.collect::<Vec<_>>());
    let mut table = Table::new(vec![words("run"), words("event"), words("the node after it")]);
    for (side, record) in [one, two].into_iter().enumerate() {
        let cells = [&record.replay, &first.events[side], &first.states[side]];
        table.push(cells.into_iter().map(Cell::from).collect());
    }
    canvas.table(&table);
}

fn heads(one: &RunRecord, two: &RunRecord) -> Table {
    let mut table = Table::new(vec![
        words("run"),
        words("outcome"),
        words("digest"),
        words("events"),
        words("end"),
    ]);
    for record in [one, two] {
        table.push(vec![
            Cell::from(&record.replay),
            Cell::from(record.outcome.name()),
            Cell::from(record.digest.to_string()),
            Cell::from(reports::units::count(record.events)),
            Cell::from(reports::units::instant(record.end_ns)),
        ]);
    }
    table
}

/// A row for each name that the runs do not agree on; nothing when they agree on all.
fn section(
    title: &str,
    one: Vec<(String, String)>,
    two: Vec<(String, String)>,
    canvas: &mut dyn Canvas,
) {
    let of = |rows: &[(String, String)], name: &str| {
        let row = rows.iter().find(|(other, _)| other == name);
        row.map_or_else(|| "-".to_owned(), |(_, value)| value.clone())
    };
    let mut names: Vec<&String> = one.iter().chain(&two).map(|(name, _)| name).collect();
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(*name));
    let mut table = Table::new(vec![words("what"), words("the first"), words("the second")]);
    for name in names {
        let (a, b) = (of(&one, name), of(&two, name));
        if a != b {
            table.push(vec![Cell::from(name), Cell::from(a), Cell::from(b)]);
        }
    }
    if !table.rows().is_empty() {
        canvas.heading(title);
        canvas.table(&table);
    }
}

fn verdicts(record: &RunRecord) -> Vec<(String, String)> {
    let say = |check: &reports::record::CheckRow| {
        let evidence = check.evidence.first().map_or("", |evidence| evidence.detail.as_str());
        let colon = if evidence.is_empty() { "" } else { ": " };
        format!("{}{colon}{evidence}", check.verdict.name())
    };
    record.checks.iter().map(|check| (check.id.clone(), say(check))).collect()
}

fn figures(record: &RunRecord) -> Vec<(String, String)> {
    let counters = record.counters.iter().map(|(name, value)| (name.clone(), value.to_string()));
    let messages = record.messages.iter();
    let messages = messages.map(|(name, value)| (format!("messages {name}"), value.to_string()));
    let covers = record.covers.iter();
    let covers = covers.map(|cover| (format!("cover {}", cover.id), cover.hits.to_string()));
    counters.chain(messages).chain(covers).collect()
}
