//! `zoo --shrink`: shrinks the recorded run of every flaw, and says what was left of each.

use super::args::ZooArgs;
use super::load::{self, Loaded};
use super::{Lab, print, shrink as one_shrink, zoo};
use crate::interrupt;
use crate::outcome::Exit;
use crate::record::record;
use crate::run;
use crate::scenario::Scenario;
use crate::shell::Shell;
use crate::shrink::{self, Budget, Shrunk, Subject, Trials};
use crate::zoo::Recorded;
use reports::canvas::{Canvas, Cell, Table, Tone, figures, words};
use reports::units::count;
use std::fs;

/// Runs for each flaw, at most.
const TRIALS: u64 = 3_000;

/// Events for each flaw, at most.
const EVENTS: u64 = 400_000_000;

/// What came of one flaw.
struct Row {
    defect: String,
    run: String,
    check: String,
    /// Operations that the run had.
    ops: u64,
    shrunk: Shrunk,
}

impl Row {
    /// Whether every single fault that is left was tried without.
    fn is_minimal(&self) -> bool {
        self.shrunk.needed.iter().all(|one| {
            !(one.starts_with("fault ") && one.ends_with("not tried, the budget was spent"))
        })
    }
}

/// Shrinks what the repository keeps.
pub fn main(lab: &Lab, shell: Shell, args: &ZooArgs, files: &[Loaded]) -> Result<Exit, String> {
    let recorded = zoo::recorded(&args.record)?;
    let mut rows = Vec::new();
    for (nth, one) in recorded.iter().enumerate() {
        shell.progress(&format!("{}/{} {}", nth + 1, recorded.len(), one.defect));
        let Some(file) = zoo::file_of(files, one) else {
            return Err(format!("{} is not among the scenarios", one.file));
        };
        let row = shrunk(lab, one, file);
        if interrupt::asked() {
            return Ok(Exit::Inconclusive);
        }
        match row {
            Ok(row) => rows.push(row),
            Err(why) => shell.talk(&format!("{}: {why}", one.defect)),
        }
    }
    shell.clear_progress();
    shell.data(&print::on_text(shell, |canvas| draw(&rows, canvas)));
    if let Some(dir) = &args.write {
        let text = format!("{HEAD}\n{}", print::on_markdown(|canvas| draw(&rows, canvas)));
        let path = dir.join("shrinking.md");
        let failed = |error| format!("could not write {}: {error}", path.display());
        fs::create_dir_all(dir).and_then(|()| fs::write(&path, text)).map_err(failed)?;
    }
    Ok(if rows.len() == recorded.len() { Exit::Fine } else { Exit::Inconclusive })
}

fn shrunk(lab: &Lab, one: &Recorded, file: &Loaded) -> Result<Row, String> {
    let names = load::names(lab);
    let series = one.series(file);
    let plan = series.plan(&names, one.seed, series.head.points_of(one.seed).start)?;
    let document = plan.document.clone();
    let finished = run::run(plan, false);
    let record = record(&finished);
    let (scenario, _) = Scenario::compile("plan.toml", document.as_bytes(), &names);
    let scenario = scenario.ok_or("its plan does not compile")?;
    let cause = shrink::target(&record, None)?;
    let subject = Subject::new(&scenario, &record, cause.clone());
    let budget = Budget { trials: TRIALS, events: EVENTS };
    let mut trials = Trials::new(&names, cause.clone(), budget);
    let shrunk = shrink::shrink(&subject, &mut trials, &mut |_, _| {})?;
    one_shrink::verify(lab, &shrunk, &cause)?;
    Ok(Row {
        defect: one.defect.clone(),
        run: subject.token,
        check: cause.check,
        ops: finished.ops.len() as u64,
        shrunk,
    })
}

fn draw(rows: &[Row], canvas: &mut dyn Canvas) {
    let mut shares: Vec<u64> = rows
        .iter()
        .filter(|row| row.ops > 0)
        .map(|row| row.shrunk.draft.ops() as u64 * 10_000 / row.ops)
        .collect();
    shares.sort_unstable();
    let half = shares.get(shares.len() / 2).copied().unwrap_or(0);
    let minimal = rows.iter().filter(|row| row.is_minimal()).count();
    let tone = if minimal == rows.len() && half <= 2_500 { Tone::Good } else { Tone::Warn };
    canvas.banner(
        tone,
        &format!(
            "Of {} failures, {minimal} are 1-minimal in their faults; half of them keep at most \
             {}.{:02} % of their operations.",
            rows.len(),
            half / 100,
            half % 100
        ),
    );
    let mut table = Table::new(vec![
        words("flaw"),
        words("run"),
        words("check"),
        figures("faults"),
        figures("nodes"),
        figures("operations"),
        figures("settings"),
        words("simulated time"),
        figures("trials"),
        words("1-minimal in faults"),
    ]);
    for row in rows {
        let figure = |what: &str| {
            let found = row.shrunk.figures.iter().find(|(name, ..)| *name == what);
            found.map_or_else(String::new, |(_, before, after)| format!("{before} -> {after}"))
        };
        let ops = format!("{} -> {}", count(row.ops), count(row.shrunk.draft.ops() as u64));
        table.push(vec![
            Cell::from(&row.defect),
            Cell::from(&row.run),
            Cell::from(&row.check),
            Cell::from(figure("faults")),
            Cell::from(figure("nodes")),
            Cell::from(ops),
            Cell::from(figure("settings")),
            Cell::from(figure("simulated time")),
            Cell::from(count(row.shrunk.trials)),
            Cell::from(if row.is_minimal() { "yes" } else { "budget spent" }),
        ]);
    }
    canvas.table(&table);
}

const HEAD: &str = "# What shrinking leaves\n\nWritten by `chaoslab zoo --shrink --write docs`; not \
edited by hand. The recorded run of every flaw (`docs/zoo.json`) is shrunk, and the result run by \
itself: it breaks the same check by the same rule at the same kinds of nodes. A fault that comes \
several times counts once before, and once for each time that is left after.\n";
