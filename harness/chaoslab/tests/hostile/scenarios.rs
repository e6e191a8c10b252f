//! Mutated scenario files: `check` says where each is wrong, `run` ends with a verdict.

use crate::limits::{End, run};
use crate::mutate::mutant;
use crate::{folder, mutants, rng, root, times};
use std::fs;
use std::path::{Path, PathBuf};

fn corpus(folders: &[&str]) -> Vec<String> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let entries = fs::read_dir(root().join("scenarios").join(folder)).expect("scenarios");
        paths.extend(entries.map(|entry| entry.expect("readable").path()));
    }
    paths.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    paths.sort();
    assert!(!paths.is_empty(), "there are scenarios");
    paths.into_iter().map(|path| fs::read_to_string(path).expect("a scenario")).collect()
}

/// Keeps what broke something where the message says.
fn keep(folder: &Path, nth: u64, text: &[u8]) -> PathBuf {
    let path = folder.join(format!("found-{nth}.toml"));
    fs::write(&path, text).expect("a writable folder");
    path
}

#[test]
fn check_says_where_a_file_is_wrong() {
    let folder = folder("check");
    let (mut rng, corpus) = (rng("check"), corpus(&["smoke", "small", "faults", "hyperion"]));
    let mut refused = 0;
    for nth in 0..mutants() {
        let pick = |rng: &mut contract::Rng| rng.below(corpus.len() as u64) as usize;
        let (text, other) = (pick(&mut rng), pick(&mut rng));
        let text = mutant(&mut rng, &corpus[text], &corpus[other]);
        fs::write(folder.join("m.toml"), &text).expect("a writable folder");
        let ended = run(&folder, &["check", "m.toml"], End::Itself(20));
        let placed = ended.status != 2 || ended.err.contains("m.toml:");
        if ended.is_crash() || !placed {
            let path = keep(&folder, nth, &text);
            panic!("{}: {}", path.display(), ended.shown());
        }
        refused += u64::from(ended.status == 2);
    }
    assert!(refused * 4 > mutants(), "the mutants are worth their name: {refused} were refused");
}

#[test]
fn run_ends_with_a_verdict() {
    let folder = folder("run");
    let (mut rng, corpus) = (rng("run"), corpus(&["smoke"]));
    for nth in 0..times(5_000) {
        let pick = |rng: &mut contract::Rng| rng.below(corpus.len() as u64) as usize;
        let (text, other) = (pick(&mut rng), pick(&mut rng));
        let text = mutant(&mut rng, &corpus[text], &corpus[other]);
        fs::write(folder.join("m.toml"), &text).expect("a writable folder");
        let args = ["run", "m.toml", "--set", "budget.events=200000"];
        let ended = run(&folder, &args, End::Itself(20));
        if ended.is_crash() {
            let path = keep(&folder, nth, &text);
            panic!("{}: {}", path.display(), ended.shown());
        }
    }
}
