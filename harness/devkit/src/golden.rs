//! Golden files: what a test expects, in a file of the tree that `UPDATE=1` writes anew. Whoever
//! does that reads the diff.

use std::path::Path;

/// Whether golden files are written instead of compared.
#[must_use]
pub fn is_update() -> bool {
    std::env::var_os("UPDATE").is_some()
}

/// Compares `found` with the file, or writes the file where [`is_update`]. `Err` is what to print: a
/// test over many files collects all of them.
///
/// # Errors
/// When the file holds something else, or is not there.
///
/// # Panics
/// When the file cannot be written.
pub fn compare(path: &Path, found: &str) -> Result<(), String> {
    if is_update() {
        std::fs::write(path, found).expect("the tree can be written");
        return Ok(());
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected == found {
        return Ok(());
    }
    let name = path.file_name().unwrap_or_default().display();
    Err(format!(
        "{name} differs; run the tests with UPDATE=1 and read the diff. Now it is:\n{found}"
    ))
}

/// Asserts that the file holds `found`.
///
/// # Panics
/// When it does not.
#[track_caller]
pub fn check(path: &Path, found: &str) {
    if let Err(why) = compare(path, found) {
        panic!("{why}");
    }
}
