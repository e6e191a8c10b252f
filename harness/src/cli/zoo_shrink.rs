//! `zoo --shrink`: shrinks the recorded run of every flaw and asks for its cause, and says what was
//! left of each and whether the flaw's row names the faults that the run needs.

use super::args::ZooArgs;
use super::files::{self, Loaded};
use super::sweep::jobs;
use super::{Lab, print, shrink as one_shrink, zoo};
use crate::cause;
use crate::interrupt;
use crate::outcome::Exit;
use crate::record::record;
use crate::run;
use crate::shell::Shell;
use crate::shrink::{self, Budget, Shrunk, Subject, Trials};
use crate::stopwatch::Stopwatch;
use crate::whole_file;
use crate::zoo::Recorded;
use crate::zoo::needs::Compared;
use catalog::Defect;
use reports::canvas::{Canvas, Cell, Table, Tone, figures, words};
use reports::units::count;
use scenario::{Lab as Names, Scenario};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// What may be spent on shrinking the run of one flaw.
const SHRINK: Budget = Budget { trials: 2_000, events: 100_000_000 };

/// What may be spent on asking for its cause.
const CAUSE: Budget = Budget { trials: 200, events: 100_000_000 };

/// What came of one flaw.
struct Row {
    run: String,
    check: String,
    /// Operations that the run had.
    ops: u64,
    shrunk: Shrunk,
    /// Whether the budget ended it.
    cut: bool,
    cause: Compared,
}

impl Row {
    /// Whether every single fault that is left was tried without.
    fn is_minimal(&self) -> bool {
        self.shrunk.needed.iter().all(|one| {
            !(one.starts_with("fault ") && one.ends_with("not tried, the budget was spent"))
        })
    }
}

/// What came of a flaw, or why nothing did.
type Outcome = Result<Row, String>;

/// Shrinks what the repository keeps.
pub fn main(lab: &Lab, shell: Shell, args: &ZooArgs, files: &[Loaded]) -> Result<Exit, String> {
    let recorded = zoo::recorded(&args.record)?;
    let lost = recorded.iter().find(|one| zoo::file_of(files, one).is_none());
    if let Some(lost) = lost {
        return Err(format!("{} is not among the scenarios", lost.file));
    }
    let keeper = Keeper { lab, names: files::names(lab), files, recorded: &recorded };
    let rows = keeper.all(shell, jobs(args.jobs));
    shell.clear_progress();
    if interrupt::wind_up() {
        return Ok(Exit::Inconclusive);
    }
    shell.data(&print::on_text(shell, |canvas| draw(&recorded, &rows, canvas)));
    if let Some(dir) = &args.write {
        let table = print::on_markdown(|canvas| draw(&recorded, &rows, canvas));
        let text = format!("{HEAD}\n{table}");
        let path = dir.join("shrinking.md");
        let failed = |error| format!("could not write {}: {error}", path.display());
        whole_file::write(&path, text).map_err(failed)?;
    }
    Ok(if rows.iter().all(Result::is_ok) { Exit::Fine } else { Exit::Inconclusive })
}

struct Keeper<'a> {
    lab: &'a Lab,
    names: Names<'static>,
    files: &'a [Loaded],
    recorded: &'a [Recorded],
}

impl Keeper<'_> {
    /// All flaws, dealt to threads; in the order of the record, whoever was done first.
    fn all(&self, shell: Shell, jobs: usize) -> Vec<Outcome> {
        let next = AtomicUsize::new(0);
        let mut rows: Vec<Option<Outcome>> = self.recorded.iter().map(|_| None).collect();
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            for _ in 0..jobs.min(self.recorded.len()) {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    while !interrupt::asked() {
                        let nth = next.fetch_add(1, Ordering::SeqCst);
                        let Some(one) = self.recorded.get(nth) else { return };
                        let watch = Stopwatch::start();
                        let row = self.row(one);
                        if sender.send((nth, row, watch.seconds())).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            for (done, (nth, row, seconds)) in receiver.iter().enumerate() {
                let said = match &row {
                    Ok(row) => format!("{} trials, cause: {}", row.shrunk.trials, row.cause.says),
                    Err(why) => why.clone(),
                };
                let (name, of) = (&self.recorded[nth].defect, self.recorded.len());
                shell.talk(&format!("{}/{of} {name}: {said}, {seconds:.1} s", done + 1));
                rows[nth] = Some(row);
            }
        });
        rows.into_iter().map(|row| row.unwrap_or_else(|| Err("interrupted".to_owned()))).collect()
    }

    fn row(&self, one: &Recorded) -> Outcome {
        let file = zoo::file_of(self.files, one).expect("looked up before");
        let series = one.series(file);
        let plan = series.plan(&self.names, one.seed, series.head.points_of(one.seed).start)?;
        let document = plan.document.clone();
        let finished = run::run(plan, false).whole()?;
        let record = record(&finished);
        let (scenario, _) = Scenario::compile("plan.toml", document.as_bytes(), &self.names);
        let scenario = scenario.ok_or("its plan does not compile")?;
        let target = shrink::target(&record, None)?;
        let subject = Subject::new(&scenario, &record, target.clone());
        let mut trials = Trials::new(&self.names, target.clone(), SHRINK);
        let shrunk = shrink::shrink(&subject, &mut trials, &mut |_, _| {})?;
        if let Some(interrupted) = one_shrink::verify(self.lab, &shrunk, &target)? {
            return Err(interrupted.into());
        }
        let cut = trials.ran_out();
        let mut trials = Trials::new(&self.names, target.clone(), CAUSE);
        let (draft, whatif) = cause::factors(&subject, &mut trials)?;
        let (kinds, defect) = (self.lab.kinds(), self.defect(&one.defect)?);
        let cause = Compared::new(kinds, defect, &whatif, draft.is_rough());
        let ops = finished.ops.len() as u64;
        Ok(Row { run: subject.token, check: target.check, ops, shrunk, cut, cause })
    }

    fn defect(&self, name: &str) -> Result<&'static Defect, String> {
        let mut all = self.names.systems.iter().flat_map(|system| system.defects());
        all.find(|defect| defect.name == name).ok_or_else(|| format!("there is no flaw `{name}`"))
    }
}

fn draw(recorded: &[Recorded], rows: &[Outcome], canvas: &mut dyn Canvas) {
    let found: Vec<(&str, &Row)> = recorded
        .iter()
        .zip(rows)
        .filter_map(|(one, row)| Some((one.defect.as_str(), row.as_ref().ok()?)))
        .collect();
    let half = median_share(&found);
    let minimal = found.iter().filter(|(_, row)| row.is_minimal()).count();
    let all_good = found.len() == rows.len() && minimal == rows.len() && half <= 2_500;
    canvas.banner(
        if all_good { Tone::Good } else { Tone::Warn },
        &format!(
            "Of {} failures, {minimal} are 1-minimal in their faults; half of them keep at most \
             {}.{:02} % of their operations.",
            rows.len(),
            half / 100,
            half % 100
        ),
    );
    canvas.table(&shrunk_table(&found));
    canvas.heading("What they need");
    let agree = found.iter().filter(|(_, row)| row.cause.agrees).count();
    let tone = if agree == rows.len() { Tone::Good } else { Tone::Warn };
    canvas.banner(
        tone,
        &format!("The cause of {agree} of {} names what the flaw's row names.", rows.len()),
    );
    canvas.table(&cause_table(&found));
    let lost = recorded.iter().zip(rows);
    let lost = lost.filter_map(|(one, row)| Some((one, row.as_ref().err()?)));
    let lost: Vec<Cell> =
        lost.map(|(one, why)| Cell::from(format!("{}: {why}", one.defect))).collect();
    if !lost.is_empty() {
        canvas.heading("Of which nothing came");
        canvas.list(&lost);
    }
}

/// Half of the failures keep at most this share of their operations, in hundredths of a per cent.
fn median_share(found: &[(&str, &Row)]) -> u64 {
    let share = |row: &Row| row.shrunk.draft.ops() as u64 * 10_000 / row.ops;
    let mut shares: Vec<u64> =
        found.iter().filter(|(_, row)| row.ops > 0).map(|(_, row)| share(row)).collect();
    shares.sort_unstable();
    shares.get(shares.len() / 2).copied().unwrap_or(0)
}

fn shrunk_table(found: &[(&str, &Row)]) -> Table {
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
        words("search"),
    ]);
    for (defect, row) in found {
        let figure = |what: &str| {
            let found = row.shrunk.figures.iter().find(|(name, ..)| *name == what);
            found.map_or_else(String::new, |(_, before, after)| format!("{before} -> {after}"))
        };
        let ops = format!("{} -> {}", count(row.ops), count(row.shrunk.draft.ops() as u64));
        table.push(vec![
            Cell::from(*defect),
            Cell::from(&row.run),
            Cell::from(&row.check),
            Cell::from(figure("faults")),
            Cell::from(figure("nodes")),
            Cell::from(ops),
            Cell::from(figure("settings")),
            Cell::from(figure("simulated time")),
            Cell::from(count(row.shrunk.trials)),
            Cell::from(if row.is_minimal() { "yes" } else { "not tried" }),
            Cell::from(if row.cut { "best so far, budget spent" } else { "to its end" }),
        ]);
    }
    table
}

fn cause_table(found: &[(&str, &Row)]) -> Table {
    let mut table = Table::new(vec![
        words("flaw"),
        words("needs, by its row"),
        words("faults that the cause names"),
        words("cause as its row says"),
    ]);
    for (defect, row) in found {
        let cause = &row.cause;
        let tone = if cause.agrees { Tone::Good } else { Tone::Warn };
        table.push(vec![
            Cell::from(*defect),
            Cell::from(&cause.row),
            Cell::from(&cause.named),
            Cell::new(tone, &cause.says),
        ]);
    }
    table
}

const HEAD: &str = "# What shrinking leaves\n\nWritten by `chaoslab zoo --shrink --write docs`; not \
edited by hand. The recorded run of every flaw (`docs/zoo.json`) is shrunk, and the result run by \
itself: it breaks the same check by the same rule at the same kinds of nodes. A fault that comes \
several times counts once before, and once for each time that is left after. A search that spends \
its budget keeps the best that it found by then.\n\nThe second table asks `cause` about the same \
runs, unshrunk: the faults without which the run does not fail, with a smallest set that suffices, \
beside the kinds of trouble that the flaw's row says it needs (`chaoslab list defects`).\n";
