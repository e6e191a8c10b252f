//! What watches a run while it happens: invariants after every event, events that faults wait for,
//! and what covers count.

use crate::checks::Watched;
use crate::cow_log::Chunks;
use crate::measure::extremes;
use crate::measure::{self, MARKS_MAX, Marked};
use crate::meter::Metered;
use crate::run_result::NO_MISTAKE;
use crate::select::{Lots, Roster};
use catalog::{Invariant, System, Violation};
use contract::{Domain, Mark, NodeId, Nodes, OpId, Outcome, Rng, SimTime};
use engine::{Control, Observer};
use scenario::plan::{Covered, During, Plan, When};
use std::collections::BTreeMap;
use std::rc::Rc;

/// At most so many violations of one property are kept; the rest are counted.
pub const VIOLATIONS_KEPT_MAX: usize = 100;

/// The observer of a run.
pub struct Watch {
    roster: Rc<Roster>,
    /// By node id: the position of its system among `systems`.
    system_of: Rc<[usize]>,
    systems: Rc<[&'static str]>,
    invariants: Vec<Box<dyn Invariant>>,
    /// By node id: the positions of the invariants that it concerns.
    concerned: Rc<[Box<[usize]>]>,
    /// What was violated so far, in the order of time.
    pub violations: Vec<Violation>,
    /// How often each property was violated.
    pub violated: BTreeMap<&'static str, u64>,
    /// How often each event of each system was marked.
    pub marked: Vec<Vec<u64>>,
    waits: Vec<Wait>,
    /// The waits that happened since the runner last looked: (id of the wait, time).
    pub happened: Vec<(usize, SimTime)>,
    /// Whether the engine was paused for the first violation.
    paused: bool,
    /// What the covers have counted, beside the plan's covers.
    pub covers: Vec<CoverCount>,
    /// By system and event: whether some check asks for its marks.
    wanted: Rc<[Vec<bool>]>,
    /// The marks that checks ask for.
    pub marks: Chunks<Marked>,
    /// Marks that were not kept since there were too many.
    pub marks_lost: u64,
    /// The gauges that checks ask for after every event.
    pub extremes: extremes::Watched,
    /// What the nodes have allocated.
    pub metered: Metered,
}

/// What a cover has counted.
#[derive(Clone, Debug, Default)]
pub struct CoverCount {
    /// Whether it counts now whatever the time: it always does, or its fault is on.
    pub counting: bool,
    /// How often it was seen while it counted.
    pub hits: u64,
}

/// Something that the runner waits for.
#[derive(Clone)]
struct Wait {
    id: usize,
    when: Progress,
}

/// How far a [`When`] has come.
#[derive(Clone)]
struct Progress {
    when: Rc<When>,
    count: u32,
    parts: Vec<Progress>,
    done: bool,
}

impl Progress {
    fn new(when: &When) -> Self {
        let parts = match when {
            When::Event { .. } => Vec::new(),
            When::All(parts) | When::Any(parts) => parts.iter().map(Self::new).collect(),
        };
        Self { when: Rc::new(when.clone()), count: 0, parts, done: false }
    }

    /// Takes note of a mark; true once what was waited for has happened.
    fn note(&mut self, system: &str, mark: Mark, is_in: &mut dyn FnMut(&str) -> bool) -> bool {
        if self.done {
            return true;
        }
        for part in &mut self.parts {
            part.note(system, mark, is_in);
        }
        self.done = match &*self.when {
            When::Event { system: of, event, node, nth } => {
                let matches =
                    *of == system && *event == mark.event && node.as_deref().is_none_or(is_in);
                self.count += u32::from(matches);
                assert!(self.count <= *nth, "counting ends where waiting does");
                self.count >= *nth
            }
            When::All(_) => self.parts.iter().all(|part| part.done),
            When::Any(_) => self.parts.iter().any(|part| part.done),
        };
        self.done
    }
}

impl Watch {
    /// Watches the nodes of `roster` with the invariants of their systems.
    #[must_use]
    pub fn new(roster: Rc<Roster>) -> Self {
        let systems = roster.systems();
        let invariants: Vec<Box<dyn Invariant>> = systems
            .iter()
            .flat_map(|system| system.invariants(&roster.groups_of(system.name())))
            .collect();
        let position = |node: NodeId| {
            let name = roster.group_of(node).plan.system.name();
            let found = systems.iter().position(|system| system.name() == name);
            found.expect("the roster lists the systems of all groups")
        };
        let count = roster.names().len() as u32;
        let named = |invariant: &dyn Invariant| !invariant.property().name.is_empty();
        assert!(invariants.iter().all(|one| named(one.as_ref())), "an invariant has a name");
        Self {
            concerned: (0..count).map(|node| concerned(&invariants, NodeId(node))).collect(),
            invariants,
            system_of: (0..count).map(NodeId).map(position).collect(),
            marked: systems.iter().map(|system| vec![0; system.events().len()]).collect(),
            systems: systems.iter().map(|system| system.name()).collect(),
            violations: Vec::new(),
            violated: BTreeMap::new(),
            waits: Vec::new(),
            happened: Vec::new(),
            paused: false,
            covers: vec![CoverCount::default(); roster.plan().covers.len()],
            wanted: wanted(&roster, &systems),
            marks: Chunks::default(),
            marks_lost: 0,
            extremes: extremes::Watched::new(roster.plan()),
            metered: Metered::of(roster.plan()),
            roster,
        }
    }

    /// The invariants that are watched, with what each has counted.
    pub fn watched(&self) -> impl Iterator<Item = Watched> {
        self.invariants.iter().map(|invariant| Watched {
            property: invariant.property(),
            looked: invariant.looked(),
            measured: invariant.measured(),
        })
    }

    /// How many things each invariant has judged so far, by its property.
    pub fn looked(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.invariants.iter().map(|invariant| (invariant.property().name, invariant.looked()))
    }

    /// Waits for `when`; [`Watch::happened`] gets `id` when it has.
    pub fn wait(&mut self, id: usize, when: &When) {
        assert!(self.waits.iter().all(|wait| wait.id != id), "one wait for one id");
        self.waits.push(Wait { id, when: Progress::new(when) });
    }

    /// Keeps a violation, unless its property has broken too often already.
    pub fn record(&mut self, violation: Violation) {
        assert!(!violation.property.is_empty(), "a breach names its property");
        assert!(!violation.rule.is_empty(), "and the rule: causes are told apart by it");
        let count = self.violated.entry(violation.property).or_default();
        *count += 1;
        if *count <= VIOLATIONS_KEPT_MAX as u64 {
            self.violations.push(violation);
        }
        let counted: u64 = self.violated.values().sum();
        assert!(self.violations.len() as u64 <= counted, "what is kept was counted");
    }

    /// Asks each invariant that `node` concerns, and keeps what they say.
    fn ask(
        &mut self,
        node: NodeId,
        question: impl Fn(&mut dyn Invariant) -> Result<(), Violation>,
    ) {
        let mut broken = Vec::new();
        for &position in &self.concerned[node.index()] {
            if let Err(violation) = question(&mut *self.invariants[position]) {
                broken.push(violation);
            }
        }
        if !broken.is_empty() {
            broken.into_iter().for_each(|violation| self.record(violation));
        }
    }

    /// Keeps a mark for the checks, unless there are too many already.
    fn keep(&mut self, marked: Marked) {
        if self.marks.len() < MARKS_MAX {
            self.marks.push(marked);
        } else {
            self.marks_lost += 1;
        }
        let is_full = self.marks.len() == MARKS_MAX;
        assert!(self.marks_lost == 0 || is_full, "a mark is lost only where there is no room");
    }

    /// Pauses the engine once, after the first violation, so that the events before it are kept.
    fn first_violation(&mut self) -> Control {
        if self.violations.is_empty() || self.paused {
            return Control::Continue;
        }
        assert!(!self.violated.is_empty(), "what is kept was counted");
        self.paused = true;
        Control::Pause
    }

    /// Shows the event to whoever waits for it.
    fn wake_waits(&mut self, at: SimTime, node: NodeId, mark: Mark, nodes: &dyn Nodes) -> Control {
        assert!(!self.waits.is_empty(), "somebody waits");
        let system = self.systems[self.system_of[node.index()]];
        let roster = &self.roster;
        let mut is_in = |selector: &str| means(roster, selector, node, nodes);
        let (waiting, told) = (self.waits.len(), self.happened.len());
        let happened = &mut self.happened;
        self.waits.retain_mut(|wait| {
            let done = wait.when.note(system, mark, &mut is_in);
            if done {
                happened.push((wait.id, at));
            }
            !done
        });
        let ended = waiting - self.waits.len();
        assert_eq!(ended, self.happened.len() - told, "whose wait is over is told");
        if self.happened.is_empty() { Control::Continue } else { Control::Pause }
    }

    fn count_covers(&mut self, at: SimTime, node: NodeId, mark: Mark) {
        let system = self.systems[self.system_of[node.index()]];
        let plan = self.roster.plan();
        assert_eq!(plan.covers.len(), self.covers.len(), "one count for each cover");
        for (cover, count) in plan.covers.iter().zip(&mut self.covers) {
            let Covered::Event(of, event) = &cover.what else { continue };
            if *event != mark.event || *of != system {
                continue;
            }
            count.hits += u64::from(count.counting || in_phase(plan, &cover.during, at));
        }
    }
}

/// The positions of the invariants that `node` concerns.
fn concerned(invariants: &[Box<dyn Invariant>], node: NodeId) -> Box<[usize]> {
    let concerns = |position: &usize| invariants[*position].concerns(node);
    (0..invariants.len()).filter(concerns).collect()
}

/// By system and event: whether some check asks for its marks.
fn wanted(roster: &Roster, systems: &[&'static dyn System]) -> Rc<[Vec<bool>]> {
    let mut wanted: Vec<Vec<bool>> =
        systems.iter().map(|system| vec![false; system.events().len()]).collect();
    for (_, asked) in measure::wanted(roster.plan()) {
        for (system, row) in asked.events {
            let position = systems.iter().position(|other| other.name() == system);
            wanted[position.expect("a system of the plan")][row] = true;
        }
    }
    wanted.into()
}

/// Whether a cover that counts during a phase counts at `at`.
#[must_use]
pub fn in_phase(plan: &Plan, during: &During, at: SimTime) -> bool {
    let During::Phase(name) = during else { return false };
    plan.phases.iter().any(|phase| phase.name == *name && phase.start <= at && at < phase.end)
}

/// Whether `selector` means `node` at the moment of an event. `any` means every node here: the
/// event has already said which.
fn means(roster: &Roster, selector: &str, node: NodeId, nodes: &dyn Nodes) -> bool {
    let selector = selector.replace("/any", "/*");
    let mut rng = Rng::new(roster.plan().seed, Domain::Fault, &selector);
    roster.select(&selector, nodes, &mut Lots::new(), &mut rng).contains(&node)
}

impl Clone for Watch {
    fn clone(&self) -> Self {
        let invariants: Vec<Box<dyn Invariant>> =
            self.invariants.iter().map(|invariant| invariant.fork()).collect();
        let mut pairs = self.invariants.iter().zip(&invariants);
        assert!(pairs.all(|(one, copy)| one.looked() == copy.looked()), "it has seen as much");
        Self {
            roster: Rc::clone(&self.roster),
            system_of: Rc::clone(&self.system_of),
            systems: Rc::clone(&self.systems),
            invariants,
            concerned: Rc::clone(&self.concerned),
            violations: self.violations.clone(),
            violated: self.violated.clone(),
            marked: self.marked.clone(),
            waits: self.waits.clone(),
            happened: self.happened.clone(),
            paused: self.paused,
            covers: self.covers.clone(),
            wanted: Rc::clone(&self.wanted),
            marks: self.marks.clone(),
            marks_lost: self.marks_lost,
            extremes: self.extremes.clone(),
            metered: self.metered,
        }
    }
}

impl Observer for Watch {
    fn on_mark(&mut self, at: SimTime, node: NodeId, mark: Mark, nodes: &dyn Nodes) -> Control {
        let system = self.system_of[node.index()];
        let rows = self.marked[system].len();
        assert!(usize::from(mark.event) < rows, "a mark is a row of its system's events");
        self.marked[system][usize::from(mark.event)] += 1;
        if self.wanted[system][usize::from(mark.event)] {
            let allocations = self.metered.is_on().then_some(self.metered.last);
            self.keep(Marked { at, node, mark, allocations });
        }
        self.ask(node, |invariant| invariant.on_mark(at, node, mark, nodes));
        self.count_covers(at, node, mark);
        let waits = if self.waits.is_empty() {
            Control::Continue
        } else {
            self.wake_waits(at, node, mark, nodes)
        };
        if waits == Control::Continue { self.first_violation() } else { waits }
    }

    fn on_complete(&mut self, _: SimTime, _: NodeId, _: OpId, _: &Outcome) -> Control {
        Control::Continue
    }

    fn on_mistake(&mut self, at: SimTime, node: NodeId, what: &str) -> Control {
        self.record(Violation {
            property: NO_MISTAKE.name,
            rule: "a node asked for what makes no sense",
            at,
            nodes: vec![node],
            ops: Vec::new(),
            detail: format!("{}: {what}", self.roster.name(node)),
        });
        self.first_violation()
    }

    fn before_input(&mut self) {
        self.metered.before();
    }

    fn after_input(&mut self) {
        self.metered.after();
    }

    fn after_event(&mut self, at: SimTime, touched: NodeId, nodes: &dyn Nodes) -> Control {
        self.ask(touched, |invariant| invariant.after_event(at, touched, nodes));
        if !self.extremes.is_empty() {
            self.extremes.look(&self.roster, at, touched, nodes);
        }
        self.first_violation()
    }
}
