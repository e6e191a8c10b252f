//! `check` and `explain`.

use super::args::{CheckArgs, ExplainArgs};
use super::{Lab, load};
use crate::diagnostics;
use crate::outcome::Exit;
use crate::shell::Shell;

/// Validates files without running them.
pub fn main(lab: &Lab, shell: Shell, args: &CheckArgs) -> Exit {
    match load::compile(lab, shell, &args.files, args.deny_warnings) {
        Ok(loaded) => {
            for file in loaded {
                let variants = file.scenario.variants().len();
                let points = file.scenario.points(None);
                shell.data(&format!("{}: ok, {variants} variants, {points} points\n", file.path));
            }
            Exit::Fine
        }
        Err(()) => Exit::Usage,
    }
}

/// Prints what error codes mean.
pub fn explain(shell: Shell, args: &ExplainArgs) -> Exit {
    let Some(code) = &args.code else {
        for code in diagnostics::codes::CODES {
            shell.data(&format!("{}  {}\n", code.code, code.title));
        }
        return Exit::Fine;
    };
    match diagnostics::codes::explain(&code.to_uppercase()) {
        Some(text) => {
            shell.data(&format!("{}\n", text.trim_end()));
            Exit::Fine
        }
        None => {
            shell.error(&format!("there is no error code `{code}`; `chaoslab explain` lists them"));
            Exit::Usage
        }
    }
}
