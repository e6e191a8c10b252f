//! The defects that can be planted: one row each, with where it comes from and what must catch it.

use catalog::Need;

type Needs = &'static [&'static [Need]];

const NOTHING: Needs = &[];
const MEMBERS: Needs = &[&[Need::Membership]];

catalog::defects! {
    /// Which defects are planted; none by default.
    pub struct Defects;
    /// Every defect that can be planted, to be part of a system's own table.
    pub const DEFECTS;
    intent_time_kept, "leave-rebroadcast-storm",
        "an intent that changes no status leaves its time as it was, and is passed on again and again",
        "serf#606 (959cea6); consul#8179, #7960", "serf.intent_once", MEMBERS;
    slot_holds_one, "event-dedupe-ring-collision",
        "a slot of the buffer holds one event, so that two of one time push each other out",
        "serf handleUserEvent", "serf.event_once", NOTHING;
    never_witnesses, "lamport-not-witnessed",
        "who hears of an event does not move its clock past it",
        "serf c4aeb6e, 190d8c6, 88ca8db", "serf.clock_witnesses", NOTHING;
    query_time_shared, "query-ltime-collision",
        "answers are sorted by the time of the query alone, which two queries may share",
        "serf Query(), registerQueryResponse by code reading", "serf.answers_once", NOTHING;
    answers_counted_twice, "duplicate-query-response-counted",
        "an answer that comes over a relay as well counts twice",
        "serf handleQueryResponse; GH-439", "serf.answers_once", NOTHING;
    prunes_newest, "queue-prune-drops-newest",
        "a queue that is too long drops what it has sent least often",
        "memberlist TransmitLimitedQueue.Prune; serf 74bdd15 (#78)", "serf.prunes_oldest", NOTHING;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_catch_a_defect_is_a_property() {
        for defect in DEFECTS {
            let rows = &super::super::invariants::PROPERTIES;
            assert!(rows.iter().any(|row| row.name == defect.caught_by), "{}", defect.name);
            assert_ne!(Defects::from_names(&[defect.name]), Defects::default());
        }
    }
}
