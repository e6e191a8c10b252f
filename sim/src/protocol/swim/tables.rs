//! What the lab can see of SWIM by name. A system that embeds SWIM puts these rows into its own
//! tables, in any order, and says by [`catalog::Embeds`] where its nodes keep theirs.

use super::invariants;
use super::machine::Swim;
use super::member::State;
use catalog::{Fields, Find, PropertyRow};
use contract::{NodeId, Nodes};

catalog::events! {
    /// What a member marks. Members are named by their numbers.
    pub enum Event;
    /// The rows of [`Event`].
    pub const EVENTS;
    Probed = "swim.probed", "", ["target", "is_suspect"],
        "a member was asked whether it lives";
    ProbeAnswered = "swim.probe_answered", "ns", ["target", "how"],
        "it answered: 0 directly, 1 after others were asked, 2 over a stream alone";
    HelpersAsked = "swim.helpers_asked", "members", ["target", "eligible"],
        "it did not answer in time, and others were asked";
    ProbeFailed = "swim.probe_failed", "", ["target", "awareness"],
        "nobody got an answer";
    Suspected = "swim.suspected", "ns", ["member", "incarnation", "from"],
        "a member is suspected; the value is how long that lasts at most";
    Confirmed = "swim.confirmed", "", ["member", "from"],
        "somebody else suspects it too";
    SuspicionExpired = "swim.suspicion_expired", "ns", ["member", "least", "longest"],
        "nobody refuted; the value is how long the suspicion lasted";
    Refuted = "swim.refuted", "", ["incarnation", "accused"],
        "a member heard ill of itself and says that it lives";
    Joined = "swim.joined", "", ["member", "incarnation"],
        "a member that was not there, or gone, lives";
    Renewed = "swim.renewed", "", ["member", "incarnation"],
        "a living member has a new incarnation; 1 where it was suspected";
    Died = "swim.died", "", ["member", "incarnation", "from"],
        "a member is taken for dead";
    Left = "swim.left", "", ["member", "incarnation"],
        "a member said that it leaves";
    Conflict = "swim.conflict", "", ["member", "claimed"],
        "a member's name is claimed from another address, and not believed";
    Reaped = "swim.reaped", "members", [],
        "tombstones were old enough to be forgotten";
    Exchanged = "swim.exchanged", "members", ["join"],
        "everything that another member knows was taken in";
    StreamFailed = "swim.stream_failed", "", ["to"],
        "a stream broke, or took too long";
    DecodeError = "swim.decode_error", "bytes", [],
        "a packet or a frame was damaged and dropped";
}

catalog::gauges! {
    /// What can be read off a member.
    pub fn gauges(swim: Swim);
    "swim.alive", "", "members taken for alive" => Some(swim.count(State::Alive));
    "swim.suspect", "", "members under suspicion" => Some(swim.count(State::Suspect));
    "swim.dead", "", "tombstones of the dead" => Some(swim.count(State::Dead));
    "swim.left", "", "tombstones of those who left" => Some(swim.count(State::Left));
    "swim.incarnation", "", "the own incarnation" => Some(u64::from(swim.incarnation()));
    "swim.awareness", "", "how much the member mistrusts itself" =>
        Some(u64::from(swim.awareness()));
    "swim.queue", "", "messages that wait to be gossiped" => Some(swim.queue().len() as u64);
}

catalog::predicates! {
    /// What can be true of a group.
    pub fn predicates(Swim);
    "swim.views_equal",
        "the members that are up know the same living members, and all of those are up" =>
        views_equal;
}

fn views_equal(group: &[NodeId], nodes: &dyn Nodes, find: Find<Swim>) -> bool {
    pending(group, nodes, find).is_none()
}

/// Why the members of `group` that are up have not settled yet; `None` once they have.
#[must_use]
pub fn pending(group: &[NodeId], nodes: &dyn Nodes, find: Find<Swim>) -> Option<&'static str> {
    let here = || group.iter().filter_map(|&id| find(nodes, id)).filter(|swim| !swim.is_leaving());
    let up = here().count() as u64;
    let first = here().next()?;
    if here().any(|swim| swim.members().digest() != first.members().digest()) {
        return Some("two members know different members");
    }
    if here().any(|swim| swim.count(State::Suspect) > 0) {
        return Some("a member is suspected");
    }
    (first.count(State::Alive) != up).then_some("a member that is not up is taken for alive")
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

/// The state of one member for people.
pub fn view(swim: &Swim, fields: &mut dyn Fields) {
    fields.number("incarnation", u64::from(swim.incarnation()));
    for state in [State::Alive, State::Suspect, State::Dead, State::Left] {
        fields.number(state.name(), swim.count(state));
    }
    fields.number("awareness", u64::from(swim.awareness()));
    fields.number("queue", swim.queue().len() as u64);
}
