//! The faults of a run: when each starts, what it imposed, and when it is lifted.

use crate::faults::{Action, Stage, Step};
use crate::kinds::Kinds;
use crate::observe::Watch;
use crate::select::{Lots, Roster};
use catalog::Membership;
use contract::{
    Condition, ConditionId, DiskFate, Dist, Domain, Duration, NodeId, Nodes, Rng, SimTime,
};
use engine::hosting::{self, Timed};
use engine::{Engine, FaultClass};
use scenario::plan::{End, FaultPlan, GroupPlan, Start};
use std::collections::BTreeMap;
use std::rc::Rc;

/// All faults of a run.
#[derive(Clone)]
pub struct Director {
    roster: Rc<Roster>,
    /// Beside the plan's faults.
    faults: Vec<Progress>,
    /// What a token of the engine's queue, or the id of a wait, stands for.
    agenda: Vec<Item>,
    /// Every occurrence so far.
    pub spans: Vec<Occurrence>,
    /// What was done to the world, in order: another simulator does the same.
    pub script: Vec<Timed>,
    /// Whether the recovery began: from then on no fault starts.
    recovering: bool,
    /// The tokens that are in the queue, ascending.
    pub pending: Vec<u32>,
    /// Faults that were taken out before they began.
    taken_out: Vec<usize>,
}

/// One fault's progress over its occurrences.
#[derive(Clone)]
struct Progress {
    rng: Rng,
    started: u32,
    /// Its last occurrence is over and no other comes.
    over: bool,
}

/// One occurrence of a fault.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// The position of its fault in the plan.
    pub fault: usize,
    /// When it started.
    pub start: SimTime,
    /// When it ended; `None` while it lasts.
    pub end: Option<SimTime>,
    /// What its selectors meant: (selector, nodes).
    pub meant: Vec<(String, Vec<NodeId>)>,
    /// How many events it changed.
    pub effects: u64,
    /// Why it did nothing, when that is known: a host that cannot, a selector that meant nobody.
    pub void: Option<String>,
    // How the script is being played.
    script: Rc<[Step]>,
    imposed: Vec<Option<ConditionId>>,
    conditions: Vec<ConditionId>,
    strikes: u64,
}

#[derive(Clone, Copy, Debug)]
enum Item {
    Start {
        fault: usize,
    },
    Step {
        span: usize,
        step: usize,
    },
    End {
        span: usize,
    },
    /// The event that a fault waits for to start.
    Triggered {
        fault: usize,
    },
    /// The event that a fault waits for to end.
    Ended {
        span: usize,
    },
    /// The world is left in peace.
    Recover,
}

/// What the runner learns from a step of the director.
pub enum Changed {
    /// Nothing that concerns covers.
    Nothing,
    /// The fault with this position started.
    Started(usize),
    /// An occurrence of the fault with this position ended.
    Ended(usize),
    /// All faults ended.
    Recovering,
}

impl Director {
    /// Puts the starts of all faults into the queue.
    #[must_use]
    pub fn new(roster: Rc<Roster>, engine: &mut Engine<Watch>) -> Self {
        let seed = roster.plan().seed;
        let progress = |fault: &FaultPlan| Progress {
            rng: Rng::new(seed, Domain::Fault, &fault.id),
            started: 0,
            over: false,
        };
        let faults = roster.plan().faults.iter().map(progress).collect();
        let (agenda, spans, script) = (Vec::new(), Vec::new(), Vec::new());
        let (recovering, pending, taken_out) = (false, Vec::new(), Vec::new());
        let mut director =
            Self { roster, faults, agenda, spans, script, recovering, pending, taken_out };
        for fault in 0..director.faults.len() {
            director.arm(fault, engine);
        }
        if let Some(recovery) = director.roster.plan().recovery {
            director.schedule(recovery.at, Item::Recover, engine);
        }
        director
    }

    /// Draws what is not yet drawn from the streams of `seed`.
    pub fn reseed(&mut self, seed: u64) {
        let roster = Rc::clone(&self.roster);
        for (progress, fault) in self.faults.iter_mut().zip(&roster.plan().faults) {
            progress.rng = Rng::new(seed, Domain::Fault, &fault.id);
        }
    }

    fn plan(&self, fault: usize) -> &FaultPlan {
        &self.roster.plan().faults[fault]
    }

    /// Waits for the first start of a fault.
    fn arm(&mut self, fault: usize, engine: &mut Engine<Watch>) {
        match self.plan(fault).start.clone() {
            Start::At(at) => {
                let at = SimTime(self.draw(fault, &at)) + self.draw_plus(fault);
                self.schedule(at, Item::Start { fault }, engine);
            }
            Start::When(when) => {
                let id = self.enter(Item::Triggered { fault });
                engine.observer_mut().wait(id, &when);
            }
        }
    }

    fn draw(&mut self, fault: usize, dist: &Dist) -> u64 {
        dist.sample(&mut self.faults[fault].rng)
    }

    fn draw_plus(&mut self, fault: usize) -> Duration {
        let plus = self.plan(fault).plus.clone();
        Duration(self.draw(fault, &plus))
    }

    fn enter(&mut self, item: Item) -> usize {
        self.agenda.push(item);
        self.agenda.len() - 1
    }

    fn schedule(&mut self, at: SimTime, item: Item, engine: &mut Engine<Watch>) {
        let class = match item {
            Item::End { .. } | Item::Recover => FaultClass::End,
            _ => FaultClass::Start,
        };
        assert!(at >= engine.now(), "nothing is scheduled for the past");
        let token = self.enter(item) as u32;
        self.pending.push(token);
        engine.wake_at(at, class, token);
    }

    /// Takes out faults, by id, that have not begun.
    pub fn take_out(&mut self, ids: &[String]) {
        let faults = self.roster.plan().faults.iter().enumerate();
        let mine: Vec<usize> =
            faults.filter(|(_, f)| ids.contains(&f.id)).map(|(n, _)| n).collect();
        assert!(mine.iter().all(|fault| self.faults[*fault].started == 0), "the past stays");
        self.taken_out.extend(mine);
    }

    /// What a token stands for, for people: `+cut` is a start of the fault `cut`, `-cut` an end of it,
    /// `~cut` a step in between.
    #[must_use]
    pub fn name_of(&self, token: u32) -> String {
        let id = |fault: usize| &self.plan(fault).id;
        let of = |span: usize| id(self.spans[span].fault);
        match self.agenda[token as usize] {
            Item::Start { fault } | Item::Triggered { fault } => format!("+{}", id(fault)),
            Item::Step { span, .. } => format!("~{}", of(span)),
            Item::End { span } | Item::Ended { span } => format!("-{}", of(span)),
            Item::Recover => "recovery".to_owned(),
        }
    }

    /// Something that a fault waited for happened at `at`.
    pub fn happened(&mut self, id: usize, at: SimTime, engine: &mut Engine<Watch>) {
        if self.recovering {
            return;
        }
        match self.agenda[id] {
            Item::Triggered { fault } => {
                let at = at + self.draw_plus(fault);
                self.schedule(at, Item::Start { fault }, engine);
            }
            Item::Ended { span } => self.schedule(at, Item::End { span }, engine),
            other => unreachable!("{other:?} waits for an instant, not for an event"),
        }
    }

    /// A slot of the queue is due.
    pub fn due(&mut self, token: u32, engine: &mut Engine<Watch>) -> Changed {
        self.pending.retain(|other| *other != token);
        match self.agenda[token as usize] {
            Item::Start { .. } if self.recovering => Changed::Nothing,
            Item::Start { fault } if self.taken_out.contains(&fault) => Changed::Nothing,
            Item::Start { fault } => {
                self.start(fault, engine);
                Changed::Started(fault)
            }
            Item::Step { span, step } => {
                self.step(span, step, engine);
                Changed::Nothing
            }
            Item::End { span } => {
                self.end(span, engine);
                Changed::Ended(self.spans[span].fault)
            }
            Item::Recover => {
                self.recover(engine);
                Changed::Recovering
            }
            other => unreachable!("{other:?} waits for an event, not for an instant"),
        }
    }

    /// Starts an occurrence: resolves its selectors, plays the steps that are due at once, and
    /// schedules the rest, its end, and its next occurrence.
    fn start(&mut self, fault: usize, engine: &mut Engine<Watch>) {
        let at = engine.now();
        assert!(!self.recovering, "no fault starts once the world is left in peace");
        let again = self.plan(fault).repeat.as_ref().map_or(1, |repeat| repeat.max);
        assert!(self.faults[fault].started < again, "a fault starts as often as it is asked to");
        let end = self.plan(fault).end.clone();
        let length = match &end {
            End::After(length) => Some(Duration(self.draw(fault, length))),
            End::At(end) => Some(end.since(at)),
            End::AtOnce | End::When(_) | End::Never => None,
        };
        let span = self.open_span(fault, at, length, engine);
        let script = Rc::clone(&self.spans[span].script);
        for (step, planned) in script.iter().enumerate() {
            if planned.offset == Duration::ZERO {
                self.step(span, step, engine);
            } else {
                self.schedule(at + planned.offset, Item::Step { span, step }, engine);
            }
        }
        match (length, end) {
            (Some(length), _) => self.schedule(at + length, Item::End { span }, engine),
            (None, End::When(when)) => {
                let id = self.enter(Item::Ended { span });
                engine.observer_mut().wait(id, &when);
            }
            (None, End::AtOnce) => self.end(span, engine),
            (None, _) => {}
        }
        self.plan_next(fault, at, engine);
    }

    fn open_span(
        &mut self,
        fault: usize,
        at: SimTime,
        length: Option<Duration>,
        engine: &Engine<Watch>,
    ) -> usize {
        let roster = Rc::clone(&self.roster);
        let plan = &roster.plan().faults[fault];
        let kind = Kinds::of(roster.plan())
            .fault(plan.kind)
            .expect("the compiler accepts known kinds only");
        let progress = &mut self.faults[fault];
        progress.started += 1;
        let mut scene = Scene {
            roster: &roster,
            nodes: engine.nodes(),
            length,
            rng: &mut progress.rng,
            lots: Lots::new(),
            meant: BTreeMap::new(),
        };
        let script = kind.script(&plan.fields, &mut scene);
        let imposes = script.iter().filter(|step| matches!(step.action, Action::Impose(_))).count();
        let lifts = |step: &Step| !matches!(step.action, Action::Lift(nth) if nth >= imposes);
        assert!(script.iter().all(lifts), "a script lifts what it imposes");
        let meant: Vec<_> = scene.meant.into_iter().collect();
        let nobody = meant.iter().find(|(_, nodes)| nodes.is_empty());
        let void = nobody.map(|(selector, _)| format!("`{selector}` meant nobody"));
        let imposed = vec![None; script.len()];
        self.spans.push(Occurrence {
            fault,
            start: at,
            end: None,
            meant,
            effects: 0,
            void,
            script: script.into(),
            imposed,
            conditions: Vec::new(),
            strikes: 0,
        });
        self.spans.len() - 1
    }

    /// Schedules the occurrence after the one that starts at `at`.
    fn plan_next(&mut self, fault: usize, at: SimTime, engine: &mut Engine<Watch>) {
        let Some(repeat) = self.plan(fault).repeat.clone() else { return };
        if self.faults[fault].started >= repeat.max {
            return;
        }
        let jitter = self.faults[fault].rng.range(0, repeat.jitter.as_nanos());
        let next = at + repeat.every + Duration(jitter);
        self.schedule(next, Item::Start { fault }, engine);
    }

    fn step(&mut self, span: usize, step: usize, engine: &mut Engine<Watch>) {
        let span = &mut self.spans[span];
        assert!(span.start <= engine.now(), "an occurrence starts before its steps");
        if span.end.is_some() {
            return;
        }
        let script = &mut self.script;
        match span.script[step].action.clone() {
            Action::Impose(condition) => match engine.impose(condition.clone()) {
                Ok(id) => {
                    assert!(span.imposed[step].is_none(), "a step is played once");
                    assert!(!span.conditions.contains(&id), "a condition has an id of its own");
                    script.push(timed(engine, hosting::Action::Impose(id, condition)));
                    span.imposed[step] = Some(id);
                    span.conditions.push(id);
                }
                Err(unsupported) => span.void = Some(unsupported.0.to_owned()),
            },
            Action::Lift(nth) => {
                let imposes = |step: &(usize, &Step)| matches!(step.1.action, Action::Impose(_));
                let step = span.script.iter().enumerate().filter(imposes).nth(nth);
                let (step, _) = step.expect("a script lifts what it imposed");
                if let Some(id) = span.imposed[step].take() {
                    script.push(timed(engine, hosting::Action::Lift(id)));
                    engine.lift(id);
                }
            }
            Action::Strike(shock) => match engine.strike(shock.clone()) {
                Ok(()) => {
                    script.push(timed(engine, hosting::Action::Strike(shock)));
                    span.strikes += 1;
                }
                Err(unsupported) => span.void = Some(unsupported.0.to_owned()),
            },
        }
    }

    fn end(&mut self, span: usize, engine: &mut Engine<Watch>) {
        let span = &mut self.spans[span];
        if span.end.is_some() {
            return;
        }
        for id in span.imposed.iter_mut().filter_map(Option::take) {
            self.script.push(timed(engine, hosting::Action::Lift(id)));
            engine.lift(id);
        }
        assert!(span.imposed.iter().all(Option::is_none), "healing is nobody's duty");
        assert!(span.start <= engine.now(), "it ends after it started");
        span.end = Some(engine.now());
        let fault = span.fault;
        let repeat = self.plan(fault).repeat.as_ref();
        let last = repeat.is_none_or(|repeat| self.faults[fault].started >= repeat.max);
        self.faults[fault].over |= last;
    }

    /// Ends every fault for good, the latest first, and boots what does not run and is held down by
    /// none of them: nodes that were killed for their memory, or that refused to boot.
    fn recover(&mut self, engine: &mut Engine<Watch>) {
        assert!(!self.recovering, "a run recovers once");
        let all = self.roster.plan().recovery.is_some_and(|recovery| recovery.restart_all);
        let down = if all { self.servers() } else { self.dead(engine) };
        for span in (0..self.spans.len()).rev() {
            self.end(span, engine);
        }
        assert!(self.spans.iter().all(|span| span.end.is_some()), "peace is without faults");
        for node in down {
            self.power_cycle(node, engine);
        }
        for fault in &mut self.faults {
            fault.over = true;
        }
        self.recovering = true;
    }

    /// Every node that is no client and boots by itself; others go with their machines.
    fn servers(&self) -> Vec<NodeId> {
        let is_server = |group: &GroupPlan| group.load.is_none() && group.on.is_none();
        let groups = self.roster.groups().filter(|group| is_server(group.plan));
        groups.flat_map(|group| group.nodes.to_vec()).collect()
    }

    /// The nodes that do not run although no fault holds them down, and that boot by themselves.
    fn dead(&self, engine: &Engine<Watch>) -> Vec<NodeId> {
        let held = |node: NodeId| {
            let on = self.spans.iter().filter(|span| span.end.is_none());
            let mut steps = on.flat_map(|span| span.script.iter().zip(&span.imposed));
            steps.any(|(step, imposed)| match &step.action {
                Action::Impose(condition) => {
                    imposed.is_some() && condition.keeps_down() == Some(node)
                }
                Action::Lift(_) | Action::Strike(_) => false,
            })
        };
        let boots = |node: &NodeId| self.roster.group_of(*node).plan.on.is_none();
        let all = (0..self.roster.names().len() as u32).map(NodeId).filter(boots);
        all.filter(|node| engine.nodes().node(*node).is_none() && !held(*node)).collect()
    }

    fn power_cycle(&mut self, node: NodeId, engine: &mut Engine<Watch>) {
        let down = Condition::down(node, DiskFate::Kept);
        if let Ok(id) = engine.impose(down.clone()) {
            self.script.push(timed(engine, hosting::Action::Impose(id, down)));
            self.script.push(timed(engine, hosting::Action::Lift(id)));
            engine.lift(id);
        }
    }

    /// Closes every occurrence at the end of the run, and counts what each changed. The world is
    /// over: nothing is lifted from it any more.
    pub fn finish(&mut self, engine: &Engine<Watch>) {
        for span in &mut self.spans {
            span.end.get_or_insert(engine.now());
            let counted = span.conditions.iter().map(|id| engine.effect_count(*id));
            span.effects = counted.sum::<u64>() + span.strikes;
            assert!(span.end >= Some(span.start), "it ended after it started");
            assert!(span.end <= Some(engine.now()), "and before the run did");
        }
    }

    /// When the fault `id` first started.
    #[must_use]
    pub fn started_at(&self, id: &str) -> Option<SimTime> {
        let mine = self.spans.iter().find(|span| self.plan(span.fault).id == id);
        mine.map(|span| span.start)
    }

    /// When the last occurrence of the fault `id` ended; `None` while another may come.
    #[must_use]
    pub fn ended_at(&self, id: &str) -> Option<SimTime> {
        let fault = self.roster.plan().faults.iter().position(|fault| fault.id == id)?;
        let mine = self.spans.iter().filter(|span| span.fault == fault);
        self.faults[fault].over.then(|| mine.filter_map(|span| span.end).max())?
    }

    /// Whether some occurrence of the fault with this position is on.
    #[must_use]
    pub fn is_on(&self, fault: usize) -> bool {
        self.spans.iter().any(|span| span.fault == fault && span.end.is_none())
    }
}

/// What is done to the world now, as a step of the script that other simulators play.
fn timed(engine: &Engine<Watch>, action: hosting::Action) -> Timed {
    Timed { at: engine.now(), round: engine.round(), action }
}

/// What a fault sees of the world when it starts.
struct Scene<'a> {
    roster: &'a Roster,
    nodes: &'a dyn Nodes,
    length: Option<Duration>,
    rng: &'a mut Rng,
    lots: Lots,
    meant: BTreeMap<String, Vec<NodeId>>,
}

impl Stage for Scene<'_> {
    fn select(&mut self, selector: &str) -> Vec<NodeId> {
        let nodes = self.roster.select(selector, self.nodes, &mut self.lots, self.rng);
        let count = self.roster.names().len();
        assert!(
            nodes.iter().all(|node| node.index() < count),
            "selectors mean nodes that are there"
        );
        self.meant.insert(selector.to_owned(), nodes.clone());
        nodes
    }
    fn node_count(&self) -> usize {
        self.roster.names().len()
    }
    fn length(&self) -> Option<Duration> {
        self.length
    }
    fn membership(&self, node: NodeId, change: Membership, whom: &[NodeId]) -> Option<Vec<u8>> {
        let group = self.roster.group_of(node);
        let position = |id: &NodeId| group.nodes.iter().position(|member| member == id);
        let positions: Vec<u32> =
            whom.iter().filter_map(position).map(|position| position as u32).collect();
        let is_any = !positions.is_empty();
        is_any.then(|| group.plan.system.membership(change, &positions))?
    }
    fn rng(&mut self) -> &mut Rng {
        self.rng
    }
}
