//! Code on the pages of `docs` stands in a file that is compiled: a block of Rust that follows a
//! line `From [file](path):` is a run of lines of that file, whatever the indentation.

use std::fs;
use std::path::{Path, PathBuf};

/// The pages whose every block of Rust is an excerpt.
const PAGES: &[&str] = &["your-system.md", "extending.md"];

struct Excerpt {
    path: PathBuf,
    lines: Vec<String>,
}

fn docs() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the binary lies two folders below the root").join("docs")
}

/// Every block of Rust of a page, with the file that the line before it names.
fn excerpts(page: &str) -> Vec<Excerpt> {
    let text = fs::read_to_string(docs().join(page)).expect("the page is in the tree");
    let mut found = Vec::new();
    let mut source = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("From [") {
            let path = rest.split_once("](").and_then(|(_, path)| path.strip_suffix("):"));
            source = Some(docs().join(path.unwrap_or_else(|| panic!("{page}: no path in {line}"))));
        } else if line == "```rust" {
            let block = lines.by_ref().take_while(|line| line.trim() != "```");
            let path = source.take().unwrap_or_else(|| panic!("{page}: a block without a source"));
            found.push(Excerpt { path, lines: block.map(|line| line.trim().to_owned()).collect() });
        }
    }
    found
}

fn stands_in(excerpt: &[String], file: &str) -> bool {
    let lines: Vec<&str> = file.lines().map(str::trim).collect();
    lines.windows(excerpt.len()).any(|run| run.iter().zip(excerpt).all(|(a, b)| a == b))
}

#[test]
fn every_block_of_rust_stands_in_the_file_that_it_names() {
    for page in PAGES {
        let excerpts = excerpts(page);
        assert!(excerpts.len() >= 3, "{page} shows code");
        for Excerpt { path, lines } in excerpts {
            let file = fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{page} names {}: {error}", path.display()));
            assert!(!lines.is_empty(), "{page} has an empty block");
            let shown = lines.join("\n");
            assert!(stands_in(&lines, &file), "{page}: not in {}:\n{shown}", path.display());
        }
    }
}

#[test]
fn a_changed_line_is_noticed() {
    let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    let file = "fn a() {\n    one();\n    two();\n}\n";
    assert!(stands_in(&lines("one();\n  two();"), file));
    assert!(!stands_in(&lines("one();\nthree();"), file));
}
