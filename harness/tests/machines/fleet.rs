//! A system for tests: machines that each keep one workload running, which keeps the registers of its
//! shard, and clients that ask all of them.
//!
//! The role `keeper` writes to its disk before it answers and is durable; the role `cache` keeps its
//! registers in memory, so whatever ends it loses them.

use catalog::{
    EventKind, GaugeKind, Group, Kind, Overrides, PredicateKind, Role, Seat, Setting, SettingValue,
    System,
};
use contract::{
    Call, Duration, FileId, Fx, Input, Node, NodeId, Nodes, Now, OpId, Outcome, Refused, Ret,
    SyncId, TimerKey, Value,
};
use std::collections::BTreeMap;

/// The rows of [`EVENTS`].
const STARTED: u16 = 0;
const EXITED: u16 = 1;
const NO_SEAT: u16 = 2;
const EVENTS: &[EventKind] = &[
    EventKind { name: "fleet.started", unit: "", labels: &[], about: "a workload runs" },
    EventKind { name: "fleet.exited", unit: "", labels: &[], about: "a workload is gone" },
    EventKind { name: "fleet.not_started", unit: "", labels: &[], about: "no workload runs" },
];

const TRY: TimerKey = TimerKey(0);
const STOP: TimerKey = TimerKey(1);
const LOOK: TimerKey = TimerKey(2);
const REGISTERS: FileId = FileId(1);

#[derive(Clone)]
pub struct Machine {
    index: u32,
    /// The seat that it may use.
    seat: Option<NodeId>,
    workload: &'static str,
    mistaken: bool,
    stop_every: Option<Duration>,
    tickets: u64,
    pub running: Option<NodeId>,
}

impl Machine {
    fn try_start(&mut self, fx: &mut Fx<'_>) {
        self.tickets += 1;
        let name = if self.mistaken { "shrad" } else { "shard" };
        let shard = SettingValue::Int(i64::from(self.index));
        fx.start(self.tickets, self.workload, |out| {
            Overrides::new(out).set(name, &shard);
        });
    }
}

impl Node for Machine {
    fn on_input(&mut self, _: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            Input::Timer(TRY) => self.try_start(fx),
            Input::Timer(STOP) => self.running.iter().for_each(|node| fx.stop(*node)),
            Input::Started { ticket, node } => {
                assert_eq!(ticket, self.tickets, "one start at a time");
                assert_eq!(self.running, None, "one workload at a time");
                self.running = Some(node);
                fx.mark(STARTED, [0; 3], 0);
                if let Some(every) = self.stop_every {
                    fx.set_timer(STOP, every);
                }
            }
            Input::NotStarted { ticket, .. } => {
                assert_eq!(ticket, self.tickets, "one start at a time");
                fx.mark(NO_SEAT, [0; 3], 0);
                fx.set_timer(TRY, Duration::from_millis(20));
            }
            Input::Exited { node } => {
                assert_eq!(self.running.take(), Some(node), "the workload that ran");
                fx.mark(EXITED, [0; 3], 0);
                fx.set_timer(TRY, Duration::from_millis(20));
            }
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

#[derive(Clone)]
pub struct Workload {
    shard: i64,
    durable: bool,
    held: BTreeMap<u64, u64>,
    syncs: u64,
    /// Answers that wait for a sync.
    waiting: BTreeMap<u64, (NodeId, [u64; 3])>,
    pub machine: NodeId,
    pub wall_ms: u64,
}

impl Workload {
    fn boot(seat: &Seat<'_>, machine: NodeId, fx: &mut Fx<'_>) -> Self {
        let durable = seat.role == "keeper";
        let mut held = BTreeMap::new();
        for at in (0..fx.disk.len_bytes(REGISTERS)).step_by(8) {
            let mut word = [0; 8];
            fx.disk.read_at(REGISTERS, at, &mut word).expect("it is that long");
            held.insert(at / 8, u64::from_be_bytes(word));
        }
        fx.set_timer(LOOK, Duration::from_millis(10));
        let shard = seat.settings.int("shard");
        let (syncs, waiting, wall_ms) = (0, BTreeMap::new(), 0);
        Self { shard, durable, held, syncs, waiting, machine, wall_ms }
    }

    fn asked(&mut self, from: NodeId, [op, key, value]: [u64; 3], fx: &mut Fx<'_>) {
        if key % 2 != self.shard as u64 {
            return;
        }
        let slot = self.held.entry(key).or_default();
        if value == 0 || !self.durable {
            *slot = if value == 0 { *slot } else { value };
            let words = [op, key, *slot];
            return send(from, words, fx);
        }
        *slot = value;
        fx.disk.write_at(REGISTERS, key * 8, &value.to_be_bytes()).expect("a good disk");
        self.syncs += 1;
        self.waiting.insert(self.syncs, (from, [op, key, value]));
        fx.sync(SyncId(self.syncs), &[REGISTERS, FileId::DIRECTORY]);
    }
}

impl Node for Workload {
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            // What was read before a write is durable is read again after it.
            Input::Datagram { from, bytes } => {
                fx.spend(Duration::from_micros(50));
                let words = decode(bytes);
                if words[2] == 0 && !self.waiting.is_empty() {
                    return;
                }
                self.asked(from, words, fx);
            }
            Input::Synced { sync, result } => {
                result.expect("a good disk");
                if let Some((from, words)) = self.waiting.remove(&sync.0) {
                    send(from, words, fx);
                }
            }
            Input::Timer(_) => {
                self.wall_ms = now.wall.0 / 1_000_000;
                fx.set_timer(LOOK, Duration::from_millis(10));
            }
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

#[derive(Clone)]
struct Client {
    seats: Vec<NodeId>,
    busy: Option<(OpId, Call)>,
}

impl Node for Client {
    fn on_input(&mut self, _: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            Input::Invoke { op, call } => {
                let value = if let Call::Put { value, .. } = call { value.id } else { 0 };
                let words = [op.0, call.key().unwrap_or(0), value];
                self.seats.iter().for_each(|seat| send(*seat, words, fx));
                fx.set_timer(TimerKey(op.0), Duration::from_millis(100));
                self.busy = Some((op, call.clone()));
            }
            Input::Datagram { bytes, .. } => {
                let [id, _, held] = decode(bytes);
                let Some((op, call)) = self.busy.take_if(|(op, _)| op.0 == id) else { return };
                let value = Value { id: held, size_bytes: Value::SIZE_MIN };
                let ret = match call {
                    Call::Put { .. } => Ret::Done { version: 0 },
                    _ if held == 0 => Ret::Missing,
                    _ => Ret::Found { value, version: 0, stale: false },
                };
                fx.complete(op, Outcome::Ok(ret));
            }
            Input::Timer(TimerKey(id)) => {
                if let Some((op, _)) = self.busy.take_if(|(op, _)| op.0 == id) {
                    fx.complete(op, Outcome::Unknown);
                }
            }
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

fn send(to: NodeId, words: [u64; 3], fx: &mut Fx<'_>) {
    fx.datagram(to, |out| out.extend(words.map(u64::to_be_bytes).concat()));
}

fn decode(bytes: &[u8]) -> [u64; 3] {
    let word = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    [word(0), word(8), word(16)]
}

pub struct Fleet;

const MACHINE: &[Setting] = &[
    Setting {
        name: "workload",
        kind: Kind::Choice(&["keeper", "cache"]),
        about: "the role of what it starts",
        default: "\"keeper\"",
    },
    Setting { name: "mistaken", kind: Kind::Bool, about: "misspells", default: "false" },
    Setting { name: "stop_every", kind: Kind::DURATION, about: "how soon it stops", default: "" },
];
const WORKLOAD: &[Setting] = &[Setting {
    name: "shard",
    kind: Kind::Int { min: 0, max: 1 },
    about: "the remainder of its keys",
    default: "0",
}];

impl System for Fleet {
    fn name(&self) -> &'static str {
        "fleet"
    }
    fn roles(&self) -> &'static [Role] {
        const fn workload(name: &'static str, durable: bool) -> Role {
            Role { settings: WORKLOAD, durable, ..Role::plain(name, "keeps registers") }
        }
        const ROLES: [Role; 4] = [
            Role { settings: MACHINE, uses: &["seats"], ..Role::plain("machine", "starts one") },
            workload("keeper", true),
            workload("cache", false),
            Role::plain("client", "asks all workloads"),
        ];
        &ROLES
    }
    fn events(&self) -> &'static [EventKind] {
        EVENTS
    }
    fn gauges(&self) -> &'static [GaugeKind] {
        &[GaugeKind {
            name: "fleet.wall_ms",
            unit: "ms",
            about: "the wall clock of a workload",
            read: wall_ms,
        }]
    }
    fn predicates(&self) -> &'static [PredicateKind] {
        &[PredicateKind {
            name: "fleet.all_run",
            about: "every machine has its workload",
            roles: &["machine"],
            holds: all_run,
        }]
    }
    fn boot(&self, seat: &Seat<'_>, _: Now, fx: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused> {
        if let Some(seats) = seat.uses.get("target") {
            return Ok(Box::new(Client { seats: seats.clone(), busy: None }));
        }
        if let Some(machine) = seat.machine {
            return Ok(Box::new(Workload::boot(seat, machine, fx)));
        }
        let stop_every =
            seat.settings.has("stop_every").then(|| seat.settings.duration("stop_every"));
        let mut machine = Machine {
            index: seat.index,
            seat: seat.uses["seats"].get(seat.index as usize).copied(),
            workload: seat.settings.choice("workload"),
            mistaken: seat.settings.bool("mistaken"),
            stop_every,
            tickets: 0,
            running: None,
        };
        machine.try_start(fx);
        Ok(Box::new(machine))
    }
    /// Every machine has a seat of its own: the files of its shard are there.
    fn place(
        &self,
        machine: NodeId,
        _: &str,
        free: &[NodeId],
        nodes: &dyn Nodes,
    ) -> Option<NodeId> {
        let seat = nodes.get::<Machine>(machine)?.seat?;
        free.contains(&seat).then_some(seat)
    }
    fn pending(&self, _: &[Group], _: &dyn Nodes) -> Option<&'static str> {
        None
    }
    fn fingerprint(&self, groups: &[Group], nodes: &dyn Nodes) -> u64 {
        let all = groups.iter().flat_map(|group| &group.nodes);
        all.fold(0, |state, node| {
            let on = nodes.machine(*node).map_or(0, |machine| u64::from(machine.0) + 1);
            contract::hash::mix(state, on << 1 | u64::from(nodes.node(*node).is_some()))
        })
    }
}

fn wall_ms(node: &dyn Node) -> Option<u64> {
    let node: &dyn std::any::Any = node;
    node.downcast_ref::<Workload>().map(|workload| workload.wall_ms)
}

fn all_run(group: &[NodeId], nodes: &dyn Nodes) -> Option<bool> {
    let machines: Vec<&Machine> = group.iter().filter_map(|node| nodes.get(*node)).collect();
    let runs = |machine: &&Machine| machine.running.is_some_and(|on| nodes.node(on).is_some());
    let are_up = machines.len() == group.len();
    (!machines.is_empty()).then(|| are_up && machines.iter().all(runs))
}
