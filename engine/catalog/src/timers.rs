//! Timer keys of one node: declared in one place, so that no two parts of it share one.

use contract::TimerKey;
use core::ops::Range;

/// Panics when two of `keys` are one, or one lies in a range of `others`, which are the keys of
/// protocols inside the node. Use [`timer_keys!`](crate::timer_keys).
pub const fn assert_apart(keys: &[TimerKey], others: &[Range<u64>]) {
    let mut one = 0;
    while one < keys.len() {
        let mut two = one + 1;
        while two < keys.len() {
            assert!(keys[one].0 != keys[two].0, "two timers of a node have one key");
            two += 1;
        }
        let mut other = 0;
        while other < others.len() {
            let is_outside = keys[one].0 < others[other].start || keys[one].0 >= others[other].end;
            assert!(is_outside, "a timer of a node has a key of a protocol inside it");
            other += 1;
        }
        one += 1;
    }
}

/// Declares the timer keys of one kind of node. `beside` names the ranges of the protocols that it
/// embeds. Two timers with one key do not compile.
///
/// ```
/// catalog::timer_keys! {
///     beside [0x5A00..0x5AFF];
///     /// The answer is late.
///     const LATE = 1;
///     /// It is time to ask again.
///     const AGAIN = 2;
/// }
/// assert_ne!(LATE, AGAIN);
/// ```
#[macro_export]
macro_rules! timer_keys {
    (
        beside [$($other:expr),*];
        $($(#[$doc:meta])* $vis:vis const $name:ident = $key:literal;)+
    ) => {
        $($(#[$doc])* $vis const $name: $crate::contract::TimerKey =
            $crate::contract::TimerKey($key);)+
        const _: () = $crate::timers::assert_apart(&[$($name),+], &[$($other),*]);
    };
}
