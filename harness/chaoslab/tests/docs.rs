//! The pages whose tables are made of rows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn page() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("a root two folders above").join("docs/scenarios.md")
}

/// What a command prints.
fn printed(command: &str) -> String {
    let mut lab = Command::new(env!("CARGO_BIN_EXE_chaoslab"));
    let output = lab.args(command.split(' ')).output().expect("the binary starts");
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8(output.stdout).expect("a table is text")
}

/// Each table between `<!-- chaoslab list X --markdown -->` and `<!-- end -->` is what the command
/// prints; `UPDATE=1` writes it.
#[test]
fn the_tables_of_kinds_are_those_of_the_rows() {
    const BEGIN: &str = "<!-- chaoslab ";
    const END: &str = "<!-- end -->";
    let old = fs::read_to_string(page()).expect("the page is there");
    let mut new = String::new();
    let mut rest = old.as_str();
    let mut tables = 0;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (command, after) = after.split_once(" -->").expect("a mark ends");
        let (_, after) = after.split_once(END).expect("a table ends");
        let table = printed(command);
        new += &format!("{before}{BEGIN}{command} -->\n\n{table}\n{END}");
        rest = after;
        tables += 1;
    }
    new += rest;
    assert_eq!(tables, 3, "faults, checks and the fault budget");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(page(), &new).expect("the page can be written");
    } else {
        assert!(
            old == new,
            "docs/scenarios.md is stale: UPDATE=1 cargo test -p chaoslab --test docs"
        );
    }
}
