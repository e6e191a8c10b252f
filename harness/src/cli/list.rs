//! `list`: everything that a scenario file may name, with one line of help each.

mod markdown;

use super::args::{ListArgs, Listed};
use super::{Lab, files, print};
use crate::budget;
use crate::outcome::Exit;
use crate::shell::Shell;
use crate::zoo::needs::words;
use catalog::{Argument, Defect, Form, Operation, PropertyRow, Role, Setting, System};
use scenario::kinds::{Field, Row};
use scenario::workload;
use std::fs;

/// Prints the tables.
pub fn main(lab: &Lab, shell: Shell, args: &ListArgs) -> Exit {
    if args.markdown {
        return markdown::print(lab, shell, args.what.expect("the command line asks for it"));
    }
    let all = [
        Listed::Systems,
        Listed::Scenarios,
        Listed::Faults,
        Listed::Checks,
        Listed::Events,
        Listed::Defects,
        Listed::Settings,
        Listed::Operations,
        Listed::Workloads,
        Listed::Gauges,
        Listed::Predicates,
        Listed::Models,
        Listed::Selectors,
        Listed::Properties,
        Listed::Budget,
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
    let names = files::names(lab);
    let of_systems = || lab.systems.iter().flat_map(move |system| of_system(*system, what));
    match what {
        Listed::Faults => names.faults.iter().flat_map(|fault| kind(&fault.row)).collect(),
        Listed::Checks => {
            names.checks.iter().flat_map(|check| kind(&check.row)).chain(of_systems()).collect()
        }
        Listed::Workloads => {
            let general = row(workload::GENERAL, workload::GENERAL_ABOUT);
            let own = lab.workloads.iter().map(|kind| row(kind.name(), kind.about()));
            std::iter::once(general).chain(own).collect()
        }
        Listed::Models => lab.kinds().models().iter().map(|it| row(it.name, it.about)).collect(),
        Listed::Budget => budget::LINES.iter().map(|(line, allows)| row(line, allows)).collect(),
        Listed::Predicates => {
            let everywhere = row(scenario::SETTLED, "no system says that it has anything pending");
            std::iter::once(everywhere).chain(of_systems()).collect()
        }
        _ => of_systems().collect(),
    }
}

fn row(name: &str, about: &str) -> (String, String) {
    (name.to_owned(), about.to_owned())
}

/// What a system has of it.
fn of_system(system: &'static dyn System, what: Listed) -> Vec<(String, String)> {
    match what {
        Listed::Systems => {
            let roles = system.roles().iter();
            let roles = roles.map(|role| (format!("  {}", role.name), role.about.to_owned()));
            std::iter::once(row(system.name(), system.about())).chain(roles).collect()
        }
        Listed::Checks | Listed::Properties => properties(system),
        Listed::Events => system.events().iter().map(|it| row(it.name, it.about)).collect(),
        Listed::Gauges => system.gauges().iter().map(|it| row(it.name, it.about)).collect(),
        Listed::Predicates => system.predicates().iter().map(|it| row(it.name, it.about)).collect(),
        Listed::Selectors => {
            let about = format!("of groups of {}: `GROUP/WORD`", system.name());
            system.selectors().iter().map(|word| row(word, &about)).collect()
        }
        Listed::Operations => operations(system),
        Listed::Defects => system.defects().iter().map(defect).collect(),
        Listed::Settings => {
            let roles = system.roles().iter();
            let settings = roles.flat_map(move |role| {
                role.settings.iter().map(move |it| setting(system, role, it))
            });
            settings.collect()
        }
        _ => Vec::new(),
    }
}

fn properties(system: &dyn System) -> Vec<(String, String)> {
    let told = |row: &PropertyRow| {
        let it = row.property;
        (it.name.to_owned(), format!("{} ({})", it.about, it.source))
    };
    system.properties().iter().map(told).collect()
}

/// Operations with their arguments, and verbs.
fn operations(system: &dyn System) -> Vec<(String, String)> {
    let operation = |it: &Operation| {
        let args = match it.form {
            Form::Own { args, .. } => args,
            _ => &[],
        };
        let arg = |arg: &Argument| {
            let Argument { name, about, min, max, default } = arg;
            (format!("  {name}"), format!("{about} (from {min} to {max}; default: {default})"))
        };
        let args: Vec<(String, String)> = args.iter().map(arg).collect();
        std::iter::once(row(it.name, it.about)).chain(args)
    };
    let verbs = system.verbs().iter();
    let verbs = verbs.map(|it| row(it.name, &format!("{} (an operator's verb)", it.about)));
    system.operations().iter().flat_map(operation).chain(verbs).collect()
}

fn defect(it: &Defect) -> (String, String) {
    let Defect { about, caught_by, .. } = it;
    let needs = words(it.needs);
    (it.name.to_owned(), format!("{about} Caught by {caught_by}. Needs {needs}."))
}

fn setting(system: &dyn System, role: &Role, it: &Setting) -> (String, String) {
    let name = format!("{} {} {}", system.name(), role.name, it.name);
    (name, format!("{} Default: {}.", it.about, or_none(it.default)))
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
