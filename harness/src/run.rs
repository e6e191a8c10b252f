//! Runs one plan: plays the faults, watches the nodes, waits for what must converge, and judges.

mod conclude;
mod intervene;
mod leaderless;
pub mod stepper;

use crate::checks::{Converged, SETTLED, known_moment};
use crate::director::{Changed, Director};
pub use crate::run_result::{Ended, Finished, Judged, NO_PANIC, TraceLine};

use crate::interrupt;
use crate::load::Load;
use crate::measure::samples::Sampler;
use crate::observe::{Watch, in_phase};
use crate::panics;
use crate::run::leaderless::Quiet;
use crate::run_result::stillborn;
use crate::select::Roster;
use crate::world::{self, Seats};
use catalog::Violation;
use contract::{Duration, Nodes, SimTime};
use engine::{Engine, EventKind, IncidentKind, Stopped};
use scenario::plan::{CheckPlan, Covered, During, Plan};
use std::collections::BTreeMap;
use std::rc::Rc;

/// How often predicates are looked at while something waits for them: simulated time.
const POLL: Duration = Duration::from_millis(10);

/// How much simulated time passes at most before an interrupt is noticed.
const SLICE: Duration = Duration::from_millis(100);

/// A run in progress.
pub struct Runner {
    roster: Rc<Roster>,
    engine: Engine<Watch>,
    director: Director,
    waiting: Vec<Waiting>,
    converged: BTreeMap<String, Converged>,
    sampler: Sampler,
    /// How long groups had no leader since the recovery.
    quiet: Quiet,
    /// The next time at which predicates are looked at.
    poll_at: SimTime,
    /// How many messages wait on a link at most, where time stands still.
    waiting_max: usize,
    ended: Option<Ended>,
    /// The events before the first violation.
    before_violation: Option<Vec<TraceLine>>,
}

/// A `converge` check that has not come to an end.
#[derive(Clone)]
struct Waiting {
    id: String,
    after: String,
    within: Duration,
    /// (name, system, row of its predicates).
    to: Vec<(String, &'static str, usize)>,
    /// Besides, no system may have anything pending.
    settled: bool,
    from: Option<SimTime>,
}

/// Runs `plan` to its end and judges it.
#[must_use]
pub fn run(plan: Plan, fail_fast: bool) -> Finished {
    let roster = Rc::new(Roster::new(Rc::new(plan)));
    match Runner::new(&roster) {
        Ok(mut runner) => {
            runner.go_on(fail_fast);
            runner.finish()
        }
        Err(said) => stillborn(&roster, &said),
    }
}

impl Runner {
    /// Boots the world of a roster's plan.
    ///
    /// # Errors
    /// When a node panics at its first boot: what it said.
    pub fn new(roster: &Rc<Roster>) -> Result<Self, String> {
        let plan = roster.plan();
        let seats = Rc::new(Seats::new(Rc::clone(roster)));
        let load = Box::new(Load::new(plan.seed, &plan.groups).apart(plan.exact));
        let watch = Watch::new(Rc::clone(roster));
        let config = world::config(roster);
        let mut engine = panics::catch(|| Engine::new(config, seats, load, watch))?;
        let director = Director::new(Rc::clone(roster), &mut engine);
        let mut runner = Self {
            roster: Rc::clone(roster),
            engine,
            director,
            waiting: plan.checks.iter().filter_map(|check| waiting(roster, check)).collect(),
            converged: BTreeMap::new(),
            sampler: Sampler::new(plan),
            quiet: Quiet::new(roster),
            poll_at: SimTime::ZERO,
            waiting_max: usize::MAX,
            ended: None,
            before_violation: None,
        };
        assert!(runner.waiting.len() <= plan.checks.len(), "a check waits once");
        assert_eq!(runner.now(), SimTime::ZERO, "a world boots at the start of time");
        runner.refresh_covers();
        Ok(runner)
    }

    /// A copy that goes on as this one would; `None` when a node cannot be copied, or when one
    /// panicked in the middle of an event.
    #[must_use]
    pub fn fork(&self) -> Option<Self> {
        if self.ended == Some(Ended::Panicked) {
            return None;
        }
        let engine = self.engine.fork()?;
        assert_eq!(engine.now(), self.engine.now(), "a copy stands where the original does");
        assert_eq!(engine.events(), self.engine.events(), "and has the same past");
        Some(Self {
            roster: Rc::clone(&self.roster),
            engine,
            director: self.director.clone(),
            waiting: self.waiting.clone(),
            converged: self.converged.clone(),
            sampler: self.sampler.clone(),
            quiet: self.quiet.clone(),
            poll_at: self.poll_at,
            waiting_max: self.waiting_max,
            ended: self.ended.clone(),
            before_violation: self.before_violation.clone(),
        })
    }

    /// What is run.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        self.roster.plan()
    }

    /// The nodes.
    #[must_use]
    pub fn nodes(&self) -> &dyn Nodes {
        self.engine.nodes()
    }

    /// How many things each invariant has judged so far, by its property.
    pub fn looked(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.engine.observer().looked()
    }

    /// What was violated so far.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.engine.observer().violations
    }

    /// Whether the run has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether a predicate holds now, by its name, for every group that it can be asked about;
    /// `false` for one that no system of the run has.
    #[must_use]
    pub fn holds_now(&self, predicate: &str) -> bool {
        let rows = self.roster.systems().into_iter().filter_map(|system| {
            let row = system.predicates().iter().position(|row| row.name == predicate)?;
            Some((system.name(), row))
        });
        let mut rows = rows.peekable();
        rows.peek().is_some() && rows.all(|(system, row)| self.holds(system, row))
    }

    /// What the node said that panicked, if one did.
    #[must_use]
    pub fn panic_message(&self) -> Option<&str> {
        let violations = &self.engine.observer().violations;
        let panic = violations.iter().find(|violation| violation.property == NO_PANIC.name);
        panic.map(|violation| violation.detail.as_str())
    }

    /// What a scraper would find now, in the text format of Prometheus; empty where no system
    /// exposes anything.
    #[must_use]
    pub fn metrics(&self) -> String {
        let mut out = String::new();
        for system in self.roster.systems() {
            let groups = self.roster.groups_of(system.name());
            let ids = groups.iter().flat_map(|group| group.nodes.iter().copied());
            let up = ids.filter_map(|id| Some((self.roster.name(id), self.nodes().node(id)?)));
            system.expose(&up.collect::<Vec<_>>(), &mut out);
        }
        out
    }

    /// The digest so far.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.engine.digest()
    }

    /// How many events the engine handled so far.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.engine.events()
    }

    /// Simulated time.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.engine.now()
    }

    fn end_of_time(&self) -> SimTime {
        SimTime::ZERO + self.roster.plan().budget.sim_time
    }

    /// Goes on to the end of the run, or until the user interrupts it.
    pub fn go_on(&mut self, fail_fast: bool) {
        while self.ended.is_none() {
            self.advance(self.end_of_time().min(self.now() + SLICE));
            if fail_fast && !self.engine.observer().violations.is_empty() {
                self.ended.get_or_insert(Ended::FailFast);
            }
            if interrupt::asked() {
                self.ended.get_or_insert(Ended::Interrupted);
            }
        }
        assert!(self.now() <= self.end_of_time(), "no run goes on behind its end");
    }

    /// Goes on until `until`, or until the run ends.
    pub fn go_until(&mut self, until: SimTime) {
        let until = until.min(self.end_of_time());
        let began = self.now();
        while self.ended.is_none() && self.now() < until {
            self.advance(until);
        }
        assert!(self.now() >= began, "time does not go back");
        assert!(self.now() <= until.max(began), "and stops where it is told to");
    }

    /// Lets the engine run to its next stop, and does what is due there.
    fn advance(&mut self, until: SimTime) {
        let began = self.now();
        assert!(self.ended.is_none(), "nothing happens after the end");
        assert!(until >= began, "time goes forward");
        let polls = self.polls();
        let stop_at = if polls { until.min(self.poll_at.max(self.now())) } else { until };
        let engine = &mut self.engine;
        let stopped = match panics::catch(|| engine.run_until(stop_at)) {
            Ok(stopped) => stopped,
            Err(said) => return self.panicked(said),
        };
        assert!(self.now() >= began, "time does not go back");
        assert!(self.now() <= stop_at, "the engine stops where it is told to");
        match stopped {
            Stopped::Due { token } => self.due(token),
            Stopped::Paused => self.happened(),
            Stopped::Budget => self.ended = Some(Ended::EventsSpent),
            Stopped::Stuck => self.stuck(),
            Stopped::Reached | Stopped::Idle => {
                if polls && self.now() >= self.poll_at {
                    self.poll();
                    self.poll_at = self.now() + POLL;
                }
                if self.now() >= self.end_of_time() {
                    self.ended = Some(Ended::InTime);
                }
            }
        }
    }

    fn due(&mut self, token: u32) {
        assert!(self.ended.is_none(), "no fault moves after the end");
        let director = &mut self.director;
        let engine = &mut self.engine;
        match panics::catch(|| director.due(token, engine)) {
            Ok(Changed::Nothing) => {}
            Ok(Changed::Started(_) | Changed::Ended(_) | Changed::Recovering) => {
                self.refresh_covers()
            }
            Err(said) => self.panicked(said),
        }
    }

    /// The observer paused the engine: what a fault waited for happened, or the first violation.
    fn happened(&mut self) {
        if self.before_violation.is_none() && !self.engine.observer().violations.is_empty() {
            self.before_violation = Some(self.trace());
        }
        let happened = std::mem::take(&mut self.engine.observer_mut().happened);
        for (id, at) in happened {
            assert!(at <= self.now(), "it happened before it is told");
            self.director.happened(id, at, &mut self.engine);
        }
    }

    fn stuck(&mut self) {
        let at = self.now();
        assert!(self.ended.is_none(), "a run ends once");
        self.ended = Some(Ended::Stuck);
        self.engine.observer_mut().record(Violation {
            property: "time-advances",
            rule: "time does not advance",
            at,
            nodes: Vec::new(),
            ops: Vec::new(),
            detail: "more than 1000 rounds of events at one instant".to_owned(),
        });
    }

    fn panicked(&mut self, said: String) {
        assert!(self.ended.is_none(), "a run ends once");
        let (at, node) = match self.engine.current() {
            Some((at, node)) => (at, vec![node]),
            None => (self.now(), Vec::new()),
        };
        let names: Vec<_> = node.iter().map(|node| self.roster.name(*node)).collect();
        let detail = format!("{} panicked: {said}", names.join(", "));
        self.ended = Some(Ended::Panicked);
        let rule = "a node panicked";
        self.engine.observer_mut().record(Violation {
            property: NO_PANIC.name,
            rule,
            at,
            nodes: node,
            ops: Vec::new(),
            detail,
        });
    }

    /// Whether predicates have to be looked at from time to time.
    fn polls(&self) -> bool {
        let state = |covered: &Covered| matches!(covered, Covered::State(..));
        !self.waiting.is_empty()
            || !self.sampler.is_over()
            || self.quiet.is_watching(self.now())
            || self.roster.plan().covers.iter().any(|c| state(&c.what))
    }

    /// Looks at predicates that something waits for.
    fn poll(&mut self) {
        let now = self.now();
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain_mut(|check| {
            check.from = check.from.or_else(|| self.moment(&check.after)).filter(|at| *at <= now);
            let Some(from) = check.from else { return true };
            let missing = self.missing(check);
            let outcome = if missing.is_empty() {
                Converged::At { from, held: now }
            } else if now.since(from) >= check.within {
                Converged::Not { from, until: now, missing }
            } else {
                return true;
            };
            let before = self.converged.insert(check.id.clone(), outcome);
            assert!(before.is_none(), "waiting ends once");
            false
        });
        self.waiting = waiting;
        self.quiet.look(now, &self.roster, self.engine.nodes());
        self.sample();
        self.poll_covers();
    }

    /// Looks at the gauges that checks ask for now.
    fn sample(&mut self) {
        let mut sampler = std::mem::take(&mut self.sampler);
        let moment = |moment: &str| self.moment(moment);
        sampler.look(self.now(), moment, &self.roster, self.engine.nodes());
        self.sampler = sampler;
    }

    fn poll_covers(&mut self) {
        let asked = self.roster.plan().covers.len();
        assert_eq!(self.engine.observer().covers.len(), asked, "one count for each cover");
        for index in 0..self.engine.observer().covers.len() {
            let cover = &self.roster.plan().covers[index];
            let Covered::State(system, row) = &cover.what else { continue };
            let counts = self.engine.observer().covers[index].counting
                || in_phase(self.roster.plan(), &cover.during, self.now());
            if counts && self.holds(system, usize::from(*row)) {
                self.engine.observer_mut().covers[index].hits += 1;
            }
        }
    }

    /// The predicates of a check that do not hold now, with what the system says is pending.
    fn missing(&self, check: &Waiting) -> Vec<String> {
        let failing = check.to.iter().filter(|(_, system, row)| !self.holds(system, *row));
        let mut missing: Vec<String> = failing.map(|(name, ..)| format!("`{name}`")).collect();
        if check.settled || !missing.is_empty() {
            for system in self.roster.systems() {
                let groups = self.roster.groups_of(system.name());
                missing.extend(system.pending(&groups, self.engine.nodes()).map(str::to_owned));
            }
        }
        missing
    }

    /// Whether a predicate holds for every group that it is about, of which there is one at least.
    fn holds(&self, system: &str, row: usize) -> bool {
        let servers = |group: &crate::select::Members<'_>| {
            group.plan.system.name() == system && group.plan.load.is_none()
        };
        let groups = self.roster.groups().filter(servers);
        let mut said = groups
            .filter_map(|group| group.plan.system.holds(row, group.nodes, self.engine.nodes()))
            .peekable();
        said.peek().is_some() && said.all(|holds| holds)
    }

    /// When a moment of a scenario file was; `None` while it has not come.
    fn moment(&self, moment: &str) -> Option<SimTime> {
        if let Some(fault) = moment.strip_prefix("fault.") {
            return match fault.rsplit_once('.') {
                Some((id, "start")) => self.director.started_at(id),
                Some((id, "end")) => self.director.ended_at(id),
                _ => None,
            };
        }
        known_moment(self.roster.plan(), moment)
    }

    /// Tells the covers which of them count now.
    fn refresh_covers(&mut self) {
        for index in 0..self.engine.observer().covers.len() {
            let counting = match &self.roster.plan().covers[index].during {
                During::Run => true,
                During::Fault(id) => {
                    let fault = self.roster.plan().faults.iter().position(|f| f.id == *id);
                    fault.is_some_and(|fault| self.director.is_on(fault))
                }
                During::Phase(_) => false,
            };
            self.engine.observer_mut().covers[index].counting = counting;
        }
    }

    /// Lifts what is left of the faults, judges the run, and keeps what a report needs.
    #[must_use]
    pub fn finish(mut self) -> Finished {
        let trace = self.before_violation.take().unwrap_or_else(|| self.trace());
        let metrics = self.metrics();
        Finished { trace, metrics, ..self.conclude() }
    }

    /// The pins that met no message, each in a few words.
    fn pins_unmet(&self) -> Vec<String> {
        let name = |node| self.roster.name(node);
        let unmet = self.engine.pins_unmet();
        unmet.map(|(from, to, n)| format!("{} > {} no. {n}", name(from), name(to))).collect()
    }

    /// Notes what never came about, and looks at gauges for the last time.
    fn stop_waiting(&mut self, ended_at: SimTime) {
        for waiting in std::mem::take(&mut self.waiting) {
            let outcome = match waiting.from {
                None => Converged::NeverBegan,
                Some(from) => {
                    Converged::Not { from, until: ended_at, missing: self.missing(&waiting) }
                }
            };
            self.converged.insert(waiting.id.clone(), outcome);
        }
        let waits = self.roster.plan().checks.iter().filter(|check| check.kind == "converge");
        assert_eq!(self.converged.len(), waits.count(), "each wait came to some end");
        if self.ended != Some(Ended::Panicked) {
            self.sampler.finish(ended_at, &self.roster, self.engine.nodes());
        }
    }

    fn marked(&self) -> Vec<(&'static str, u64)> {
        let counts = &self.engine.observer().marked;
        let systems = self.roster.systems();
        assert_eq!(systems.len(), counts.len(), "marks are counted by system");
        let rows = systems.iter().zip(counts).flat_map(|(system, counts)| {
            system.events().iter().zip(counts).map(|(event, count)| (event.name, *count))
        });
        rows.filter(|(_, count)| *count > 0).collect()
    }

    fn incidents(&mut self) -> Vec<String> {
        let incidents = self.engine.take_incidents();
        let line = |incident: &engine::Incident| {
            let what = match &incident.kind {
                IncidentKind::OutOfMemory { used_bytes, limit_bytes } => format!(
                    "was killed: it used {used_bytes} B of memory and may use {limit_bytes} B"
                ),
                IncidentKind::Refused(why) => format!("refused to serve: {why}"),
                IncidentKind::NoRoom => "asked for a node, and there was no room".to_owned(),
                IncidentKind::Mistake(what) => format!("made a mistake: {what}"),
            };
            format!("{} {} {what}", incident.at, self.roster.name(incident.node))
        };
        incidents.iter().map(line).collect()
    }

    /// The last events of the engine, oldest first.
    #[must_use]
    pub fn trace(&self) -> Vec<TraceLine> {
        let line = |event: &engine::Event| {
            let kind = format!("{:?}", event.kind).to_lowercase();
            let from = self.roster.name(event.src);
            let line = match event.kind {
                EventKind::Datagram | EventKind::Data => {
                    format!("{kind} from {from}, {} B, {:016x}", event.len_bytes, event.hash)
                }
                EventKind::Opened | EventKind::Closed => format!("{kind} with {from}"),
                _ => kind,
            };
            TraceLine { at: event.at, node: event.node, line }
        };
        self.engine.trace().events().map(line).collect()
    }
}

/// A `converge` check as something to wait for.
fn waiting(roster: &Roster, check: &CheckPlan) -> Option<Waiting> {
    if check.kind != "converge" {
        return None;
    }
    let Some(catalog::SettingValue::List(names)) = check.fields.0.get("to") else {
        panic!("the compiler fills `to` with names of predicates");
    };
    let systems = roster.systems();
    let find = |name: &str| {
        systems.iter().find_map(|system| {
            let row = system.predicates().iter().position(|row| row.name == name)?;
            Some((name.to_owned(), system.name(), row))
        })
    };
    let names = names.iter().map(|name| match name {
        catalog::SettingValue::Text(name) => name.as_str(),
        other => panic!("the compiler fills `to` with names, not {other:?}"),
    });
    let (settled, rows): (Vec<_>, Vec<_>) = names.partition(|name| *name == SETTLED);
    let to = rows.into_iter().map(|name| {
        find(name).expect("the compiler accepts predicates of the scenario's systems only")
    });
    Some(Waiting {
        id: check.id.clone(),
        after: check.fields.text("after"),
        within: check.fields.duration("within"),
        to: to.collect(),
        settled: !settled.is_empty(),
        from: None,
    })
}
