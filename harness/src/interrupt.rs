//! Ctrl-C: noticed between slices of work, so that what was done so far is kept and said.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// The exit status of an interrupted command.
pub const EXIT: u8 = 130;

/// From now on Ctrl-C asks for an orderly end; a second one ends the process at once.
pub fn listen() {
    let handler = || {
        if ASKED.swap(true, Ordering::SeqCst) {
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
