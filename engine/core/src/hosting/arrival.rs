//! When a datagram arrives, from the script: the sender knows the whole of it.

use super::script::{Gate, Moment, gate_at};
use contract::SimTime;

/// When a datagram that leaves after `pos` steps of the script is handed over, if it was to arrive
/// at `due`; `None` when it never is. `held` says that it waits for the link to be released.
pub(super) fn arrival(gates: &[Gate], pos: u32, due: SimTime, held: bool) -> Option<Moment> {
    assert!(gates.is_sorted_by_key(|gate| gate.pos), "gates stand in the order of the script");
    let later = &gates[gates.partition_point(|gate| gate.pos <= pos)..];
    let mut moment = (due, 0);
    if held {
        let release = later.iter().find(|gate| gate.lifted && !gate.held)?;
        let (at, round) = release.moment;
        if at >= due {
            // Let go in the course of that instant, it comes in the next round.
            moment = (at, round + 1);
        }
    }
    let cuts = gate_at(gates, pos).cuts;
    assert!(moment.0 >= due, "waiting brings nothing forward");
    let before = later.iter().take_while(|gate| gate.moment <= moment);
    let is_lost = before.last().is_some_and(|gate| gate.cuts != cuts);
    (!is_lost).then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosting::script::OPEN;

    fn gate(pos: u32, at: u64, blocked: bool, held: bool, cuts: u32, lifted: bool) -> Gate {
        Gate { pos, moment: (SimTime(at), 0), blocked, held, cuts, lifted, ..OPEN }
    }

    #[test]
    fn a_cut_loses_what_is_under_way() {
        let gates = [gate(1, 10, true, false, 1, false)];
        assert_eq!(arrival(&gates, 0, SimTime(9), false), Some((SimTime(9), 0)));
        assert_eq!(arrival(&gates, 0, SimTime(10), false), None);
        assert_eq!(arrival(&gates, 1, SimTime(15), false), Some((SimTime(15), 0)));
    }

    #[test]
    fn what_is_held_comes_when_the_last_hold_is_lifted() {
        let gates = [
            gate(1, 10, false, true, 0, false),
            gate(2, 20, false, true, 0, true),
            gate(3, 30, false, false, 0, true),
        ];
        assert_eq!(arrival(&gates, 1, SimTime(15), true), Some((SimTime(30), 1)));
        assert_eq!(arrival(&gates, 1, SimTime(40), true), Some((SimTime(40), 0)));
        assert_eq!(arrival(&gates[..2], 1, SimTime(15), true), None);
        assert_eq!(gate_at(&gates, 0).pos, OPEN.pos);
    }
}
