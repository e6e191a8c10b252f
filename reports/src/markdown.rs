//! `report.md`: the run for a pull request. GitHub's Markdown, no HTML, readable as it stands.

use crate::ascii;
use crate::canvas::{Canvas, Cell, Table, Tone};
use crate::escape;
use crate::plot::Plot;
use crate::record::RunRecord;
use crate::sections::{
    Checks, CloseUp, Counterexample, Counters, Covers, Evidences, Faults, LastEvents, Messages,
    Operations, Origin, Plots, Replay, Section, Shape, VerdictLine, draw,
};
use crate::timeline::Timeline;

/// Columns of printed pictures: what a pull request shows without a scroll bar.
const PICTURE_COLUMNS: usize = 96;

/// From the verdict to the small print.
const SECTIONS: &[&dyn Section] = &[
    &VerdictLine,
    &Replay,
    &Evidences,
    &Counterexample,
    &Checks,
    &CloseUp,
    &Shape,
    &Covers,
    &Faults,
    &Operations,
    &Plots,
    &Messages,
    &Counters,
    &LastEvents,
    &Origin,
];

/// The run as Markdown; ends with a newline.
#[must_use]
pub fn render(run: &RunRecord) -> String {
    let mut markdown = Markdown::new();
    draw(run, SECTIONS, &mut markdown);
    markdown.finish()
}

/// The canvas of a Markdown document.
#[derive(Debug, Default)]
pub struct Markdown {
    out: String,
}

impl Markdown {
    /// An empty document.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was drawn.
    #[must_use]
    pub fn finish(self) -> String {
        self.out
    }

    /// Appends a block, apart from what stands before it.
    fn block(&mut self, text: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// Appends lines as they are, inside a fence that none of them can close.
    fn fenced<'a>(&mut self, lines: impl IntoIterator<Item = &'a String>) {
        let lines: Vec<String> = lines.into_iter().map(|line| escape::terminal(line)).collect();
        let body = lines.join("\n");
        let runs = body.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(3.max(runs + 1));
        self.block(&format!("{fence}text\n{body}\n{fence}"));
    }
}

impl Canvas for Markdown {
    fn banner(&mut self, tone: Tone, sentence: &str) {
        let mark = match tone {
            Tone::Good => "✅ ",
            Tone::Bad => "❌ ",
            Tone::Warn => "⚠️ ",
            Tone::Plain | Tone::Faint => "",
        };
        self.block(&format!("## {mark}{}", escape::markdown(sentence)));
    }

    fn heading(&mut self, title: &str) {
        self.block(&format!("### {}", escape::markdown(title)));
    }

    fn say(&mut self, tone: Tone, text: &str) {
        let text = escape::markdown(text.trim());
        self.block(&match tone {
            Tone::Bad => format!("**{text}**"),
            _ => text,
        });
    }

    fn list(&mut self, items: &[Cell]) {
        let lines: Vec<String> =
            items.iter().map(|item| format!("- {}", escape::markdown(&item.text))).collect();
        self.block(&lines.join("\n"));
    }

    fn table(&mut self, table: &Table) {
        let titles: Vec<String> =
            table.columns().iter().map(|column| escape::markdown(column.title)).collect();
        let rules: Vec<&str> = table
            .columns()
            .iter()
            .map(|column| if column.figures { "--:" } else { "---" })
            .collect();
        let mut text = format!("| {} |\n| {} |\n", titles.join(" | "), rules.join(" | "));
        for row in table.rows() {
            let cells: Vec<String> = row.iter().map(cell).collect();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        self.block(&text);
    }

    fn command(&mut self, command: &str) {
        self.fenced([&command.to_owned()]);
    }

    fn lines(&mut self, lines: &[String]) {
        self.fenced(lines);
    }

    fn timeline(&mut self, timeline: &Timeline<'_>) {
        self.fenced(&ascii::timeline(timeline, PICTURE_COLUMNS));
    }

    fn plot(&mut self, plot: &Plot<'_>) {
        self.fenced(&ascii::plot(plot, PICTURE_COLUMNS));
    }
}

/// The text of a cell; what is wrong is bold, so that it is seen without colour.
fn cell(cell: &Cell) -> String {
    let text = escape::markdown(cell.text.trim());
    match cell.tone {
        Tone::Bad | Tone::Warn if !text.is_empty() => format!("**{text}**"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{check_snapshot, clean_run, hostile, split_brain};

    #[test]
    fn a_violation() {
        check_snapshot("split-brain.md", &render(&split_brain()));
    }

    #[test]
    fn a_clean_run() {
        check_snapshot("clean.md", &render(&clean_run()));
    }

    #[test]
    fn hostile_names_break_no_table_and_no_fence() {
        let text = render(&hostile());
        check_snapshot("hostile.md", &text);
        let mut fence: Option<&str> = None;
        let mut columns = None;
        for line in text.lines() {
            let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
            match fence {
                Some(open) if line == open => fence = None,
                Some(_) => {}
                None if ticks.len() >= 3 => fence = Some(ticks),
                None if line.starts_with('|') => {
                    let bars = line.replace("\\\\", "").replace("\\|", "").matches('|').count();
                    assert_eq!(*columns.get_or_insert(bars), bars, "{line}");
                }
                None => {
                    columns = None;
                    assert!(!line.contains("<script"), "{line}");
                }
            }
        }
        assert_eq!(fence, None);
    }
}
