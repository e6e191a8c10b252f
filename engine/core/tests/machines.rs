//! Nodes that start nodes: what a machine's fate, clock, processor, memory, disk and network are to
//! what it started.

mod fleet;

use contract::{Condition, DiskFate, Duration, InFlight, NodeId, Shock, StartError};
use engine::hosting::exact_problems;
use engine::{Engine, FaultClass, IncidentKind, Stopped};
use fleet::Told::{Exited, NotStarted, Started};
use fleet::{
    M1, M2, OUT, W1, W2, World, config, eat, echo, echoes, fleet, machine, pass, ping, start, stop,
    tell, write,
};

/// A fleet of two seats, the first of which runs on the first machine.
fn running() -> World {
    let mut world = fleet(config(2, false));
    tell(&mut world, M1, start(1, ""));
    assert_eq!(world.nodes().machine(W1), Some(M1));
    world
}

fn down(node: NodeId, disk: DiskFate) -> Condition {
    Condition::down(node, disk)
}

/// A crash of `node` and its end, with `disk` done to its disk.
fn outage(world: &mut World, node: NodeId, disk: DiskFate) {
    let id = world.impose(down(node, disk)).expect("has it");
    pass(world);
    world.lift(id);
    pass(world);
}

#[test]
fn a_machine_starts_and_stops_a_seat_and_is_told() {
    let mut world = fleet(config(2, false));
    assert!(world.nodes().node(W1).is_none(), "a seat does not boot by itself");
    assert_eq!(world.nodes().machine(W1), None);
    tell(&mut world, M1, start(1, "one"));
    assert_eq!(machine(&world, M1).told, [Started(1, W1)]);
    let first = echo(&world, W1);
    assert_eq!((first.settings.as_slice(), first.machine), (&b"one"[..], M1));
    let drawn = first.drawn;
    tell(&mut world, M1, stop(W1));
    assert_eq!(machine(&world, M1).told, [Started(1, W1), Exited(W1)]);
    assert!(world.nodes().node(W1).is_none());
    tell(&mut world, M1, start(2, "two"));
    assert_eq!(world.nodes().boot(W1), 1, "every start is a life of its own");
    assert_ne!(echo(&world, W1).drawn, drawn, "a life has a random stream of its own");
}

#[test]
fn every_ticket_is_answered() {
    let mut world = fleet(config(1, false));
    for (ticket, settings) in [(1, "mistake"), (2, "refuse"), (3, ""), (4, "")] {
        tell(&mut world, M1, start(ticket, settings));
    }
    let expect = [
        NotStarted(1, StartError::Settings),
        NotStarted(2, StartError::Refused),
        Started(3, W1),
        NotStarted(4, StartError::NoSeat),
    ];
    assert_eq!(machine(&world, M1).told, expect);
    assert_eq!(world.observer().0, [(M1, "`mistake` is no setting".to_owned())]);
    let kinds: Vec<_> = world.take_incidents().into_iter().map(|incident| incident.kind).collect();
    let expect = [
        IncidentKind::Mistake("`mistake` is no setting".into()),
        IncidentKind::Refused("it was told to".into()),
        IncidentKind::NoRoom,
    ];
    assert_eq!(kinds, expect);
}

#[test]
fn nobody_stops_what_another_started() {
    let mut world = running();
    tell(&mut world, M2, stop(W1));
    tell(&mut world, M2, stop(M1));
    tell(&mut world, M2, stop(NodeId(99)));
    assert!(world.nodes().node(W1).is_some());
    assert!(world.nodes().node(M1).is_some());
    assert!(machine(&world, M2).told.is_empty());
}

#[test]
fn a_workload_that_crashes_stays_down_and_its_machine_learns_it() {
    let mut world = running();
    outage(&mut world, W1, DiskFate::Kept);
    assert!(world.nodes().node(W1).is_none(), "only a start boots a seat");
    assert_eq!(machine(&world, M1).told, [Started(1, W1), Exited(W1)]);
    assert!(!world.restart(W1));
}

#[test]
fn a_machine_takes_its_workloads_along_and_comes_back_empty() {
    let mut world = running();
    tell(&mut world, M2, start(7, ""));
    let id = world.impose(down(M1, DiskFate::UnsyncedLost)).expect("has it");
    assert!(world.nodes().node(W1).is_none());
    assert!(world.nodes().node(W2).is_some(), "what runs elsewhere goes on");
    pass(&mut world);
    world.lift(id);
    pass(&mut world);
    assert!(world.nodes().node(W1).is_none());
    assert!(machine(&world, M1).told.is_empty(), "an exit reaches the life that started it only");
    tell(&mut world, M1, start(2, ""));
    assert_eq!(machine(&world, M1).told, [Started(2, W1)]);
}

#[test]
fn what_a_machine_asked_for_just_before_it_died_is_forgotten() {
    let mut world = fleet(config(1, false));
    let at = world.now() + Duration::from_millis(1);
    let next_round = |token, world: &mut World| {
        world.wake_at(at, FaultClass::End, token);
        assert_eq!(world.run_until(at + Duration::from_millis(1)), Stopped::Due { token });
    };
    next_round(0, &mut world);
    let bytes = start(1, "");
    world.strike(Shock::InjectFrame { from: OUT, to: M1, bytes }).expect("has it");
    next_round(1, &mut world);
    // The machine handles its input in this round; what it asks for comes in the next.
    next_round(2, &mut world);
    let id = world.impose(down(M1, DiskFate::Kept)).expect("has it");
    world.lift(id);
    pass(&mut world);
    assert_eq!(world.counters().starts, 1, "it did ask");
    assert!(world.nodes().node(W1).is_none());
    assert!(machine(&world, M1).told.is_empty());
}

#[test]
fn a_condition_on_a_seat_that_does_not_run_holds_without_effect() {
    let mut world = fleet(config(2, false));
    let held = world.impose(down(W1, DiskFate::Wiped)).expect("has it");
    world.impose(Condition::Pause { node: W2 }).expect("has it");
    world.strike(Shock::WallJump { node: W1, by_ns: 5 }).expect("has it");
    pass(&mut world);
    assert_eq!(world.effect_count(held), 0);
    tell(&mut world, M1, start(1, ""));
    assert_eq!(machine(&world, M1).told, [Started(1, W2)], "a seat that is held down is not free");
    assert_eq!(echoes(&mut world, W2), 0, "the pause holds for the life that began later");
    world.lift(held);
    pass(&mut world);
    assert!(world.nodes().node(W1).is_none());
}

fn cut(one: NodeId, other: NodeId) -> [Condition; 2] {
    let block = |from, to| Condition::Block { from, to, in_flight: InFlight::Lost };
    [block(one, other), block(other, one)]
}

#[test]
fn the_network_of_a_machine_is_that_of_its_workloads() {
    let mut world = running();
    assert_eq!(echoes(&mut world, W1), 1);
    let ids = cut(M1, OUT).map(|condition| world.impose(condition).expect("has it"));
    assert_eq!(echoes(&mut world, W1), 0);
    assert_eq!(world.effect_count(ids[1]), 1, "what it did to a workload counts");
    tell(&mut world, M1, ping(W1));
    assert_eq!(machine(&world, M1).echoes, 1, "no wire is cut inside of a machine");
    tell(&mut world, M1, start(2, ""));
    assert_eq!(echoes(&mut world, W2), 0, "a cut holds for what starts behind it");
    ids.into_iter().for_each(|id| world.lift(id));
    assert_eq!(echoes(&mut world, W1) + echoes(&mut world, W2), 2);
    assert_eq!(world.effect_count(ids[1]), 2, "and is kept");
}

#[test]
fn nothing_is_cut_between_two_of_one_machine() {
    let mut world = running();
    for condition in cut(M1, W1) {
        world.impose(condition).expect("has it");
    }
    tell(&mut world, M1, ping(W1));
    assert_eq!(machine(&world, M1).echoes, 1);
    tell(&mut world, M1, stop(W1));
    tell(&mut world, M2, start(2, ""));
    tell(&mut world, M1, ping(W1));
    assert_eq!(machine(&world, M1).echoes, 1, "on another machine the wire is cut");
}

#[test]
fn a_seat_that_moves_leaves_its_machine_s_network() {
    let mut world = running();
    let hold = |from, to| Condition::Hold { from, to };
    let held = world.impose(hold(M1, OUT)).expect("has it");
    assert_eq!(echoes(&mut world, W1), 0);
    tell(&mut world, M1, stop(W1));
    tell(&mut world, M2, start(2, ""));
    let waited = machine(&world, OUT).echoes;
    assert_eq!(waited, 1, "what waited in the old network is let go");
    assert_eq!(echoes(&mut world, W1), 1);
    assert_eq!(world.effect_count(held), 1);
    world.lift(held);
    assert_eq!(world.effect_count(held), 1);
}

#[test]
fn the_clock_of_a_machine_is_that_of_its_workloads() {
    let mut world = fleet(config(2, false));
    let ppm = 100_000;
    let drift = world.impose(Condition::Drift { node: M1, ppm }).expect("has it");
    pass(&mut world);
    tell(&mut world, M1, start(1, ""));
    let compare = |world: &mut World| {
        for node in [M1, W1] {
            world
                .strike(Shock::InjectFrame { from: OUT, to: node, bytes: vec![b'?'] })
                .expect("has it");
        }
        pass(world);
        let last = echo(world, W1).last.expect("it was asked");
        assert_eq!(Some(last.wall), machine(world, M1).wall);
        last
    };
    let one = compare(&mut world);
    let two = compare(&mut world);
    assert_eq!(two.mono.0 - one.mono.0, 22_000_000, "it runs a tenth too fast");
    world.strike(Shock::WallJump { node: M1, by_ns: 1_000_000_000 }).expect("has it");
    let three = compare(&mut world);
    assert_eq!(three.wall.0 - two.wall.0, 1_022_000_000);
    world.lift(drift);
    let four = compare(&mut world);
    let five = compare(&mut world);
    assert_eq!(four.mono.0 - three.mono.0, 22_000_000, "it drifted until now");
    assert_eq!(five.mono.0 - four.mono.0, 20_000_000);
    assert!(one.mono.0 < 22_000_001, "the monotonic clock began with the life");
}

#[test]
fn a_pause_and_a_slow_processor_hold_for_workloads() {
    let mut world = running();
    let id = world.impose(Condition::Pause { node: M1 }).expect("has it");
    assert_eq!(echoes(&mut world, W1), 0);
    tell(&mut world, M1, stop(W1));
    assert!(world.nodes().node(W1).is_some(), "a machine that is paused stops nothing");
    world.lift(id);
    pass(&mut world);
    assert!(world.nodes().node(W1).is_none());
    let mut world = running();
    let id = world.impose(Condition::SlowCpu { node: M1, times: 1_000 }).expect("has it");
    assert_eq!(echoes(&mut world, W1), 1, "the first goes out before the time is charged");
    assert_eq!(echoes(&mut world, W1), 0, "100 µs take 100 ms");
    assert_eq!(world.effect_count(id), 1);
    let id = world.impose(Condition::ServiceTime { node: M1, permille: 9 }).expect("has it");
    pass(&mut world);
    assert_eq!(world.effect_count(id), 0, "a service time is that of one program");
}

#[test]
fn memory_pressure_on_a_machine_kills_a_workload_for_good() {
    let mut world = running();
    tell(&mut world, W1, eat(9));
    let id = world.impose(Condition::MemoryLimit { node: M1, bytes: 4_096 }).expect("has it");
    tell(&mut world, W1, eat(9));
    assert!(world.nodes().node(W1).is_none());
    assert_eq!(machine(&world, M1).told, [Started(1, W1), Exited(W1)]);
    tell(&mut world, M1, start(2, "fat"));
    let told = &machine(&world, M1).told[2..];
    assert_eq!(told, [Started(2, W1), Exited(W1)], "it was up for an instant");
    world.lift(id);
    pass(&mut world);
    assert!(world.nodes().node(W1).is_none());
}

#[test]
fn files_go_with_the_workload_unless_they_are_durable() {
    for durable in [false, true] {
        let mut world = fleet(config(1, durable));
        let kept = |bytes: u64| if durable { bytes } else { 0 };
        tell(&mut world, M1, start(1, ""));
        tell(&mut world, W1, write(false));
        tell(&mut world, M1, stop(W1));
        tell(&mut world, M1, start(2, ""));
        assert_eq!(echo(&world, W1).found_bytes, kept(10), "a process that ends loses nothing");
        tell(&mut world, M1, stop(W1));
        tell(&mut world, M2, start(3, ""));
        assert_eq!(echo(&world, W1).found_bytes, 0, "they lie on the machine's disk");
        tell(&mut world, M2, stop(W1));
        tell(&mut world, M1, start(4, ""));
        assert_eq!(echo(&world, W1).found_bytes, kept(10));
    }
}

#[test]
fn what_befalls_a_machine_s_disk_befalls_the_files_of_its_workloads() {
    let mut world = fleet(config(1, true));
    tell(&mut world, M1, start(1, ""));
    tell(&mut world, W1, write(true));
    tell(&mut world, W1, write(false));
    outage(&mut world, M1, DiskFate::Kept);
    tell(&mut world, M1, start(2, ""));
    assert_eq!(echo(&world, W1).found_bytes, 20);
    tell(&mut world, W1, write(false));
    outage(&mut world, M1, DiskFate::UnsyncedLost);
    tell(&mut world, M1, start(3, ""));
    assert_eq!(echo(&world, W1).found_bytes, 10, "power was lost");
    // Its files on the first machine are hit also while it lives on the second.
    tell(&mut world, M1, stop(W1));
    tell(&mut world, M2, start(4, ""));
    outage(&mut world, M1, DiskFate::Wiped);
    tell(&mut world, M2, stop(W1));
    tell(&mut world, M1, start(5, ""));
    assert_eq!(echo(&world, W1).found_bytes, 0);
}

#[test]
fn a_disk_is_full_for_all_that_share_it() {
    let mut world = fleet(config(1, false));
    tell(&mut world, M2, start(1, ""));
    for _ in 0..5 {
        tell(&mut world, M2, write(false));
    }
    tell(&mut world, W1, write(false));
    assert_eq!(echo(&world, W1).write_errors, 0, "60 of 64 bytes");
    tell(&mut world, W1, write(false));
    assert_eq!(echo(&world, W1).write_errors, 1);
    let fails = Condition::WriteFails { node: M2, ratio: contract::Ratio::ONE };
    let id = world.impose(fails).expect("has it");
    tell(&mut world, W1, write(false));
    assert_eq!(world.effect_count(id), 1, "a disk that fails fails for all of them");
}

#[test]
fn a_fork_is_the_straight_run() {
    let plan = |world: &mut World, from: usize, to: usize| {
        for step in from..to {
            match step % 6 {
                0 => tell(world, M1, start(step as u8, "a")),
                1 => tell(world, M2, start(step as u8, "b")),
                2 => tell(world, OUT, ping(W1)),
                3 => tell(world, W2, write(true)),
                4 => tell(world, M1, stop(W1)),
                _ => outage(world, M2, DiskFate::UnsyncedLost),
            }
        }
    };
    let mut straight = fleet(config(2, true));
    plan(&mut straight, 0, 30);
    for at in 0..12 {
        let mut world = fleet(config(2, true));
        plan(&mut world, 0, at);
        let mut fork: Engine<_> = world.fork().expect("all of it can be copied");
        plan(&mut fork, at, 30);
        plan(&mut world, at, 30);
        assert_eq!(fork.digest(), straight.digest());
        assert_eq!(world.digest(), straight.digest());
    }
}

#[test]
fn where_it_runs_and_with_what_is_part_of_the_digest() {
    let digest = |machine: NodeId, settings: &str| {
        let mut world = fleet(config(1, false));
        tell(&mut world, machine, start(1, settings));
        world.node_digest(W1)
    };
    assert_ne!(digest(M1, ""), digest(M2, ""));
    assert_ne!(digest(M1, ""), digest(M1, "a"));
}

#[test]
fn where_time_stands_still_starts_and_exits_come_at_once() {
    let mut world = fleet(config(1, false));
    world.freeze();
    let mut tell = |bytes: Vec<u8>| {
        world.strike(Shock::InjectFrame { from: OUT, to: M1, bytes }).expect("has it");
        world.settle();
        machine(&world, M1).told.last().copied()
    };
    assert_eq!(tell(start(1, "")), Some(Started(1, W1)));
    assert_eq!(tell(stop(W1)), Some(Exited(W1)));
}

#[test]
fn exact_runs_of_them_are_refused() {
    let problems = exact_problems(&config(1, false));
    let expect = "w/1 is started by another node, which takes effect at once on another machine";
    assert!(problems.iter().any(|problem| problem == expect), "{problems:?}");
}

#[test]
fn a_link_inside_of_a_machine_takes_no_network() {
    let mut world = running();
    let before = world.now();
    let bytes = ping(W1);
    world.strike(Shock::InjectFrame { from: OUT, to: M1, bytes }).expect("has it");
    world.run_until(before + Duration::from_micros(201));
    assert_eq!(machine(&world, M1).echoes, 1);
}
