//! What was heard already: a ring of Lamport times, each with the messages of that time.

use alloc::vec::Vec;

/// The last times of a clock, as many as the ring has slots.
#[derive(Clone, Debug)]
pub struct Seen<T> {
    slots: Vec<Option<(u64, Vec<T>)>>,
}

/// What a message is to a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It was not heard yet, and is remembered now.
    Fresh,
    /// It was heard.
    Heard,
    /// It is older than what is remembered: nobody knows.
    TooOld,
}

impl<T: PartialEq + Clone> Seen<T> {
    /// A ring of so many slots.
    pub fn new(slots: u32) -> Self {
        assert!(slots > 0, "a ring has slots");
        Self { slots: alloc::vec![None; slots as usize] }
    }

    /// Takes in a message of `time`, where the clock is at `now`.
    pub fn hear(&mut self, time: u64, now: u64, message: T) -> News {
        let count = self.slots.len() as u64;
        if now > count && time < now - count {
            return News::TooOld;
        }
        let slot = &mut self.slots[(time % count) as usize];
        match slot {
            Some((held, messages)) if *held == time => {
                if messages.contains(&message) {
                    return News::Heard;
                }
                messages.push(message);
            }
            _ => *slot = Some((time, alloc::vec![message])),
        }
        News::Fresh
    }

    /// As [`Seen::hear`], with room for one message in a slot: only as a planted defect.
    pub fn hear_one(&mut self, time: u64, now: u64, message: T) -> News {
        let count = self.slots.len() as u64;
        if now > count && time < now - count {
            return News::TooOld;
        }
        let slot = &mut self.slots[(time % count) as usize];
        if slot.as_ref().is_some_and(|(held, heard)| *held == time && heard[0] == message) {
            return News::Heard;
        }
        *slot = Some((time, alloc::vec![message]));
        News::Fresh
    }

    /// All that is remembered, with its times.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let slots = self.slots.iter().flatten();
        slots.flat_map(|(time, messages)| messages.iter().map(|message| (*time, message)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use proptest::prelude::*;

    proptest! {
        /// Against a set that forgets nothing: within the window nothing is heard twice, and
        /// nothing is missed.
        #[test]
        fn a_ring_is_a_set_within_its_window(
            heard in proptest::collection::vec((0_u64..60, 0_u8..3), 1..200),
        ) {
            let (mut ring, mut all, mut clock) = (Seen::new(8), BTreeSet::new(), 0_u64);
            for (time, message) in heard {
                clock = clock.max(time + 1);
                let expect = match (clock > 8 && time < clock - 8, all.contains(&(time, message))) {
                    (true, _) => News::TooOld,
                    (false, true) => News::Heard,
                    (false, false) => News::Fresh,
                };
                let news = ring.hear(time, clock, message);
                // The oldest time of the window shares its slot with the clock's own next one.
                prop_assert_eq!(news, expect);
                if news == News::Fresh {
                    all.insert((time, message));
                }
            }
        }
    }
}
