//! Loose mode: turmoil's own network carries what nodes say, and its own faults stop it.

#[path = "../../../core/tests/common/mod.rs"]
mod common;

use common::{Busy, MS, config, ms};
use contract::{
    Condition, ConditionId, DiskFate, InFlight, Mark, NodeId, Nodes, OpId, Outcome, Ratio, Shock,
    SimTime,
};
use engine::hosting::{
    Action, Harvest, LooseParts, LooseResult, LooseRun, Parts, Simulator, Timed,
};
use engine::{Control, Idle, Observer};
use host_turmoil::Turmoil;
use std::cell::RefCell;
use std::rc::Rc;

/// What the nodes had done by the end, and how often the observer was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    events: u64,
    last: SimTime,
    /// Per node: boots before, ticks, inputs received, syncs, resets, state.
    nodes: Vec<(u32, u64, u64, u64, u64, u64)>,
    /// Per node: how often it was looked at while another was down.
    alone: u64,
}

struct Watch(Rc<RefCell<Seen>>);

impl Observer for Watch {
    fn on_mark(&mut self, _: SimTime, _: NodeId, _: Mark, _: &dyn Nodes) -> Control {
        Control::Continue
    }
    fn on_complete(&mut self, _: SimTime, _: NodeId, _: OpId, _: &Outcome) -> Control {
        Control::Continue
    }
    fn after_event(&mut self, at: SimTime, _: NodeId, nodes: &dyn Nodes) -> Control {
        let mut seen = self.0.borrow_mut();
        assert!(at.0 + MS >= seen.last.0, "time runs forwards, up to a tick");
        (seen.events, seen.last) = (seen.events + 1, at);
        seen.nodes = (0..nodes.count() as u32)
            .map(NodeId)
            .map(|id| {
                let boots = nodes.boot(id);
                nodes.get::<Busy>(id).map_or((boots, 0, 0, 0, 0, 0), |busy| {
                    let (ticks, received) = (busy.ticks, busy.received);
                    (boots, ticks, received, busy.synced, busy.resets, busy.state)
                })
            })
            .collect();
        let down = seen.nodes.iter().filter(|node| node.1 == 0).count();
        seen.alone += u64::from(down == 1);
        Control::Continue
    }
}

fn parts() -> LooseParts {
    let seen = Rc::new(RefCell::new(Seen::default()));
    let observer = Box::new(Watch(Rc::clone(&seen)));
    let boot = Rc::new(Busy::boots(3));
    LooseParts {
        parts: Parts { boot, workload: Box::new(Idle) },
        observer,
        judge: Box::new(move |_| Box::new(seen.borrow().clone())),
    }
}

fn run(script: &[Timed], change: impl FnOnce(&mut engine::Config)) -> (Seen, LooseResult) {
    let mut config = config(7, 3);
    change(&mut config);
    let run = LooseRun { config: &config, parts: &parts, script, until: ms(2_000) };
    let result = Turmoil.run_loose(&run).expect("turmoil runs");
    let seen = result.harvest.downcast_ref::<Seen>().expect("it was harvested").clone();
    (seen, result)
}

fn step(at_ms: u64, action: Action) -> Timed {
    Timed { at: ms(at_ms), round: 0, action }
}

#[test]
fn nodes_talk_over_udp_and_tcp_and_a_seed_repeats() {
    let (seen, result) = run(&[], |_| {});
    assert_eq!((&result.skipped[..], &result.problems[..]), (&[][..], &[][..]));
    for (_, ticks, received, synced, resets, _) in &seen.nodes {
        assert!(*ticks >= 198 && *synced >= 195, "{seen:?}");
        assert!(*received > 4 * ticks - 60 - 2 * ticks, "datagrams and streams: {seen:?}");
        assert_eq!(*resets, 0);
    }
    assert_eq!(run(&[], |_| {}).0, seen);
}

#[test]
fn a_crash_takes_the_node_and_its_connections() {
    let down = Condition::down(NodeId(1), DiskFate::UnsyncedLost);
    let script =
        [step(500, Action::Impose(ConditionId(0), down)), step(900, Action::Lift(ConditionId(0)))];
    let (seen, result) = run(&script, |_| {});
    assert_eq!(result.skipped, Vec::<String>::new());
    assert_eq!(seen.nodes[1].0, 1, "it booted twice");
    assert!(seen.alone > 50, "{seen:?}");
    assert!(seen.nodes[0].4 > 0, "its peer lost a connection: {seen:?}");
    assert!(seen.nodes[1].2 > 100, "it hears again: {seen:?}");
}

#[test]
fn a_partition_stops_messages_and_resets_connections_when_it_heals() {
    let block = |from, to| Condition::Block {
        from: NodeId(from),
        to: NodeId(to),
        in_flight: InFlight::Lost,
    };
    let cut = [
        step(500, Action::Impose(ConditionId(0), block(0, 1))),
        step(500, Action::Impose(ConditionId(1), block(1, 0))),
        step(1_500, Action::Lift(ConditionId(0))),
        step(1_500, Action::Lift(ConditionId(1))),
    ];
    let (whole, _) = run(&[], |_| {});
    let (seen, _) = run(&cut, |_| {});
    assert!(seen.nodes[0].2 + 50 < whole.nodes[0].2, "{seen:?} {whole:?}");
    assert!(seen.nodes[0].4 > 0 && seen.nodes[1].4 > 0, "{seen:?}");
    assert_eq!(seen.nodes[2].4, 0, "the third was not cut off");
}

#[test]
fn a_reset_breaks_the_connections_of_one_node() {
    let script = [step(500, Action::Strike(Shock::Reset { node: NodeId(0) }))];
    let (seen, result) = run(&script, |_| {});
    assert_eq!((&result.skipped[..], &result.problems[..]), (&[][..], &[][..]));
    assert!(seen.nodes.iter().all(|node| node.0 == 0), "everybody lives on: {seen:?}");
    let resets: Vec<u64> = seen.nodes.iter().map(|node| node.4).collect();
    assert_eq!(resets, [2, 1, 1], "one with each peer, at both ends");
}

#[test]
fn what_turmoil_does_not_offer_is_said() {
    let (from, to) = (NodeId(0), NodeId(1));
    let hold = Condition::Hold { from, to };
    let script = [step(500, Action::Impose(ConditionId(0), hold))];
    let (_, result) = run(&script, |config| config.link.loss = Ratio::new(1, 10));
    let expect = ["loss of single messages", "a link that is held in one direction"];
    assert_eq!(result.skipped, expect);
}

#[test]
fn harvests_cross_threads() {
    let (_, result) = run(&[], |_| {});
    let harvest: Harvest = result.harvest;
    assert!(harvest.is::<Seen>() && result.events > 1_000);
}
