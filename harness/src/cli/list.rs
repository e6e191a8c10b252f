//! `list`: everything that a scenario file may name, with one line of help each.

use super::args::{ListArgs, Listed};
use super::{Lab, files, print};
use crate::outcome::Exit;
use crate::shell::Shell;
use crate::zoo::needs::words;
use scenario::kinds::{Field, Row};
use std::fs;

/// Prints the tables.
pub fn main(lab: &Lab, shell: Shell, args: &ListArgs) -> Exit {
    let all = [
        Listed::Systems,
        Listed::Scenarios,
        Listed::Faults,
        Listed::Checks,
        Listed::Events,
        Listed::Defects,
        Listed::Settings,
    ];
    let wanted = args.what.map_or_else(|| all.to_vec(), |one| vec![one]);
    let mut exit = Exit::Fine;
    for what in wanted {
        let rows = match what {
            Listed::Scenarios => match scenarios(args) {
                Ok(rows) => rows,
                Err(message) => {
                    shell.error(&message);
                    exit = exit.and(Exit::Usage);
                    continue;
                }
            },
            _ => rows(lab, what),
        };
        let title = format!("{what:?}").to_lowercase();
        print::listing(shell, &title, rows);
    }
    exit
}

fn rows(lab: &Lab, what: Listed) -> Vec<(String, String)> {
    let row = |name: &str, about: &str| (name.to_owned(), about.to_owned());
    let mut rows = Vec::new();
    match what {
        Listed::Faults => rows.extend(lab.kinds().fault_rows().iter().flat_map(kind)),
        Listed::Checks => rows.extend(lab.kinds().check_rows().iter().flat_map(kind)),
        _ => {}
    }
    for system in lab.systems {
        match what {
            Listed::Systems => {
                rows.push(row(system.name(), system.about()));
                let roles = system.roles().iter();
                rows.extend(roles.map(|role| (format!("  {}", role.name), role.about.to_owned())));
            }
            Listed::Checks => {
                let invariants = system.invariants(&[]);
                let properties = invariants.iter().map(|invariant| invariant.property());
                rows.extend(properties.map(|property| {
                    (property.name.to_owned(), format!("{} ({})", property.about, property.source))
                }));
            }
            Listed::Events => {
                rows.extend(system.events().iter().map(|event| row(event.name, event.about)));
            }
            Listed::Defects => rows.extend(system.defects().iter().map(|defect| {
                let (about, needs) = (defect.about, words(defect.needs));
                let about = format!("{about} Caught by {}. Needs {needs}.", defect.caught_by);
                (defect.name.to_owned(), about)
            })),
            Listed::Settings => rows.extend(system.roles().iter().flat_map(|role| {
                role.settings.iter().map(move |setting| {
                    let name = format!("{} {} {}", system.name(), role.name, setting.name);
                    (name, format!("{} Default: {}.", setting.about, or_none(setting.default)))
                })
            })),
            Listed::Faults | Listed::Scenarios => {}
        }
    }
    rows
}

/// A kind of fault or of check, and its fields.
fn kind(row: &Row) -> Vec<(String, String)> {
    let name = |field: &Field| format!("  {}", field.name);
    let fields = row.fields.iter().map(|field| (name(field), field.told()));
    std::iter::once((row.name.to_owned(), row.about.to_owned())).chain(fields).collect()
}

fn or_none(default: &str) -> &str {
    if default.is_empty() { "none" } else { default }
}

/// The name and the first line of `about` of every scenario file; those that do not parse say so.
fn scenarios(args: &ListArgs) -> Result<Vec<(String, String)>, String> {
    let mut files = Vec::new();
    files::walk(&args.scenarios, &mut files)?;
    let about = |path: &std::path::PathBuf| {
        let parsed =
            fs::read_to_string(path).ok().and_then(|text| text.parse::<toml::Table>().ok());
        let about = match &parsed {
            Some(table) => {
                table.get("about").and_then(toml::Value::as_str).unwrap_or("(no `about`)")
            }
            None => "(cannot be read: try `chaoslab check`)",
        };
        (path.display().to_string(), about.to_owned())
    };
    Ok(files.iter().map(about).collect())
}
