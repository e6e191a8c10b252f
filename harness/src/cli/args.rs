//! The words of the command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A deterministic simulation testbed and chaos lab for distributed systems.
///
/// Exit status: 0 every expectation met, 1 an unexpected violation, 2 the command or a file is
/// wrong, 3 inconclusive or vacuous, 4 nondeterminism, 5 an expected failure did not occur, 101 a
/// crash of the lab, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "chaoslab", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios and judge them; `chaoslab FILE…` does the same.
    Run(RunArgs),
    /// Repeat a recorded run and prove that its digest is the same.
    Replay(ReplayArgs),
    /// Run twice, fork and replay in between, and compare the digests.
    Verify(VerifyArgs),
    /// Validate scenario files without running them.
    Check(CheckArgs),
    /// Print the long form of an error code.
    Explain(ExplainArgs),
    /// List systems, scenarios, faults, checks, events and defects.
    List(ListArgs),
    /// Judge a history that some other tool recorded: JSON lines, Jepsen EDN, Porcupine's logs.
    History(HistoryArgs),
    /// Run a conformance suite of another project against our implementation.
    Conformance(ConformanceArgs),
    /// Render the reports of a run directory again from its run.json.
    Report(ReportArgs),
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables for a terminal.
    Text,
    /// The canonical run record, one JSON document per run.
    Json,
    /// Markdown for a pull request.
    Md,
    /// JUnit XML for continuous integration.
    Junit,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Scenario files; a directory stands for all scenarios below it.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The seed, decimal or 0x…; otherwise the scenario's own, or a drawn one that is printed.
    #[arg(long, value_parser = seed, conflicts_with = "seeds")]
    pub seed: Option<u64>,
    /// Several seeds, half-open: 0..1000.
    #[arg(long, value_parser = seeds, value_name = "A..B")]
    pub seeds: Option<(u64, u64)>,
    /// A variant of the scenario, or `all` for the base and every variant.
    #[arg(long)]
    pub variant: Option<String>,
    /// Overrides a value of the file: tuning.h.lease="500ms". Repeatable.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = set)]
    pub sets: Vec<(String, String)>,
    /// Where run directories go.
    #[arg(long, default_value = "out")]
    pub out: PathBuf,
    /// End each run at its first violation.
    #[arg(long)]
    pub fail_fast: bool,
    /// Repeat each run on another simulator too: event for event where the scenario has the tag
    /// `exact`, otherwise on the simulator's own network, comparing what the checks say.
    #[arg(long, value_name = "NAME", default_value = "engine")]
    pub simulator: String,
    /// How to print the result.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// Warnings of the compiler are errors.
    #[arg(long)]
    pub deny_warnings: bool,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A run directory, or a token such as hyperion/crash@7-flawed.
    pub run: String,
    /// Where run directories are.
    #[arg(long, default_value = "out")]
    pub out: PathBuf,
    /// Stop at a simulated time such as 3.5s and print the last events.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Scenario files or directories.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The seed; otherwise each scenario's own.
    #[arg(long, value_parser = seed)]
    pub seed: Option<u64>,
    /// Repeat scenarios with the tag `exact` on another simulator too, or on `all`.
    #[arg(long, value_name = "NAME", default_value = "engine")]
    pub simulator: String,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Scenario files or directories.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Warnings are errors.
    #[arg(long)]
    pub deny_warnings: bool,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// An error code such as E0311; without one, all codes.
    pub code: Option<String>,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// What to list; everything when not given.
    #[arg(value_enum)]
    pub what: Option<Listed>,
    /// Where scenarios are.
    #[arg(long, default_value = "scenarios")]
    pub scenarios: PathBuf,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Listed {
    /// Systems under test, with their roles.
    Systems,
    /// Scenario files.
    Scenarios,
    /// Kinds of faults.
    Faults,
    /// Kinds of checks, and invariants.
    Checks,
    /// Events that systems mark.
    Events,
    /// Defects that can be planted.
    Defects,
    /// Settings of every role.
    Settings,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The file.
    pub file: PathBuf,
    /// How it is written; guessed when not given.
    #[arg(long, value_enum)]
    pub format: Option<HistoryFormat>,
    /// What a register holds before the history, such as 0 or nil.
    #[arg(long)]
    pub initial: Option<String>,
    /// Steps that searches may take before the verdict is "undecided".
    #[arg(long, default_value_t = 50_000_000)]
    pub search_steps: u64,
}

/// Arguments of `conformance`.
#[derive(Debug, Args)]
pub struct ConformanceArgs {
    /// The suite: raft-quorum, raft-confchange or raft-interaction for the data-driven tests of
    /// etcd's raft.
    pub suite: String,
    /// The file with its cases.
    pub file: PathBuf,
    /// Print only what disagrees, and the sums.
    #[arg(long, short)]
    pub quiet: bool,
}

/// How a history is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    /// EDN maps: Jepsen, Knossos, Porcupine's key-value logs.
    Edn,
    /// Lines of Jepsen's log: Porcupine's etcd tests.
    Jepsen,
    /// One JSON object per line, as in `history.jsonl`.
    Jsonl,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// A run directory.
    pub dir: PathBuf,
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// A seed, decimal or hexadecimal.
fn seed(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    let parsed = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    parsed.map_err(|_| "a seed is a number below 2^64, such as 7 or 0x5EED".to_owned())
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let (from, to) = text.split_once("..").ok_or("seeds are a half-open range such as 0..1000")?;
    let (from, to) = (seed(from)?, seed(to)?);
    if from >= to {
        return Err(format!("{from}..{to} holds no seed: the range is half-open"));
    }
    Ok((from, to))
}

fn set(text: &str) -> Result<(String, String), String> {
    let (path, value) = text.split_once('=').ok_or("an override is PATH=VALUE")?;
    if path.trim().is_empty() {
        return Err("an override names a path before the `=`".to_owned());
    }
    Ok((path.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_parse_in_both_bases_and_refuse_empty_ranges() {
        assert_eq!(seed("0x5EED_0001"), Ok(0x5EED_0001));
        assert_eq!(seed("1_000"), Ok(1_000));
        assert!(seed("-1").is_err() && seed("").is_err() && seed("0x").is_err());
        assert_eq!(seeds("0..3"), Ok((0, 3)));
        assert!(seeds("3..3").is_err() && seeds("3").is_err() && seeds("a..b").is_err());
    }

    #[test]
    fn overrides_split_at_the_first_equals_sign() {
        assert_eq!(set("a.b = x=y"), Ok(("a.b".to_owned(), "x=y".to_owned())));
        assert!(set("a").is_err() && set("=1").is_err());
    }
}
