//! The binary among people and machines that mean it no good: files that nobody would write, commands
//! that nobody would type, kills at any moment.
//!
//! What is found by chance is drawn from a seed, so every failure repeats. CI draws a few; the long
//! form draws as many as asked for: `HOSTILE_MUTANTS=20000 cargo test --release -p chaoslab --test
//! hostile` puts 20 000 mutants of scenario files through `check`, and in proportion 5 000 through
//! `run`, 5 000 histories, 2 000 run directories and 500 kills. `HOSTILE_SEED` draws others.

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "the tests here run the command under limits of their own")]
mod support;

mod cases;
mod directories;
mod histories;
mod interrupts;
mod kills;
mod limits;
mod mutate;
mod scenarios;
mod words;

use chaoslab::three_caches;
use contract::{Domain, Rng};
use devkit::tree::{root, with};
use std::path::{Path, PathBuf};

/// Mutants of scenario files through `check`, where nobody asks for more.
const MUTANTS: u64 = 120;

/// How many of something are tried, if `MUTANTS` files are checked: `share` of 20 000.
fn times(share: u64) -> u64 {
    (mutants() * share).div_ceil(20_000)
}

fn mutants() -> u64 {
    number("HOSTILE_MUTANTS").unwrap_or(MUTANTS)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// The random numbers of one test.
fn rng(test: &str) -> Rng {
    Rng::new(number("HOSTILE_SEED").unwrap_or(13), Domain::Swarm, test)
}

fn folder(name: &str) -> PathBuf {
    support::folder("hostile", name)
}

/// A folder of a test's own with the scenario [`GOOD`] in it.
fn prepared(name: &str) -> PathBuf {
    with(folder(name), "good.toml", GOOD)
}

/// A file that was found to break something once.
fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/cases").join(name)
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A small scenario that passes within a second.
const GOOD: &str = three_caches!(
    "good",
    4,
    "6s",
    "300_000",
    r#"
[clients.kv]
count  = 2
target = "h/any"
rate   = "20/s"
ops    = { get = 50, put = 50 }
keys   = { count = 4 }

[[fault]]
id   = "cut"
kind = "partition"
at   = "3s"
for  = "1s"
sides = [["h/leader"], ["h/followers"]]

[[check]]
id    = "lin"
kind  = "linearizable"
model = "register-cas"
over  = "clients.kv"

[[variant]]
name      = "deaf"
set       = { "clients.kv.rate" = "10/s" }
expect    = "pass"
"#
);
