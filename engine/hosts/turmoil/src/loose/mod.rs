//! Loose mode: turmoil's own network and its own faults.
//!
//! Datagrams are UDP, connections are TCP, a crash is `Sim::crash`, a restart `Sim::bounce`, a
//! partition `Sim::partition_oneway`. turmoil's TCP sends nothing again, so a connection that a
//! partition cut is reset when the partition heals. Clocks, disks and processors are bent by the
//! machine itself, as in any run. What turmoil does not offer is left out and said.

mod machine;
mod offers;
mod stream;

use contract::{Condition, ConditionId, NodeId, SimTime};
use engine::Workload;
use engine::hosting::{Action, Adapter, HostError, LooseResult, LooseRun, Timed};
use machine::{Cluster, Machine};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

/// When the run begins: by then every machine listens.
pub(crate) const ORIGIN: Duration = Duration::from_millis(2);

pub(crate) fn run(run: &LooseRun<'_>) -> Result<LooseResult, HostError> {
    let dormant = run.config.nodes.iter().filter(|node| node.is_dormant());
    let problems: Vec<String> =
        dormant.map(|node| format!("{} is started by another node", node.name)).collect();
    if !problems.is_empty() {
        return Err(HostError::Refused(problems));
    }
    let made = (run.parts)();
    let count = run.config.nodes.len() as u32;
    let machine = |id| RefCell::new(Machine::new(Adapter::loose(run, NodeId(id), &made.parts)));
    let cluster = Rc::new(Cluster {
        machines: (0..count).map(machine).collect(),
        observer: RefCell::new(made.observer),
    });
    let mut skipped = offers::missing_from_world(run.config);
    let failed = |said: Box<dyn std::error::Error>| HostError::Failed(said.to_string());
    Player::new(run, Rc::clone(&cluster), &mut skipped).play().map_err(failed)?;
    skipped.dedup();
    let machines: Vec<_> = cluster.machines.iter().map(RefCell::borrow).collect();
    let loads: Vec<&dyn Workload> = machines.iter().map(|one| one.adapter.workload()).collect();
    let harvest = (made.judge)(&loads);
    let events = machines.iter().map(|one| one.adapter.events()).sum();
    drop(machines);
    let machines = cluster.machines.iter().map(RefCell::borrow_mut);
    let problems = machines.flat_map(|mut one| one.adapter.take_troubles()).collect();
    Ok(LooseResult { harvest, events, skipped, problems })
}

/// Drives a simulation and plays the script between its ticks.
struct Player<'a> {
    run: &'a LooseRun<'a>,
    cluster: Rc<Cluster>,
    sim: turmoil::Sim<'a>,
    /// What is imposed now.
    on: BTreeMap<ConditionId, &'a Condition>,
    skipped: &'a mut Vec<String>,
}

impl<'a> Player<'a> {
    fn new(run: &'a LooseRun<'a>, cluster: Rc<Cluster>, skipped: &'a mut Vec<String>) -> Self {
        let (min, max) = offers::latency(&run.config.link.latency);
        let mut sim = turmoil::Builder::new()
            .rng_seed(run.config.seed)
            .epoch(UNIX_EPOCH)
            .simulation_duration(Duration::from_nanos(run.until.0) * 2 + ORIGIN)
            .min_message_latency(min)
            .max_message_latency(max)
            .udp_capacity(1 << 16)
            .tcp_capacity(1 << 16)
            .build();
        for id in 0..cluster.machines.len() {
            let cluster = Rc::clone(&cluster);
            sim.host(name(id), move || machine::drive(Rc::clone(&cluster), id));
        }
        Self { run, cluster, sim, on: BTreeMap::new(), skipped }
    }

    fn play(mut self) -> turmoil::Result {
        let until = Duration::from_nanos(self.run.until.0) + ORIGIN;
        let mut script = self.run.script.iter().peekable();
        while self.sim.elapsed() < until {
            let now = SimTime(self.sim.elapsed().saturating_sub(ORIGIN).as_nanos() as u64);
            while self.sim.elapsed() >= ORIGIN + Duration::from_millis(1)
                && let Some(step) = script.next_if(|step| step.at <= now)
            {
                self.step(now, step);
            }
            self.sim.step()?;
        }
        Ok(())
    }

    fn step(&mut self, now: SimTime, step: &'a Timed) {
        match &step.action {
            Action::Impose(id, condition) => {
                if let Some(why) = offers::missing(condition) {
                    self.skipped.push(why.to_owned());
                    return;
                }
                self.on.insert(*id, condition);
                self.impose(now, *id, condition);
            }
            Action::Lift(id) => {
                if let Some(condition) = self.on.remove(id) {
                    self.lift(now, *id, condition);
                }
            }
            Action::Strike(shock) => {
                for id in 0..self.cluster.machines.len() {
                    self.cluster.settle(id, now);
                    self.cluster.machines[id].borrow_mut().adapter.shock(now, shock);
                    self.cluster.settle(id, now);
                    self.cluster.wake(id);
                }
            }
        }
    }

    fn impose(&mut self, now: SimTime, id: ConditionId, condition: &Condition) {
        match condition {
            Condition::Block { from, to, .. } => {
                self.sim.partition_oneway(name(from.index()), name(to.index()));
            }
            condition => {
                let node = offers::node_of(condition).expect("turmoil offers no other").index();
                self.cluster.settle(node, now);
                let crashes = matches!(condition, Condition::Down { .. })
                    && self.cluster.machines[node].borrow().adapter.node().is_some();
                self.cluster.machines[node].borrow_mut().bend(now, id, condition);
                self.cluster.settle(node, now);
                self.cluster.wake(node);
                if crashes {
                    self.sim.crash(name(node));
                }
            }
        }
    }

    fn lift(&mut self, now: SimTime, id: ConditionId, condition: &Condition) {
        match condition {
            Condition::Block { from, to, .. } => {
                let still = |other: &&&Condition| matches!(other, Condition::Block { from: f, to: t, .. } if f == from && t == to);
                if self.on.values().find(still).is_none() {
                    self.sim.repair_oneway(name(from.index()), name(to.index()));
                    self.cluster.reset_between(*from, *to);
                }
            }
            condition => {
                let node = offers::node_of(condition).expect("turmoil offers no other").index();
                self.cluster.settle(node, now);
                let was_down = self.cluster.machines[node].borrow().adapter.node().is_none();
                self.cluster.machines[node].borrow_mut().adapter.unbend(now, id);
                self.cluster.settle(node, now);
                self.cluster.wake(node);
                let is_up = self.cluster.machines[node].borrow().adapter.node().is_some();
                if was_down && is_up {
                    self.sim.bounce(name(node));
                }
            }
        }
    }
}

pub(crate) fn name(id: usize) -> String {
    format!("machine-{id}")
}
