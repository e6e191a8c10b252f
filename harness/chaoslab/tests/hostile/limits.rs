//! The command under limits: a bound on its memory, and an end after some time.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a command may take of memory, in KiB.
const MEMORY_KIB: u64 = 2 * 1024 * 1024;

/// How it may be ended.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// It has to end by itself in so many seconds.
    Itself(u64),
    /// It is sent the signal after so many milliseconds.
    Signal(&'static str, u64),
    /// It is interrupted after so many milliseconds, and killed when it has not ended five seconds
    /// later.
    Interrupt(u64),
}

/// What came of a command.
pub struct Ended {
    /// The exit status; over 128 for a signal; 124 when it was interrupted, 137 when it was killed.
    pub status: i32,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

impl Ended {
    /// Whether the lab itself failed: what no input may bring about.
    pub fn is_crash(&self) -> bool {
        !(0..=5).contains(&self.status)
            || self.err.contains("panicked at")
            || self.err.contains("a bug of chaoslab")
    }

    /// For messages: how it ended, and the end of what it said.
    pub fn shown(&self) -> String {
        let from = self.err.len().saturating_sub(1_500);
        let from = (from..=self.err.len()).find(|at| self.err.is_char_boundary(*at));
        format!("status {}\n{}", self.status, &self.err[from.unwrap_or(0)..])
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(137),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The command in `folder` under the limits, not started yet.
pub fn limited(folder: &Path, args: &[&str], end: End) -> Command {
    let (flags, after) = match end {
        End::Itself(seconds) => ("-s KILL".to_owned(), seconds as f64),
        End::Signal(signal, ms) => (format!("-s {signal}"), ms as f64 / 1e3),
        End::Interrupt(ms) => ("-s INT -k 5".to_owned(), ms as f64 / 1e3),
    };
    let script = format!("ulimit -v {MEMORY_KIB}; exec timeout {flags} {after} \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_chaoslab")).args(args);
    command.current_dir(folder).env("RUST_BACKTRACE", "0").stdin(Stdio::null());
    command
}

/// Runs the command under the limits.
pub fn run(folder: &Path, args: &[&str], end: End) -> Ended {
    limited(folder, args, end).output().expect("a shell and `timeout`").into()
}

/// Runs the command where no file may become larger than `kib`: a full disk.
pub fn on_full_disk(folder: &Path, args: &[&str], kib: u64) -> Ended {
    // Blocks of 512 bytes, as POSIX has them.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kib * 2);
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_chaoslab")).args(args);
    command.current_dir(folder).output().expect("a shell").into()
}
