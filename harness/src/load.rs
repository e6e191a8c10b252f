//! The load: when each client asks for an operation, which one, and what came back.
//!
//! Every client draws from a stream of its own, named by the client, so adding one shifts no other
//! client's operations. Open-loop arrivals do not wait for answers: they queue at their client, and
//! latency counts from the arrival.
//!
//! One arrival is one call, or the first step of a session (`session`); a later step of a session
//! arrives when the one before it is answered.

mod parts;
mod session;
#[cfg(test)]
mod tests;

use crate::cow_log::Chunks;
use contract::dist::Zipf;
use contract::{
    Call, Dist, Domain, Duration, NodeId, Op, OpId, Outcome, ReadLevel, Ret, Rng, SimTime, Value,
};
use engine::{Wake, Workload};
use parts::{Drawn, FromList, make};
use scenario::plan::{Ask, GroupPlan, KeysPlan, LoadPlan, OpPlan, Session};
use session::Running;
use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

pub use scenario::workload::{Draws, LoadKind, SessionSteps};

/// All clients of a run and the history of their operations.
#[derive(Clone)]
pub struct Load {
    /// By node id; `None` for nodes that are not clients.
    clients: Vec<Option<Client>>,
    /// Operations that ended, in the order of their ends.
    ended: Chunks<Op>,
    /// When those of them ended whose outcome is unknown: their clients gave up.
    given_up: Chunks<(OpId, SimTime)>,
    /// The id of the next operation.
    op_next: u64,
    /// What each key was last seen to hold: what a compare-and-set expects.
    seen: Seen,
}

/// What keys were last seen to hold, by whom: by any client of the same target, or, where clients
/// know nothing of each other, by each of them.
#[derive(Clone)]
struct Seen {
    /// By node id: clients of one number share what they know.
    circles: Rc<[u32]>,
    /// By key, modulo their number. A copy of the load shares each until one of them writes to it.
    shards: Vec<Rc<Shard>>,
}

type Shard = BTreeMap<(u32, u64), Option<Value>>;

/// A copy counts so many references up, and the first write copies one in so many keys.
const SHARDS: u64 = 64;

impl Seen {
    /// Clients of one target group share what they know.
    fn new(groups: &[GroupPlan]) -> Self {
        let target = |group: &GroupPlan| {
            let (_, selector) = group.uses.iter().find(|(name, _)| name == "target")?;
            Some(selector.split_once('/').map_or(selector.clone(), |(group, _)| group.to_owned()))
        };
        let targets: Vec<Option<String>> = groups.iter().map(target).collect();
        let circle = |group: usize| targets.iter().position(|t| *t == targets[group]);
        let circles = groups.iter().enumerate().flat_map(|(number, group)| {
            let circle = circle(number).expect("a target is equal to itself") as u32;
            (0..group.count).map(move |_| circle)
        });
        Self { circles: circles.collect(), shards: (0..SHARDS).map(|_| Rc::default()).collect() }
    }

    fn by(&self, client: NodeId, key: u64) -> Option<Value> {
        let shard = &self.shards[(key % SHARDS) as usize];
        shard.get(&(self.circles[client.index()], key)).copied().flatten()
    }

    fn learn(&mut self, client: NodeId, key: u64, holds: Option<Value>) {
        let shard = Rc::make_mut(&mut self.shards[(key % SHARDS) as usize]);
        shard.insert((self.circles[client.index()], key), holds);
    }
}

#[derive(Clone)]
struct Client {
    law: Rc<Law>,
    rng: Rng,
    /// The number of its random stream.
    stream: u64,
    /// The upper half of every value id that this client writes.
    value_prefix: u64,
    values_written: u32,
    process: u32,
    /// When the next operation arrives; [`SimTime::MAX`] when none will.
    arrival_next: SimTime,
    /// Arrived and not yet sent.
    waiting: VecDeque<SimTime>,
    /// Its listed operations, where operations are listed.
    listed: Option<Listed>,
    in_flight: Option<InFlight>,
    /// What is left of the session in progress.
    running: Option<Running>,
    /// The next call of that session, and when the one before it was answered.
    following: Option<(SimTime, Call)>,
}

/// The listed operations of one client, in the order of time.
#[derive(Clone)]
struct Listed {
    ops: Rc<[OpPlan]>,
    /// The values of all operations of the file, by number.
    values: Rc<BTreeMap<u32, Value>>,
    arrived: usize,
    sent: usize,
}

impl Listed {
    fn next_at(&self) -> SimTime {
        self.ops.get(self.arrived).map_or(SimTime::MAX, |op| op.at)
    }

    /// The next operation to be sent, by `client`.
    fn call(&mut self, client: NodeId, read: ReadLevel, seen: &Seen, rng: &mut Rng) -> Call {
        let ops = Rc::clone(&self.ops);
        let op = &ops[self.sent];
        self.sent += 1;
        assert!(self.sent <= self.arrived, "an operation arrives before it is sent");
        make(&op.ask, &mut FromList { listed: self, op, client, read, seen, rng })
    }

    /// A value by number; one that nobody writes is equal to none that somebody writes.
    fn expected(&self, number: u32) -> Value {
        let nobodys = Value { id: u64::from(number), size_bytes: Value::SIZE_MIN };
        self.values.get(&number).copied().unwrap_or(nobodys)
    }
}

#[derive(Clone)]
struct InFlight {
    id: OpId,
    call: Call,
    arrived_at: SimTime,
    call_at: SimTime,
}

/// What all clients of one group have in common.
struct Law {
    load: LoadPlan,
    weight_total: u64,
    zipf: Option<Zipf>,
}

impl Law {
    fn new(load: &LoadPlan) -> Self {
        let weight_total = load.ops.iter().map(|(_, weight)| u64::from(*weight)).sum();
        assert!(weight_total > 0, "the compiler refuses a load without operations");
        let zipf = match load.keys {
            KeysPlan::Uniform(_) => None,
            KeysPlan::Zipf { count, s_ppm } => Some(Zipf::new(count, s_ppm)),
        };
        Self { load: load.clone(), weight_total, zipf }
    }

    fn key(&self, rng: &mut Rng) -> u64 {
        match (&self.zipf, &self.load.keys) {
            (Some(zipf), _) => zipf.sample(rng),
            (None, KeysPlan::Uniform(count) | KeysPlan::Zipf { count, .. }) => rng.below(*count),
        }
    }

    fn ask(&self, rng: &mut Rng) -> &Ask {
        let mut left = rng.below(self.weight_total);
        for (ask, weight) in &self.load.ops {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return ask,
            }
        }
        unreachable!("the draw is below the sum of the weights")
    }
}

impl Load {
    /// The load of `groups`, whose nodes are numbered through in their order; `name_of` gives the
    /// name of a node.
    #[must_use]
    pub fn new(seed: u64, groups: &[GroupPlan]) -> Self {
        let mut clients = Vec::new();
        let mut prefixes = BTreeMap::new();
        let values = Rc::new(listed_values(seed, groups));
        for group in groups {
            let law = group.load.as_ref().map(|load| Rc::new(Law::new(load)));
            for index in 1..=group.count {
                let name = format!("{}/{index}", group.name);
                clients.push(law.clone().map(|law| {
                    let mut client = Client::new(seed, &name, law);
                    client.list(index, &values);
                    let clash = prefixes.insert(client.value_prefix, name.clone());
                    assert_eq!(clash, None, "clients {name} and {clash:?} would share value ids");
                    client
                }));
            }
        }
        Self {
            clients,
            ended: Chunks::default(),
            given_up: Chunks::default(),
            op_next: 0,
            seen: Seen::new(groups),
        }
    }

    /// Clients that know nothing of each other, because each of them is hosted by itself: a
    /// compare-and-set expects what its own client saw.
    #[must_use]
    pub fn apart(mut self, apart: bool) -> Self {
        if apart {
            self.seen.circles = (0..self.clients.len() as u32).collect();
        }
        self
    }

    /// From now on clients have the listed operations of `groups`, which are those that they had,
    /// but for some that are still to come.
    pub fn list_less(&mut self, seed: u64, groups: &[GroupPlan]) {
        let values = Rc::new(listed_values(seed, groups));
        let mut nodes = self.clients.iter_mut();
        for group in groups {
            for index in 1..=group.count {
                let client = nodes.next().expect("the groups have the nodes that they had");
                let Some(load) = &group.load else { continue };
                let client = client.as_mut().expect("a group of clients is one still");
                client.list_less(index, load, &values);
            }
        }
    }

    /// Whether `node` is a client.
    #[must_use]
    pub fn is_client(&self, node: NodeId) -> bool {
        self.clients[node.index()].is_some()
    }

    /// All operations by id; those still in flight have an unknown outcome.
    #[must_use]
    pub fn history(&self) -> Vec<Op> {
        let mut ops: Vec<Op> = self.ended.iter().cloned().collect();
        for (index, client) in self.clients.iter().enumerate() {
            let Some(client) = client else { continue };
            let Some(flight) = &client.in_flight else { continue };
            let node = NodeId(index as u32);
            ops.push(flight.clone().end(node, client.process, Outcome::Unknown, SimTime::MAX));
        }
        ops.sort_by_key(|op| op.id);
        ops
    }

    /// When clients gave up operations whose outcome is unknown, in the order of time; those still
    /// in flight are not among them.
    #[must_use]
    pub fn given_up(&self) -> Vec<(OpId, SimTime)> {
        self.given_up.iter().copied().collect()
    }

    /// How many operations arrived and were never sent, because their client was busy.
    #[must_use]
    pub fn never_sent(&self) -> u64 {
        self.clients.iter().flatten().map(|client| client.waiting.len() as u64).sum()
    }

    /// The call of an operation in flight at `client`.
    #[must_use]
    pub fn call(&self, client: NodeId, op: OpId) -> Option<&Call> {
        let flight = self.clients[client.index()].as_ref()?.in_flight.as_ref()?;
        (flight.id == op).then_some(&flight.call)
    }

    fn client(&mut self, node: NodeId) -> &mut Client {
        self.clients[node.index()].as_mut().expect("the engine wakes clients only")
    }

    /// Remembers what an answer said about its key.
    fn learn(&mut self, client: NodeId, call: &Call, outcome: &Outcome) {
        let (Some(key), Outcome::Ok(ret)) = (call.key(), outcome) else { return };
        let holds = match (ret, call) {
            (Ret::Found { value, .. }, _) => Some(*value),
            (Ret::Missing | Ret::Deleted { .. }, _) => None,
            (Ret::Conflict { seen }, _) => *seen,
            (Ret::Done { .. }, Call::Put { value, .. } | Call::Cas { value, .. }) => Some(*value),
            _ => return,
        };
        self.seen.learn(client, key, holds);
    }
}

impl InFlight {
    fn end(self, client: NodeId, process: u32, outcome: Outcome, ret_at: SimTime) -> Op {
        let Self { id, call, arrived_at, call_at } = self;
        Op { id, client, process, call, outcome, arrived_at, call_at, ret_at }
    }
}

impl Client {
    fn new(seed: u64, name: &str, law: Rc<Law>) -> Self {
        let mut client = Self {
            rng: Rng::new(seed, Domain::Client, name),
            stream: Rng::stream_number(name),
            value_prefix: value_prefix(name),
            values_written: 0,
            process: 0,
            arrival_next: law.load.start,
            waiting: VecDeque::new(),
            in_flight: None,
            listed: None,
            running: None,
            following: None,
            law,
        };
        if !client.law.load.closed && client.law.load.listed.is_none() {
            client.arrival_next = client.law.load.start + client.gap();
        }
        client.stop_in_time();
        client
    }

    /// Takes the listed operations of the client with the number `index`, if operations are listed.
    fn list(&mut self, index: u32, values: &Rc<BTreeMap<u32, Value>>) {
        let law = Rc::clone(&self.law);
        let Some(all) = &law.load.listed else { return };
        let ops = all.iter().filter(|op| op.client == index).cloned().collect();
        let listed = Listed { ops, values: Rc::clone(values), arrived: 0, sent: 0 };
        self.arrival_next = listed.next_at();
        self.listed = Some(listed);
    }

    fn list_less(&mut self, index: u32, load: &LoadPlan, values: &Rc<BTreeMap<u32, Value>>) {
        let (Some(listed), Some(all)) = (&mut self.listed, &load.listed) else { return };
        let ops: Rc<[OpPlan]> = all.iter().filter(|op| op.client == index).cloned().collect();
        let done = listed.arrived;
        assert!(ops.len() >= done, "what arrived is listed still");
        assert!(listed.ops[..done] == ops[..done], "only what is still to come is taken out");
        (listed.ops, listed.values) = (ops, Rc::clone(values));
        self.arrival_next = listed.next_at();
    }

    /// Exponential gaps: independent arrivals at the given rate (a Poisson process).
    fn gap(&mut self) -> Duration {
        let mean = self.law.load.gap.as_nanos();
        Duration(Dist::Exponential { min: 0, mean }.sample(&mut self.rng))
    }

    fn stop_in_time(&mut self) {
        if self.arrival_next >= self.law.load.stop {
            self.arrival_next = SimTime::MAX;
        }
    }

    fn arrival(&self) -> Option<SimTime> {
        (self.arrival_next != SimTime::MAX).then_some(self.arrival_next)
    }

    /// Takes the arrival that is due now, and draws the next.
    fn arrive(&mut self, at: SimTime) {
        assert!(at >= self.arrival_next, "an arrival is taken when it is due");
        self.waiting.push_back(self.arrival_next);
        if let Some(listed) = &mut self.listed {
            listed.arrived += 1;
            self.arrival_next = listed.next_at();
            return;
        }
        self.arrival_next =
            if self.law.load.closed { SimTime::MAX } else { self.arrival_next + self.gap() };
        self.stop_in_time();
    }

    /// When the client goes on after an answer at `at`.
    fn rest(&mut self, at: SimTime) -> Option<SimTime> {
        if self.following.is_some() {
            return Some(at);
        }
        if self.law.load.closed {
            let think = Duration(self.law.load.think.sample(&mut self.rng));
            self.arrival_next = at + think;
            self.stop_in_time();
        }
        if self.waiting.is_empty() { self.arrival() } else { Some(at) }
    }

    fn value(&mut self) -> Value {
        self.values_written += 1;
        let size_bytes = self.law.load.size(&mut self.rng);
        Value { id: self.value_prefix | u64::from(self.values_written), size_bytes }
    }

    /// The first call of the next arrival at this client, which is `node`.
    fn call(&mut self, node: NodeId, seen: &Seen) -> Call {
        assert!(self.running.is_none(), "one session after the other");
        let law = Rc::clone(&self.law);
        if let Some(listed) = &mut self.listed {
            return listed.call(node, law.load.read, seen, &mut self.rng);
        }
        self.running = match law.load.session {
            Session::Single => {
                let ask = law.ask(&mut self.rng);
                let key = law.key(&mut self.rng);
                return make(ask, &mut Drawn { client: self, node, seen, key: Some(key) });
            }
            Session::Script => Some(Running::Script { done: 0, key: law.key(&mut self.rng) }),
            Session::Own(kind) => Some(Running::Own(kind.begin())),
        };
        self.next_step(node, None, seen).expect("a session asks for something at all")
    }

    /// The next call of the session in progress, given the last one; without one, it is over.
    fn next_step(
        &mut self,
        node: NodeId,
        last: Option<(&Call, &Outcome)>,
        seen: &Seen,
    ) -> Option<Call> {
        let mut running = self.running.take()?;
        if last.is_some_and(|(_, outcome)| *outcome == Outcome::Unknown) {
            return None;
        }
        let call = running.next(last, self, node, seen)?;
        self.running = Some(running);
        Some(call)
    }
}

/// The upper half of every value id that a client writes.
fn value_prefix(name: &str) -> u64 {
    contract::hash::hash_bytes(name.as_bytes()) & 0x7FFF_FFFF_0000_0000
}

/// The values that listed operations write, by number. The size of each is drawn from a stream of
/// its own, so that taking one operation away resizes no other value.
fn listed_values(seed: u64, groups: &[GroupPlan]) -> BTreeMap<u32, Value> {
    let mut values = BTreeMap::new();
    for group in groups {
        let Some(load) = &group.load else { continue };
        for op in load.listed.iter().flatten() {
            let Some(number) = op.value else { continue };
            let prefix = value_prefix(&format!("{}/{}", group.name, op.client));
            let mut rng = Rng::new(seed, Domain::Client, &format!("value {number}"));
            let size_bytes = load.size(&mut rng);
            values.insert(number, Value { id: prefix | u64::from(number), size_bytes });
        }
    }
    values
}

impl Workload for Load {
    fn start(&mut self, client: NodeId) -> Option<SimTime> {
        self.clients[client.index()].as_ref()?.arrival()
    }

    fn wake(&mut self, at: SimTime, node: NodeId) -> Wake {
        let id = OpId(self.op_next);
        let client = self.clients[node.index()].as_mut().expect("the engine wakes clients only");
        if at >= client.arrival_next {
            client.arrive(at);
        }
        let next = client.arrival();
        if client.in_flight.is_some() {
            return Wake { invoke: None, next };
        }
        let in_peace = client.law.load.sends_until.is_some_and(|until| at >= until);
        if in_peace {
            (client.running, client.following) = (None, None);
            return Wake { invoke: None, next };
        }
        let (arrived_at, call) = match client.following.take() {
            Some(following) => following,
            None => {
                let Some(arrived_at) = client.waiting.pop_front() else {
                    return Wake { invoke: None, next };
                };
                (arrived_at, client.call(node, &self.seen))
            }
        };
        client.in_flight = Some(InFlight { id, call: call.clone(), arrived_at, call_at: at });
        self.op_next += 1;
        Wake { invoke: Some((id, call)), next }
    }

    fn complete(
        &mut self,
        at: SimTime,
        node: NodeId,
        op: OpId,
        outcome: Outcome,
    ) -> Option<SimTime> {
        let client = self.client(node);
        let flight = client.in_flight.take_if(|flight| flight.id == op)?;
        let process = client.process;
        if outcome == Outcome::Unknown {
            client.process += 1;
        }
        let ret_at = if outcome == Outcome::Unknown { SimTime::MAX } else { at };
        self.learn(node, &flight.call, &outcome);
        let client = self.clients[node.index()].as_mut().expect("it was one above");
        let following = client.next_step(node, Some((&flight.call, &outcome)), &self.seen);
        client.following = following.map(|call| (at, call));
        let next = client.rest(at);
        if outcome == Outcome::Unknown {
            self.given_up.push((op, at));
        }
        self.ended.push(flight.end(node, process, outcome, ret_at));
        next
    }

    fn lost(&mut self, at: SimTime, node: NodeId) {
        let client = self.client(node);
        if let Some(flight) = &client.in_flight {
            let op = flight.id;
            self.complete(at, node, op, Outcome::Unknown);
        }
    }

    fn reseed(&mut self, seed: u64) {
        for client in self.clients.iter_mut().flatten() {
            client.rng = Rng::with_stream(seed, Domain::Client, client.stream);
        }
    }

    fn fork(&self) -> Box<dyn Workload> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_any_mut(&mut self) -> Option<&mut dyn Any> {
        Some(self)
    }
}
