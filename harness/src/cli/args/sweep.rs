//! The words of `sweep` and `merge`.

use super::{report, seeds, set};
use crate::sweep::Shard;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How the summary of a sweep is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Summed {
    /// Tables for a terminal.
    Text,
    /// One JSON document with all results.
    Json,
    /// Markdown for a pull request.
    Md,
    /// JUnit XML for continuous integration.
    Junit,
    /// Workflow commands of GitHub Actions, which become annotations.
    Github,
    /// A code quality report of GitLab.
    Gitlab,
}

/// Arguments of `sweep`.
#[derive(Debug, Args)]
pub struct SweepArgs {
    /// Scenario files; a directory stands for all scenarios below it, and then those in
    /// scenarios/regressions run first.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The seeds, half-open: 0..1000. Otherwise as many as `[sweep] seeds` says, or 100.
    #[arg(long, value_parser = seeds, value_name = "A..B")]
    pub seeds: Option<(u64, u64)>,
    /// Counts the seeds from a number that follows from this text, such as a commit hash.
    #[arg(long, value_name = "TEXT")]
    pub seed_from: Option<String>,
    /// A variant of the scenario, or `all` for the base and every variant.
    #[arg(long)]
    pub variant: Option<String>,
    /// Runs each seed at the one point of the matrix that it selects, not at all of them.
    #[arg(long)]
    pub one_point: bool,
    /// Overrides a value of the file: tuning.h.lease="500ms". Repeatable.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = set)]
    pub sets: Vec<(String, String)>,
    /// Threads; otherwise one per core. No result depends on it.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub jobs: Option<u64>,
    /// Runs a part of the seeds: 3/16 is those that leave 2 when divided by 16.
    #[arg(long, value_name = "K/N", default_value = "1/1")]
    pub shard: Shard,
    /// Goes on where a sweep of the same scenarios was cut off, from its log.
    #[arg(long)]
    pub resume: bool,
    /// Where the log is; otherwise below OUT/sweeps, under a name that follows from the scenarios.
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Where run directories and logs go.
    #[arg(long, default_value = "out")]
    pub out: PathBuf,
    /// Stops at the first violation that was not expected and is not known.
    #[arg(long)]
    pub fail_fast: bool,
    /// Begins no run after so much wall time: 10min. Decides when to stop, and nothing else.
    #[arg(long, value_name = "TIME")]
    pub time_limit: Option<String>,
    #[command(flatten)]
    pub shown: SummaryArgs,
    /// Warnings of the compiler are errors.
    #[arg(long)]
    pub deny_warnings: bool,
}

/// What the summary of a sweep takes.
#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// A TOML file of failures that are known: the sweep is red only for new ones.
    #[arg(long, value_name = "FILE")]
    pub known: Option<PathBuf>,
    /// How to print the summary.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Summed,
    /// Shows every scenario, cover and confidence, not only what is not as it should be.
    #[arg(long)]
    pub long: bool,
    /// Writes the summary to a file as well: junit=out/sweep.xml. Repeatable.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report)]
    pub reports: Vec<(Summed, PathBuf)>,
}

/// Arguments of `merge`.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The logs, out/sweeps/*.jsonl.
    #[arg(required = true)]
    pub logs: Vec<PathBuf>,
    #[command(flatten)]
    pub shown: SummaryArgs,
}
