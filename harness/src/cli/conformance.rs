//! `conformance`: runs the cases of another project against our implementation.

use super::Lab;
use super::args::ConformanceArgs;
use crate::outcome::Exit;
use crate::shell::Shell;
use catalog::conformance::{Agreement, Judged};
use std::fmt::Write as _;
use std::fs;

/// Judges one file.
pub fn main(lab: &Lab, shell: Shell, args: &ConformanceArgs) -> Exit {
    let known = || lab.suites.iter().map(|suite| suite.name()).collect::<Vec<_>>().join(", ");
    let Some(suite) = lab.suites.iter().find(|suite| suite.name() == args.suite) else {
        let known = known();
        shell.error(&format!("there is no suite `{}`; known are: {known}", args.suite));
        return Exit::Usage;
    };
    let shown = args.file.display();
    let text = match fs::read_to_string(&args.file) {
        Ok(text) => text,
        Err(error) => {
            shell.error(&format!("could not read {shown}: {error}"));
            return Exit::Usage;
        }
    };
    let judged = match suite.judge(&text) {
        Ok(judged) => judged,
        Err(wrong) => {
            shell.error(&format!("{shown}:{}: {}", wrong.line, wrong.expected));
            return Exit::Usage;
        }
    };
    shell.data(&render(suite.about(), &judged, args.quiet));
    let agrees = judged.iter().any(|case| case.agreement == Agreement::Agrees);
    let disagrees = |case: &Judged| matches!(case.agreement, Agreement::Disagrees { .. });
    match judged.iter().any(disagrees) {
        true => Exit::Violation,
        // Where nothing could be compared, nothing is shown.
        false if !agrees => Exit::Inconclusive,
        false => Exit::Fine,
    }
}

/// A line per case, what differs below it, and the sum last.
fn render(about: &str, judged: &[Judged], is_quiet: bool) -> String {
    let mut out = format!("{about}\n\n");
    let mut sums = [0_u64; 4];
    for case in judged {
        let (kind, word, reason) = match &case.agreement {
            Agreement::Agrees => (0, "agrees", None),
            Agreement::DiffersByDesign(reason) => (1, "differs by design", Some(reason.clone())),
            Agreement::DoesNotApply(reason) => (2, "does not apply", Some(reason.clone())),
            Agreement::Disagrees { expected, found } => {
                let detail = format!("expected {expected:?}, found {found:?}");
                (3, "DISAGREES", Some(detail))
            }
        };
        sums[kind] += 1;
        if is_quiet && kind < 3 {
            continue;
        }
        let _ = writeln!(out, "{word:17}  {}  {}", case.place, case.what);
        if let Some(reason) = reason {
            let _ = writeln!(out, "{:17}  {reason}", "");
        }
    }
    let [agree, differ, foreign, wrong] = sums;
    let _ = writeln!(
        out,
        "\n{} cases: {agree} agree, {differ} differ by design, {foreign} do not apply, {wrong} \
         disagree",
        judged.len()
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(agreement: Agreement) -> Judged {
        Judged { place: "a.txt:3".into(), what: "vote votes=(y,n)".into(), agreement }
    }

    #[test]
    fn every_verdict_has_its_line_and_its_reason() {
        let (expected, found) = ("VoteWon".into(), "VoteLost".into());
        let judged = [
            case(Agreement::Agrees),
            case(Agreement::DiffersByDesign("it is so".into())),
            case(Agreement::DoesNotApply("no such thing".into())),
            case(Agreement::Disagrees { expected, found }),
        ];
        let text = render("a suite", &judged, false);
        assert!(text.contains("agrees             a.txt:3  vote votes=(y,n)\n"), "{text}");
        assert!(text.contains("it is so") && text.contains("no such thing"), "{text}");
        assert!(text.contains("expected \"VoteWon\", found \"VoteLost\""), "{text}");
        assert!(
            text.ends_with("1 agree, 1 differ by design, 1 do not apply, 1 disagree\n"),
            "{text}"
        );
        let quiet = render("a suite", &judged, true);
        assert!(quiet.contains("DISAGREES") && !quiet.contains("it is so"), "{quiet}");
    }
}
