//! Checks with their verdicts, covers, and the evidence of what was violated.

use super::Section;
use crate::canvas::{Canvas, Cell, Table, Tone, figures, words};
use crate::record::{CheckRow, Evidence, RunRecord, Verdict};
use crate::units::{count, instant, plural};

/// One row per check.
pub struct Checks;

impl Section for Checks {
    fn title(&self) -> &'static str {
        "Checks"
    }

    fn applies(&self, run: &RunRecord) -> bool {
        !run.checks.is_empty()
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        let mut table = Table::new(vec![
            words("check"),
            words("verdict"),
            figures("violations"),
            figures("first at"),
            words("property"),
            words("source"),
        ]);
        for check in &run.checks {
            table.push(vec![
                Cell::from(&check.id),
                verdict(run, check),
                Cell::from(match violations(check) {
                    0 => String::new(),
                    n => count(n),
                }),
                Cell::from(check.evidence.first().map_or_else(String::new, |e| instant(e.at_ns))),
                Cell::from(if check.property.is_empty() { &check.kind } else { &check.property }),
                Cell::new(Tone::Faint, &check.source),
            ]);
        }
        canvas.table(&table.without_empty_columns());
        let figures: Vec<Cell> = run.checks.iter().filter_map(figure).collect();
        if !figures.is_empty() {
            canvas.list(&figures);
        }
        let open: Vec<Cell> = run
            .checks
            .iter()
            .filter(|check| !check.reason.is_empty())
            .map(|check| {
                let reason = check.reason.trim_end_matches('.');
                let text = format!("{} is {}: {reason}.", check.id, check.verdict.name());
                Cell::new(Tone::Warn, text)
            })
            .collect();
        if !open.is_empty() {
            canvas.list(&open);
        }
    }
}

/// What a check measured, beside what that was elsewhere.
fn figure(check: &CheckRow) -> Option<Cell> {
    let beside = match check.recorded.as_str() {
        "" => String::new(),
        recorded => format!(" (on record: {recorded})"),
    };
    let text = format!("{}: {}{beside}", check.id, check.measured);
    (!check.measured.is_empty()).then(|| Cell::new(Tone::Plain, text))
}

/// How many violations a check saw; an old record knows only those that it lists.
fn violations(check: &CheckRow) -> u64 {
    check.violations.max(check.evidence.len() as u64)
}

/// The verdict as a cell; says when a violation was wanted.
fn verdict(run: &RunRecord, check: &CheckRow) -> Cell {
    let wanted = run.expectation.fail && run.expectation.caught_by.contains(&check.id);
    let allowed = run.expectation.fail && run.expectation.may_fail.contains(&check.id);
    match check.verdict {
        Verdict::Ok if wanted => Cell::new(Tone::Bad, "ok, should have fired"),
        Verdict::Ok => Cell::new(Tone::Good, "ok"),
        Verdict::Violated if wanted => Cell::new(Tone::Good, "violated, as expected"),
        Verdict::Violated if allowed => Cell::new(Tone::Good, "violated, as allowed"),
        Verdict::Violated => Cell::new(Tone::Bad, "violated"),
        open => Cell::new(Tone::Warn, open.name()),
    }
}

/// One row per cover.
pub struct Covers;

impl Section for Covers {
    fn title(&self) -> &'static str {
        "Covers"
    }

    fn applies(&self, run: &RunRecord) -> bool {
        !run.covers.is_empty()
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        let mut table =
            Table::new(vec![words("cover"), words("reached"), figures("seen"), figures("needed")]);
        for cover in &run.covers {
            let met = match cover.met {
                true => Cell::new(Tone::Good, "yes"),
                false => Cell::new(Tone::Warn, "no"),
            };
            table.push(vec![
                Cell::from(&cover.id),
                met,
                Cell::from(count(cover.hits)),
                Cell::from(count(cover.min)),
            ]);
        }
        canvas.table(&table);
    }
}

/// Every violation in full sentences.
pub struct Evidences;

/// So many violations of one check are written out; they repeat themselves.
const EVIDENCE_SHOWN_MAX: usize = 8;

impl Section for Evidences {
    fn title(&self) -> &'static str {
        "Evidence"
    }

    fn applies(&self, run: &RunRecord) -> bool {
        run.violated().next().is_some()
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        for check in run.violated() {
            canvas.say(Tone::Bad, &headline(check));
            let shown = &check.evidence[..check.evidence.len().min(EVIDENCE_SHOWN_MAX)];
            let mut items: Vec<Cell> =
                shown.iter().map(|seen| Cell::from(in_words(run, seen))).collect();
            let more = violations(check) - shown.len() as u64;
            if more > 0 {
                let text = format!("… and {}.", plural(more, "more violation", "more violations"));
                items.push(Cell::new(Tone::Faint, text));
            }
            if !items.is_empty() {
                canvas.list(&items);
            }
        }
    }
}

/// Which check fired, what it holds and where that is written.
fn headline(check: &CheckRow) -> String {
    let mut text = check.id.clone();
    if !check.property.is_empty() && check.property != check.id {
        text.push_str(&format!(" ({})", check.property));
    }
    if !check.about.is_empty() {
        text.push_str(&format!(": {}", check.about.trim_end_matches('.')));
    }
    if !check.source.is_empty() {
        text.push_str(&format!(" [{}]", check.source));
    }
    text
}

/// A violation as a sentence: when, which rule, what was seen, who took part.
fn in_words(run: &RunRecord, seen: &Evidence) -> String {
    let mut text = format!("At {}, {}", instant(seen.at_ns), seen.rule);
    if seen.detail.is_empty() {
        text.push('.');
    } else {
        text.push_str(&format!(": {}.", seen.detail.trim_end_matches('.')));
    }
    if !seen.nodes.is_empty() {
        let names: Vec<String> = seen.nodes.iter().map(|&id| run.node_name(id)).collect();
        let noun = if names.len() == 1 { "Node" } else { "Nodes" };
        text.push_str(&format!(" {noun}: {}.", names.join(", ")));
    }
    if !seen.ops.is_empty() {
        let ids: Vec<String> = seen.ops.iter().map(u64::to_string).collect();
        let noun = if ids.len() == 1 { "Operation" } else { "Operations" };
        text.push_str(&format!(" {noun}: {}.", ids.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::NodeRow;

    #[test]
    fn evidence_is_a_sentence() {
        let run = RunRecord {
            nodes: vec![NodeRow { id: 1, name: "h/2".into(), ..NodeRow::default() }],
            ..RunRecord::default()
        };
        let seen = Evidence {
            at_ns: 1_500_000_000,
            rule: "stale read".into(),
            nodes: vec![1, 9],
            ops: vec![4],
            detail: "get 7 returned #1 after #2 was acknowledged.".into(),
        };
        assert_eq!(
            in_words(&run, &seen),
            "At 1.500 s, stale read: get 7 returned #1 after #2 was acknowledged. \
             Nodes: h/2, node 9. Operation: 4."
        );
    }

    #[test]
    fn a_check_that_should_have_fired_is_not_good() {
        let mut run = RunRecord::default();
        run.expectation.fail = true;
        run.expectation.caught_by.push("lin".into());
        let check = CheckRow { id: "lin".into(), verdict: Verdict::Ok, ..CheckRow::default() };
        assert_eq!(verdict(&run, &check).tone, Tone::Bad);
        assert_eq!(verdict(&RunRecord::default(), &check).tone, Tone::Good);
    }
}
