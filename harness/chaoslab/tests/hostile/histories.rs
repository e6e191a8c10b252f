//! Mutated histories: `history` judges them or says what is wrong.

use crate::limits::{End, run};
use crate::mutate::mutant;
use crate::{case, prepared, rng, times};
use std::fs;

#[test]
fn histories_are_judged_or_refused() {
    let folder = prepared("histories");
    assert_eq!(run(&folder, &["run", "good.toml"], End::Itself(60)).status, 0);
    let own = fs::read_to_string(folder.join("out/good/4/history.jsonl")).expect("a history");
    let edn: String = {
        let whole = fs::read_to_string(case("kv200.edn")).expect("a case");
        whole.lines().take(60).map(|line| format!("{line}\n")).collect()
    };
    let corpus = [("jsonl", own), ("edn", edn)];
    let models = ["register-cas", "counter", "set", "append-list", "lock", "sessions", "kv"];
    let mut rng = rng("histories");
    for nth in 0..times(5_000) {
        let (kind, text) = &corpus[rng.below(2) as usize];
        let other = &corpus[rng.below(2) as usize].1;
        let text = mutant(&mut rng, text, other);
        let name = format!("m.{kind}");
        fs::write(folder.join(&name), &text).expect("a writable folder");
        let mut args = vec!["history", name.as_str(), "--search-steps", "200000"];
        if rng.below(2) == 0 {
            args.extend(["--model", models[rng.below(models.len() as u64) as usize]]);
        }
        let ended = run(&folder, &args, End::Itself(20));
        if ended.is_crash() {
            let kept = folder.join(format!("found-{nth}.{kind}"));
            fs::write(&kept, &text).expect("a writable folder");
            panic!("{}, {args:?}: {}", kept.display(), ended.shown());
        }
    }
}
