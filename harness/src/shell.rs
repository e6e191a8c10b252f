//! Where the lab talks: data on standard output, talk and progress on standard error.

use std::io::{self, IsTerminal, Write};

/// The two outputs and how they may look.
#[derive(Clone, Copy, Debug)]
pub struct Shell {
    /// Whether data may be coloured.
    pub colour_out: bool,
    /// Whether talk may be coloured.
    pub colour_err: bool,
    /// Whether progress lines may be redrawn.
    pub progress: bool,
    /// Columns of the terminal that data goes to; 100 where it goes elsewhere.
    pub width: usize,
}

impl Shell {
    /// What the environment allows: colour and progress on a terminal only, none with `NO_COLOR`.
    #[must_use]
    pub fn detect() -> Self {
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let err = io::stderr().is_terminal();
        let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        Self {
            colour_out: colour && io::stdout().is_terminal(),
            colour_err: colour && err,
            progress: err,
            width: width.unwrap_or(100).clamp(60, 200),
        }
    }

    /// What a file gets: no colour, no progress, 100 columns.
    #[must_use]
    pub const fn plain() -> Self {
        Self { colour_out: false, colour_err: false, progress: false, width: 100 }
    }

    /// Prints data. A closed pipe (`chaoslab list | head`) ends the process quietly.
    pub fn data(&self, text: &str) {
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        if let Err(error) = written {
            if error.kind() == io::ErrorKind::BrokenPipe {
                std::process::exit(0);
            }
            self.error(&format!("could not write to standard output: {error}"));
            std::process::exit(2);
        }
    }

    /// Prints a line of talk.
    pub fn talk(&self, line: &str) {
        self.clear_progress();
        // Nobody is left to be told that nobody listens.
        drop(writeln!(io::stderr(), "{line}"));
    }

    /// Prints an error.
    pub fn error(&self, message: &str) {
        // What the compiler of scenarios says is labelled already, and so are causes of errors.
        if message.starts_with("error[") {
            return self.talk(message);
        }
        let message = message.strip_prefix("error: ").unwrap_or(message);
        let label = if self.colour_err { "\x1b[1;31merror\x1b[0m" } else { "error" };
        self.talk(&format!("{label}: {message}"));
    }

    /// Redraws the line of progress; nothing where nobody watches.
    pub fn progress(&self, line: &str) {
        if self.progress {
            drop(write!(io::stderr(), "\r\x1b[K{line}"));
            drop(io::stderr().flush());
        }
    }

    /// Removes the line of progress.
    pub fn clear_progress(&self) {
        if self.progress {
            drop(write!(io::stderr(), "\r\x1b[K"));
        }
    }
}

/// A word as a shell reads it back: a path or a value in a command that is printed.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./,:=@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A seed that nobody chose, for a scenario that names none. Printed before it is used.
#[must_use]
pub fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    // The only entropy that std offers without a dependency; it decides nothing but this number.
    std::hash::RandomState::new().build_hasher().finish() >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        assert_eq!(quoted("out/hyperion/a-b/7+0a"), "out/hyperion/a-b/7+0a");
        assert_eq!(quoted("my runs/it's"), r"'my runs/it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
