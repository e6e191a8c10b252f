//! The rules of the architecture that a compiler cannot hold alone: who may depend on whom, which
//! crates are `no_std`, what a protocol may import, how long a function or a file may be,
//! and that what the list of capabilities names is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the binary lies two folders below the root").to_owned()
}

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

/// `protocol/*` knows no system, and no system knows another.
#[test]
fn reuse_points_down() {
    let systems = ["hyperion", "hypercore", "neurocache"];
    for path in sources() {
        let name = shown(&path);
        let Some(inside) = name.strip_prefix("sim/src/") else { continue };
        let text = fs::read_to_string(&path).expect("a readable file");
        for system in systems {
            let own = inside.starts_with(&format!("{system}/")) || inside == "lib.rs";
            let imports = text.lines().any(|line| line.contains(&format!("crate::{system}")));
            assert!(own || !imports, "{name} must not import {system}");
        }
    }
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
        let is_fn =
            ["fn ", "pub fn ", "pub(crate) fn ", "pub(super) fn ", "const fn ", "pub const fn "]
                .iter()
                .any(|word| code.starts_with(word));
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

#[test]
fn the_function_finder_finds() {
    let text = "impl A {\n    fn a() {\n        b();\n    }\n}\nfn c() {}\npub fn d(\n    x: u8,\n) {\n    e();\n}\n";
    let lengths: Vec<_> =
        functions(text).iter().map(|(start, _, length)| (*start, *length)).collect();
    assert_eq!(lengths, [(2, 3), (7, 5)]);
}

/// Sources of properties are keys of docs/PAPERS.md.
#[test]
fn every_source_is_in_the_list_of_papers() {
    let papers = fs::read_to_string(root().join("docs/PAPERS.md")).expect("docs/PAPERS.md");
    for system in sim::SYSTEMS {
        for invariant in system.invariants(&[]) {
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
