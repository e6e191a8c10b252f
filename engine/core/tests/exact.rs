//! Adapters under a courier that wakes them in any order see what nodes see on the engine.

mod common;
#[path = "common/suite.rs"]
mod suite;

use common::{MS, ms};
use contract::{Dist, Domain, NodeId, Rng};
use engine::hosting::{
    Adapter, Envelope, HostError, HostResult, HostRun, Simulator, exact_problems, gather,
};
use engine::{Config, Idle};
use std::rc::Rc;
use suite::{busy, world};

struct Courier;

impl Simulator for Courier {
    fn name(&self) -> &'static str {
        "courier"
    }
    fn run_exact(&self, run: &HostRun<'_>) -> Result<HostResult, HostError> {
        run.check()?;
        Ok(courier(run, run.config.seed))
    }
}

#[test]
fn datagrams_timers_streams_and_syncs_are_equal() {
    suite::datagrams_timers_streams_and_syncs_are_equal(&Courier, 25);
}

#[test]
fn chances_of_links_are_equal() {
    suite::chances_of_links_are_equal(&Courier, 25);
}

#[test]
fn partitions_are_equal() {
    suite::partitions_are_equal(&Courier, 25);
}

#[test]
fn crashes_are_equal() {
    suite::crashes_are_equal(&Courier, 25);
}

#[test]
fn ten_seconds_of_partition_break_streams_alike() {
    suite::ten_seconds_of_partition_break_streams_alike(&Courier, 4);
}

#[test]
fn outages_are_equal() {
    suite::outages_are_equal(&Courier, 6);
}

#[test]
fn clients_with_a_load_are_equal_over_crashes() {
    suite::clients_with_a_load_are_equal_over_crashes(&Courier, 25);
}

#[test]
fn a_run_that_cannot_be_exact_is_refused() {
    suite::a_run_that_cannot_be_exact_is_refused(&Courier);
}

#[test]
fn what_cannot_be_exact_is_refused() {
    let check = |change: fn(&mut Config), expect: &[&str]| {
        let mut config = world(1, 2);
        change(&mut config);
        assert_eq!(exact_problems(&config), expect);
    };
    check(|_| {}, &[]);
    check(
        |config| config.link.latency = Dist::Uniform { min: 4 * MS, max: 9 * MS },
        &["the network has a latency from 4ms, and an exact run needs at least 5ms"],
    );
    check(
        |config| config.links.push((NodeId(0), NodeId(1), engine::LinkSpec::default())),
        &["the link h/1 > h/2 has a latency from 1ms, and an exact run needs at least 5ms"],
    );
    check(
        |config| config.nodes[1].memory_limit = Some(1),
        &["h/2 has a memory limit, whose crash no other machine could foresee"],
    );
    check(|config| config.ties = engine::Ties::Explore, &["ties are explored, not canonical"]);
}

#[test]
fn a_parcel_that_comes_too_late_is_counted() {
    let config = world(1, 2);
    let run = HostRun {
        config: &config,
        parts: &busy(2),
        script: &[],
        until: ms(200),
        harvest: &|_| Box::new(()),
        traced: false,
    };
    let parts = busy(2)();
    let machine = |id| Adapter::new(&run, NodeId(id), Rc::clone(&parts.boot), Box::new(Idle));
    let (mut one, mut two) = (machine(0), machine(1));
    one.start();
    two.start();
    one.run(ms(100));
    two.run(ms(100));
    let sent = one.take_envelopes();
    sent.iter().for_each(|envelope| two.arrive(&envelope.bytes));
    assert!(two.late() > 0 && two.late() <= sent.len() as u64);
}

/// Carries envelopes within two milliseconds and wakes machines up to one millisecond late, in an
/// order that it draws anew at every tick.
fn courier(run: &HostRun<'_>, seed: u64) -> HostResult {
    let parts = (run.parts)();
    let count = run.config.nodes.len() as u32;
    let machine = |id| Adapter::new(run, NodeId(id), Rc::clone(&parts.boot), parts.workload.fork());
    let mut machines: Vec<Adapter> = (0..count).map(machine).collect();
    let mut rng = Rng::new(seed, Domain::Swarm, "courier");
    let mut order: Vec<usize> = (0..machines.len()).collect();
    let mut way: Vec<(u64, Envelope)> = Vec::new();
    for tick in 0..=run.until.0.div_ceil(MS) + 3 {
        rng.shuffle(&mut order);
        for at in &order {
            let machine = &mut machines[*at];
            let (here, rest) = std::mem::take(&mut way)
                .into_iter()
                .partition(|(due, envelope)| *due <= tick && envelope.to.index() == *at);
            way = rest;
            let mut here: Vec<(u64, Envelope)> = here;
            rng.shuffle(&mut here);
            here.iter().for_each(|(_, envelope)| machine.arrive(&envelope.bytes));
            if tick == 0 {
                machine.start();
            }
            machine.run(ms(tick));
            for envelope in machine.take_envelopes() {
                way.push((tick + rng.below(3), envelope));
            }
        }
    }
    gather(run, &mut machines)
}
