//! Where the run came from and how to have it again.

use super::Section;
use crate::canvas::{Canvas, Cell, Table, words};
use crate::record::RunRecord;
use crate::units::count;

/// The command that repeats the run.
pub struct Replay;

impl Section for Replay {
    fn title(&self) -> &'static str {
        ""
    }

    fn applies(&self, run: &RunRecord) -> bool {
        !run.replay.is_empty()
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        canvas.command(&replay_command(run));
    }
}

/// The command line that repeats the run. A token with other characters than those of names is
/// quoted, so that pasting it runs nothing else.
#[must_use]
pub fn replay_command(run: &RunRecord) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.@+:=,".contains(c);
    let token = &run.replay;
    if token.chars().all(plain) && !token.starts_with('-') {
        format!("chaoslab replay {token}")
    } else {
        format!("chaoslab replay -- '{}'", token.replace('\'', r"'\''"))
    }
}

/// What identifies the run: seed, digests, version.
pub struct Origin;

impl Section for Origin {
    fn title(&self) -> &'static str {
        "This run"
    }

    fn applies(&self, _: &RunRecord) -> bool {
        true
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        let mut table = Table::new(vec![words("what"), words("value")]);
        let mut push = |what: &str, value: String| {
            if !value.is_empty() {
                table.push(vec![Cell::from(what), Cell::from(value)]);
            }
        };
        push("scenario", run.scenario.clone());
        push("systems", run.systems.join(", "));
        push("variant", run.variant.clone().unwrap_or_default());
        push("seed", run.seed.to_string());
        push("overrides", run.overrides.join(", "));
        push("nodes", groups(run));
        push("scenario digest", run.scenario_digest.to_string());
        push("run digest", run.digest.to_string());
        push("record version", run.version.to_string());
        canvas.table(&table);
    }
}

/// `5 in h, 4 in kv`.
fn groups(run: &RunRecord) -> String {
    let mut groups: Vec<(&str, u64)> = Vec::new();
    for node in &run.nodes {
        match groups.iter_mut().find(|(name, _)| *name == node.group) {
            Some((_, n)) => *n += 1,
            None => groups.push((&node.group, 1)),
        }
    }
    let parts: Vec<String> =
        groups.iter().map(|(name, n)| format!("{} in {name}", count(*n))).collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_command_runs_nothing_else() {
        let command = |replay: &str| {
            let replay = replay.into();
            replay_command(&RunRecord { replay, ..RunRecord::default() })
        };
        assert_eq!(command("h/split@7-flawed+0a"), "chaoslab replay h/split@7-flawed+0a");
        assert_eq!(command("x; rm -r '~'"), r"chaoslab replay -- 'x; rm -r '\''~'\'''");
        assert_eq!(command("--help"), "chaoslab replay -- '--help'");
    }
}
