//! What sections draw on: one [`Canvas`] per format. Text goes in as it is; the canvas escapes it.

use crate::plot::Plot;
use crate::timeline::Timeline;

/// A format of a report. `Text`, `Markdown` and `Html` implement it; a new format is a new canvas.
pub trait Canvas {
    /// The verdict of the whole report, in one sentence.
    fn banner(&mut self, tone: Tone, sentence: &str);
    /// The title of what follows.
    fn heading(&mut self, title: &str);
    /// A paragraph.
    fn say(&mut self, tone: Tone, text: &str);
    /// A list, one full sentence per item.
    fn list(&mut self, items: &[Cell]);
    /// A table.
    fn table(&mut self, table: &Table);
    /// A command to copy.
    fn command(&mut self, command: &str);
    /// Printed lines in a fixed-width font.
    fn lines(&mut self, lines: &[String]);
    /// What happened when: faults, states of nodes, operations.
    fn timeline(&mut self, timeline: &Timeline<'_>);
    /// Gauges over time.
    fn plot(&mut self, plot: &Plot<'_>);
}

/// How a text is meant; colour is only ever added to words that say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Violated.
    Bad,
    /// Neither: inconclusive, vacuous, not met.
    Warn,
    /// Of less interest.
    Faint,
}

/// A piece of text with its tone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// The text.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
}

impl Cell {
    /// Text that is meant in a certain way.
    #[must_use]
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(Tone::Plain, text)
    }
}

/// A table; every row has as many cells as there are columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// The head of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its title.
    pub title: &'static str,
    /// Whether it holds figures, which are aligned to the right.
    pub figures: bool,
}

/// A column of text.
#[must_use]
pub const fn words(title: &'static str) -> Column {
    Column { title, figures: false }
}

/// A column of figures.
#[must_use]
pub const fn figures(title: &'static str) -> Column {
    Column { title, figures: true }
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: Vec<Column>) -> Self {
        assert!(!columns.is_empty(), "a table has columns");
        Self { columns, rows: Vec::new() }
    }

    /// Appends a row.
    pub fn push(&mut self, row: Vec<Cell>) {
        assert_eq!(row.len(), self.columns.len(), "a cell for every column");
        self.rows.push(row);
    }

    /// The table without the columns whose every cell is empty; the first column stays.
    #[must_use]
    pub fn without_empty_columns(mut self) -> Self {
        for n in (1..self.columns.len()).rev() {
            if self.rows.iter().all(|row| row[n].text.is_empty()) {
                self.columns.remove(n);
                self.rows.iter_mut().for_each(|row| drop(row.remove(n)));
            }
        }
        assert!(!self.columns.is_empty(), "the first column stays");
        self
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }
}
