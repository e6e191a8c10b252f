//! A Hyperion world on the engine: groups, load, invariants, history.

use crate::history::{Done, History};
use crate::settings;
use catalog::{Group, Invariant, Preload, Seat, SettingValue, Settings, System, Violation};
use contract::{
    Call, Condition, ConditionId, DiskFate, Dist, Domain, Duration, Fx, InFlight, Mark, Node,
    NodeId, Nodes, Now, OpId, Outcome, Ratio, ReadLevel, Refused, Rng, SimTime, Value,
};
use engine::{
    Boot, Config, Control, DiskSpec, Engine, LinkSpec, NodeSpec, Observer, Stopped, Ties, Wake,
    Workload,
};
use sim::hyperion::Hyperion;
use sim::hyperion::tables::settings::{CacheSettings, ClientSettings};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a world is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub nodes: u32,
    pub clients: u32,
    /// Operations per second and client.
    pub rate: u64,
    pub keys: u64,
    /// Weights of get, put and compare-and-set.
    pub ops: [u64; 3],
    pub value_bytes: u32,
    pub ttl: Option<Duration>,
    pub cache: Vec<(&'static str, SettingValue)>,
    pub client: Vec<(&'static str, SettingValue)>,
    pub defects: Vec<&'static str>,
    pub link: LinkSpec,
    /// When the load stops.
    pub stop_at: SimTime,
    /// Where it is not empty, the first client asks exactly this, at these milliseconds, and the
    /// others nothing.
    pub script: Vec<(u64, Call)>,
    pub preload: Vec<Preload>,
}

impl Plan {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            nodes: 3,
            clients: 6,
            rate: 50,
            keys: 8,
            ops: [45, 45, 10],
            value_bytes: 16,
            ttl: None,
            cache: Vec::new(),
            client: Vec::new(),
            defects: Vec::new(),
            link: LinkSpec {
                latency: Dist::Uniform { min: 1_000_000, max: 4_000_000 },
                ..LinkSpec::default()
            },
            stop_at: SimTime(15_000_000_000),
            script: Vec::new(),
            preload: Vec::new(),
        }
    }

    pub fn cache(mut self, name: &'static str, value: SettingValue) -> Self {
        self.cache.push((name, value));
        self
    }

    pub fn defects(mut self, defects: &[&'static str]) -> Self {
        self.defects = defects.to_vec();
        self
    }

    pub fn build(self) -> World {
        World::new(self)
    }
}

/// The cache nodes come first in the order of ids, because `h` is before `kv`.
struct Lab {
    caches: Vec<NodeId>,
    clients: Vec<NodeId>,
    names: Vec<String>,
    cache: Settings,
    client: Settings,
    none: BTreeMap<String, Vec<NodeId>>,
    target: BTreeMap<String, Vec<NodeId>>,
    defects: Vec<&'static str>,
    preload: Vec<Preload>,
}

impl Lab {
    fn new(plan: &Plan, caches: Vec<NodeId>, clients: Vec<NodeId>, names: Vec<String>) -> Self {
        Self {
            target: BTreeMap::from([("target".to_string(), caches.clone())]),
            none: BTreeMap::new(),
            cache: with(settings::defaults(CacheSettings::ROWS), &plan.cache),
            client: with(settings::defaults(ClientSettings::ROWS), &plan.client),
            defects: plan.defects.clone(),
            preload: plan.preload.clone(),
            names,
            caches,
            clients,
        }
    }
}

impl Boot for Lab {
    fn boot(
        &self,
        node: NodeId,
        boot: u32,
        now: Now,
        fx: &mut Fx<'_>,
    ) -> Result<Box<dyn Node>, Refused> {
        let is_cache = node.index() < self.caches.len();
        let group = if is_cache { &self.caches } else { &self.clients };
        let index = group.iter().position(|&id| id == node);
        let index = index.expect("every node is in its group") as u32;
        let seat = Seat {
            node,
            name: &self.names[node.index()],
            machine: None,
            index,
            boot,
            role: if is_cache { "cache" } else { "client" },
            group,
            uses: if is_cache { &self.none } else { &self.target },
            settings: if is_cache { &self.cache } else { &self.client },
            defects: &self.defects,
            drift_max: Ratio::new(1, 100),
            preload: if is_cache { &self.preload } else { &[] },
        };
        Hyperion.boot(&seat, now, fx)
    }
}

/// Open-loop arrivals per client; what arrives during an operation is skipped.
struct Load {
    plan: Plan,
    clients: BTreeMap<NodeId, Busy>,
    /// The last value that anyone wrote to a key, for compare-and-set.
    last: BTreeMap<u64, Value>,
    values: u64,
    ops: u64,
    history: Rc<RefCell<History>>,
}

struct Busy {
    rng: Rng,
    op: Option<usize>,
}

impl Load {
    fn new(
        plan: &Plan,
        clients: &[NodeId],
        names: &[String],
        history: &Rc<RefCell<History>>,
    ) -> Self {
        let busy = |id: &NodeId| {
            let rng = Rng::new(plan.seed, Domain::Client, &names[id.index()]);
            (*id, Busy { rng, op: None })
        };
        Self {
            clients: clients.iter().map(busy).collect(),
            last: BTreeMap::new(),
            values: 0,
            ops: 0,
            history: Rc::clone(history),
            plan: plan.clone(),
        }
    }

    fn busy(&mut self, client: NodeId) -> &mut Busy {
        let busy = self.clients.get_mut(&client);
        busy.expect("only clients are asked for operations")
    }

    fn gap(&mut self, client: NodeId) -> Duration {
        let mean = 1_000_000_000 / self.plan.rate;
        let rng = &mut self.busy(client).rng;
        Duration(rng.range(mean / 2, mean + mean / 2))
    }

    fn call(&mut self, client: NodeId) -> Call {
        let keys = self.plan.keys;
        let [gets, puts, cas] = self.plan.ops;
        let rng = &mut self.busy(client).rng;
        let key = rng.below(keys);
        let kind = rng.below(gets + puts + cas);
        if kind < gets {
            let read = ReadLevel::Linearizable;
            return Call::Get { key, read };
        }
        self.values += 1;
        let value = Value { id: self.values, size_bytes: self.plan.value_bytes };
        let expect = self.last.insert(key, value);
        if kind < gets + puts {
            let ttl = self.plan.ttl;
            return Call::Put { key, value, ttl };
        }
        Call::Cas { key, expect, value }
    }
}

impl Workload for Load {
    fn start(&mut self, client: NodeId) -> Option<SimTime> {
        if let Some((at_ms, _)) = self.plan.script.first() {
            let is_first = self.clients.keys().next() == Some(&client);
            return is_first.then_some(SimTime(at_ms * 1_000_000));
        }
        self.clients.contains_key(&client).then(|| SimTime::ZERO + self.gap(client))
    }

    fn wake(&mut self, at: SimTime, client: NodeId) -> Wake {
        if at >= self.plan.stop_at {
            return Wake::default();
        }
        let next = match self.plan.script.get(self.ops as usize + 1) {
            Some((at_ms, _)) => Some(SimTime(at_ms * 1_000_000)),
            None => Some(at + self.gap(client)).filter(|_| self.plan.script.is_empty()),
        };
        if self.clients[&client].op.is_some() {
            // It asks again when it is free: asking at this instant would stop time.
            let next = next.map(|next| next.max(at + Duration::from_millis(1)));
            return Wake { invoke: None, next };
        }
        let call = match self.plan.script.get(self.ops as usize) {
            Some((_, call)) => call.clone(),
            None => self.call(client),
        };
        let place = self.history.borrow().0.len();
        self.busy(client).op = Some(place);
        self.history.borrow_mut().0.push(Done {
            client,
            call: call.clone(),
            outcome: None,
            call_at: at,
            ret_at: SimTime::MAX,
        });
        self.ops += 1;
        Wake { invoke: Some((OpId(self.ops), call)), next }
    }

    fn complete(
        &mut self,
        at: SimTime,
        client: NodeId,
        _op: OpId,
        outcome: Outcome,
    ) -> Option<SimTime> {
        let op = self.busy(client).op.take();
        let op = op.expect("an operation ends once");
        let done = &mut self.history.borrow_mut().0[op];
        if outcome != Outcome::Unknown {
            done.ret_at = at;
        }
        done.outcome = Some(outcome);
        None
    }

    fn lost(&mut self, _at: SimTime, client: NodeId) {
        self.busy(client).op = None;
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
    fn fork(&self) -> Box<dyn Workload> {
        Box::new(Self {
            plan: self.plan.clone(),
            clients: self
                .clients
                .iter()
                .map(|(id, busy)| {
                    let rng = busy.rng.clone();
                    (*id, Busy { rng, op: busy.op })
                })
                .collect(),
            last: self.last.clone(),
            values: self.values,
            ops: self.ops,
            history: Rc::new(RefCell::new(self.history.borrow().clone())),
        })
    }
}

/// Watches the invariants and keeps marks.
pub struct Watch {
    invariants: Vec<Box<dyn Invariant>>,
    pub violations: Vec<Violation>,
    pub marks: Vec<(SimTime, NodeId, Mark)>,
}

impl Clone for Watch {
    fn clone(&self) -> Self {
        Self {
            invariants: self.invariants.iter().map(|inv| inv.fork()).collect(),
            violations: self.violations.clone(),
            marks: self.marks.clone(),
        }
    }
}

impl Observer for Watch {
    fn on_mark(&mut self, at: SimTime, node: NodeId, mark: Mark, nodes: &dyn Nodes) -> Control {
        self.marks.push((at, node, mark));
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

/// A running world.
pub struct World {
    pub engine: Engine<Watch>,
    pub groups: Vec<Group>,
    history: Rc<RefCell<History>>,
}

impl World {
    fn new(plan: Plan) -> Self {
        let caches: Vec<NodeId> = (0..plan.nodes).map(NodeId).collect();
        let clients: Vec<NodeId> = (plan.nodes..plan.nodes + plan.clients).map(NodeId).collect();
        let names: Vec<String> = (1..=plan.nodes)
            .map(|i| format!("h/{i}"))
            .chain((1..=plan.clients).map(|i| format!("kv/{i}")))
            .collect();
        let group = |name: &str, role, nodes: &[NodeId]| Group {
            name: name.into(),
            role,
            nodes: nodes.to_vec(),
            defects: plan.defects.clone(),
        };
        let groups = vec![group("h", "cache", &caches), group("kv", "client", &clients)];
        let watch = Watch {
            invariants: Hyperion.invariants(&groups),
            violations: Vec::new(),
            marks: Vec::new(),
        };
        let history = Rc::new(RefCell::new(History::default()));
        let load = Load::new(&plan, &clients, &names, &history);
        let config = config(&plan, &names);
        let lab = Lab::new(&plan, caches, clients, names);
        Self { engine: Engine::new(config, Rc::new(lab), Box::new(load), watch), groups, history }
    }

    /// Runs up to `at_ms` milliseconds of simulated time.
    pub fn run_to(&mut self, at_ms: u64) {
        let stopped = self.engine.run_until(SimTime(at_ms * 1_000_000));
        assert!(!matches!(stopped, Stopped::Stuck | Stopped::Budget), "{stopped:?}");
    }

    pub fn caches(&self) -> Vec<NodeId> {
        self.groups[0].nodes.clone()
    }

    /// What a selector such as `leader` means now.
    pub fn select(&self, word: &str) -> Vec<NodeId> {
        Hyperion.select(word, &self.groups[0].nodes, self.engine.nodes())
    }

    pub fn leader(&self) -> NodeId {
        self.select("leader")[0]
    }

    /// Cuts the links from each of `from` to each of `to`, in that direction.
    pub fn block(&mut self, from: &[NodeId], to: &[NodeId]) -> Vec<ConditionId> {
        let pairs = from.iter().flat_map(|&a| to.iter().map(move |&b| (a, b)));
        let impose = |(from, to)| {
            let in_flight = InFlight::Lost;
            let block = Condition::Block { from, to, in_flight };
            self.impose(block)
        };
        pairs.map(impose).collect()
    }

    /// Cuts both directions.
    pub fn cut(&mut self, left: &[NodeId], right: &[NodeId]) -> Vec<ConditionId> {
        let mut imposed = self.block(left, right);
        imposed.extend(self.block(right, left));
        imposed
    }

    /// Crashes nodes; what they had not synced is lost.
    pub fn crash(&mut self, nodes: &[NodeId]) -> Vec<ConditionId> {
        let disk = DiskFate::UnsyncedLost;
        let down = |&node| self.impose(Condition::down(node, disk));
        nodes.iter().map(down).collect()
    }

    pub fn impose(&mut self, condition: Condition) -> ConditionId {
        let imposed = self.engine.impose(condition);
        imposed.expect("the engine has every condition")
    }

    pub fn lift(&mut self, imposed: Vec<ConditionId>) {
        imposed.into_iter().for_each(|id| self.engine.lift(id));
    }

    /// Why the world has not settled; `None` once it has.
    pub fn pending(&self) -> Option<&'static str> {
        Hyperion.pending(&self.groups, self.engine.nodes())
    }

    pub fn history(&self) -> History {
        self.history.borrow().clone()
    }

    pub fn violations(&self) -> &[Violation] {
        &self.engine.observer().violations
    }

    /// The marks of an event.
    pub fn marks_of(&self, name: &str) -> impl Iterator<Item = &Mark> {
        let row = Hyperion.events().iter().position(|kind| kind.name == name);
        let row = row.expect("the event is in the table") as u16;
        let marks = self.engine.observer().marks.iter().map(|(.., mark)| mark);
        marks.filter(move |mark| mark.event == row)
    }

    /// How many marks of an event there are.
    pub fn marks(&self, name: &str) -> usize {
        self.marks_of(name).count()
    }

    /// The most handles on one value, over all nodes.
    pub fn handles_max(&self) -> u64 {
        let handles = |id| self.gauge("value.handles", id);
        self.caches().into_iter().map(handles).max().unwrap_or(0)
    }

    /// The value of a gauge at a node.
    pub fn gauge(&self, name: &str, node: NodeId) -> u64 {
        let row = Hyperion.gauges().iter().position(|kind| kind.name == name);
        let node = self.engine.nodes().node(node).expect("the node is up");
        let value = Hyperion.gauge(row.expect("the gauge is in the table"), node);
        value.expect("cache nodes have it")
    }

    /// No invariant was violated.
    pub fn assert_violation_free(&self) {
        assert_eq!(self.violations(), &[], "invariants hold");
    }

    /// Nothing was violated, and one copy of the data could have answered so.
    pub fn assert_clean(&self) {
        self.assert_violation_free();
        assert_eq!(self.history().contradiction(), None, "linearizable");
    }
}

fn with(mut settings: Settings, given: &[(&'static str, SettingValue)]) -> Settings {
    settings.0.extend(given.iter().cloned());
    settings
}

/// Faultless disks that take up to a millisecond to sync, and the network of the plan.
fn config(plan: &Plan, names: &[String]) -> Config {
    let spec = |name: &String| NodeSpec {
        name: name.clone(),
        disk: DiskSpec {
            sync: Dist::Uniform { min: 100_000, max: 1_000_000 },
            ..DiskSpec::default()
        },
        ..NodeSpec::default()
    };
    Config {
        seed: plan.seed,
        nodes: names.iter().map(spec).collect(),
        link: plan.link.clone(),
        links: Vec::new(),
        ties: Ties::Canonical,
        events_max: u64::MAX,
        pins: Vec::new(),
    }
}
