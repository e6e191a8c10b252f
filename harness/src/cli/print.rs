//! How results are printed, in every format.

use super::args::Format;
use crate::shell::Shell;
use reports::canvas::{Canvas, Table, words};
use reports::record::RunRecord;
use reports::text::{Detail, Text, TextOptions};
use reports::{SeedResult, SeedTable};

fn options(shell: Shell) -> TextOptions {
    TextOptions { width: shell.width, colour: shell.colour_out, detail: Detail::Full }
}

/// One run, as data. JUnit is printed once for all runs, at the end.
pub fn run(shell: Shell, format: Format, record: &RunRecord) {
    match format {
        Format::Text => shell.data(&reports::text::render(record, options(shell))),
        Format::Json => shell.data(&reports::json::write(record)),
        Format::Md => shell.data(&reports::markdown::render(record)),
        Format::Junit => {}
    }
}

/// Many runs in one table, as data.
pub fn seeds(shell: Shell, format: Format, results: &[SeedResult]) {
    let mut table = SeedTable::new();
    results.iter().for_each(|result| table.add(result));
    match format {
        Format::Text => shell.data(&on_text(shell, |canvas| table.render(canvas))),
        Format::Json => shell.data(&reports::json::canonical(&results)),
        Format::Md => shell.data(&on_markdown(|canvas| table.render(canvas))),
        Format::Junit => {}
    }
}

/// What `draw` draws, as text for a terminal.
pub fn on_text(shell: Shell, draw: impl FnOnce(&mut dyn Canvas)) -> String {
    let mut canvas = Text::new(options(shell));
    draw(&mut canvas);
    canvas.finish()
}

/// What `draw` draws, as Markdown.
pub fn on_markdown(draw: impl FnOnce(&mut dyn Canvas)) -> String {
    let mut canvas = reports::markdown::Markdown::new();
    draw(&mut canvas);
    canvas.finish()
}

/// Names with one line of help each.
pub fn listing(shell: Shell, title: &str, rows: Vec<(String, String)>) {
    let mut table = Table::new(vec![words("name"), words("about")]);
    for (name, about) in rows {
        table.push(vec![name.into(), about.into()]);
    }
    let mut canvas = Text::new(options(shell));
    canvas.heading(title);
    canvas.table(&table);
    shell.data(&canvas.finish());
}
