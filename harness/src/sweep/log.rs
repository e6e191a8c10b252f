//! The log of a sweep: JSON lines, appended to and never rewritten.
//!
//! The heads of the series come first, then a line per run as it ended, in any order. Whatever kills
//! a sweep tears at most the last line; it is cut off, and the rest holds. Joining logs is taking
//! the union of their lines.

use super::Results;
use super::tasks::{Head, Key};
use crate::interrupt::Interrupted;
use crate::rundir::DirError;
use reports::SeedResult;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    /// What a series is.
    Series(Box<Head>),
    /// How a run ended.
    Run(Box<SeedResult>),
}

/// A log that is being written.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
}

/// What a log holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Its series.
    pub heads: Vec<Head>,
    /// Its runs.
    pub results: Results,
    /// The length of its whole lines.
    pub whole_bytes: u64,
}

/// Why a log cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It cannot be read or written, or it is no log.
    Unusable(String),
    /// Two results of one run differ: what the lab calls nondeterminism.
    Differ(String),
    /// The user interrupted it: there is nothing to say about a result.
    Interrupted,
}

impl From<Interrupted> for Trouble {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

impl From<DirError> for Trouble {
    fn from(error: DirError) -> Self {
        match error {
            DirError::Interrupted => Self::Interrupted,
            DirError::Differs(_) => Self::Differ(error.to_string()),
            DirError::Failed { .. } => Self::Unusable(error.to_string()),
        }
    }
}

impl Log {
    /// Begins a log at `path`; one that is there already is kept under the name with `.old`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &Path, heads: &[&Head]) -> Result<Self, Trouble> {
        let failed = |error: io::Error| unusable("write", path, &error);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        if let Ok(old) = File::open(path) {
            own(path, &old)?;
        }
        match fs::rename(path, path.with_extension("jsonl.old")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let file = OpenOptions::new().create_new(true).append(true).open(path).map_err(failed)?;
        own(path, &file)?;
        let mut log = Self { path: path.to_owned(), file };
        for head in heads {
            log.append(&Line::Series(Box::new((*head).clone())))?;
        }
        Ok(log)
    }

    /// Goes on with the log at `path`, whose torn last line is cut off, and whose series must be
    /// alike; begins one when there is none. Returns what it holds.
    ///
    /// # Errors
    /// When it cannot be read or written, is no log, or is one of another sweep.
    pub fn resume(path: &Path, heads: &[&Head]) -> Result<(Self, Results), Trouble> {
        if !path.exists() {
            return Ok((Self::create(path, heads)?, Results::new()));
        }
        let failed = |error: io::Error| unusable("write", path, &error);
        let file = OpenOptions::new().append(true).open(path).map_err(failed)?;
        own(path, &file)?;
        let read = Read::open(path)?;
        file.set_len(read.whole_bytes).map_err(failed)?;
        let mut log = Self { path: path.to_owned(), file };
        for head in heads {
            let same = |old: &&Head| old.scenario == head.scenario && old.variant == head.variant;
            match read.heads.iter().find(same) {
                Some(old) if old.is_alike(head) => {}
                Some(_) => {
                    return Err(Trouble::Unusable(format!(
                        "{} is the log of another sweep: {} or its settings have changed since. \
                         Sweep without --resume to begin anew",
                        path.display(),
                        head.name()
                    )));
                }
                None => log.append(&Line::Series(Box::new((*head).clone())))?,
            }
        }
        Ok((log, read.results))
    }

    /// Appends the result of a run.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn result(&mut self, result: &SeedResult) -> Result<(), Trouble> {
        self.append(&Line::Run(Box::new(result.clone())))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// One write per line: a kill tears the last one at worst.
    fn append(&mut self, line: &Line) -> Result<(), Trouble> {
        let mut text = serde_json::to_string(line).expect("a line has text keys");
        assert!(!text.contains('\n'), "a line is one line");
        text.push('\n');
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|error| unusable("write", &self.path, &error))
    }
}

impl Read {
    /// Reads the log at `path`.
    ///
    /// # Errors
    /// When it cannot be read, or a line before the last is none of a log.
    pub fn open(path: &Path) -> Result<Self, Trouble> {
        let bytes = fs::read(path).map_err(|error| unusable("read", path, &error))?;
        Self::of(&path.display().to_string(), &bytes)
    }

    /// What the bytes of a log hold. A last line without its end is torn and does not count.
    ///
    /// # Errors
    /// When another line is none of a log, or two results of one run differ.
    pub fn of(shown: &str, bytes: &[u8]) -> Result<Self, Trouble> {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let mut read = Self { whole_bytes: whole as u64, ..Self::default() };
        for (number, line) in bytes[..whole].split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice(line) {
                Ok(Line::Series(head)) if !head.is_sound() => {
                    let number = number + 1;
                    let why = format!("line {number} of {shown} is no series that can be swept");
                    return Err(Trouble::Unusable(why));
                }
                Ok(Line::Series(head)) => read.heads.push(*head),
                Ok(Line::Run(result)) => insert(&mut read.results, *result)?,
                Err(error) => {
                    let number = number + 1;
                    let why = format!("line {number} of {shown} is none of a sweep: {error}");
                    return Err(Trouble::Unusable(why));
                }
            }
        }
        Ok(read)
    }

    /// Joins the logs of parts of one sweep.
    ///
    /// # Errors
    /// When they are not parts of one sweep, or two results of one run differ.
    pub fn join(logs: Vec<Self>) -> Result<Self, Trouble> {
        let mut whole = Self::default();
        for log in logs {
            for head in log.heads {
                join_head(&mut whole.heads, head)?;
            }
            for result in log.results.into_values() {
                insert(&mut whole.results, result)?;
            }
        }
        whole.heads.sort_by(|a, b| (&a.scenario, &a.variant).cmp(&(&b.scenario, &b.variant)));
        Ok(whole)
    }
}

fn join_head(heads: &mut Vec<Head>, head: Head) -> Result<(), Trouble> {
    let same = |old: &&mut Head| old.scenario == head.scenario && old.variant == head.variant;
    let whole = Head { shard: super::Shard::WHOLE, ..head.clone() };
    match heads.iter_mut().find(same) {
        None => heads.push(whole),
        Some(old) if old.is_alike(&head) => {
            old.seeds = (old.seeds.0.min(head.seeds.0), old.seeds.1.max(head.seeds.1));
        }
        Some(_) => {
            return Err(Trouble::Unusable(format!(
                "the logs are not of one sweep: {} or its settings differ between them",
                head.name()
            )));
        }
    }
    Ok(())
}

fn insert(results: &mut Results, result: SeedResult) -> Result<(), Trouble> {
    let key = Key::from(&result);
    match results.get(&key) {
        Some(old) if *old != result => Err(Trouble::Differ(format!(
            "two runs of {} differ: digest {} with {} events, and {} with {}",
            result.token, old.digest, old.events, result.digest, result.events
        ))),
        _ => {
            results.insert(key, result);
            Ok(())
        }
    }
}

/// One sweep at a time writes a log.
fn own(path: &Path, file: &File) -> Result<(), Trouble> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Trouble::Unusable(format!(
            "another sweep is writing {}: wait for it, or give another --log",
            path.display()
        ))),
        // Where nothing can be locked, whoever shares a log reads it back as a set of lines.
        _ => Ok(()),
    }
}

fn unusable(verb: &str, path: &Path, error: &io::Error) -> Trouble {
    Trouble::Unusable(format!("could not {verb} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::{Points, Shard};
    use reports::Digest;
    use scenario::law::Law;

    fn head(digest: u64) -> Head {
        Head {
            file: "a.toml".into(),
            scenario: "a".into(),
            variant: None,
            sets: Vec::new(),
            digest: Digest(digest),
            seeds: (0, 9),
            points: 1,
            at: Points::All,
            shard: Shard::WHOLE,
            law: Law::default(),
        }
    }

    fn result(seed: u64) -> SeedResult {
        SeedResult { scenario: "a".into(), seed, events: seed * 10, ..SeedResult::default() }
    }

    fn text(lines: &[Line]) -> String {
        lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect()
    }

    #[test]
    fn a_log_cut_anywhere_holds_its_whole_lines() {
        let mut lines = vec![Line::Series(Box::new(head(1)))];
        lines.extend((0..4).map(|seed| Line::Run(Box::new(result(seed)))));
        let whole = text(&lines);
        for cut in 0..=whole.len() {
            let read = Read::of("log", &whole.as_bytes()[..cut]).unwrap();
            let lines = whole[..cut].matches('\n').count();
            assert_eq!(read.heads.len() + read.results.len(), lines, "cut at {cut}");
            assert!(read.whole_bytes as usize <= cut);
        }
    }

    #[test]
    fn a_broken_line_in_the_middle_is_an_error() {
        let broken = format!("{}not json\n", text(&[Line::Run(Box::new(result(1)))]));
        let Err(Trouble::Unusable(why)) = Read::of("log", broken.as_bytes()) else {
            panic!("it was accepted");
        };
        assert!(why.starts_with("line 2 of log"), "{why}");
    }

    #[test]
    fn two_different_results_of_one_run_are_nondeterminism() {
        let other = SeedResult { events: 11, ..result(1) };
        let lines = [Line::Run(Box::new(result(1))), Line::Run(Box::new(other))];
        assert!(matches!(Read::of("log", text(&lines).as_bytes()), Err(Trouble::Differ(_))));
        let twice = [Line::Run(Box::new(result(1))), Line::Run(Box::new(result(1)))];
        assert_eq!(Read::of("log", text(&twice).as_bytes()).unwrap().results.len(), 1);
    }

    #[test]
    fn only_parts_of_one_sweep_are_joined() {
        let log =
            |digest, seeds| Read { heads: vec![Head { seeds, ..head(digest) }], ..Read::default() };
        let joined = Read::join(vec![log(1, (0, 5)), log(1, (5, 9))]).unwrap();
        assert_eq!(joined.heads[0].seeds, (0, 9));
        assert!(Read::join(vec![log(1, (0, 5)), log(2, (5, 9))]).is_err());
    }
}
