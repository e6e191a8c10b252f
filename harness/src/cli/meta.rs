//! What helps with the lab itself: the JSON Schema of scenario files, completions for shells, the
//! manual pages, and a scenario to start from.

use super::args::{Cli, CompletionsArgs, ManArgs, NewArgs};
use super::{Lab, files};
use crate::outcome::Exit;
use crate::shell::{Shell, quoted};
use crate::whole_file;
use catalog::{Group, Role, System};
use clap::CommandFactory;
use contract::NodeId;
use scenario::Scenario;
use scenario::diagnostics;
use std::fs;
use std::io;
use std::path::Path;

/// The name of the binary in what is generated.
const BINARY: &str = "chaoslab";

/// Prints the JSON Schema of scenario files.
pub fn schema(lab: &Lab, shell: Shell) -> Exit {
    let schema = scenario::schema(&files::names(lab));
    let text = serde_json::to_string_pretty(&schema).expect("a schema has text keys");
    shell.data(&format!("{text}\n"));
    Exit::Fine
}

/// Prints the completions for a shell.
pub fn completions(shell: Shell, args: &CompletionsArgs) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), BINARY, &mut text);
    shell.data(&String::from_utf8_lossy(&text));
    Exit::Fine
}

/// Prints the manual page, or writes one for each command into a folder.
pub fn man(shell: Shell, args: &ManArgs) -> Exit {
    let written = match &args.dir {
        Some(dir) => fs::create_dir_all(dir)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
            .map_err(|error| format!("could not write into {}: {error}", dir.display())),
        None => page(shell).map_err(|error| format!("could not write the page: {error}")),
    };
    match written {
        Ok(()) => Exit::Fine,
        Err(message) => {
            shell.error(&message);
            Exit::Usage
        }
    }
}

fn page(shell: Shell) -> io::Result<()> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text)?;
    shell.data(&String::from_utf8_lossy(&text));
    Ok(())
}

/// Writes a scenario to start from, which runs as it stands.
pub fn new(lab: &Lab, shell: Shell, args: &NewArgs) -> Exit {
    match begin(lab, args) {
        Ok(()) => {
            let shown = args.file.display().to_string();
            shell.data(&format!("written: {shown}\nrun it: chaoslab run {}\n", quoted(&shown)));
            Exit::Fine
        }
        Err(message) => {
            shell.error(message.trim_end());
            Exit::Usage
        }
    }
}

fn begin(lab: &Lab, args: &NewArgs) -> Result<(), String> {
    let shown = args.file.display().to_string();
    if args.file.exists() {
        return Err(format!("{shown} exists already; it is left alone"));
    }
    let system = match &args.system {
        None => lab.systems.first().copied().ok_or("this lab has no system")?,
        Some(name) => {
            let found = lab.systems.iter().find(|system| system.name() == name);
            let known: Vec<&str> = lab.systems.iter().map(|system| system.name()).collect();
            *found.ok_or_else(|| {
                format!("there is no system `{name}`; there are {}", known.join(", "))
            })?
        }
    };
    let name = name_of(&args.file);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if !name.split('/').all(|part| !part.is_empty() && part.chars().all(is_plain)) {
        return Err(format!(
            "`{name}` is no name for a scenario: it is made of letters, digits, `-` and `_`, with \
             `/` between folders"
        ));
    }
    let text = starter(system, &name);
    let (scenario, said) = Scenario::compile(&shown, text.as_bytes(), &files::names(lab));
    if scenario.is_none() {
        let why = diagnostics::render(&said, &text, &shown, false);
        return Err(format!("no starter could be made for {}:\n{why}", system.name()));
    }
    let failed = |error: io::Error| format!("could not write {shown}: {error}");
    whole_file::write(&args.file, text).map_err(failed)
}

/// The name of a scenario at `path`: what is below `scenarios/`, without the suffix.
fn name_of(path: &Path) -> String {
    let whole = path.with_extension("");
    let parts: Vec<String> =
        whole.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    match parts.iter().rposition(|part| part == "scenarios") {
        Some(at) if at + 1 < parts.len() => parts[at + 1..].join("/"),
        _ => parts.last().cloned().unwrap_or_else(|| "new".to_owned()),
    }
}

/// A scenario of `system` with an explanation of each part.
fn starter(system: &'static dyn System, name: &str) -> String {
    let role = system.roles().iter().find(|role| role.name != "client" && role.uses.is_empty());
    let role_name = role.map_or("server", |role| role.name);
    let settings: Vec<String> = role
        .into_iter()
        .flat_map(|role| role.settings)
        .filter(|setting| !setting.default.is_empty())
        .take(4)
        .map(|setting| format!("# {} = {}    # {}\n", setting.name, setting.default, setting.about))
        .collect();
    let client = system.roles().iter().find(|role| role.name == "client");
    let group = Group {
        name: "n".to_owned(),
        role: role_name,
        nodes: (0..3).map(NodeId).collect(),
        defects: Vec::new(),
    };
    let invariant = system.invariants(&[group]).first().map(|invariant| invariant.property());
    let mut text = STARTER
        .replace("{name}", name)
        .replace("{system}", system.name())
        .replace("{role}", role_name)
        .replace("{settings}", &settings.concat());
    if let Some(client) = client {
        text.push_str(&clients(system, client));
    }
    if let Some(property) = invariant {
        text.push_str(
            &INVARIANT.replace("{name}", property.name).replace("{about}", property.about),
        );
    }
    text.push_str(REST);
    text
}

/// Clients that ask for what the system can do, and a check of what they see.
fn clients(system: &dyn System, client: &Role) -> String {
    const REGISTER: [(&str, u32); 3] = [("get", 50), ("put", 40), ("cas", 10)];
    let operations = system.operations();
    let has = |name: &str| operations.iter().any(|row| row.name == name);
    let is_register = REGISTER.iter().all(|(name, _)| has(name));
    let weights: Vec<(&str, u32)> = match is_register {
        true => REGISTER.to_vec(),
        false => operations.iter().map(|row| (row.name, 1)).collect(),
    };
    let weights = weights.iter().map(|(name, weight)| format!("{name} = {weight}"));
    let ops = weights.collect::<Vec<String>>().join(", ");
    let has_timeout = client.settings.iter().any(|row| row.name == "timeout");
    let timeout = if has_timeout { "timeout = \"1s\"\n" } else { "" };
    let check = if is_register { LINEARIZABLE } else { ANSWERED };
    CLIENTS.replace("{ops}", &ops).replace("{timeout}", timeout) + check
}

const STARTER: &str = r#"# What this experiment shows, and why it is set up this way.
#
# `chaoslab check` judges this file without running it, `chaoslab run` runs it, `chaoslab list` prints
# every name that may stand in it. docs/scenarios.md is the reference.
format = 1
name   = "{name}"
about  = "One node is cut off for two seconds; nothing acknowledged is lost."
system = "{system}"
seed   = 1                       # the same seed, the same run, byte for byte
expect = "pass"

[budget]
sim_time = "15s"                 # virtual time: the run ends here
events   = 5_000_000

[nodes.n]                        # a group of three nodes: n/1, n/2, n/3
role  = "{role}"
count = 3

[tuning.n]                       # settings of the role; all have defaults
{settings}
[net]                            # between any two nodes
latency = { dist = "uniform", min = "1ms", max = "4ms" }
loss    = "0.1%"

[[fault]]                        # `chaoslab list faults` prints the kinds
id    = "cut"
kind  = "partition"
at    = "5s"
for   = "2s"                     # half-open: the links are whole again at 7s
sides = [["n/minority"], ["n/majority"]]

"#;

const CLIENTS: &str = r#"[clients.c]                      # logical processes with one operation in flight each
count   = 4
target  = "n/any"
rate    = "100/s"                # of the whole group
stop    = "12s"
ops     = { {ops} }
keys    = { count = 8 }
{timeout}
"#;

const LINEARIZABLE: &str = r#"[[check]]                        # what must hold: a run is judged by all of them
id    = "lin"
kind  = "linearizable"
model = "register-cas"
over  = "clients.c"

"#;

const ANSWERED: &str = r#"[[check]]                        # what must hold: a run is judged by all of them
id   = "answered"
kind = "count"
what = "clients.c.ok"
min  = 1

"#;

const INVARIANT: &str = r#"[[check]]                        # {about}
id   = "invariant"
kind = "invariant"
name = "{name}"

"#;

const REST: &str = r#"[sweep]                          # `chaoslab sweep` runs this many seeds
seeds = 100

# A variant is this file with a few things changed. One with a planted flaw (`chaoslab list defects`)
# shows that a check can fail at all:
#
# [[variant]]
# name      = "flawed"
# defects   = [".."]
# expect    = "fail"
# caught_by = ["lin"]
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_named_by_its_place() {
        assert_eq!(name_of(Path::new("scenarios/mine/first.toml")), "mine/first");
        assert_eq!(name_of(Path::new("/a/b/first.toml")), "first");
    }
}
