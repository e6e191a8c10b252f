//! The file that a shrink leaves: a scenario that runs by itself and says what was done to it.

use super::subject::Subject;
use super::trial::Trials;
use contract::Duration;
use reports::units::{count, plural};
use scenario::edit::draft::Draft;

/// A shrunk scenario.
#[derive(Clone)]
pub struct Shrunk {
    /// The scenario.
    pub draft: Draft,
    /// Its file.
    pub document: String,
    /// What it was and what it is, a line for each kind of thing: (what, before, after).
    pub figures: Vec<(&'static str, String, String)>,
    /// What must stay, and what happens without it.
    pub needed: Vec<String>,
    /// How many runs it took.
    pub trials: u64,
}

impl Shrunk {
    /// Writes down what was done to `subject`.
    #[must_use]
    pub fn new(
        subject: &Subject,
        best: &Draft,
        removed: Vec<String>,
        needed: Vec<String>,
        trials: &Trials<'_>,
    ) -> Self {
        let mut draft = best.clone();
        let cause = trials.cause();
        assert!(!cause.check.is_empty(), "a cause names its check");
        assert!(trials.trials > 0, "the subject was run at least");
        draft.set_text("name", &name(&subject.token));
        let about = format!("Shrunk from {}: {cause}.", subject.token);
        draft.set_text("about", &about);
        draft.remove("minimal");
        for (key, text) in [
            ("of", &subject.token),
            ("check", &cause.check),
            ("rule", &cause.rule),
            ("roles", &cause.nodes),
        ] {
            draft.set_text(&format!("minimal.{key}"), text);
        }
        draft.set_count("minimal.trials", trials.trials);
        draft.set_texts("minimal.removed", &removed);
        draft.set_texts("minimal.needed", &needed);
        let figures = figures(&subject.draft, best);
        let header = header(subject, &about, &figures, &needed, trials.trials);
        let document = draft.document(&header);
        Self { draft, document, figures, needed, trials: trials.trials }
    }
}

/// The name under which the scenario would be kept: `regressions/crash-7-flawed`.
fn name(token: &str) -> String {
    let (scenario, run) = token.split_once('@').unwrap_or((token, "0"));
    let leaf = scenario.rsplit('/').next().unwrap_or(scenario);
    format!("regressions/{leaf}-{}", run.replace('+', "-"))
}

fn figures(before: &Draft, after: &Draft) -> Vec<(&'static str, String, String)> {
    let sum = |draft: &Draft, table: &str| -> u64 {
        draft.groups(table).iter().map(|(_, count)| count).sum()
    };
    let end =
        |draft: &Draft| draft.duration("budget.sim_time").unwrap_or(Duration::ZERO).to_string();
    let ops = |draft: &Draft| match (draft.ops(), draft.groups("clients").is_empty()) {
        (0, false) => "drawn".to_owned(),
        (n, _) => count(n as u64),
    };
    let lists = |draft: &Draft, list: &str| count(draft.ids(list).len() as u64);
    vec![
        ("faults", lists(before, "fault"), lists(after, "fault")),
        (
            "defects",
            count(before.texts("defects").len() as u64),
            count(after.texts("defects").len() as u64),
        ),
        ("nodes", count(sum(before, "nodes")), count(sum(after, "nodes"))),
        ("clients", count(sum(before, "clients")), count(sum(after, "clients"))),
        ("operations", ops(before), ops(after)),
        ("settings", count(before.settings().len() as u64), count(after.settings().len() as u64)),
        ("simulated time", end(before), end(after)),
    ]
}

fn header(
    subject: &Subject,
    about: &str,
    figures: &[(&'static str, String, String)],
    needed: &[String],
    trials: u64,
) -> String {
    let mut text = format!(
        "{about}\n\nMade by `chaoslab shrink {}` in {}. Faults and operations are\nwritten out as \
         they happened in that run; what is left, before and after:\n\n",
        subject.token,
        plural(trials, "trial", "trials"),
    );
    for (what, before, after) in figures {
        text.push_str(&format!("  {what:<15} {before:>10} -> {after}\n"));
    }
    if !needed.is_empty() {
        text.push_str("\nEvery single removal was tried; what must stay:\n\n");
        needed.iter().for_each(|one| text.push_str(&format!("  {one}\n")));
    }
    text
}
