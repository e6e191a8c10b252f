//! Panics of a system under test: caught, and kept as evidence instead of being printed.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// `Some` while a system under test runs on this thread.
    static CAUGHT: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Runs `body`; a panic inside becomes `Err` with its message and place.
///
/// # Errors
/// What the panic said, and where.
pub fn catch<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(install);
    CAUGHT.set(Some(String::new()));
    // The caller reads nothing from the world afterwards but what was recorded before the panic.
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    let said = CAUGHT.take().expect("nobody else takes what was caught");
    let said = result.map_err(|_| said);
    if let Err(said) = &said
        && OURS.iter().any(|ours| said.contains(ours))
    {
        // It was caught for the sake of the system, and is none of its own.
        panic!("{said}");
    }
    said
}

/// The sources of the lab that work while a system runs: a panic there is a bug of the lab.
const OURS: [&str; 4] = ["harness/src/load", "src/director.rs:", "src/observe.rs:", "src/faults/"];

/// From now on no panic of this thread prints: whoever waits for the thread has its message.
pub fn keep_quiet() {
    HOOK.call_once(install);
    CAUGHT.set(Some(String::new()));
}

/// Keeps the message of a panic inside [`catch`]; all other panics print as before.
fn install() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let kept = CAUGHT.with_borrow_mut(|caught| {
            caught.as_mut().map(|said| {
                let what = info.payload_as_str().unwrap_or("a panic without a message");
                *said = match info.location() {
                    Some(at) => format!("{what} ({}:{})", place(at.file()), at.line()),
                    None => what.to_owned(),
                };
            })
        });
        if kept.is_none() {
            before(info);
        }
    }));
}

/// A source file without the part of its path that belongs to this machine.
fn place(file: &str) -> &str {
    if !file.starts_with('/') {
        return file;
    }
    let mut slashes = file.rmatch_indices('/').map(|(at, _)| at + 1);
    slashes.nth(2).map_or(file, |at| &file[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_message_and_place() {
        let said = catch(|| -> u32 { panic!("out of tea") }).unwrap_err();
        assert!(said.starts_with("out of tea (") && said.contains("panics.rs:"), "{said}");
        assert_eq!(catch(|| 7), Ok(7));
    }

    #[test]
    fn places_hold_no_path_of_this_machine() {
        assert_eq!(place("/home/me/.cargo/some-crate-1.0/src/lib.rs"), "some-crate-1.0/src/lib.rs");
        assert_eq!(place("sim/src/lib.rs"), "sim/src/lib.rs");
    }
}
