//! What the lab can see of Serf by name. A system that embeds Serf puts these rows into its own
//! tables beside those of SWIM.

use super::intents::Status;
use super::invariants;
use super::machine::Serf;
use catalog::PropertyRow;

catalog::events! {
    /// What a node marks.
    pub enum Event;
    /// The rows of [`Event`].
    pub const EVENTS;
    MemberChanged = "serf.member_changed", "", ["member", "change"],
        "the owner is told: 0 joined, 1 left, 2 failed, 3 updated, 4 reaped";
    IntentPassedOn = "serf.intent_passed_on", "", ["member", "time", "leaves"],
        "an intent was news, and is told on";
    EventDelivered = "serf.event_delivered", "", ["time", "identity", "clock"],
        "a user event was delivered";
    EventTooOld = "serf.event_too_old", "", ["time", "clock"],
        "a user event is older than what is remembered, and was dropped";
    BroadcastSkipped = "serf.broadcast_skipped", "bytes", ["time", "is_query"],
        "too much waits already, and a broadcast of the own was not taken";
    Pruned = "serf.pruned", "messages", ["kept_freshest"],
        "a queue was cut to its depth";
    Asked = "serf.asked", "ns", ["time", "id"],
        "a query was asked; the value is how long answers are taken";
    Answered = "serf.answered", "bytes", ["id", "id_of_answer", "from"],
        "an answer was counted for a query";
    DecodeError = "serf.decode_error", "bytes", [],
        "a message was damaged and dropped";
}

catalog::gauges! {
    /// What can be read off a node.
    pub fn gauges(serf: Serf);
    "serf.alive", "", "members that are there" => Some(serf.count(Status::Alive));
    "serf.leaving", "", "members that mean to leave" => Some(serf.count(Status::Leaving));
    "serf.left", "", "members that left" => Some(serf.count(Status::Left));
    "serf.failed", "", "members that are gone without a word" => Some(serf.count(Status::Failed));
    "serf.intent_queue", "", "intents that wait" => Some(serf.queued()[0]);
    "serf.query_queue", "", "queries that wait" => Some(serf.queued()[1]);
    "serf.event_queue", "", "events that wait" => Some(serf.queued()[2]);
    "serf.event_time", "", "the clock of events" => Some(serf.event_clock().time());
    "serf.query_time", "", "the clock of queries" => Some(serf.query_clock().time());
    "serf.skipped", "", "broadcasts that were not taken" => Some(serf.skipped());
}

/// What [`invariants::all`] holds, of nodes of `roles`.
#[must_use]
pub const fn properties(
    roles: &'static [&'static str],
) -> [PropertyRow; invariants::PROPERTIES.len()] {
    let mut rows =
        [PropertyRow { property: invariants::PROPERTIES[0], roles }; invariants::PROPERTIES.len()];
    let mut row = 1;
    while row < rows.len() {
        rows[row].property = invariants::PROPERTIES[row];
        row += 1;
    }
    rows
}
