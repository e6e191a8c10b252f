//! `fmt`: scenario files in the house style.

use super::args::FmtArgs;
use super::files;
use crate::interrupt;
use crate::outcome::Exit;
use crate::shell::Shell;
use crate::whole_file;
use scenario::syntax::formatter::tidied;
use std::fs;
use std::path::Path;

/// Formats files, or says which are not formatted.
pub fn main(shell: Shell, args: &FmtArgs) -> Exit {
    let mut exit = Exit::Fine;
    for path in &args.files {
        let files = match files::files(path) {
            Ok(files) => files,
            Err(message) => {
                shell.error(&message);
                exit = Exit::Usage;
                continue;
            }
        };
        for file in files {
            if interrupt::asked() {
                return exit;
            }
            match one(&file, args.check) {
                Ok(None) => {}
                Ok(Some(said)) => {
                    shell.data(&format!("{said}\n"));
                    if args.check {
                        exit = Exit::Usage;
                    }
                }
                Err(message) => {
                    shell.error(&message);
                    exit = Exit::Usage;
                }
            }
        }
    }
    exit
}

/// What is to be said of a file that was not in the house style.
fn one(path: &Path, check: bool) -> Result<Option<String>, String> {
    let shown = path.display();
    let text = fs::read(path).map_err(|error| format!("could not read {shown}: {error}"))?;
    let text = String::from_utf8(text).map_err(|_| format!("{shown} is not UTF-8"))?;
    let tidy = tidied(&text).ok_or_else(|| {
        format!("{shown} is no TOML and is left alone; `chaoslab check` says what is wrong")
    })?;
    if tidy == text {
        return Ok(None);
    }
    if check {
        return Ok(Some(format!("not in the house style: {shown}")));
    }
    whole_file::write(path, tidy).map_err(|error| format!("could not write {shown}: {error}"))?;
    Ok(Some(format!("formatted: {shown}")))
}
