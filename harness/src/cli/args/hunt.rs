//! The words of `hunt`.

use super::{duration, seed};
use clap::Args;
use contract::Duration;
use std::path::PathBuf;

/// Arguments of `hunt`.
#[derive(Debug, Args)]
pub struct HuntArgs {
    /// The system, as `chaoslab list systems` has it.
    pub system: String,
    /// Stop after this time, such as 60s or 8h; otherwise after a minute where no runs are given.
    #[arg(long, value_parser = duration)]
    pub time: Option<Duration>,
    /// Stop after so many worlds: what is found then depends on the seed alone.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: Option<u64>,
    /// What the worlds are drawn from; otherwise a drawn one, which is printed.
    #[arg(long, value_parser = seed)]
    pub seed: Option<u64>,
    /// Where finds are kept, below hunt/SYSTEM.
    #[arg(long, default_value = "out")]
    pub out: PathBuf,
    /// Plant this defect in every world. Repeatable.
    #[arg(long = "defect", value_name = "NAME")]
    pub defects: Vec<String>,
    /// Keep finds as they were drawn: neither shrink them nor ask for their cause.
    #[arg(long)]
    pub no_shrink: bool,
    /// Threads; otherwise one per core. Nothing that is found in so many runs depends on it.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub jobs: Option<u64>,
}
