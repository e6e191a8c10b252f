//! Ctrl-C, SIGTERM and SIGHUP: one interrupt, noticed within a second wherever the lab is.
//!
//! Work looks at [`asked`] between slices and comes to an orderly end: what was done so far is kept
//! and said. A command that has something left to say then calls [`wind_up`]. Where nobody looks, in
//! a node that loops, an instant with a million arrivals or a search, the process ends by itself
//! after [`PATIENCE`]; everything that is written is written whole or not at all, so nothing is lost.
//!
//! **Invariant:** a run that was interrupted is no result ([`Interrupted`]). It is not compared, not
//! judged and not written.

use crate::stopwatch::Stopwatch;
use crate::whole_file;
use std::fmt;
use std::io::{self, Write};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

static ASKED: AtomicBool = AtomicBool::new(false);

/// When the first interrupt came.
static FIRST: OnceLock<Stopwatch> = OnceLock::new();

/// Whether the command has noticed and does what is left of an orderly end.
static WINDING_UP: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

/// Nobody presses Ctrl-C twice in so short a time.
const ONE_STROKE_SECONDS: f64 = 0.2;

/// How long the lab may take to notice.
pub const PATIENCE: Duration = Duration::from_millis(900);

/// The exit status of an interrupted command.
pub const EXIT: u8 = 130;

/// What was begun has no result: the user interrupted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

impl From<Interrupted> for String {
    fn from(interrupted: Interrupted) -> Self {
        interrupted.to_string()
    }
}

/// From now on an interrupt asks for an orderly end; a second one ends the process at once.
pub fn listen() {
    let handler = || {
        let first = FIRST.get_or_init(Stopwatch::start);
        if !ASKED.swap(true, Ordering::SeqCst) {
            drop(thread::spawn(wait));
        } else if first.seconds() > ONE_STROKE_SECONDS {
            // One key stroke can reach the process twice, by itself and by its group.
            leave();
        }
    };
    // Without a handler an interrupt ends the process at once, which loses nothing but the summary.
    if let Err(error) = ctrlc::set_handler(handler) {
        eprintln!("warning: Ctrl-C will end the lab without a summary: {error}");
    }
}

/// Ends the process unless the command notices in time.
fn wait() {
    let (noticed, woken) = &WINDING_UP;
    let noticed = noticed.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = woken.wait_timeout_while(noticed, PATIENCE, |noticed| !*noticed);
    let (noticed, _) = waited.unwrap_or_else(PoisonError::into_inner);
    if !*noticed {
        drop(writeln!(io::stderr(), "\ninterrupted"));
        leave();
    }
}

fn leave() -> ! {
    whole_file::abandon();
    process::exit(i32::from(EXIT))
}

/// The work of the command is over; what is left is to say and to keep what it found, which may take
/// as long as it needs. Returns whether the user has asked for an end.
pub fn wind_up() -> bool {
    let asked = asked();
    if asked {
        let (noticed, woken) = &WINDING_UP;
        *noticed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        woken.notify_all();
    }
    asked
}

/// As [`wind_up`], and forgets that the user asked for an end, so that something can still be run.
pub fn set_aside() -> bool {
    let asked = wind_up();
    ASKED.fetch_and(!asked, Ordering::SeqCst);
    asked
}

/// The user has asked for an end after all: what [`set_aside`] forgot.
pub fn put_back() {
    ASKED.store(true, Ordering::SeqCst);
}

/// Whether the user has asked for an end.
#[must_use]
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
