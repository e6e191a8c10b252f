//! A sweep for services that run checks: JUnit XML, GitHub's workflow commands, GitLab's code
//! quality report.

use super::summary::Summary;
use super::tasks::Head;
use crate::campaign::Campaign;
use crate::outcome::Exit;
use crate::shell::quoted;
use contract::hash::hash_bytes;
use reports::SeedResult;
use reports::junit::{Case, Document, Ending};
use reports::seeds::Cause;
use serde_json::{Value, json};

/// The sweep as a JUnit document: a suite per scenario and variant, a case for its seeds, one for
/// each new cause and one for each cover.
#[must_use]
pub fn junit(summary: &Summary<'_>) -> String {
    let news = summary.news();
    let mut document = Document::new("chaoslab sweep");
    for (head, campaign) in summary.series() {
        let mut cases = vec![seeds_case(head, campaign)];
        cases.extend(news.iter().filter(|(of, ..)| *of == head).map(new_case));
        cases.extend(campaign.covers().map(|(id, met, must)| cover_case(id, met, must)));
        document.suite(&head.name(), &cases);
    }
    document.finish()
}

fn seeds_case(head: &Head, campaign: &Campaign) -> Case {
    let (from, to) = head.seeds;
    let outcomes: Vec<String> =
        campaign.outcomes.iter().map(|(o, runs)| format!("{runs} {}", o.name())).collect();
    let message = outcomes.join(", ");
    let ending = match campaign.exit() {
        Exit::Fine => Ending::Pass,
        Exit::Inconclusive => Ending::Error { kind: "inconclusive", message },
        _ => Ending::Failure { kind: "outcome", message },
    };
    Case { name: format!("seeds {from}..{to}"), ending, details: campaign.vacuous().join("\n") }
}

fn new_case((head, cause, run): &(&Head, Cause, &SeedResult)) -> Case {
    let message = format!("new: {cause}, first in seed {}", run.seed);
    Case {
        name: cause.to_string(),
        ending: Ending::Failure { kind: "violation", message },
        details: command(head, run),
    }
}

fn cover_case(id: &str, met: u64, must: u64) -> Case {
    let message = format!("reached in {met} runs, needs {must}");
    let ending = match met < must {
        true => Ending::Error { kind: "vacuous", message },
        false => Ending::Pass,
    };
    Case { name: format!("cover {id}"), ending, details: String::new() }
}

/// The command that repeats a run of a series.
#[must_use]
pub fn command(head: &Head, run: &SeedResult) -> String {
    let mut command = format!("chaoslab run {} --seed {}", quoted(&head.file), run.seed);
    if let Some(variant) = &head.variant {
        command.push_str(&format!(" --variant {}", quoted(variant)));
    }
    for (path, value) in run.sets.iter().chain(&head.sets) {
        command.push_str(&format!(" --set {}", quoted(&format!("{path}={value}"))));
    }
    command
}

/// Workflow commands of GitHub Actions, one line per new cause and per series that misses what it
/// needs. Forgejo and Gitea print them as they are.
#[must_use]
pub fn github(summary: &Summary<'_>) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut lines = String::new();
    for (file, title, message, grave) in findings(summary) {
        let level = if grave { "error" } else { "warning" };
        lines.push_str(&format!(
            "::{level} file={},title={}::{}\n",
            property(&file),
            property(&title),
            data(&message)
        ));
    }
    lines
}

/// GitLab's code quality report: a JSON list of findings.
#[must_use]
pub fn gitlab(summary: &Summary<'_>) -> String {
    let finding = |(file, title, message, grave): (String, String, String, bool)| {
        let fingerprint = hash_bytes(format!("{file}\n{title}").as_bytes());
        json!({
            "description": message,
            "check_name": title,
            "fingerprint": format!("{fingerprint:016x}"),
            "severity": if grave { "critical" } else { "minor" },
            "location": { "path": file, "lines": { "begin": 1 } },
        })
    };
    let all: Vec<Value> = findings(summary).into_iter().map(finding).collect();
    format!("{}\n", serde_json::to_string_pretty(&all).expect("findings have text keys"))
}

/// (file, title, message, whether it is grave) of whatever is not as it should be.
fn findings(summary: &Summary<'_>) -> Vec<(String, String, String, bool)> {
    let mut found = Vec::new();
    for (head, cause, run) in summary.news() {
        let message = format!("{cause}, first in seed {}\n{}", run.seed, command(head, run));
        found.push((head.file.clone(), format!("{}: {}", head.name(), cause.check), message, true));
    }
    for (head, campaign) in summary.series() {
        if campaign.exit() == Exit::Missing {
            let message = "the planted failure did not occur often enough".to_owned();
            found.push((head.file.clone(), head.name(), message, true));
        }
        for sentence in campaign.vacuous() {
            found.push((head.file.clone(), format!("{}: vacuous", head.name()), sentence, false));
        }
    }
    found
}
