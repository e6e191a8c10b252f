//! Mutated run directories: whoever reads one says what is wrong with it, or that nothing is.

use crate::limits::{End, run};
use crate::mutate::mutant;
use crate::{prepared, rng, times};
use std::fs;

#[test]
fn whoever_reads_a_run_directory_says_what_is_wrong_with_it() {
    let folder = prepared("directories");
    assert_eq!(run(&folder, &["run", "good.toml"], End::Itself(60)).status, 0);
    let read = |name: &str| fs::read_to_string(folder.join("out/good/4").join(name)).expect(name);
    let (plan, record) = (read("plan.toml"), read("run.json"));
    let (from, dir) = (folder.join("out/good/4"), folder.join("m"));
    let commands: [&[&str]; 5] = [
        &["replay", "m"],
        &["report", "m"],
        &["diff", "m", "out/good/4"],
        &["shrink", "m", "--trials", "3"],
        &["cause", "m", "--trials", "3", "--points", "1", "--futures", "1", "--messages", "1"],
    ];
    let mut rng = rng("directories");
    for nth in 0..times(2_000) {
        drop(fs::remove_dir_all(&dir));
        fs::create_dir(&dir).expect("a writable folder");
        for name in ["plan.toml", "run.json"] {
            fs::copy(from.join(name), dir.join(name)).expect("a writable folder");
        }
        let (name, text) =
            if rng.below(2) == 0 { ("plan.toml", &plan) } else { ("run.json", &record) };
        fs::write(dir.join(name), mutant(&mut rng, text, &plan)).expect("a writable folder");
        if rng.below(10) == 0 {
            fs::remove_file(dir.join(name)).expect("a writable folder");
        }
        let args = commands[rng.below(commands.len() as u64) as usize];
        let ended = run(&folder, args, End::Interrupt(3_000));
        if ended.is_crash() && ended.status != 124 {
            let kept = folder.join(format!("found-{nth}"));
            fs::rename(&dir, &kept).expect("a writable folder");
            panic!("{}, {args:?}: {}", kept.display(), ended.shown());
        }
    }
}
