//! The defects that can be planted: one row each, with where it comes from and what must catch it.

use catalog::Need;

type Needs = &'static [&'static [Need]];

const NOTHING: Needs = &[];
const CRASH: Needs = &[&[Need::Crash]];
const CRASH_OR_NETWORK: Needs = &[&[Need::Crash, Need::Network, Need::Pause]];
const MEMBERS: Needs = &[&[Need::Membership]];
const NETWORK: Needs = &[&[Need::Network, Need::Pause]];

catalog::defects! {
    /// Which defects are planted; none by default.
    pub struct Defects;
    /// Every defect that can be planted, to be part of a system's own table.
    pub const DEFECTS;
    refute_too_low, "refute-incarnation-too-low",
        "a refutation takes the own next incarnation, also where the accusation names a higher one",
        "memberlist c5286f8, a6d9aeb", "swim.live_not_dead", CRASH;
    ignores_alive_about_self, "no-refute-on-conflicting-alive",
        "a node ignores what others say that it says of itself",
        "memberlist 2c6c7d7", "swim.views_converge", CRASH;
    compares_incarnation_only, "same-incarnation-new-meta",
        "after a fast restart an equal incarnation with other meta is nothing to refute",
        "memberlist 2595b7e", "swim.views_converge", CRASH;
    dead_forgotten, "dead-node-deleted-then-resurrected",
        "a dead member is forgotten at once, so that an old message brings it back",
        "memberlist 63ef41a", "swim.dead_stays_dead", CRASH;
    old_alive_clears, "old-alive-clears-suspicion",
        "a suspicion ends with any message that the member lives, also with an old one",
        "memberlist b63166c", "swim.suspicion_in_bounds", CRASH;
    counts_echoes, "self-confirmation-counted",
        "confirmations count whoever they are of, the first accuser's own echo as well",
        "memberlist 59781de, 9cdb22b", "swim.suspicion_in_bounds", CRASH_OR_NETWORK;
    left_never_reaped, "left-nodes-never-reaped",
        "only the dead are forgotten, and who left is remembered for ever",
        "memberlist#254 (0bff309)", "swim.tombstones_reaped", MEMBERS;
    misses_helpers, "small-cluster-helper-miss",
        "helpers are drawn with a cap, so that a small cluster's only one is missed now and then",
        "memberlist#350 (8c0d992)", "swim.helpers_asked", NETWORK;
    never_shuffles_fairly, "biased-probe-shuffle",
        "who is probed next is drawn at random, so that some are probed late",
        "memberlist 4558696, 919ba7c", "swim.probes_everyone", NOTHING;
    ignores_overhead, "packet-overflow-overhead",
        "what headers take is not counted, so that packets grow too long",
        "memberlist 533de56", "swim.packets_fit", NOTHING;
    refute_keyed_apart, "refute-does-not-invalidate-suspect",
        "a refutation is queued under the address, beside what is queued under the name",
        "memberlist, refute() by code reading", "swim.queue_bounded", NETWORK;
    left_overwritten, "left-overwritten-by-dead",
        "a late message that a member is dead overwrites that it left",
        "memberlist, class of TestMemberList_DeadNodeLeft", "swim.left_stays_left", MEMBERS;
    never_refutes, "suspect-never-refutes",
        "a node that hears that it is suspected says nothing",
        "SWIM §4.2", "swim.live_not_dead", NETWORK;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_plants_a_defect_of_its_own() {
        let clean = Defects::default();
        let each: alloc::vec::Vec<Defects> =
            DEFECTS.iter().map(|defect| Defects::from_names(&[defect.name])).collect();
        for (row, planted) in each.iter().enumerate() {
            assert_ne!(*planted, clean, "{} plants nothing", DEFECTS[row].name);
            assert!(!each[..row].contains(planted), "{}", DEFECTS[row].name);
        }
    }

    #[test]
    fn what_must_catch_a_defect_is_a_property() {
        for defect in DEFECTS {
            let rows = &super::super::invariants::PROPERTIES;
            assert!(rows.iter().any(|row| row.name == defect.caught_by), "{}", defect.name);
        }
    }
}
