//! Machines that start and stop an echo workload when they are told to, and an outsider that talks to
//! it: a world for the tests of nodes that start nodes.
#![expect(dead_code, reason = "every test file uses another part")]

use contract::{
    Duration, FileId, Fx, Input, Node, NodeId, Nodes, Now, Refused, Shock, SimTime, StartError,
    WallTime,
};
use engine::{
    Boot, Boots, ClockSpec, Config, Control, DiskSpec, Engine, Idle, LinkSpec, NoStart, NodeSpec,
    Observer, Ties,
};
use std::rc::Rc;

pub const MS: u64 = 1_000_000;
pub const M1: NodeId = NodeId(0);
pub const M2: NodeId = NodeId(1);
/// Talks to the workloads from outside.
pub const OUT: NodeId = NodeId(2);
pub const W1: NodeId = NodeId(3);
pub const W2: NodeId = NodeId(4);
const FILE: FileId = FileId(1);

/// What a machine was told of its workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Started(u64, NodeId),
    NotStarted(u64, StartError),
    Exited(NodeId),
}

/// Commands, as bytes of a datagram: to a machine `start` and `stop`, to a workload `eat` and
/// `write`, and to the outsider `ping`.
pub fn start(ticket: u8, settings: &str) -> Vec<u8> {
    [&[b'S', ticket], settings.as_bytes()].concat()
}
pub fn stop(node: NodeId) -> Vec<u8> {
    vec![b'X', node.0 as u8]
}
pub fn ping(node: NodeId) -> Vec<u8> {
    vec![b'P', node.0 as u8]
}
/// From now on the workload uses so many kilobytes of memory.
pub fn eat(kilobytes: u8) -> Vec<u8> {
    vec![b'E', kilobytes]
}
/// The workload appends ten bytes to its file, and makes them durable if `sync`.
pub fn write(sync: bool) -> Vec<u8> {
    vec![b'W', u8::from(sync)]
}

#[derive(Clone, Debug, Default)]
pub struct Machine {
    pub told: Vec<Told>,
    pub wall: Option<WallTime>,
    pub echoes: u64,
}

impl Node for Machine {
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            Input::Datagram { bytes: [b'S', ticket, settings @ ..], .. } => {
                fx.start(u64::from(*ticket), "echo", |out| out.extend_from_slice(settings));
            }
            Input::Datagram { bytes: [b'X', node], .. } => fx.stop(NodeId(u32::from(*node))),
            Input::Datagram { bytes: [b'P', node], .. } => {
                fx.datagram(NodeId(u32::from(*node)), |out| out.push(b'p'));
            }
            Input::Datagram { bytes: [b'p'], .. } => self.echoes += 1,
            Input::Datagram { bytes: [b'W', _], .. } => {
                let end = fx.disk.len_bytes(FILE);
                let _ = fx.disk.write_at(FILE, end, &[1; 10]);
            }
            Input::Datagram { .. } => self.wall = Some(now.wall),
            Input::Started { ticket, node } => self.told.push(Told::Started(ticket, node)),
            Input::NotStarted { ticket, reason } => {
                self.told.push(Told::NotStarted(ticket, reason));
            }
            Input::Exited { node } => self.told.push(Told::Exited(node)),
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

/// Sends back what it gets.
#[derive(Clone, Debug)]
pub struct Echo {
    pub settings: Vec<u8>,
    pub machine: NodeId,
    /// The first number that it drew.
    pub drawn: u64,
    /// How much it found in its file.
    pub found_bytes: u64,
    pub last: Option<Now>,
    pub write_errors: u64,
    memory_bytes: u64,
}

impl Node for Echo {
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        let Input::Datagram { from, bytes } = input else { return };
        self.last = Some(now);
        match bytes {
            [b'E', kilobytes] => self.memory_bytes = u64::from(*kilobytes) << 10,
            [b'W', sync] => {
                let end = fx.disk.len_bytes(FILE);
                self.write_errors += u64::from(fx.disk.write_at(FILE, end, &[1; 10]).is_err());
                if *sync == 1 {
                    fx.disk.sync_now(&[FILE, FileId::DIRECTORY]).expect("the disk is faultless");
                }
            }
            _ => {
                fx.spend(Duration::from_micros(100));
                fx.datagram(from, |out| out.extend_from_slice(bytes));
            }
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
    fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }
}

/// Boots the fleet; seats are dealt in order. The settings `refuse` make a workload refuse to serve,
/// `mistake` are none of its role.
pub struct Fleet;

impl Boot for Fleet {
    fn boot(&self, _: NodeId, _: u32, _: Now, _: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused> {
        Ok(Box::new(Machine::default()))
    }
    fn place(
        &self,
        _machine: NodeId,
        role: &str,
        settings: &[u8],
        free: &[NodeId],
        _nodes: &dyn Nodes,
    ) -> Result<NodeId, NoStart> {
        assert_eq!(role, "echo");
        if settings == b"mistake" {
            return Err(NoStart::Mistake("`mistake` is no setting".into()));
        }
        free.first().copied().ok_or(NoStart::NoSeat)
    }
    fn boot_started(
        &self,
        _node: NodeId,
        _boot: u32,
        machine: NodeId,
        settings: &[u8],
        _now: Now,
        fx: &mut Fx<'_>,
    ) -> Result<Box<dyn Node>, Refused> {
        if settings == b"refuse" {
            return Err(Refused("it was told to".into()));
        }
        Ok(Box::new(Echo {
            settings: settings.to_vec(),
            machine,
            drawn: fx.rng.next_u64(),
            found_bytes: fx.disk.len_bytes(FILE),
            last: None,
            write_errors: 0,
            memory_bytes: if settings == b"fat" { 1 << 30 } else { 0 },
        }))
    }
}

/// Two machines, an outsider, and `seats` seats whose files outlive them if `durable`.
pub fn config(seats: usize, durable: bool) -> Config {
    let machine = |name: &str, skew_ns| NodeSpec {
        name: name.into(),
        clock: ClockSpec { skew_ns, drift_ppm: 0 },
        ..NodeSpec::default()
    };
    let seat = |number: usize| NodeSpec {
        name: format!("w/{number}"),
        boots: Boots::WhenStarted { durable },
        ..NodeSpec::default()
    };
    let mut nodes = vec![machine("m/1", 0), machine("m/2", 5), machine("out/1", 0)];
    nodes[1].disk = DiskSpec { capacity: Some(64), ..DiskSpec::default() };
    nodes.extend((1..=seats).map(seat));
    Config {
        seed: 7,
        nodes,
        link: LinkSpec::default(),
        links: Vec::new(),
        ties: Ties::Canonical,
        events_max: u64::MAX,
        pins: Vec::new(),
    }
}

/// Keeps what nodes did wrong.
#[derive(Clone, Debug, Default)]
pub struct Mistakes(pub Vec<(NodeId, String)>);

impl Observer for Mistakes {
    fn on_mistake(&mut self, _: SimTime, node: NodeId, what: &str) -> Control {
        self.0.push((node, what.to_owned()));
        Control::Continue
    }
    fn after_event(&mut self, _: SimTime, _: NodeId, nodes: &dyn Nodes) -> Control {
        for id in nodes.ids().filter(|id| *id >= W1) {
            let machine = nodes.machine(id);
            if nodes.node(id).is_some() {
                let machine = machine.expect("somebody started what runs");
                assert!(nodes.node(machine).is_some(), "a machine is up while others run on it");
            }
        }
        Control::Continue
    }
}

pub type World = Engine<Mistakes>;

pub fn fleet(config: Config) -> World {
    Engine::new(config, Rc::new(Fleet), Box::new(Idle), Mistakes::default())
}

/// Hands bytes to a node, and lets the world go on for 20 ms.
pub fn tell(world: &mut World, node: NodeId, bytes: Vec<u8>) {
    world.strike(Shock::InjectFrame { from: OUT, to: node, bytes }).expect("the node is there");
    pass(world);
}

pub fn pass(world: &mut World) {
    world.run_until(world.now() + Duration::from_millis(20));
}

pub fn machine(world: &World, id: NodeId) -> &Machine {
    world.nodes().get(id).expect("the machine is up")
}

pub fn echo(world: &World, id: NodeId) -> &Echo {
    world.nodes().get(id).expect("the workload runs")
}

/// How many echoes of `node` reach the outsider when it sends one ping.
pub fn echoes(world: &mut World, node: NodeId) -> u64 {
    let before = machine(world, OUT).echoes;
    tell(world, OUT, ping(node));
    machine(world, OUT).echoes - before
}
