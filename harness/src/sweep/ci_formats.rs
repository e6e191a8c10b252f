//! A sweep for services that run checks: JUnit XML, GitHub's workflow commands, GitLab's code
//! quality report.

use super::summary::Summary;
use super::tasks::Head;
use crate::campaign::Campaign;
use crate::outcome::Exit;
use crate::shell::quoted;
use contract::hash::hash_bytes;
use reports::SeedResult;
use reports::escape::markup;
use reports::seeds::Cause;
use serde_json::{Value, json};

/// The sweep as a JUnit document: a suite per scenario and variant, a case for its seeds, one for
/// each new cause and one for each cover.
#[must_use]
pub fn junit(summary: &Summary<'_>) -> String {
    let news = summary.news();
    let mut body = String::new();
    let (mut tests, mut failures, mut errors) = (0, 0, 0);
    for (head, campaign) in summary.series() {
        let mut cases = vec![seeds_case(head, campaign)];
        cases.extend(news.iter().filter(|(of, ..)| *of == head).map(new_case));
        cases.extend(campaign.covers().map(|(id, met, must)| cover_case(id, met, must)));
        let failed = cases.iter().filter(|case| case.kind == Some("failure")).count();
        let wrong = cases.iter().filter(|case| case.kind == Some("error")).count();
        let name = markup(&head.name());
        body.push_str(&format!(
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\" errors=\"{wrong}\">\n",
            cases.len()
        ));
        cases.iter().for_each(|case| case.write(&name, &mut body));
        body.push_str("  </testsuite>\n");
        tests += cases.len();
        failures += failed;
        errors += wrong;
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"chaoslab sweep\" \
         tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n{body}</testsuites>\n"
    )
}

/// A case; without a kind it passed.
struct Case {
    name: String,
    kind: Option<&'static str>,
    message: String,
    body: String,
}

impl Case {
    fn write(&self, class: &str, out: &mut String) {
        let name = markup(&self.name);
        let head = format!("    <testcase classname=\"{class}\" name=\"{name}\"");
        let Some(kind) = self.kind else {
            out.push_str(&format!("{head}/>\n"));
            return;
        };
        let (message, body) = (markup(&self.message), markup(&self.body));
        out.push_str(&format!(
            "{head}>\n      <{kind} message=\"{message}\">{body}</{kind}>\n    </testcase>\n"
        ));
    }
}

fn seeds_case(head: &Head, campaign: &Campaign) -> Case {
    let (from, to) = head.seeds;
    let kind = match campaign.exit() {
        Exit::Fine => None,
        Exit::Inconclusive => Some("error"),
        _ => Some("failure"),
    };
    let outcomes: Vec<String> =
        campaign.outcomes.iter().map(|(o, runs)| format!("{runs} {}", o.name())).collect();
    Case {
        name: format!("seeds {from}..{to}"),
        kind,
        message: outcomes.join(", "),
        body: campaign.vacuous().join("\n"),
    }
}

fn new_case((head, cause, run): &(&Head, Cause, &SeedResult)) -> Case {
    Case {
        name: cause.to_string(),
        kind: Some("failure"),
        message: format!("new: {cause}, first in seed {}", run.seed),
        body: command(head, run),
    }
}

fn cover_case(id: &str, met: u64, must: u64) -> Case {
    Case {
        name: format!("cover {id}"),
        kind: (met < must).then_some("error"),
        message: format!("reached in {met} runs, needs {must}"),
        body: String::new(),
    }
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
