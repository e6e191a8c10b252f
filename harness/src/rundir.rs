//! What a run leaves behind: a directory that is complete or absent. The one place that knows what
//! lies in it.
//!
//! Processes that write below one `out` take turns (`Turn`). A directory that holds what would be
//! written is left alone; another one is exchanged as a whole, and what its user put into it (notes,
//! `minimal.toml`, `cause.json`) comes along. Whoever finds that another process wrote something
//! different while it ran itself has found nondeterminism.

use crate::checks::op_cost::Spent;
use crate::interrupt::Interrupted;
use crate::run::{Ended, Finished};
use crate::whole_file::{self, Part};
use contract::hash::hash_bytes;
use reports::record::{RunRecord, Series};
use scenario::plan::Plan;
use serde_json::json;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

/// The plan, as a scenario file that compiles to it.
pub const PLAN: &str = "plan.toml";

/// The record, from which the reports are rendered.
const RECORD: &str = "run.json";

const HISTORY: &str = "history.jsonl";
const HTML: &str = "report.html";
const MARKDOWN: &str = "report.md";
const METRICS: &str = "metrics.prom";

/// What the machine spent; another one may spend something else.
const HOST: &str = "host.json";

/// What a run writes; everything else in its directory is the user's.
const OF_A_RUN: [&str; 7] = [HISTORY, PLAN, RECORD, HTML, MARKDOWN, METRICS, HOST];

/// What `cause` adds.
const CAUSE: &str = "cause.json";

/// What `shrink` adds.
pub const MINIMAL: &str = "minimal.toml";

/// The plot that `cause` adds to a record.
pub const CHANCE: &str = "chance of failure";

/// The file below `out` that is locked by whoever writes there.
const LOCK: &str = ".lock";

/// How the name of a directory ends that is being exchanged.
const OLD: &str = "old";

/// Why a run directory could not be written or read.
#[derive(Debug)]
pub enum DirError {
    /// A file could not be read or written.
    Failed {
        /// `write` or `read`.
        verb: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// Another process ran the same plan at the same time, and something else came of it.
    Differs(PathBuf),
    /// The run was interrupted: it is no result.
    Interrupted,
}

impl fmt::Display for DirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { verb, path, why } => {
                write!(f, "could not {verb} {}: {why}", path.display())
            }
            Self::Differs(path) => write!(
                f,
                "{} was written by another run of the same plan at the same time, and differs",
                path.display()
            ),
            Self::Interrupted => Interrupted.fmt(f),
        }
    }
}

impl std::error::Error for DirError {}

fn failed(verb: &'static str, path: &Path, why: impl fmt::Display) -> DirError {
    DirError::Failed { verb, path: path.to_owned(), why: why.to_string() }
}

/// The directory of a plan's run below `out`: `<name>/<seed>[-variant][+hex]`.
#[must_use]
pub fn path(out: &Path, plan: &Plan) -> PathBuf {
    let token = crate::world::token(plan);
    let (name, run) = token.split_once('@').expect("a token has a name and a seed");
    out.join(name).join(run)
}

/// Where a run is to be written, and what lay there before it began.
#[derive(Debug)]
pub struct Place {
    out: PathBuf,
    dir: PathBuf,
    before: Option<u64>,
}

impl Place {
    /// The place of a plan's run below `out`, looked at before the run.
    #[must_use]
    pub fn of(out: &Path, plan: &Plan) -> Self {
        let dir = path(out, plan);
        let before = state(&dir);
        Self { out: out.to_owned(), dir, before }
    }

    /// Writes the run's directory, unless it is there already.
    ///
    /// # Errors
    /// When the disk is full, a permission is missing, or a file stands in the way; when the run was
    /// interrupted; when another process has written something else since the run began. Then the
    /// directory is what it was.
    pub fn write(self, run: &Finished, record: &RunRecord) -> Result<PathBuf, DirError> {
        if run.ended == Ended::Interrupted {
            return Err(DirError::Interrupted);
        }
        let report = |error: io::Error| failed("write", &self.dir, error);
        let _turn = Turn::take(&self.out).map_err(report)?;
        recover(&self.dir).map_err(report)?;
        let explained = explained(&self.dir, record);
        let files = files(run, explained.as_ref().unwrap_or(record));
        if holds(&self.dir, &files) {
            add_host(&self.dir, run)?;
            return Ok(self.dir);
        }
        if state(&self.dir) != self.before {
            return Err(DirError::Differs(self.dir));
        }
        exchange(&self.dir, &files, run)?;
        Ok(self.dir)
    }
}

/// What identifies the run that a directory holds; `None` where there is none.
fn state(dir: &Path) -> Option<u64> {
    fs::read(dir.join(RECORD)).ok().map(|bytes| hash_bytes(&bytes))
}

/// The record that lies in `dir`, where it is `record` with what `cause` added to it.
fn explained(dir: &Path, record: &RunRecord) -> Option<RunRecord> {
    let old = read_record(dir).ok().filter(|old| old.digest == record.digest)?;
    old.cause.as_ref()?;
    let mut bare = old.clone();
    explain(&mut bare, None, Vec::new());
    (reports::json::write(&bare) == reports::json::write(record)).then_some(old)
}

/// Gives a record what `cause` found, in the place of what it found before.
pub fn explain(record: &mut RunRecord, cause: Option<String>, chance: Vec<Series>) {
    record.cause = cause;
    record.series.retain(|series| series.name != CHANCE);
    record.series.extend(chance);
}

/// Whether `dir` holds these files of a run, byte for byte, and no others of one.
fn holds(dir: &Path, files: &[(&'static str, String)]) -> bool {
    let equal = |(name, content): &(&str, String)| {
        fs::read(dir.join(name)).is_ok_and(|bytes| bytes == content.as_bytes())
    };
    let is_ours = |name: &&str| files.iter().any(|(ours, _)| ours == name);
    let others = OF_A_RUN.iter().filter(|name| **name != HOST && !is_ours(name));
    files.iter().all(equal) && others.into_iter().all(|name| !dir.join(name).exists())
}

/// Puts a directory of `files` in the place of `dir`. A kill at any moment leaves one of the two,
/// there or where [`recover`] finds it.
fn exchange(dir: &Path, files: &[(&'static str, String)], run: &Finished) -> Result<(), DirError> {
    let report = |error: io::Error| failed("write", dir, error);
    if dir.exists() && !dir.is_dir() {
        return Err(failed("write", dir, "a file stands in the way"));
    }
    fs::create_dir_all(whole_file::folder(dir)).map_err(report)?;
    let part = Part::of(dir);
    fs::create_dir(part.path()).map_err(report)?;
    for (name, content) in files {
        let filled = whole_file::fill(&part.path().join(name), content.as_bytes());
        filled.map_err(|error| failed("write", &dir.join(name), error))?;
    }
    add_host(part.path(), run)?;
    whole_file::sync_folder(part.path());
    if !dir.exists() {
        return part.put(dir).map_err(report);
    }
    let old = whole_file::beside(dir, OLD);
    fs::rename(dir, &old).map_err(report)?;
    if let Err(error) = part.put(dir) {
        fs::rename(&old, dir).map_err(report)?;
        return Err(report(error));
    }
    take_over(&old, dir).map_err(report)
}

/// Moves what is not of a run from `old` into `dir`, and removes what is left.
fn take_over(old: &Path, dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(old)? {
        let entry = entry?;
        let name = entry.file_name();
        let to = dir.join(&name);
        if !OF_A_RUN.iter().any(|ours| name == **ours) && !to.exists() {
            fs::rename(entry.path(), to)?;
        }
    }
    fs::remove_dir_all(old)
}

/// Ends what a process began that was killed while it wrote `dir`. Whoever calls it has the turn.
fn recover(dir: &Path) -> io::Result<()> {
    whole_file::take_away_parts(dir);
    for old in whole_file::all_beside(dir, OLD) {
        if dir.exists() {
            take_over(&old, dir)?;
        } else {
            fs::rename(&old, dir)?;
        }
    }
    Ok(())
}

/// The right to write below an `out`, until it is dropped.
struct Turn(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl Turn {
    fn take(out: &Path) -> io::Result<Self> {
        fs::create_dir_all(out)?;
        let file = File::options().create(true).append(true).open(out.join(LOCK))?;
        match file.lock() {
            // Without locks, names of their own still keep two processes apart.
            Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
            _ => Ok(Self(file)),
        }
    }
}

/// The files of a run directory that are the same on every machine.
fn files(run: &Finished, record: &RunRecord) -> Vec<(&'static str, String)> {
    let mut history = Vec::new();
    checker::history::jsonl::write(&run.ops, &mut history).expect("a vector takes every byte");
    let history = String::from_utf8(history).expect("JSON is text");
    let mut files = vec![(HISTORY, history), (PLAN, run.plan.document.clone())];
    files.extend(rendered(record));
    if !run.metrics.is_empty() {
        files.push((METRICS, run.metrics.clone()));
    }
    files
}

/// The record and its reports.
fn rendered(record: &RunRecord) -> [(&'static str, String); 3] {
    [
        (RECORD, reports::json::write(record)),
        (HTML, reports::html::render(record)),
        (MARKDOWN, reports::markdown::render(record)),
    ]
}

/// What the machine spent on a run. Another machine may spend something else, so nothing that has
/// to be equal everywhere holds it.
fn add_host(dir: &Path, run: &Finished) -> Result<(), DirError> {
    if !run.metered.is_on() {
        return Ok(());
    }
    let checks = run.spent.iter().map(|(id, spent)| {
        let Spent { operations, allocations, worst } = *spent;
        let of = json!({ "operations": operations, "allocations": allocations, "worst": worst });
        (id.clone(), of)
    });
    let host = json!({
        "node_inputs": run.metered.inputs,
        "node_allocations": run.metered.total,
        "op_cost": serde_json::Map::from_iter(checks),
    });
    add(dir, HOST, &format!("{host:#}\n")).map(drop)
}

/// Adds a file to a run directory, or replaces it.
///
/// # Errors
/// When the disk is full or a permission is missing.
fn add(dir: &Path, name: &str, content: &str) -> Result<PathBuf, DirError> {
    let path = dir.join(name);
    whole_file::write(&path, content).map_err(|error| failed("write", &path, error))?;
    Ok(path)
}

/// Adds what `cause` found to a run directory, and renders its reports again.
///
/// # Errors
/// When the disk is full or a permission is missing.
pub fn add_cause(dir: &Path, cause: &str, record: &RunRecord) -> Result<PathBuf, DirError> {
    let path = add(dir, CAUSE, cause)?;
    for (name, content) in rendered(record) {
        add(dir, name, &content)?;
    }
    Ok(path)
}

/// The plan's document and the record of a run directory.
///
/// # Errors
/// When a file is missing or is not what the lab wrote.
pub fn read(dir: &Path) -> Result<(Vec<u8>, RunRecord), DirError> {
    let plan_path = dir.join(PLAN);
    let plan = fs::read(&plan_path).map_err(|error| failed("read", &plan_path, error))?;
    Ok((plan, read_record(dir)?))
}

/// The record of a run directory.
///
/// # Errors
/// When it is missing or is not what the lab wrote.
pub fn read_record(dir: &Path) -> Result<RunRecord, DirError> {
    let path = dir.join(RECORD);
    File::open(&path).map_err(|error| failed("read", &path, error))?;
    // A record may be as large as all else that the command needs.
    let source = || File::open(&path).map(BufReader::new);
    reports::json::read_from(source).map_err(|error| failed("read", &path, error))
}
