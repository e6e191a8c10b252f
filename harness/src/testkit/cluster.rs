//! A simulated cluster under the hands of a test.

use crate::kinds::Kinds;
use crate::run::{Finished, Runner};
use crate::select::{Lots, Roster};
use catalog::{Group, System, Violation};
use contract::{Condition, ConditionId, DiskFate, Domain, Duration, NodeId, Rng, Shock, SimTime};
use scenario::Scenario;
use scenario::diagnostics;
use std::rc::Rc;

/// How often a predicate is looked at while a test waits for it.
const POLL: Duration = Duration::from_millis(10);

/// Clusters of tests run for at most so long, in simulated time.
const SIM_TIME: &str = "1000h";

/// A simulated cluster.
///
/// ```no_run
/// use catalog::System;
/// use contract::Duration;
/// use harness::testkit::TestCluster;
///
/// fn comes_back(system: &'static dyn System) -> Result<(), String> {
///     let mut cluster = TestCluster::of(system, "cache", 5, 1)?;
///     cluster.run_for(Duration::from_secs(5));
///     cluster.crash("n/1")?;
///     cluster.run_for(Duration::from_secs(5));
///     cluster.restart("n/1");
///     assert!(cluster.settles("raft.applied_equal", Duration::from_secs(10)));
///     Ok(())
/// }
/// ```
pub struct TestCluster {
    runner: Runner,
    roster: Rc<Roster>,
    /// What the network was bent by and is not healed.
    pub(super) bent: Vec<ConditionId>,
    /// What keeps nodes down or paused: (node, condition).
    pub(super) held: Vec<(NodeId, ConditionId)>,
    /// For selectors that draw.
    draws: Rng,
}

impl TestCluster {
    /// `count` nodes `n/1`, `n/2`, … in a role of `system`, without clients, under `seed`.
    ///
    /// # Errors
    /// When the system has no such role: what is wrong.
    pub fn of(
        system: &'static dyn System,
        role: &str,
        count: u32,
        seed: u64,
    ) -> Result<Self, String> {
        let name = system.name();
        let check = some_check(system, role)?;
        let text = format!(
            "format = 1\nname = \"test\"\nsystem = \"{name}\"\nseed = {seed}\n[budget]\nsim_time = \
             \"{SIM_TIME}\"\nevents = 1_000_000_000\n[nodes.n]\nrole = \"{role}\"\ncount = \
             {count}\n[net]\nlatency = {{ dist = \"uniform\", min = \"1ms\", max = \"4ms\" }}\n{check}"
        );
        Self::from_scenario(&[system], &text)
    }

    /// The world of a scenario, with its load and its faults, but under the hands of a test.
    ///
    /// # Errors
    /// When the scenario is wrong, or a node panics at its first boot: what to print.
    pub fn from_scenario(systems: &[&'static dyn System], text: &str) -> Result<Self, String> {
        let lab = Kinds::house().names(systems);
        let shown = |said: &[diagnostics::Diagnostic]| {
            diagnostics::render(said, text, "the scenario of the test", false)
        };
        let (scenario, said) = Scenario::compile("test.toml", text.as_bytes(), &lab);
        let scenario = scenario.ok_or_else(|| shown(&said))?;
        let seed = scenario.seed().unwrap_or(0);
        let plan = scenario.plan(&lab, None, seed, 0, &[]).map_err(|said| shown(&said))?;
        let seed = plan.seed;
        let roster = Rc::new(Roster::new(Rc::new(plan)));
        let runner = Runner::new(&roster)?;
        let draws = Rng::new(seed, Domain::Fault, "testkit");
        Ok(Self { runner, roster, bent: Vec::new(), held: Vec::new(), draws })
    }

    /// Lets `length` of simulated time pass.
    pub fn run_for(&mut self, length: Duration) {
        let until = self.runner.now() + length;
        self.runner.go_until(until);
    }

    /// Simulated time since the start.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.runner.now()
    }

    /// The names of all nodes and clients.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.roster.names()
    }

    /// The nodes that a selector of scenario files means now: `n/leader`, `n/*`, `n/random(2)`.
    #[must_use]
    pub fn select(&mut self, selector: &str) -> Vec<String> {
        let nodes =
            self.roster.select(selector, self.runner.nodes(), &mut Lots::new(), &mut self.draws);
        nodes.into_iter().map(|node| self.roster.name(node).to_owned()).collect()
    }

    /// Whether a predicate of the system holds now; `false` for one that it does not have.
    #[must_use]
    pub fn holds(&self, predicate: &str) -> bool {
        self.runner.holds_now(predicate)
    }

    /// Goes on until a predicate holds, for `within` at most; whether it does.
    pub fn settles(&mut self, predicate: &str, within: Duration) -> bool {
        let until = self.runner.now() + within;
        while !self.holds(predicate) {
            if self.runner.now() >= until || self.runner.is_over() {
                return false;
            }
            self.run_for(POLL);
        }
        true
    }

    /// A gauge of the system at a node; `None` when the node is down or has none.
    #[must_use]
    pub fn gauge(&self, node: &str, gauge: &str) -> Option<u64> {
        let node = self.find(node).ok()?;
        let system = self.roster.group_of(node).plan.system;
        let row = system.gauges().iter().position(|row| row.name == gauge)?;
        system.gauge(row, self.runner.nodes().node(node)?)
    }

    /// The logical memory of a node, in bytes; `None` when it is down.
    #[must_use]
    pub fn memory_bytes(&self, node: &str) -> Option<u64> {
        let node = self.find(node).ok()?;
        Some(self.runner.nodes().node(node)?.memory_bytes())
    }

    /// Crashes a node: it keeps its disk and loses everything else.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn crash(&mut self, node: &str) -> Result<(), String> {
        let node = self.find(node)?;
        let id = self.impose(Condition::down(node, DiskFate::Kept))?;
        self.held.push((node, id));
        Ok(())
    }

    /// Boots a node that was crashed, and lets one go on that was paused.
    pub fn restart(&mut self, node: &str) {
        let Ok(node) = self.find(node) else { return };
        let (mine, others) = self.held.drain(..).partition(|(held, _)| *held == node);
        self.held = others;
        let mine: Vec<(NodeId, ConditionId)> = mine;
        mine.into_iter().for_each(|(_, id)| self.runner.lift(id));
    }

    /// What was violated so far.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        self.runner.violations()
    }

    /// A copy that goes on as this one would; `None` when a node cannot be copied.
    #[must_use]
    pub fn fork(&self) -> Option<Self> {
        Some(Self {
            runner: self.runner.fork()?,
            roster: Rc::clone(&self.roster),
            bent: self.bent.clone(),
            held: self.held.clone(),
            draws: self.draws.clone(),
        })
    }

    /// Goes on with other random numbers: another future of the same past.
    pub fn reseed_from(&mut self, salt: u64) {
        self.runner.reseed_from(salt);
    }

    /// The digest of everything that happened.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.runner.digest()
    }

    /// Ends the run and judges its checks.
    #[must_use]
    pub fn finish(self) -> Finished {
        self.runner.finish()
    }

    pub(super) fn impose(&mut self, condition: Condition) -> Result<ConditionId, String> {
        self.runner.impose(condition).map_err(|unsupported| unsupported.0.to_owned())
    }

    pub(super) fn lift(&mut self, id: ConditionId) {
        self.runner.lift(id);
    }

    pub(super) fn strike(&mut self, shock: Shock) -> Result<(), String> {
        self.runner.strike(shock).map_err(|unsupported| unsupported.0.to_owned())
    }

    /// A node by name.
    pub(super) fn find(&self, name: &str) -> Result<NodeId, String> {
        let at = self.roster.names().iter().position(|other| other == name);
        let at = at.ok_or_else(|| {
            format!("there is no node {name}; there are {}", self.roster.names().join(", "))
        })?;
        Ok(NodeId(u32::try_from(at).expect("a world has a limit")))
    }
}

/// A scenario has a check; here it is one of the system's own, all of which are watched anyway.
fn some_check(system: &'static dyn System, role: &str) -> Result<String, String> {
    let role = system.roles().iter().find(|row| row.name == role);
    let role = role.ok_or_else(|| format!("{} has no role {role:?}", system.name()))?;
    let nodes = vec![NodeId(0)];
    let group = Group { name: "n".to_owned(), role: role.name, nodes, defects: Vec::new() };
    let invariants = system.invariants(&[group]);
    if let Some(invariant) = invariants.first() {
        let name = invariant.property().name;
        return Ok(format!("[[check]]\nid = \"own\"\nkind = \"invariant\"\nname = \"{name}\"\n"));
    }
    let predicate = system.predicates().first().ok_or_else(|| {
        format!("{} has neither invariants nor predicates: use `from_scenario`", system.name())
    })?;
    let name = predicate.name;
    Ok(format!(
        "[[check]]\nid = \"own\"\nkind = \"converge\"\nafter = \"0s\"\nwithin = \"{SIM_TIME}\"\nto = \
         [\"{name}\"]\n"
    ))
}
