//! The rules of the architecture that a compiler cannot hold alone: who may depend on whom, which
//! crates are `no_std`, what a protocol may import, how long a function or a file may be,
//! and that what the list of capabilities names is there.

use devkit::tree::root;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

/// The ordinary dependencies of a package, dev-dependencies left out.
fn dependencies(package: &serde_json::Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().expect("a list");
    let ordinary = all.iter().filter(|dependency| dependency["kind"].is_null());
    ordinary.map(|dependency| dependency["name"].as_str().expect("a name").to_owned()).collect()
}

/// What each of our packages may depend on among our own, and, for the crates that must not see
/// the world, among all others. An arrow that is not here is refused.
type Arrows = (&'static str, &'static [&'static str], Option<&'static [&'static str]>);

/// See [`Arrows`]: the package, ours that it may use, and all others if they are limited.
const ARROWS: &[Arrows] = &[
    ("chaoslab-contract", &[], Some(&["libm", "rand_chacha", "rapidhash", "serde"])),
    ("chaoslab-catalog", &["chaoslab-contract"], Some(&[])),
    ("chaoslab-engine", &["chaoslab-contract"], Some(&["rapidhash", "libm"])),
    (
        "chaoslab-sim",
        &["chaoslab-catalog", "chaoslab-contract"],
        Some(&[
            "hmac",
            "libm",
            "lz4_flex",
            "prost",
            "serde",
            "serde_json",
            "sha2",
            "subtle",
            "zeroize",
        ]),
    ),
    ("chaoslab-svg", &[], Some(&[])),
    ("chaoslab-reports", &["chaoslab-svg"], None),
    ("chaoslab-devkit", &[], None),
    ("chaoslab-checker", &["chaoslab-contract", "chaoslab-svg"], Some(&["serde", "serde_json"])),
    ("chaoslab-scenario", &["chaoslab-catalog", "chaoslab-contract", "chaoslab-engine"], None),
    (
        "chaoslab-harness",
        &[
            "chaoslab-catalog",
            "chaoslab-checker",
            "chaoslab-contract",
            "chaoslab-engine",
            "chaoslab-reports",
            "chaoslab-scenario",
        ],
        None,
    ),
    ("chaoslab-host-turmoil", &["chaoslab-contract", "chaoslab-engine"], None),
    ("chaoslab-host-madsim", &["chaoslab-contract", "chaoslab-engine"], None),
    (
        "chaoslab",
        &[
            "chaoslab-catalog",
            "chaoslab-contract",
            "chaoslab-engine",
            "chaoslab-harness",
            "chaoslab-host-madsim",
            "chaoslab-host-turmoil",
            "chaoslab-scenario",
            "chaoslab-sim",
        ],
        None,
    ),
];

#[test]
fn every_arrow_is_an_allowed_one() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("a list");
    assert_eq!(packages.len(), ARROWS.len(), "a package is missing from ARROWS, or gone");
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let found = ARROWS.iter().find(|(of, ..)| *of == name);
        let (_, ours, others) = found.unwrap_or_else(|| panic!("{name} is not in ARROWS"));
        for dependency in dependencies(package) {
            if dependency.starts_with("chaoslab") {
                assert!(ours.contains(&&*dependency), "{name} must not depend on {dependency}");
            } else if let Some(others) = others {
                assert!(
                    others.contains(&&*dependency),
                    "{name} must not depend on {dependency}: only on no_std crates of the list"
                );
            }
        }
    }
}

#[test]
fn what_must_not_see_the_world_is_no_std() {
    for library in ["engine/contract", "engine/catalog", "engine/core", "sim"] {
        let text = fs::read_to_string(root().join(library).join("src/lib.rs")).expect("a library");
        assert!(text.lines().any(|line| line == "#![no_std]"), "{library} is not no_std");
    }
}

/// All Rust files that git would commit.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["engine", "sim", "harness", "reports", "fuzz"] {
        walk(&root().join(folder), &mut found);
    }
    assert!(found.len() > 20, "the sources were not found");
    found
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() && !path.ends_with("target") {
            walk(&path, found);
        } else if path.extension().is_some_and(|suffix| suffix == "rs") {
            found.push(path);
        }
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).expect("below the root").display().to_string()
}

/// The names of our systems, as they are registered.
fn systems() -> Vec<&'static str> {
    sim::SYSTEMS.iter().map(|system| system.name()).collect()
}

/// The shared protocols that hold properties of their own.
fn protocols() -> Vec<String> {
    let folder = root().join("sim/src/protocol");
    let mut found: Vec<String> = fs::read_dir(folder)
        .expect("the protocols are there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.join("invariants").is_dir())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert!(!found.is_empty(), "the protocols were not found");
    found
}

/// `protocol/*` and `service/*` know no system, and no system knows another.
#[test]
fn reuse_points_down() {
    let systems = systems();
    for path in sources() {
        let name = shown(&path);
        let Some(inside) = name.strip_prefix("sim/src/") else { continue };
        let text = fs::read_to_string(&path).expect("a readable file");
        let module = module_of(inside);
        for import in imports(&text) {
            let full = absolute(&import, &module);
            for system in systems.iter().filter(|system| module.first() != Some(&**system)) {
                let imports = full.first().is_some_and(|part| part == system);
                assert!(
                    !imports || inside == "lib.rs",
                    "{name} must not import {system}: {import}"
                );
            }
        }
    }
}

/// The module of a file below `src/`: `a/b.rs` and `a/b/mod.rs` are `a::b`.
fn module_of(inside: &str) -> Vec<&str> {
    let path = inside.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').collect()
}

/// Every path that the code names: the trees of `use`, spelt out, and paths from `crate` or
/// `super` in the code itself.
fn imports(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().filter(|line| !is_comment(line)).collect();
    let code = code.join(" ");
    let mut found = Vec::new();
    for statement in code.split("use ").skip(1) {
        let Some((tree, _)) = statement.split_once(';') else { continue };
        let tree: String = tree.chars().filter(|c| !c.is_whitespace()).collect();
        if !tree.is_empty() && balanced(&tree) {
            found.extend(leaves(&tree));
        }
    }
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let path = code[at..].split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            found.extend(path.take(1).map(str::to_owned));
        }
    }
    found
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

fn balanced(tree: &str) -> bool {
    tree.matches('{').count() == tree.matches('}').count()
}

/// The paths of a tree of `use`: `a::{b, c::{d, e}}` is `a::b`, `a::c::d` and `a::c::e`.
fn leaves(tree: &str) -> Vec<String> {
    let Some((before, rest)) = tree.split_once('{') else { return vec![tree.to_owned()] };
    let inside = rest.strip_suffix('}').unwrap_or(rest);
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for c in inside.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("there is one").push(c);
    }
    let parts = parts.iter().filter(|part| !part.is_empty());
    parts.flat_map(|part| leaves(&format!("{before}{part}"))).collect()
}

/// A path from the root of the crate; empty where it leads out of it.
fn absolute(path: &str, module: &[&str]) -> Vec<String> {
    let mut parts = path.split("::").peekable();
    let mut at: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
    match parts.peek() {
        Some(&"crate") => {
            parts.next();
            at.clear();
        }
        Some(&"super") => {
            while parts.next_if_eq(&"super").is_some() {
                at.pop();
            }
        }
        Some(&"self") => {
            parts.next();
        }
        _ => return Vec::new(),
    }
    at.extend(parts.map(str::to_owned));
    at
}

#[test]
fn imports_are_found_however_they_are_written() {
    let found = |text: &str, module: &[&str]| -> Vec<String> {
        imports(text).iter().map(|import| absolute(import, module).join("::")).collect()
    };
    assert_eq!(found("use crate::{a::{b, c}, d};", &["m"])[..3], ["a::b", "a::c", "d"]);
    assert_eq!(found("use super::super::a;", &["m", "n"])[0], "a");
    assert_eq!(found("fn f() { super::a::g() }", &["m"]), ["a::g"]);
    assert_eq!(found("// use crate::a;\nuse std::fmt;", &["m"]), [""]);
}

/// The harness, the compiler and the checkers take everything from the rows of the systems: no
/// code of theirs names a system, a protocol, or an operation, a verb or a defect of one. Tests may.
#[test]
fn the_house_names_no_system() {
    let shared: Vec<&str> = catalog::Operation::SHARED.iter().map(|row| row.name).collect();
    let mut names: Vec<String> = protocols();
    for system in sim::SYSTEMS {
        names.push(system.name().to_owned());
        let operations = system.operations().iter().map(|row| row.name);
        let own = operations.filter(|name| !shared.contains(name));
        let own = own.chain(system.verbs().iter().map(|row| row.name));
        names.extend(own.chain(system.defects().iter().map(|row| row.name)).map(str::to_owned));
        names.extend(system.codes().iter().map(|row| row.code.to_owned()));
    }
    // Words of the field that happen to be verbs.
    names.retain(|name| name != "health");
    for path in sources() {
        let file = shown(&path);
        let house = ["harness/src/", "harness/scenario/src/", "harness/checker/src/"];
        if !house.iter().any(|folder| file.starts_with(folder)) || is_test(&file) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a readable file");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for line in code.lines().filter(|line| !is_comment(line)) {
            let named = names.iter().find(|name| has_word(line, name));
            assert!(named.is_none(), "{file} names {named:?}: {line}");
        }
    }
}

/// Whether a file is made of tests alone.
fn is_test(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.contains("test") || file.contains("/tests/") || file.contains("/testkit/")
}

/// Whether `word` stands in `line` by itself.
fn has_word(line: &str, word: &str) -> bool {
    let apart = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
    line.match_indices(word).any(|(at, _)| {
        apart(line[..at].chars().next_back()) && apart(line[at + word.len()..].chars().next())
    })
}

/// The codes of the lab and of its systems are unique: `explain` shows one text for each.
#[test]
fn codes_are_unique() {
    let own = sim::SYSTEMS.iter().flat_map(|system| system.codes());
    let own = own.map(|row| row.code);
    let mut all: Vec<&str> =
        scenario::diagnostics::codes::CODES.iter().map(|row| row.code).collect();
    all.extend(own);
    all.sort_unstable();
    let twice = all.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None);
}

/// Files longer than 600 lines, with the length they have: they may shrink, not grow. Only flat
/// tables and test data belong here.
const LONG_FILES: &[(&str, usize)] = &[];

#[test]
fn files_stay_short() {
    for path in sources() {
        let name = shown(&path);
        let lines = fs::read_to_string(&path).expect("a readable file").lines().count();
        let bound =
            LONG_FILES.iter().find(|(file, _)| *file == name).map_or(600, |(_, lines)| *lines);
        assert!(lines <= bound, "{name} has {lines} lines; {bound} are the bound");
    }
}

/// The longest function that is allowed, in lines from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn functions_stay_short() {
    for path in sources() {
        let name = shown(&path);
        let text = fs::read_to_string(&path).expect("a readable file");
        for (start, line, length) in functions(&text) {
            assert!(
                length <= FUNCTION_LINES_MAX,
                "{name}:{start} has {length} lines; {FUNCTION_LINES_MAX} are the bound: {line}"
            );
        }
    }
}

/// (first line, its text, number of lines) of each function, found by its indentation: the code
/// is formatted, so the closing brace stands under the line that opens the function.
fn functions(text: &str) -> Vec<(usize, &str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let is_fn = begins_a_function(code);
        if !is_fn || code.ends_with(';') || code.ends_with('}') {
            continue;
        }
        let indent = &line[..line.len() - code.len()];
        let close = format!("{indent}}}");
        if let Some(length) = lines[start..].iter().position(|line| *line == close) {
            found.push((start + 1, *line, length + 1));
        }
    }
    found
}

/// Whether a line begins with `fn` and nothing before it but its qualifiers.
fn begins_a_function(code: &str) -> bool {
    let Some((before, _)) = code.split_once("fn ") else { return false };
    let qualifier = |word: &str| {
        let is_abi = word.starts_with('"') && word.ends_with('"');
        is_abi
            || word.starts_with("pub")
            || ["const", "async", "unsafe", "extern", "default"].contains(&word)
    };
    (before.is_empty() || before.ends_with(' ')) && before.split_whitespace().all(qualifier)
}

#[test]
fn the_function_finder_finds() {
    for line in ["fn a(", "pub async fn a(", "pub(crate) const unsafe fn a(", "extern \"C\" fn a("]
    {
        assert!(begins_a_function(line), "{line}");
    }
    for line in ["let f: fn (u8)", "// fn a(", "x.fn_of fn "] {
        assert!(!begins_a_function(line), "{line}");
    }

    let text = "impl A {\n    fn a() {\n        b();\n    }\n}\nfn c() {}\npub fn d(\n    x: u8,\n) {\n    e();\n}\n";
    let lengths: Vec<_> =
        functions(text).iter().map(|(start, _, length)| (*start, *length)).collect();
    assert_eq!(lengths, [(2, 3), (7, 5)]);
}

/// A group of three nodes in each role of a system: an invariant is made for the nodes that it
/// looks at, so none are made for an empty world.
fn one_of_each(system: &dyn catalog::System) -> Vec<catalog::Group> {
    let group = |(place, role): (usize, &catalog::Role)| catalog::Group {
        name: role.name.to_owned(),
        role: role.name,
        nodes: (0..3).map(|node| contract::NodeId(3 * place as u32 + node)).collect(),
        defects: Vec::new(),
    };
    system.roles().iter().enumerate().map(group).collect()
}

/// Sources of properties are keys of docs/PAPERS.md.
#[test]
fn every_source_is_in_the_list_of_papers() {
    let papers = fs::read_to_string(root().join("docs/PAPERS.md")).expect("docs/PAPERS.md");
    for system in sim::SYSTEMS {
        let invariants = system.invariants(&one_of_each(*system));
        assert!(!invariants.is_empty(), "{} holds nothing", system.name());
        for invariant in invariants {
            let property = invariant.property();
            let key = property.source.split(' ').next().expect("a key before the section");
            assert!(
                papers.contains(&format!("`{key}`")),
                "`{key}`, the source of {}, is not in docs/PAPERS.md",
                property.name
            );
        }
    }
}

/// The alternatives that braces stand for: `a/{b,c}.rs` is `a/b.rs` and `a/c.rs`.
fn spelt_out(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else {
        return vec![path.to_owned()];
    };
    let (inside, after) = rest.split_once('}').expect("a brace that opens is closed");
    inside.split(',').flat_map(|one| spelt_out(&format!("{before}{one}{after}"))).collect()
}

#[test]
fn what_coverage_names_exists() {
    const TOP: [&str; 7] =
        ["engine/", "scenarios/", "sim/", "harness/", "reports/", "fuzz/", "docs/"];
    let text = fs::read_to_string(root().join("docs/coverage.md")).expect("coverage is there");
    // What stands between backquotes is every second part.
    let quoted = text.split('`').skip(1).step_by(2);
    let paths: Vec<String> = quoted
        .filter(|path| TOP.iter().any(|top| path.starts_with(top)))
        .flat_map(spelt_out)
        .collect();
    assert!(paths.len() > 100, "coverage names {} paths only", paths.len());
    // A path of a module may leave the ending of its file out.
    let exists =
        |path: &String| root().join(path).exists() || root().join(format!("{path}.rs")).exists();
    let missing: Vec<&String> = paths.iter().filter(|path| !exists(path)).collect();
    assert!(missing.is_empty(), "docs/coverage.md names what is not there: {missing:?}");
}
