//! Finding scenario files, reading and compiling them, and saying what is wrong with them.

use super::Lab;
use crate::shell::Shell;
use scenario::diagnostics;
use scenario::{Lab as Names, Scenario};
use std::fs;
use std::path::{Path, PathBuf};

/// What names exist in this lab.
#[must_use]
pub fn names(lab: &Lab) -> Names<'static> {
    lab.kinds().names(lab.systems)
}

/// A scenario file that compiled.
pub struct Loaded {
    /// The path as the user gave it.
    pub path: String,
    /// Its text; what is not UTF-8 in it is replaced, for messages only.
    pub source: String,
    /// What it says.
    pub scenario: Scenario,
}

/// The folder of shrunk scenarios.
pub const REGRESSIONS: &str = "regressions";

/// The files to compile, where a folder is among them: those of `scenarios/regressions` too, and
/// first.
pub fn with_regressions(paths: &[PathBuf]) -> Vec<PathBuf> {
    let home = |path: &PathBuf| {
        let mut above = path.ancestors();
        let scenarios = above.find(|folder| folder.file_name().is_some_and(|n| n == "scenarios"));
        let regressions = scenarios.unwrap_or(path).join(REGRESSIONS);
        let inside = paths.iter().any(|path| regressions.starts_with(path));
        let mut found = Vec::new();
        let has_some = walk(&regressions, &mut found).is_ok() && !found.is_empty();
        (path.is_dir() && !inside && has_some).then_some(regressions)
    };
    let mut first: Vec<PathBuf> = paths.iter().filter_map(home).collect();
    first.sort();
    first.dedup();
    first.into_iter().chain(paths.iter().cloned()).collect()
}

/// Compiles every file, and every scenario below every directory, in the order given. Says what is
/// wrong with each; `Err` when any is.
pub fn compile(
    lab: &Lab,
    shell: Shell,
    paths: &[PathBuf],
    deny_warnings: bool,
) -> Result<Vec<Loaded>, ()> {
    let names = names(lab);
    let mut loaded = Vec::new();
    let mut good = true;
    for path in paths {
        match files(path) {
            Ok(files) => {
                for file in files {
                    match compile_one(&names, shell, &file, deny_warnings) {
                        Some(scenario) => loaded.push(scenario),
                        None => good = false,
                    }
                }
            }
            Err(message) => {
                shell.error(&message);
                good = false;
            }
        }
    }
    if good { Ok(loaded) } else { Err(()) }
}

fn compile_one(names: &Names<'_>, shell: Shell, path: &Path, deny: bool) -> Option<Loaded> {
    let shown = path.display().to_string();
    let source = match fs::read(path) {
        Ok(source) => source,
        Err(error) => {
            shell.error(&format!("could not read {shown}: {error}"));
            return None;
        }
    };
    let (scenario, said) = Scenario::compile(&shown, &source, names);
    let source = String::from_utf8_lossy(&source).into_owned();
    if !said.is_empty() {
        shell.talk(&diagnostics::render(&said, &source, &shown, shell.colour_err));
    }
    if deny && !said.is_empty() {
        return None;
    }
    scenario.map(|scenario| Loaded { path: shown, source, scenario })
}

/// The scenario files that a path stands for.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    let shown = path.display();
    let about = fs::metadata(path).map_err(|error| format!("could not read {shown}: {error}"))?;
    if !about.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    walk(path, &mut found)?;
    if found.is_empty() {
        return Err(format!("{shown} is a directory without scenario files (*.toml) below it"));
    }
    Ok(found)
}

/// Collects the scenario files below `dir`, sorted by path, regressions first.
pub fn walk(dir: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("could not read {}: {error}", dir.display());
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    let later = |path: &PathBuf| path.file_name().is_none_or(|name| name != REGRESSIONS);
    entries.sort_by_key(|path| (later(path), path.clone()));
    for path in entries {
        if path.is_dir() {
            walk(&path, found)?;
        } else if path.extension().is_some_and(|suffix| suffix == "toml") {
            found.push(path);
        }
    }
    Ok(())
}
