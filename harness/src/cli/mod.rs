//! The command line: what it accepts, and how each command ends.
//!
//! `main` is all that a binary needs: `harness::cli::main(Lab::of(&[&MySystem]))`.

mod args;
mod cause;
mod check;
mod conformance;
mod diff;
mod explore;
pub(crate) mod files;
mod fmt;
mod history;
mod hunt;
mod list;
mod margins;
mod meta;
mod print;
mod recorded;
mod replay;
mod run;
mod shrink;
mod simulators;
mod sweep;
mod verify;
mod zoo;
mod zoo_shrink;

use crate::checks::CheckKind;
use crate::faults::FaultKind;
use crate::interrupt;
use crate::kinds::{Kinds, Own};
use crate::load::LoadKind;
use crate::meter::{self, Meter};
use crate::outcome::Exit;
use crate::shell::Shell;
pub use files::names;

use args::{Cli, Command};
use catalog::System;
use catalog::conformance::Suite;
use checker::models::ModelKind;
use clap::{CommandFactory, Parser};
use engine::hosting::Simulator;
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// What a binary brings to the lab.
#[derive(Clone, Copy)]
pub struct Lab {
    /// The systems that scenario files may name.
    pub systems: &'static [&'static dyn System],
    /// Models of its own, beside those of the house.
    pub models: &'static [ModelKind],
    /// Kinds of checks of its own.
    pub checks: &'static [&'static dyn CheckKind],
    /// Kinds of faults of its own.
    pub faults: &'static [&'static dyn FaultKind],
    /// Workloads of its own, written in code.
    pub workloads: &'static [&'static dyn LoadKind],
    /// Other simulators that can repeat a run; none is fine.
    pub simulators: &'static [&'static dyn Simulator],
    /// Parts that this build was made without.
    pub missing: &'static [Missing],
    /// Conformance suites of other projects; none is fine.
    pub suites: &'static [&'static dyn Suite],
    /// Counts the allocations of the calling thread; without it none are judged.
    pub meter: Option<Meter>,
}

/// A part that a build can have and this one has not.
#[derive(Clone, Copy, Debug)]
pub struct Missing {
    /// What a command or a scenario calls it: `turmoil`.
    pub name: &'static str,
    /// The feature of the binary's crate that brings it.
    pub feature: &'static str,
}

impl Lab {
    /// A lab of these systems and nothing else.
    #[must_use]
    pub const fn of(systems: &'static [&'static dyn System]) -> Self {
        Self {
            systems,
            models: &[],
            checks: &[],
            faults: &[],
            workloads: &[],
            simulators: &[],
            missing: &[],
            suites: &[],
            meter: None,
        }
    }

    /// Its kinds, with those of the house.
    ///
    /// # Panics
    /// When two kinds of one sort have the same name.
    #[must_use]
    pub fn kinds(&self) -> &'static Kinds {
        let Self { models, checks, faults, workloads, .. } = *self;
        Kinds::with(Own { models, checks, faults, workloads })
    }
}

/// What the command line accepts, for whoever makes words for it.
#[must_use]
pub fn definition() -> clap::Command {
    Cli::command()
}

/// Runs the command line of the process.
#[must_use]
pub fn main(lab: Lab) -> ExitCode {
    let shell = Shell::detect();
    blame_the_lab_for_its_panics();
    // A clash of names is told before anything else happens.
    let _ = lab.kinds();
    interrupt::listen();
    if let Some(meter) = lab.meter {
        meter::install(meter);
    }
    let cli = Cli::parse_from(with_run_understood(std::env::args_os().collect()));
    let exit = match cli.command {
        Command::Run(args) => run::main(&lab, shell, &args),
        Command::Sweep(args) => sweep::main(&lab, shell, &args),
        Command::Merge(args) => sweep::merge(shell, &args),
        Command::Replay(args) => replay::main(&lab, shell, &args),
        Command::Shrink(args) => shrink::main(&lab, shell, &args),
        Command::Cause(args) => cause::main(&lab, shell, &args),
        Command::Verify(args) => verify::main(&lab, shell, &args),
        Command::Check(args) => check::main(&lab, shell, &args),
        Command::Fmt(args) => fmt::main(shell, &args),
        Command::Diff(args) => diff::main(&lab, shell, &args),
        Command::Explain(args) => check::explain(&lab, shell, &args),
        Command::Explore(args) => explore::main(&lab, shell, &args),
        Command::Hunt(args) => hunt::main(&lab, shell, &args),
        Command::Zoo(args) => zoo::main(&lab, shell, &args),
        Command::Margins(args) => margins::main(&lab, shell, &args),
        Command::Schema => meta::schema(&lab, shell),
        Command::New(args) => meta::new(&lab, shell, &args),
        Command::Completions(args) => meta::completions(shell, &args),
        Command::Man(args) => meta::man(shell, &args),
        Command::List(args) => list::main(&lab, shell, &args),
        Command::History(args) => history::main(&lab, shell, &args),
        Command::Conformance(args) => conformance::main(&lab, shell, &args),
        Command::Report(args) => replay::report(shell, &args),
    };
    if interrupt::asked() {
        return ExitCode::from(interrupt::EXIT);
    }
    ExitCode::from(exit.code())
}

/// `chaoslab FILE…` means `chaoslab run FILE…`: a first word that is no command and looks like a
/// path, or is that of a folder, is a scenario.
fn with_run_understood(mut args: Vec<OsString>) -> Vec<OsString> {
    let is_file = |word: &OsString| {
        let word = word.to_string_lossy();
        let is_command = || definition().get_subcommands().any(|one| one.get_name() == word);
        let is_folder = || word != "help" && !is_command() && Path::new(&*word).is_dir();
        !word.starts_with('-') && (word.ends_with(".toml") || word.contains('/') || is_folder())
    };
    if args.get(1).is_some_and(is_file) {
        args.insert(1, OsString::from("run"));
    }
    args
}

/// A panic outside of a system under test is a bug of the lab, and says so.
fn blame_the_lab_for_its_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        before(info);
        let said = writeln!(
            std::io::stderr(),
            "error: this is a bug of chaoslab, not of the system under test. Please report it with \
             the scenario file, the command and the lines above."
        );
        drop(said);
    }));
}

/// The graver of the ends of several files.
fn gravest(exits: impl IntoIterator<Item = Exit>) -> Exit {
    exits.into_iter().fold(Exit::Fine, Exit::and)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_a_command_is_run() {
        let check = |args: &[&str], second: &str| {
            let args = args.iter().map(OsString::from).collect();
            assert_eq!(with_run_understood(args)[1], second);
        };
        check(&["chaoslab", "scenarios/smoke/idle.toml"], "run");
        check(&["chaoslab", "x.toml", "--seed", "1"], "run");
        check(&["chaoslab", "list"], "list");
        check(&["chaoslab", "--help"], "--help");
    }

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }
}
