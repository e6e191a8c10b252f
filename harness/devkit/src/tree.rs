//! Files and folders that tests work on.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the repository.
///
/// # Panics
/// When this crate has moved.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate lies two folders below the root").to_owned()
}

/// All files below a folder whose names end so, sorted.
///
/// # Panics
/// When a folder cannot be read.
#[must_use]
pub fn files(below: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).expect("a readable folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(files(&path, suffix));
        } else if path.extension().is_some_and(|end| end == suffix) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// `folder`, with a file in it.
///
/// # Panics
/// When it cannot be written.
#[must_use]
pub fn with(folder: PathBuf, file: &str, text: &str) -> PathBuf {
    fs::write(folder.join(file), text).expect("a writable folder");
    folder
}
