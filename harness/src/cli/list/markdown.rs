//! The tables of docs/scenarios.md that are made of rows. A test holds the page against them.

use super::super::args::Listed;
use super::super::{Lab, files};
use crate::budget;
use crate::outcome::Exit;
use crate::shell::Shell;
use scenario::kinds::{FaultRow, Field, Row};

/// Prints one table.
pub fn print(lab: &Lab, shell: Shell, what: Listed) -> Exit {
    match table(lab, what) {
        Some(table) => {
            shell.data(&table);
            Exit::Fine
        }
        None => {
            shell.error("only the tables of faults, checks and budget stand in a page");
            Exit::Usage
        }
    }
}

fn table(lab: &Lab, what: Listed) -> Option<String> {
    let names = files::names(lab);
    Some(match what {
        Listed::Faults => {
            let row = |fault: &FaultRow| {
                let Row { name, about, fields } = fault.row;
                let at_once = if fault.at_once { " *" } else { "" };
                [
                    format!("`{name}`{at_once}"),
                    about.to_owned(),
                    listed(fields),
                    fault.overlaps.to_owned(),
                ]
            };
            let head = ["kind", "what it does", "fields", "occurrences that overlap"];
            markdown(head, names.faults.iter().map(row))
        }
        Listed::Checks => {
            let row =
                |row: &Row| [format!("`{}`", row.name), row.about.to_owned(), listed(row.fields)];
            markdown(
                ["kind", "what it judges", "fields"],
                names.checks.iter().map(|check| row(&check.row)),
            )
        }
        Listed::Budget => {
            let row = |(line, allows): &(&str, &str)| [format!("`{line}`"), (*allows).to_owned()];
            markdown(["line", "allows"], budget::LINES.iter().map(row))
        }
        _ => return None,
    })
}

/// The names of fields; what has to be there is bold.
fn listed(fields: &[Field]) -> String {
    let name = |field: &Field| match field.required {
        true => format!("**`{}`**", field.name),
        false => format!("`{}`", field.name),
    };
    fields.iter().map(name).collect::<Vec<String>>().join(" · ")
}

fn markdown<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head = line(&head.map(str::to_owned));
    let rule = format!("|{}\n", "---|".repeat(N));
    let rows = rows.map(|cells| line(&cells.map(|cell| cell.replace('|', "\\|"))));
    head + &rule + &rows.collect::<String>()
}
