//! Ctrl-C: noticed between slices of work, so that what was done so far is kept and said.

use crate::stopwatch::Stopwatch;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// When Ctrl-C came first.
static FIRST: OnceLock<Stopwatch> = OnceLock::new();

/// Nobody presses Ctrl-C twice in so short a time.
const ONE_STROKE_SECONDS: f64 = 0.2;

/// The exit status of an interrupted command.
pub const EXIT: u8 = 130;

/// From now on Ctrl-C asks for an orderly end; a second one ends the process at once.
pub fn listen() {
    let handler = || {
        let first = FIRST.get_or_init(Stopwatch::start);
        // One key stroke can reach the process twice, by itself and by its group.
        if ASKED.swap(true, Ordering::SeqCst) && first.seconds() > ONE_STROKE_SECONDS {
            std::process::exit(i32::from(EXIT));
        }
    };
    // Without a handler Ctrl-C ends the process at once, which loses nothing but the summary.
    if let Err(error) = ctrlc::set_handler(handler) {
        eprintln!("warning: Ctrl-C will end the lab without a summary: {error}");
    }
}

/// Forgets that the user asked for an end, so that what is left of an orderly one can be done;
/// returns whether the user had asked.
pub fn set_aside() -> bool {
    ASKED.swap(false, Ordering::SeqCst)
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
