//! `check` and `explain`.

use super::args::{CheckArgs, ExplainArgs};
use super::{Lab, files, margins};
use crate::outcome::Exit;
use crate::shell::Shell;
use scenario::diagnostics;
use scenario::kinds::Row;

/// Validates files without running them.
pub fn main(lab: &Lab, shell: Shell, args: &CheckArgs) -> Exit {
    let margins = match margins::recorded(&args.margins) {
        Ok(margins) => margins,
        Err(message) => {
            shell.error(&message);
            return Exit::Usage;
        }
    };
    match files::compile(lab, shell, &args.files, args.deny_warnings) {
        Ok(loaded) => {
            let mut exit = Exit::Fine;
            for file in loaded {
                let near = crate::margins::warnings(&margins, &file.scenario);
                if !near.is_empty() {
                    let (source, colour) = (&file.source, shell.colour_err);
                    shell.talk(&diagnostics::render(&near, source, &file.path, colour));
                    if args.deny_warnings {
                        exit = Exit::Usage;
                        continue;
                    }
                }
                let variants = file.scenario.variants().len();
                let points = file.scenario.points(None);
                shell.data(&format!("{}: ok, {variants} variants, {points} points\n", file.path));
            }
            exit
        }
        Err(()) => Exit::Usage,
    }
}

/// Prints what error codes mean, or what a kind of check or of fault is.
pub fn explain(lab: &Lab, shell: Shell, args: &ExplainArgs) -> Exit {
    let Some(code) = &args.code else {
        for (code, title) in codes(lab) {
            shell.data(&format!("{code}  {title}\n"));
        }
        return Exit::Fine;
    };
    let kinds = lab.kinds();
    let faults = kinds.fault_rows().iter().map(|kind| &kind.row);
    let rows = kinds.check_rows().iter().map(|kind| &kind.row).chain(faults);
    let mut rows = rows.filter(|row| row.name == code.as_str()).peekable();
    if rows.peek().is_some() {
        rows.for_each(|row| shell.data(&kind(row)));
        return Exit::Fine;
    }
    let upper = code.to_uppercase();
    let own = lab.systems.iter().flat_map(|system| system.codes());
    let mut own = own
        .filter(|row| row.code == upper)
        .map(|row| format!("{}: {}\n\n{}", row.code, row.title, row.about));
    match diagnostics::codes::explain(&upper).map(str::to_owned).or_else(|| own.next()) {
        Some(text) => {
            shell.data(&format!("{}\n", text.trim_end()));
            Exit::Fine
        }
        None => {
            shell.error(&format!(
                "there is no error code and no kind of check or fault `{code}`; `chaoslab explain` \
                 and `chaoslab list` name them"
            ));
            Exit::Usage
        }
    }
}

/// The codes of the lab and of its systems with their titles, in the order of the codes, each once.
#[must_use]
pub fn codes(lab: &Lab) -> Vec<(&'static str, &'static str)> {
    let own = lab.systems.iter().flat_map(|system| system.codes());
    let mut all: Vec<_> = own.map(|row| (row.code, row.title)).collect();
    all.extend(diagnostics::codes::CODES.iter().map(|row| (row.code, row.title)));
    all.sort_unstable();
    all.dedup();
    all
}

/// A kind of check or of fault with its fields.
fn kind(row: &Row) -> String {
    let mut text = format!("{}: {}\n", row.name, row.about);
    for field in row.fields {
        text.push_str(&format!("\n  {}\n      {}\n", field.name, field.told()));
    }
    text
}
