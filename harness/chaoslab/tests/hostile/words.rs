//! Command lines made from the definition of the command line: words that nobody would type.

use crate::limits::{End, run};
use crate::{GOOD, folder, rng, times};
use contract::Rng;
use std::fs;

/// Words that were limits of something, once.
const WORDS: [&str; 26] = [
    "good.toml",
    "missing.toml",
    "empty",
    "out/good/4",
    "good@4",
    "good@9999",
    "",
    "-",
    "0",
    "1",
    "18446744073709551615",
    "18446744073709551616",
    "0..0",
    "0..2",
    "18446744073709551614..18446744073709551615",
    "0..18446744073709551615",
    "1s",
    "0s",
    "99999999999999s",
    "nonsense",
    "budget.events=10000",
    "seed=18446744073709551615",
    "=",
    "1/1",
    "2/18446744073709551615",
    "md=report.md",
];

/// Commands that have nothing to do with scenarios or write whole folders of pages.
const LEFT_OUT: [&str; 3] = ["man", "completions", "zoo"];

fn word(rng: &mut Rng, arg: &clap::Arg) -> String {
    let possible = arg.get_possible_values();
    if !possible.is_empty() && rng.below(10) > 0 {
        let one = &possible[rng.below(possible.len() as u64) as usize];
        return one.get_name().to_owned();
    }
    WORDS[rng.below(WORDS.len() as u64) as usize].to_owned()
}

fn line(rng: &mut Rng, definition: &clap::Command) -> Vec<String> {
    let commands: Vec<&clap::Command> =
        definition.get_subcommands().filter(|one| !LEFT_OUT.contains(&one.get_name())).collect();
    let command = commands[rng.below(commands.len() as u64) as usize];
    let mut words = vec![command.get_name().to_owned()];
    for arg in command.get_arguments() {
        let likely = if arg.is_required_set() { 15 } else { 3 };
        if rng.below(16) >= likely {
            continue;
        }
        match arg.get_long() {
            Some(long) if arg.get_action().takes_values() => {
                words.extend([format!("--{long}"), word(rng, arg)]);
            }
            Some(long) => words.push(format!("--{long}")),
            // Half of the positional words are files that exist.
            None if rng.below(2) == 0 => words.push("good.toml".to_owned()),
            None => words.push(word(rng, arg)),
        }
    }
    words
}

#[test]
fn no_command_line_crashes_the_lab() {
    let folder = folder("words");
    let definition = harness::cli::definition();
    let mut rng = rng("words");
    for nth in 0..times(5_000) {
        if nth % 20 == 0 {
            drop(fs::remove_dir_all(folder.join("out")));
            fs::write(folder.join("good.toml"), GOOD).expect("a writable folder");
            fs::create_dir_all(folder.join("empty")).expect("a writable folder");
            run(&folder, &["run", "good.toml"], End::Itself(60));
        }
        let words = line(&mut rng, &definition);
        let args: Vec<&str> = words.iter().map(String::as_str).collect();
        let ended = run(&folder, &args, End::Interrupt(2_000));
        let is_long = ended.status == 124;
        assert!(is_long || !ended.is_crash(), "{words:?}: {}", ended.shown());
    }
}
