//! The terminal: plain text of a fixed width, with colour where it is wanted.
//!
//! The caller prints what [`render`] returns and, as the last line, the command that replays the
//! run.

mod fit;

use crate::ascii;
use crate::canvas::{Canvas, Cell, Table, Tone};
use crate::escape;
use crate::plot::Plot;
use crate::record::RunRecord;
use crate::sections::{
    Checks, CloseUp, Counterexample, Counters, Covers, Evidences, Faults, LastEvents, Messages,
    Operations, Plots, Section, Shape, VerdictLine, draw,
};
use crate::timeline::Timeline;
use tabled::builder::Builder;
use tabled::settings::object::{Cell as At, Columns, Rows};
use tabled::settings::style::{HorizontalLine, Style};
use tabled::settings::{Alignment, Color, Modify, Padding};

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOptions {
    /// Columns of the terminal; only a word that cannot be broken and a printed event are longer.
    pub width: usize,
    /// Whether ANSI colours are added.
    pub colour: bool,
    /// How much of the run is shown.
    pub detail: Detail,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self { width: 100, colour: false, detail: Detail::Full }
    }
}

/// How much of the run is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// The verdict, a line per check, and the evidence.
    Brief,
    /// Everything.
    #[default]
    Full,
}

/// Narrower terminals get lines of this width and wrap them themselves.
pub const WIDTH_MIN: usize = 40;

/// Columns between two columns of a table.
const GAP: usize = 2;

/// From the verdict down to the evidence, which ends up just above the prompt.
const FULL: &[&dyn Section] = &[
    &VerdictLine,
    &Checks,
    &Covers,
    &Faults,
    &Operations,
    &Messages,
    &Counters,
    &Plots,
    &Shape,
    &LastEvents,
    &CloseUp,
    &Counterexample,
    &Evidences,
];

const BRIEF: &[&dyn Section] = &[&VerdictLine, &Checks, &Evidences];

/// The run for a terminal; ends with a newline.
#[must_use]
pub fn render(run: &RunRecord, options: TextOptions) -> String {
    let mut text = Text::new(options);
    let sections = match options.detail {
        Detail::Brief => BRIEF,
        Detail::Full => FULL,
    };
    draw(run, sections, &mut text);
    text.finish()
}

/// The canvas of a terminal.
#[derive(Debug)]
pub struct Text {
    options: TextOptions,
    out: String,
}

impl Text {
    /// An empty canvas.
    #[must_use]
    pub fn new(options: TextOptions) -> Self {
        let width = options.width.max(WIDTH_MIN);
        Self { options: TextOptions { width, ..options }, out: String::new() }
    }

    /// What was drawn.
    #[must_use]
    pub fn finish(self) -> String {
        self.out
    }

    /// Appends a paragraph, each line indented, the first one with `first` in place of its indent.
    fn paragraph(&mut self, tone: Tone, first: &str, indent: usize, text: &str) {
        let room = self.options.width - indent;
        for (n, line) in fit::wrap(&escape::terminal(text), room).lines().enumerate() {
            match n {
                0 => self.out.push_str(&format!("{first:indent$}")),
                _ => self.out.push_str(&" ".repeat(indent)),
            }
            self.out.push_str(&self.paint(tone, line));
            self.out.push('\n');
        }
    }

    /// Appends a table that is too wide as blocks, a line for each cell.
    fn stack(&mut self, table: &Table) {
        for row in table.rows() {
            for (n, (column, cell)) in table.columns().iter().zip(row).enumerate() {
                let indent = if n == 0 { 2 } else { 4 };
                if !cell.text.is_empty() {
                    let text = format!("{}: {}", column.title, cell.text);
                    self.paragraph(cell.tone, "", indent, &text);
                }
            }
        }
    }

    fn paint(&self, tone: Tone, text: &str) -> String {
        match colour(tone) {
            Some(colour) if self.options.colour => colour.colorize(text),
            _ => text.to_owned(),
        }
    }

    /// Appends lines with two spaces before each and none at their ends.
    fn indented(&mut self, lines: impl IntoIterator<Item = impl AsRef<str>>) {
        for line in lines {
            self.out.push_str(format!("  {}", line.as_ref()).trim_end());
            self.out.push('\n');
        }
    }
}

impl Canvas for Text {
    fn banner(&mut self, tone: Tone, sentence: &str) {
        let before = self.out.len();
        self.paragraph(tone, "", 0, sentence);
        if self.options.colour {
            let bold = Color::BOLD.colorize(self.out[before..].trim_end());
            self.out.replace_range(before.., &format!("{bold}\n"));
        }
    }

    fn heading(&mut self, title: &str) {
        let title = escape::terminal(title);
        let title = match self.options.colour {
            true => Color::BOLD.colorize(title),
            false => title,
        };
        self.out.push_str(&format!("\n{title}\n"));
    }

    fn say(&mut self, tone: Tone, text: &str) {
        self.paragraph(tone, "", 2, text);
    }

    fn list(&mut self, items: &[Cell]) {
        for item in items {
            self.paragraph(item.tone, "  - ", 4, &item.text);
        }
    }

    fn table(&mut self, table: &Table) {
        let room = self.options.width - 2;
        match fit::widths(table, GAP, room) {
            Some(widths) => {
                let text = tabulate(table, &widths, self.options.colour);
                self.indented(text.lines());
            }
            None => self.stack(table),
        }
    }

    fn command(&mut self, command: &str) {
        self.indented([escape::terminal(command)]);
    }

    fn lines(&mut self, lines: &[String]) {
        self.indented(lines.iter().map(|line| escape::terminal(line)));
    }

    fn timeline(&mut self, timeline: &Timeline<'_>) {
        self.indented(ascii::timeline(timeline, self.options.width - 2));
    }

    fn plot(&mut self, plot: &Plot<'_>) {
        self.indented(ascii::plot(plot, self.options.width - 2));
    }
}

/// The colour of a tone; distinguishable also with colour-blind eyes, and always beside words.
fn colour(tone: Tone) -> Option<Color> {
    match tone {
        Tone::Plain => None,
        Tone::Good => Some(Color::FG_GREEN),
        Tone::Bad => Some(Color::FG_RED),
        Tone::Warn => Some(Color::FG_YELLOW),
        Tone::Faint => Some(Color::FG_BRIGHT_BLACK),
    }
}

/// A table without frame, the head underlined, its columns of the given widths.
fn tabulate(table: &Table, widths: &[usize], coloured: bool) -> String {
    let mut builder = Builder::default();
    builder.push_record(table.columns().iter().map(|column| column.title));
    for row in table.rows() {
        let cells = row.iter().zip(widths);
        builder.push_record(
            cells.map(|(cell, &width)| fit::wrap(&escape::terminal(&cell.text), width)),
        );
    }
    let mut drawn = builder.build();
    let rule = HorizontalLine::full('─', '─', '─', '─').remove_left().remove_right();
    drawn.with(Style::empty().horizontals([(1, rule.remove_intersection())]));
    drawn.with(Modify::new(Rows::new(..)).with(Padding::new(0, GAP, 0, 0)));
    for (n, column) in table.columns().iter().enumerate() {
        if column.figures {
            drawn.with(Modify::new(Columns::one(n)).with(Alignment::right()));
        }
    }
    if coloured {
        for (r, row) in table.rows().iter().enumerate() {
            for (c, cell) in row.iter().enumerate() {
                if let Some(colour) = colour(cell.tone).filter(|_| !cell.text.is_empty()) {
                    drawn.with(Modify::new(At::new(r + 1, c)).with(colour));
                }
            }
        }
    }
    drawn.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{check_snapshot, clean_run, hostile, split_brain};
    use tabled::grid::util::string::get_line_width;

    fn full(run: &RunRecord) -> String {
        render(run, TextOptions::default())
    }

    #[test]
    fn a_violation_in_full() {
        check_snapshot("split-brain.txt", &full(&split_brain()));
    }

    #[test]
    fn a_clean_run_in_brief() {
        let options = TextOptions { detail: Detail::Brief, ..TextOptions::default() };
        check_snapshot("clean-brief.txt", &render(&clean_run(), options));
    }

    #[test]
    fn a_violation_in_colour_and_on_a_narrow_terminal() {
        let options = TextOptions { width: 60, colour: true, detail: Detail::Brief };
        let text = render(&split_brain(), options).replace('\x1b', "^");
        check_snapshot("split-brain-60-colour.txt", &text);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut run = split_brain();
        run.tail.clear();
        for width in [60, 80, 100, 140] {
            let options = TextOptions { width, ..TextOptions::default() };
            for line in render(&run, options).lines() {
                assert!(get_line_width(line) <= width, "{width}: {line}");
                assert_eq!(line.trim_end(), line);
            }
        }
    }

    #[test]
    fn hostile_names_command_no_terminal() {
        let text = full(&hostile());
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        assert!(text.contains("\\x1b"));
    }

    #[test]
    fn an_empty_record_renders() {
        check_snapshot("empty.txt", &full(&RunRecord::default()));
    }

    #[test]
    fn the_same_record_gives_the_same_bytes() {
        assert_eq!(full(&split_brain()), full(&split_brain().clone()));
    }
}
