//! A cluster of nodes that are members and nothing else, in the engine, with all properties watched.

use crate::serf_node::{SerfMember, contacts};
use catalog::{Base, EventKind, joined};
use catalog::{Embeds, Invariant, Itself, Violation, Watched};
use contract::{
    Condition, ConditionId, DiskFate, Dist, Duration, Fx, InFlight, Input, Mark, Node, NodeId,
    Nodes, Now, Ratio, Refused, Shock, SimTime, TimerKey,
};
use engine::{Boot, Config, Control, Engine, Idle, LinkSpec, NodeSpec, Observer, Stopped, Ties};
use sim::protocol::serf::{self, Serf, SerfSettings};
use sim::protocol::swim::{
    self, Address, Context, Defects, Event, Name, NoDelegate, Ready, Swim, SwimSettings,
};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

const REJOIN: TimerKey = TimerKey(1);
/// As often a member tries one of those that it does not take for living, so that cuts heal.
const REJOIN_EVERY: Duration = Duration::from_secs(15);

/// What a cluster is made of.
#[derive(Clone)]
pub struct Spec {
    pub seed: u64,
    pub members: u32,
    pub timing: SwimSettings,
    pub defects: Defects,
    /// Whether the members know each other from the start.
    pub is_founded: bool,
    /// How much each says of itself.
    pub meta_bytes: usize,
    /// Whether what a member says of itself changes with each boot.
    pub meta_changes: bool,
    /// Whether the properties are watched.
    pub is_watched: bool,
    /// The settings of Serf, where the nodes are more than members.
    pub serf: Option<SerfSettings>,
    pub serf_defects: serf::Defects,
}

impl Spec {
    pub fn new(seed: u64, members: u32, timing: SwimSettings) -> Self {
        Self {
            seed,
            members,
            timing,
            defects: Defects::default(),
            is_founded: true,
            meta_bytes: 1,
            meta_changes: false,
            is_watched: true,
            serf: None,
            serf_defects: serf::Defects::default(),
        }
    }

    fn meta(&self, boot: u32) -> Vec<u8> {
        let fill = if self.meta_changes { boot as u8 } else { 0 };
        vec![fill; self.meta_bytes]
    }
}

struct Member {
    swim: Swim,
    ready: Vec<Ready>,
    has_left: bool,
}

impl Clone for Member {
    fn clone(&self) -> Self {
        Self { swim: self.swim.clone(), ready: Vec::new(), has_left: self.has_left }
    }
}

/// Where members keep their SWIM.
struct Of;

impl Embeds<Swim> for Of {
    fn part(node: &dyn Node) -> Option<&Swim> {
        let plain = <Itself as Embeds<Member>>::part(node).map(|member| &member.swim);
        plain.or_else(|| <Of as Embeds<Serf>>::part(node).map(Serf::swim))
    }
}

impl Embeds<Serf> for Of {
    fn part(node: &dyn Node) -> Option<&Serf> {
        <Itself as Embeds<SerfMember>>::part(node).map(|member| &member.serf)
    }
}

pub const SWIM_OF: swim::SwimOf = catalog::rows::find::<Swim, Of>;
const SERF_OF: serf::SerfOf = catalog::rows::find::<Serf, Of>;

/// The rows of Serf stand after those of SWIM.
const EVENTS: &[EventKind] = joined!(EventKind, name: swim::EVENTS, serf::EVENTS);
const SERF_EVENTS: Base = Base::of(EVENTS, serf::EVENTS);

impl Member {
    fn rejoin(&mut self, now: Now, fx: &mut Fx<'_>) {
        fx.set_timer(REJOIN, REJOIN_EVERY);
        let count = self.swim.config().addresses.len() as u64;
        let pick = fx.rng.below(count) as u32;
        let is_other = Name(pick) != self.swim.name();
        if is_other && !self.swim.takes_for_living(Name(pick)) {
            let mut cx = Context { now, fx, delegate: &mut NoDelegate };
            self.swim.join(&mut cx, &[Address(pick)]);
        }
    }

    /// What an operator asks for.
    fn command(&mut self, cx: &mut Context<'_, '_>, command: &[u8]) -> bool {
        match command {
            b"leave" => self.swim.leave(cx),
            b"meta" => {
                for turn in 0..1_000_u32 {
                    self.swim.update_meta(turn.to_be_bytes().to_vec());
                }
            }
            b"meta once" => self.swim.update_meta(b"once".to_vec()),
            _ => return false,
        }
        true
    }
}

impl Node for Member {
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        if self.has_left {
            return;
        }
        if let Input::Timer(REJOIN) = input {
            return self.rejoin(now, fx);
        }
        let mut cx = Context { now, fx, delegate: &mut NoDelegate };
        match input {
            Input::Datagram { bytes, .. } => {
                if !self.command(&mut cx, bytes) {
                    self.swim.on_datagram(&mut cx, bytes);
                }
            }
            Input::Timer(key) => self.swim.on_timer(&mut cx, key),
            Input::Opened { conn, .. } => self.swim.on_opened(&mut cx, conn),
            Input::Data { conn, bytes } => self.swim.on_data(&mut cx, conn, bytes),
            Input::Closed { conn, .. } => self.swim.on_closed(&mut cx, conn),
            other => panic!("a member gets no {other:?}"),
        }
        self.swim.drain(&mut self.ready);
        self.has_left = self.ready.contains(&Ready::LeaveDone);
        self.ready.clear();
    }

    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

struct Lab {
    spec: Spec,
    addresses: Arc<[NodeId]>,
}

impl Boot for Lab {
    fn boot(
        &self,
        node: NodeId,
        boot: u32,
        now: Now,
        fx: &mut Fx<'_>,
    ) -> Result<Box<dyn Node>, Refused> {
        let config = swim::Config {
            meta: self.spec.meta(boot),
            timing: self.spec.timing.clone(),
            defects: self.spec.defects,
            ..swim::Config::new(node.0, Arc::clone(&self.addresses))
        };
        if let Some(settings) = &self.spec.serf {
            return self.boot_serf(config, settings, boot, now, fx);
        }
        let mut swim = Swim::boot(config, now, fx)?;
        if self.spec.is_founded && boot == 0 {
            let founder = |of: u32| (Name(of), Address(of), self.spec.meta(0));
            swim.found(now, (0..self.spec.members).map(founder), fx);
        } else {
            let contacts = contacts(self.spec.members, fx);
            let mut cx = Context { now, fx, delegate: &mut NoDelegate };
            swim.join(&mut cx, &contacts);
        }
        fx.set_timer(REJOIN, REJOIN_EVERY);
        Ok(Box::new(Member { swim, ready: Vec::new(), has_left: false }))
    }
}

impl Lab {
    fn boot_serf(
        &self,
        swim: swim::Config,
        settings: &SerfSettings,
        boot: u32,
        now: Now,
        fx: &mut Fx<'_>,
    ) -> Result<Box<dyn Node>, Refused> {
        let config = serf::Config {
            settings: settings.clone(),
            events: SERF_EVENTS,
            defects: self.spec.serf_defects,
            ..serf::Config::new(swim)
        };
        let mut serf = Serf::boot(config, now, fx)?;
        if self.spec.is_founded && boot == 0 {
            let founder = |of: u32| (Name(of), Address(of), self.spec.meta(0));
            serf.found(now, (0..self.spec.members).map(founder), fx);
        } else {
            serf.join(now, &contacts(self.spec.members, fx), fx);
        }
        Ok(Box::new(SerfMember::new(serf)))
    }
}

/// What was seen of a run.
#[derive(Default)]
pub struct Watch {
    pub invariants: Vec<Box<dyn Invariant>>,
    pub violations: Vec<Violation>,
    pub marks: BTreeMap<&'static str, u64>,
    /// About this member: when each other first suspected it, and when each held it for dead.
    pub subject: Option<Name>,
    pub suspected: Vec<(SimTime, NodeId)>,
    pub died: BTreeMap<NodeId, SimTime>,
    /// How many falsely declared dead: they were up.
    pub false_deaths: u64,
}

impl Observer for Watch {
    fn on_mark(&mut self, at: SimTime, node: NodeId, mark: Mark, nodes: &dyn Nodes) -> Control {
        *self.marks.entry(EVENTS[usize::from(mark.event)].name).or_default() += 1;
        let about = Name(mark.labels[0] as u32);
        if mark.event == Event::Died as u16 && nodes.node(NodeId(about.0)).is_some() {
            self.false_deaths += 1;
        }
        if self.subject == Some(about) {
            if mark.event == Event::Suspected as u16 {
                self.suspected.push((at, node));
            }
            if mark.event == Event::Died as u16 {
                self.died.entry(node).or_insert(at);
            }
        }
        for invariant in &mut self.invariants {
            self.violations.extend(invariant.on_mark(at, node, mark, nodes).err());
        }
        Control::Continue
    }

    fn after_event(&mut self, at: SimTime, touched: NodeId, nodes: &dyn Nodes) -> Control {
        for invariant in &mut self.invariants {
            self.violations.extend(invariant.after_event(at, touched, nodes).err());
        }
        Control::Continue
    }
}

/// A cluster that runs.
pub struct Cluster {
    pub engine: Engine<Watch>,
    pub nodes: Vec<NodeId>,
    spec: Spec,
}

impl Cluster {
    pub fn new(spec: Spec) -> Self {
        let nodes: Vec<NodeId> = (0..spec.members).map(NodeId).collect();
        let node = |id: &NodeId| NodeSpec { name: format!("m/{:04}", id.0), ..NodeSpec::default() };
        let link = LinkSpec {
            latency: Dist::Uniform { min: 1_000_000, max: 5_000_000 },
            ..LinkSpec::default()
        };
        let config = Config {
            seed: spec.seed,
            nodes: nodes.iter().map(node).collect(),
            link,
            links: Vec::new(),
            ties: Ties::Canonical,
            events_max: u64::MAX,
            pins: Vec::new(),
        };
        let watched = Watched::of([("m", nodes.as_slice())]);
        let mut invariants = Vec::new();
        if spec.is_watched {
            invariants.extend(swim::invariants::all(&watched, SWIM_OF));
        }
        if spec.is_watched && spec.serf.is_some() {
            invariants.extend(serf::invariants::all(&watched, SERF_OF));
        }
        let watch = Watch { invariants, ..Watch::default() };
        let lab = Rc::new(Lab { spec: spec.clone(), addresses: Arc::from(nodes.as_slice()) });
        Self { engine: Engine::new(config, lab, Box::new(Idle), watch), nodes, spec }
    }

    pub fn run_to(&mut self, seconds: u64) {
        self.run_to_ms(seconds * 1_000);
    }

    pub fn run_to_ms(&mut self, ms: u64) {
        let stopped = self.engine.run_until(SimTime(ms * 1_000_000));
        assert!(!matches!(stopped, Stopped::Stuck | Stopped::Budget), "{stopped:?}");
    }

    pub fn seconds(&self) -> u64 {
        self.engine.now().0 / 1_000_000_000
    }

    pub fn member(&self, node: u32) -> Option<&Swim> {
        SWIM_OF(self.engine.nodes(), NodeId(node))
    }

    /// A node that is more than a member.
    pub fn serf(&self, node: u32) -> &SerfMember {
        self.engine.nodes().get::<SerfMember>(NodeId(node)).expect("it is up, and a Serf")
    }

    pub fn pending(&self) -> Option<&'static str> {
        swim::pending(&self.nodes, self.engine.nodes(), SWIM_OF)
    }

    pub fn marks(&self, name: &str) -> u64 {
        self.engine.observer().marks.get(name).copied().unwrap_or(0)
    }

    pub fn violations(&self) -> Vec<String> {
        let said = |one: &Violation| format!("{}: {} at {}", one.property, one.detail, one.at);
        self.engine.observer().violations.iter().map(said).collect()
    }

    pub fn breaks(&self, property: &str) -> bool {
        self.engine.observer().violations.iter().any(|one| one.property == property)
    }

    pub fn impose(&mut self, condition: Condition) -> ConditionId {
        self.engine.impose(condition).expect("our engine has every condition")
    }

    pub fn lift(&mut self, conditions: impl IntoIterator<Item = ConditionId>) {
        conditions.into_iter().for_each(|id| self.engine.lift(id));
    }

    pub fn down(&mut self, node: u32) -> ConditionId {
        self.impose(Condition::Down {
            node: NodeId(node),
            disk: DiskFate::Kept,
            sockets: contract::Sockets::Closed,
        })
    }

    /// A node restarts before anybody notices.
    pub fn restart(&mut self, node: u32) {
        let down = self.down(node);
        let at = self.engine.now().0 / 1_000_000;
        self.run_to_ms(at + 50);
        self.lift([down]);
    }

    /// No datagram or stream passes between the first `count` members and the others.
    pub fn cut(&mut self, count: u32) -> Vec<ConditionId> {
        let all = self.spec.members;
        let pairs = (0..count).flat_map(|one| (count..all).map(move |two| (one, two)));
        let both: Vec<(u32, u32)> = pairs.flat_map(|(one, two)| [(one, two), (two, one)]).collect();
        both.into_iter().map(|(from, to)| self.block(from, to)).collect()
    }

    pub fn block(&mut self, from: u32, to: u32) -> ConditionId {
        let (from, to) = (NodeId(from), NodeId(to));
        self.impose(Condition::Block { from, to, in_flight: InFlight::Lost })
    }

    /// Imposes what `make` makes of every link.
    pub fn on_all_links(&mut self, make: impl Fn(NodeId, NodeId) -> Condition) -> Vec<ConditionId> {
        let nodes = self.nodes.clone();
        let links = nodes.iter().flat_map(|&from| nodes.iter().map(move |&to| (from, to)));
        let links: Vec<_> = links.filter(|(from, to)| from != to).collect();
        links.into_iter().map(|(from, to)| self.impose(make(from, to))).collect()
    }

    pub fn lossy(&mut self, percent: u32) -> Vec<ConditionId> {
        self.on_all_links(|from, to| Condition::Loss { from, to, ratio: Ratio::new(percent, 100) })
    }

    /// An operator asks a member for something.
    pub fn command(&mut self, node: u32, command: &[u8]) {
        let from = NodeId((node + 1) % self.spec.members);
        let frame = Shock::InjectFrame { from, to: NodeId(node), bytes: command.to_vec() };
        self.engine.strike(frame).expect("our engine injects frames");
    }
}
