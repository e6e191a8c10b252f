//! The words of the command line.

mod hunt;
mod sweep;

pub use hunt::HuntArgs;
pub use sweep::{MergeArgs, SummaryArgs, Summed, SweepArgs};

use clap::{Args, Parser, Subcommand, ValueEnum};
use contract::Duration;
use scenario::syntax::units::Measure;
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
    /// Run many seeds on all cores, and say what they add up to.
    Sweep(SweepArgs),
    /// Join the logs of the shards of a sweep into one summary.
    Merge(MergeArgs),
    /// Repeat a recorded run and prove that its digest is the same.
    Replay(ReplayArgs),
    /// Two recorded runs side by side: the first event, verdict and figure that differ.
    Diff(DiffArgs),
    /// Find the smallest scenario that still fails for the same cause.
    Shrink(ShrinkArgs),
    /// Tell which faults a failure needs, and from when on it was inevitable.
    Cause(CauseArgs),
    /// Search from snapshots instead of from seeds.
    Explore(ExploreArgs),
    /// Draw worlds of a system, with everything that it and the lab offer, until something breaks.
    Hunt(HuntArgs),
    /// Plant every flaw, one after the other, and print which check catches it in how many seeds.
    Zoo(ZooArgs),
    /// Measure how far bounds on quantiles, shares and rates lie from what seeds show.
    Margins(MarginsArgs),
    /// Run twice, fork and replay in between, and compare the digests.
    Verify(VerifyArgs),
    /// Validate scenario files without running them.
    Check(CheckArgs),
    /// Put scenario files into the house style; comments stay, and nothing that a file says changes.
    Fmt(FmtArgs),
    /// Print the long form of an error code, or the fields of a kind of check or of fault.
    Explain(ExplainArgs),
    /// List systems, scenarios, faults, checks, events and defects.
    List(ListArgs),
    /// Write an annotated scenario to start from, which runs as it stands.
    New(NewArgs),
    /// Print the JSON Schema of scenario files, for editors that complete and check them.
    Schema,
    /// Print the completions for a shell.
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each command.
    Man(ManArgs),
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
    /// Scenario files; a directory stands for all scenarios below it, and then those in
    /// scenarios/regressions run first.
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
    /// Print what a scraper would find then, or at the end, in the text format of Prometheus.
    #[arg(long)]
    pub metrics: bool,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A run directory, or a token such as hyperion/crash@7-flawed.
    pub one: String,
    /// Another.
    pub two: String,
    /// Where run directories are.
    #[arg(long, default_value = "out")]
    pub out: PathBuf,
}

/// Arguments of `shrink`.
#[derive(Debug, Args)]
pub struct ShrinkArgs {
    /// The run directory of a failing run, or its token such as hyperion/crash@7-flawed.
    pub run: String,
    /// Where run directories are.
    #[arg(long, default_value = "out")]
    pub out: PathBuf,
    /// The check to keep; otherwise the first that fired, among those that must where a failure
    /// is expected.
    #[arg(long, value_name = "ID")]
    pub check: Option<String>,
    /// Where to write the scenario; otherwise minimal.toml in the run directory.
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// The most runs.
    #[arg(long, default_value_t = 3_000)]
    pub trials: u64,
    /// The most events of the engine, over all runs.
    #[arg(long, default_value_t = 3_000_000_000)]
    pub events: u64,
}

/// Arguments of `cause`.
#[derive(Debug, Args)]
pub struct CauseArgs {
    /// The run directory of a failing run, or its token such as hyperion/crash@7-flawed.
    pub run: String,
    /// Where run directories are.
    #[arg(long, default_value = "out")]
    pub out: PathBuf,
    /// The check to explain; otherwise the first that fired, among those that must where a failure
    /// is expected.
    #[arg(long, value_name = "ID")]
    pub check: Option<String>,
    /// Instants of the run from which futures are branched off, beside the edges of its faults.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub points: u64,
    /// Single messages that were lost or late and are let through, one at a time, at most: the last
    /// ones before the violation.
    #[arg(long, default_value_t = 200)]
    pub messages: usize,
    /// Futures at each instant.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub futures: u64,
    /// Threads; otherwise one per core. No result depends on it.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub jobs: Option<u64>,
    /// The most runs without some of the faults.
    #[arg(long, default_value_t = 1_000)]
    pub trials: u64,
}

/// How to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Strategies {
    /// Whole futures with other random numbers.
    Random,
    /// Whole futures with another order of events at one instant.
    Ties,
    /// On from abstract states that were seen seldom.
    Novelty,
    /// Every order of messages, timers and faults, within bounds: for small worlds. The load is
    /// silent, and only invariants are judged.
    Exhaustive,
}

/// Arguments of `explore`.
#[derive(Debug, Args)]
pub struct ExploreArgs {
    /// The scenario file.
    pub file: PathBuf,
    /// How to search.
    #[arg(long, value_enum, default_value = "novelty")]
    pub strategy: Strategies,
    /// The seed of the past that all futures share; otherwise the scenario's own.
    #[arg(long, value_parser = seed)]
    pub seed: Option<u64>,
    /// A variant of the scenario.
    #[arg(long)]
    pub variant: Option<String>,
    /// Overrides a value of the file: tuning.h.lease="500ms". Repeatable.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = set)]
    pub sets: Vec<(String, String)>,
    /// Searches so often with `random` and so often with `novelty`, each time with other salts, and
    /// prints how many events each took to find something: a table in Markdown.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub compare: Option<u64>,
    /// Simulated time from one look at the state to the next.
    #[arg(long, value_name = "TIME", default_value = "250ms")]
    pub step: String,
    /// The most events, over all futures.
    #[arg(long, default_value_t = 100_000_000)]
    pub events: u64,
    /// What the salts of futures are counted from: another number, another search.
    #[arg(long, default_value_t = 0)]
    pub salt: u64,
    /// Exhaustive: the most timers that fire; the bound is raised one by one.
    #[arg(long, default_value_t = 8)]
    pub timers: u64,
    /// Exhaustive: the most choices in a row.
    #[arg(long, default_value_t = 200)]
    pub depth: u64,
    /// Exhaustive: the most states.
    #[arg(long, default_value_t = 20_000_000)]
    pub states: u64,
    /// Exhaustive: the most messages that wait on a link; a further one takes the place of the
    /// oldest, which is lost.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub waiting: u64,
    /// Exhaustive: the simulated time at which the world stops and the search begins.
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub from: String,
    /// Exhaustive: choices that are made before the search begins, as a path that it prints.
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    pub after: String,
    /// Follows the path that an exploration printed, and judges the run.
    #[arg(long, value_name = "PATH")]
    pub replay: Option<String>,
}

/// Arguments of `zoo`.
#[derive(Debug, Args)]
pub struct ZooArgs {
    /// Scenario files or directories in which the flaws are planted.
    #[arg(default_value = "scenarios")]
    pub files: Vec<PathBuf>,
    /// Seeds per flaw, at most: a flaw that was caught six times is not sought any more, and one that
    /// several scenarios may show is sought on in the one that shows it most often.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub seeds: u64,
    /// Seeds per scenario without a flaw; otherwise twenty times those that its flaws took to be
    /// caught, or 20 where that is less, or when quick.
    #[arg(long)]
    pub clean: Option<u64>,
    /// Plants every flaw in every scenario, also those that variants are made for.
    #[arg(long)]
    pub cross: bool,
    /// Repeats the one recorded seed of each flaw, and fails when it is not caught any more.
    #[arg(long)]
    pub quick: bool,
    /// Shrinks the recorded run of each flaw, and says what was left; with --write, shrinking.md.
    #[arg(long, conflicts_with = "quick")]
    pub shrink: bool,
    /// Where the recorded seeds are.
    #[arg(long, default_value = "docs/zoo.json", value_name = "FILE")]
    pub record: PathBuf,
    /// Writes zoo.md and zoo.json into this folder.
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
    /// Where logs go, so that a walk that was interrupted goes on.
    #[arg(long, default_value = "out")]
    pub out: PathBuf,
    /// Threads; otherwise one per core. No result depends on it.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub jobs: Option<u64>,
}

/// Arguments of `margins`.
#[derive(Debug, Args)]
pub struct MarginsArgs {
    /// Scenario files or directories.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The seeds, half-open.
    #[arg(long, value_parser = seeds, value_name = "A..B", default_value = "0..200")]
    pub seeds: (u64, u64),
    /// Writes margins.md, and margins.json, which `check` reads, into this folder.
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
    /// Threads; otherwise one per core. No result depends on it.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub jobs: Option<u64>,
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
    /// What `margins` measured; a bound that chance may cross is warned of.
    #[arg(long, default_value = "docs/margins.json", value_name = "FILE")]
    pub margins: PathBuf,
}

/// Arguments of `fmt`.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Scenario files or directories.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Writes nothing: names the files that are not in the house style, and ends with status 2 when
    /// there are any.
    #[arg(long)]
    pub check: bool,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// An error code such as E0311, or a kind of check or of fault; without one, all codes.
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
    /// Print the table of docs/scenarios.md: of faults, checks or budget.
    #[arg(long, requires = "what")]
    pub markdown: bool,
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
    /// Operations and administrative verbs, and their arguments.
    Operations,
    /// Workloads written in code.
    Workloads,
    /// Gauges that checks can measure.
    Gauges,
    /// Predicates that groups of nodes can come to hold.
    Predicates,
    /// Models that histories are held against.
    Models,
    /// Words of selectors that systems resolve.
    Selectors,
    /// Properties that invariants hold.
    Properties,
    /// Lines of the fault budget.
    Budget,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The file, such as scenarios/mine/first.toml.
    pub file: PathBuf,
    /// The system under test; otherwise the first that `list systems` prints.
    #[arg(long)]
    pub system: Option<String>,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Writes a page for each command into this folder instead of printing the first.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The file.
    pub file: PathBuf,
    /// How it is written; guessed when not given.
    #[arg(long, value_enum)]
    pub format: Option<HistoryFormat>,
    /// What the operations are about; what the file says, and registers for JSON lines, when not
    /// given. `sessions` asks for read-your-writes and monotonic reads and writes per process, `kv`
    /// for strings that can be appended to.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Asks instead that no read is behind by more than this, such as 2s; registers only.
    #[arg(long, value_parser = duration, value_name = "TIME", conflicts_with = "model")]
    pub staleness: Option<Duration>,
    /// What a register holds before the history, such as 0 or nil.
    #[arg(long)]
    pub initial: Option<String>,
    /// A read of nil found nothing, and registers begin with nothing; else such a read says
    /// nothing, and they begin at 0. For EDN and history.txt.
    #[arg(long)]
    pub nil_is_absent: bool,
    /// Draws the client lanes with the linearization, the first impossible operation marked.
    #[arg(long, value_name = "OUT")]
    pub svg: Option<PathBuf>,
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
    /// Lines of process, type, function and value: Jepsen's history.txt.
    Text,
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

/// A length of time with a unit.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed = Measure::Duration.parse(text);
    parsed.map(Duration).map_err(|_| "a time has a unit: 150ms, 2s, 1min".to_owned())
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

fn report(text: &str) -> Result<(Summed, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("a report is FORMAT=FILE")?;
    let format = Summed::from_str(format.trim(), true)?;
    if file.trim().is_empty() {
        Err("a report needs a file".into())
    } else {
        Ok((format, file.into()))
    }
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
