//! `margins`: how far every bound on a quantile, a share or a rate lies from what seeds measure.

use super::args::MarginsArgs;
use super::files::{self, Loaded};
use super::sweep::{jobs, span};
use super::{Lab, print};
use crate::checks::Figure;
use crate::interrupt;
use crate::margins::{ERRORS_MIN, Margin, Measured};
use crate::outcome::Exit;
use crate::run;
use crate::shell::Shell;
use crate::stopwatch::Stopwatch;
use crate::whole_file;
use reports::canvas::{Canvas, Cell, Table, Tone, figures, words};
use reports::units::count;
use scenario::{Lab as Names, diagnostics};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

/// The name of the file that `check` reads, and of the page for people.
const FILES: [&str; 2] = ["margins.json", "margins.md"];

/// Measures.
pub fn main(lab: &Lab, shell: Shell, args: &MarginsArgs) -> Exit {
    let Ok(loaded) = files::compile(lab, shell, &args.files, false) else { return Exit::Usage };
    match measure(lab, shell, args, &loaded) {
        Ok(exit) => exit,
        Err(message) => {
            shell.error(message.trim_end());
            Exit::Usage
        }
    }
}

fn measure(lab: &Lab, shell: Shell, args: &MarginsArgs, loaded: &[Loaded]) -> Result<Exit, String> {
    let names = files::names(lab);
    let measured = all(&names, shell, args, &series(loaded))?;
    shell.clear_progress();
    if interrupt::wind_up() {
        shell.talk("interrupted: nothing is written, for fewer seeds would say something else");
        return Ok(Exit::Inconclusive);
    }
    let written = |scenario: &str, path: &str| {
        let file = loaded.iter().find(|file| file.scenario.name() == scenario)?;
        Some(file.scenario.written(path)?.0)
    };
    let margins = measured.margins(written);
    if margins.is_empty() {
        shell.error("no check of these scenarios bounds a quantile, a share or a rate");
        return Ok(Exit::Inconclusive);
    }
    shell.data(&print::on_text(shell, |canvas| draw(&margins, canvas)));
    if let Some(dir) = &args.write {
        let page = print::on_markdown(|canvas| draw(&margins, canvas));
        let page = format!("{HEAD}\n{page}");
        for (name, text) in FILES.into_iter().zip([reports::json::canonical(&margins), page]) {
            let path = dir.join(name);
            let failed = |error| format!("could not write {}: {error}", path.display());
            whole_file::write(&path, text).map_err(failed)?;
        }
    }
    Ok(Exit::Fine)
}

/// What is measured: every scenario and variant that should pass. One that should fail is broken, and
/// what it measures says nothing about its bounds.
fn series(loaded: &[Loaded]) -> Vec<(&Loaded, Option<&str>)> {
    let mut all = Vec::new();
    for file in loaded.iter().filter(|file| !file.scenario.is_minimal()) {
        let variants = file.scenario.variants().into_iter().map(Some);
        all.extend(std::iter::once(None).chain(variants).map(|variant| (file, variant)));
    }
    all.retain(|(file, variant)| file.scenario.law(*variant).is_some_and(|law| !law.fail));
    all
}

/// The figures of one run, or what is wrong.
type Ran = Result<Vec<(String, Figure)>, String>;

/// Runs every seed of every series, seed by seed, on all cores.
fn all(
    names: &Names<'_>,
    shell: Shell,
    args: &MarginsArgs,
    series: &[(&Loaded, Option<&str>)],
) -> Result<Measured, String> {
    let (from, to) = args.seeds;
    let runs = (to - from).saturating_mul(series.len() as u64);
    let next = AtomicU64::new(0);
    let watch = Stopwatch::start();
    let mut measured = Measured::default();
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..jobs(args.jobs) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while !interrupt::asked() {
                    let nth = next.fetch_add(1, Ordering::SeqCst);
                    if nth >= runs {
                        return;
                    }
                    let at = (nth % series.len() as u64) as usize;
                    let seed = from + nth / series.len() as u64;
                    if sender.send((at, seed, one(names, series[at], seed))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (done, (at, seed, ran)) in receiver.iter().enumerate() {
            let (file, variant) = series[at];
            let of = (file.scenario.name(), variant);
            for (check, figure) in ran.inspect_err(|_| next.store(runs, Ordering::SeqCst))? {
                measured.add(of, &check, seed, figure);
            }
            let (done, all) = (done as u64 + 1, count(runs));
            let left = (runs - done) as f64 * watch.seconds() / done as f64;
            shell.progress(&format!("{done}/{all} runs, {} left", span(left)));
        }
        Ok(measured)
    })
}

/// Runs one seed. A run that was cut short measured something else than a whole one.
fn one(names: &Names<'_>, of: (&Loaded, Option<&str>), seed: u64) -> Ran {
    let (file, variant) = of;
    let point = seed % file.scenario.points(variant);
    let plan = file.scenario.plan(names, variant, seed, point, &[]);
    let plan = plan.map_err(|said| diagnostics::render(&said, &file.source, &file.path, false))?;
    let Ok(finished) = run::run(plan, false).whole() else { return Ok(Vec::new()) };
    if finished.ended.reason().is_some() {
        return Ok(Vec::new());
    }
    let judged = finished.verdicts.into_iter();
    Ok(judged.flat_map(|one| one.figures.into_iter().map(move |f| (one.id.clone(), f))).collect())
}

/// What was measured last, where it is kept; nothing where it is not.
pub fn recorded(path: &Path) -> Result<Vec<Margin>, String> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(|error| format!("could not read {}: {error}", path.display()))?,
    };
    serde_json::from_str(&text)
        .map_err(|error| format!("could not read {}: {error}", path.display()))
}

fn draw(margins: &[Margin], canvas: &mut dyn Canvas) {
    let near = margins.iter().filter(|margin| margin.is_near()).count();
    let tone = if near == 0 { Tone::Good } else { Tone::Warn };
    canvas.banner(
        tone,
        &format!(
            "{near} of {} bounds are nearer than {ERRORS_MIN:.0} standard errors to what was measured.",
            margins.len()
        ),
    );
    let mut table = Table::new(vec![
        words("scenario"),
        words("check"),
        words("bound"),
        figures("allowed"),
        figures("mean"),
        figures("spread"),
        figures("worst"),
        figures("runs"),
        figures("standard errors"),
    ]);
    let mut sorted: Vec<&Margin> = margins.iter().collect();
    sorted.sort_by_key(|margin| margin.errors_milli.unwrap_or(i64::MAX));
    for margin in sorted {
        let variant = margin.variant.as_ref().map_or(String::new(), |name| format!(" ({name})"));
        let errors = margin
            .errors_milli
            .map_or_else(|| "no spread".to_owned(), |milli| format!("{:.1}", milli as f64 / 1e3));
        let tone = if margin.is_near() { Tone::Warn } else { Tone::Plain };
        let mut row = vec![
            Cell::from(format!("{}{variant}", margin.scenario)),
            Cell::from(&margin.check),
            Cell::from(format!("{} = {}", margin.bound, margin.written)),
        ];
        let numbers = [margin.allowed, margin.mean, margin.spread, margin.worst, margin.runs];
        row.extend(numbers.into_iter().map(|number| Cell::from(count(number))));
        row.push(Cell::new(tone, errors));
        table.push(row);
    }
    canvas.table(&table);
}

const HEAD: &str = "# Margins\n\nWritten by `chaoslab margins scenarios --write docs`; not edited by \
hand. Every bound on a quantile, a share or a rate in a scenario that should pass, with what seeds \
measured: nanoseconds, counts, or parts per million of a share. The spread is the standard deviation \
over the seeds, which is the standard error of one run's figure. `chaoslab check` warns (E0509) of a \
bound that is nearer than five of them.\n";
