//! What a run leaves behind: a directory that is complete or absent.

use crate::checks::op_cost::Spent;
use crate::run::Finished;
use reports::record::RunRecord;
use scenario::plan::Plan;
use serde_json::json;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why a run directory could not be written or read.
#[derive(Debug)]
pub struct DirError {
    /// `write` or `read`.
    verb: &'static str,
    path: PathBuf,
    why: String,
}

impl fmt::Display for DirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {} {}: {}", self.verb, self.path.display(), self.why)
    }
}

impl std::error::Error for DirError {}

fn failed(verb: &'static str, path: &Path, why: impl fmt::Display) -> DirError {
    DirError { verb, path: path.to_owned(), why: why.to_string() }
}

/// The directory of a plan's run below `out`: `<name>/<seed>[-variant][+hex]`.
#[must_use]
pub fn path(out: &Path, plan: &Plan) -> PathBuf {
    let token = crate::world::token(plan);
    let (name, run) = token.split_once('@').expect("a token has a name and a seed");
    out.join(name).join(run)
}

/// Writes the run's directory below `out`, replacing the one that an earlier run of the same plan
/// left. It is written under another name first and then renamed.
///
/// # Errors
/// When the disk is full, a permission is missing, or a file stands in the way.
pub fn write(out: &Path, run: &Finished, record: &RunRecord) -> Result<PathBuf, DirError> {
    let target = path(out, &run.plan);
    let parent = target.parent().expect("a run directory lies in its scenario's directory");
    let leaf = target.file_name().expect("a run directory has a name").to_string_lossy();
    let temporary = parent.join(format!(".{leaf}.partial"));
    let report = |path: &Path| {
        let path = path.to_owned();
        move |error: io::Error| failed("write", &path, error)
    };
    remove(&temporary).map_err(report(&temporary))?;
    fs::create_dir_all(&temporary).map_err(report(&temporary))?;
    for (name, content) in files(run, record) {
        let path = temporary.join(name);
        if let Err(error) = fs::write(&path, content) {
            // Best effort: the message about the file that failed is what the user needs.
            drop(remove(&temporary));
            return Err(failed("write", &target.join(name), error));
        }
    }
    remove(&target).map_err(report(&target))?;
    fs::rename(&temporary, &target).map_err(report(&target))?;
    Ok(target)
}

/// The files of a run directory.
fn files(run: &Finished, record: &RunRecord) -> Vec<(&'static str, String)> {
    let mut history = Vec::new();
    checker::history::jsonl::write(&run.ops, &mut history).expect("a vector takes every byte");
    let history = String::from_utf8(history).expect("JSON is text");
    let mut files = vec![
        ("history.jsonl", history),
        ("plan.toml", run.plan.document.clone()),
        ("run.json", reports::json::write(record)),
        ("report.html", reports::html::render(record)),
        ("report.md", reports::markdown::render(record)),
    ];
    if !run.metrics.is_empty() {
        files.push(("metrics.prom", run.metrics.clone()));
    }
    if run.metered.is_on() {
        files.push(("host.json", host(run)));
    }
    files
}

/// What the machine spent on a run. Another machine may spend something else, so nothing that has
/// to be equal everywhere holds it.
fn host(run: &Finished) -> String {
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
    format!("{host:#}\n")
}

/// Adds a file to a run directory: written under another name first, then renamed.
///
/// # Errors
/// When the disk is full or a permission is missing.
pub fn add(dir: &Path, name: &str, content: &str) -> Result<PathBuf, DirError> {
    let path = dir.join(name);
    let temporary = dir.join(format!(".{name}.partial"));
    let report = |error: io::Error| failed("write", &path, error);
    fs::write(&temporary, content).map_err(report)?;
    fs::rename(&temporary, &path).map_err(report)?;
    Ok(path)
}

/// Renders the reports of a run directory again, from a record to which something was added.
///
/// # Errors
/// When the disk is full or a permission is missing.
pub fn render_again(dir: &Path, record: &RunRecord) -> Result<(), DirError> {
    add(dir, "run.json", &reports::json::write(record))?;
    add(dir, "report.html", &reports::html::render(record))?;
    add(dir, "report.md", &reports::markdown::render(record))?;
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// The plan's document and the record of a run directory.
///
/// # Errors
/// When a file is missing or is not what the lab wrote.
pub fn read(dir: &Path) -> Result<(Vec<u8>, RunRecord), DirError> {
    let plan_path = dir.join("plan.toml");
    let plan = fs::read(&plan_path).map_err(|error| failed("read", &plan_path, error))?;
    Ok((plan, read_record(dir)?))
}

/// The record of a run directory.
///
/// # Errors
/// When it is missing or is not what the lab wrote.
pub fn read_record(dir: &Path) -> Result<RunRecord, DirError> {
    let path = dir.join("run.json");
    let text = fs::read_to_string(&path).map_err(|error| failed("read", &path, error))?;
    reports::json::read(&text).map_err(|error| failed("read", &path, error))
}
