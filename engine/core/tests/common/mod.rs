//! Small nodes for the engine's tests, and a shorthand to build worlds of them.
#![expect(dead_code, reason = "every test file uses another part")]

use contract::{
    CloseReason, ConnId, DiskError, Dist, Duration, FileId, Fx, Input, Node, NodeId, Now, Refused,
    SimTime, SyncId, TimerKey,
};
use engine::{Boot, Config, DiskSpec, Engine, Idle, LinkSpec, NodeSpec, Ties, Unwatched};
use std::rc::Rc;

pub const MS: u64 = 1_000_000;
pub const SECOND: u64 = 1_000 * MS;

pub fn ms(n: u64) -> SimTime {
    SimTime(n * MS)
}

/// Boots nodes with a function.
pub struct BootWith<F>(F);

/// A [`Boot`] from a function.
pub fn boot_with<F>(boot: F) -> impl Boot
where
    F: Fn(NodeId, u32, &mut Fx<'_>) -> Result<Box<dyn Node>, Refused>,
{
    BootWith(boot)
}

impl<F> Boot for BootWith<F>
where
    F: Fn(NodeId, u32, &mut Fx<'_>) -> Result<Box<dyn Node>, Refused>,
{
    fn boot(
        &self,
        node: NodeId,
        boot: u32,
        _now: Now,
        fx: &mut Fx<'_>,
    ) -> Result<Box<dyn Node>, Refused> {
        (self.0)(node, boot, fx)
    }
}

/// A world of `count` nodes `h/1`, `h/2`, … with links of 1 to 10 ms and a disk that takes time.
pub fn config(seed: u64, count: usize) -> Config {
    let names = (1..=count).map(|index| format!("h/{index}"));
    let disk = DiskSpec {
        write: Dist::Uniform { min: 1_000, max: 5_000 },
        sync: Dist::Uniform { min: MS, max: 4 * MS },
        ..DiskSpec::default()
    };
    Config {
        seed,
        nodes: names
            .map(|name| NodeSpec { name, disk: disk.clone(), ..NodeSpec::default() })
            .collect(),
        link: LinkSpec { latency: Dist::Uniform { min: MS, max: 10 * MS }, ..LinkSpec::default() },
        links: Vec::new(),
        ties: Ties::Canonical,
        events_max: u64::MAX,
        pins: Vec::new(),
    }
}

pub fn world(config: Config, boot: impl Boot + 'static) -> Engine<Unwatched> {
    Engine::new(config, Rc::new(boot), Box::new(Idle), Unwatched)
}

/// Keeps a number of requests outstanding to random peers, and answers those of others.
#[derive(Clone, Debug)]
pub struct Ping {
    pub peers: u32,
    pub answered: u64,
    payload: [u8; 64],
}

impl Ping {
    /// Boots a node that keeps `window` requests outstanding among nodes `0..peers`.
    pub fn boot(peers: u32, window: u32, fx: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused> {
        let mut ping = Self { peers, answered: 0, payload: [7; 64] };
        (0..window).for_each(|_| ping.ask(fx));
        Ok(Box::new(ping))
    }

    pub fn boots(peers: u32, window: u32) -> impl Boot {
        boot_with(move |node: NodeId, _, fx: &mut Fx<'_>| {
            let window = if node.0 < peers { window } else { 0 };
            Self::boot(peers, window, fx)
        })
    }

    fn ask(&mut self, fx: &mut Fx<'_>) {
        let other = fx.rng.below(u64::from(self.peers) - 1) as u32;
        let to = if other >= fx.me().0 { other + 1 } else { other };
        self.payload[0] = 0;
        self.payload[1..9].copy_from_slice(&self.answered.to_be_bytes());
        let payload = self.payload;
        fx.datagram(NodeId(to), |out| out.extend_from_slice(&payload));
    }
}

impl Node for Ping {
    fn on_input(&mut self, _now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        let Input::Datagram { from, bytes } = input else {
            return;
        };
        if bytes.first() == Some(&0) {
            fx.datagram(from, |out| {
                out.extend_from_slice(bytes);
                let start = out.len() - bytes.len();
                out[start] = 1;
            });
        } else {
            self.answered += 1;
            self.ask(fx);
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

const TICK: TimerKey = TimerKey(1);
const LOG: FileId = FileId(1);

/// Does a bit of everything: every 10 ms it sends a datagram to each peer, appends to its log and
/// asks for a sync, works for a while, and writes to its connections; everything that it sees goes
/// into a state that its messages carry on.
#[derive(Clone, Debug)]
pub struct Busy {
    pub state: u64,
    pub ticks: u64,
    pub received: u64,
    pub synced: u64,
    pub sync_errors: u64,
    pub write_errors: u64,
    pub resets: u64,
    pub memory_bytes: u64,
    peers: u32,
    conns: Vec<ConnId>,
    spend: Duration,
}

impl Busy {
    pub fn boots(peers: u32) -> impl Boot {
        Self::boots_spending(peers, Duration::from_micros(50))
    }

    /// Ticks at whole milliseconds and takes no time for it.
    pub fn boots_in_step(peers: u32) -> impl Boot {
        Self::boots_phased(peers, Duration::ZERO, MS)
    }

    pub fn boots_spending(peers: u32, spend: Duration) -> impl Boot {
        Self::boots_phased(peers, spend, 1)
    }

    fn boots_phased(peers: u32, spend: Duration, unit_ns: u64) -> impl Boot {
        boot_with(move |node: NodeId, _, fx: &mut Fx<'_>| {
            let mut busy = Self {
                state: 1,
                ticks: 0,
                received: 0,
                synced: 0,
                sync_errors: 0,
                write_errors: 0,
                resets: 0,
                memory_bytes: 1_000,
                peers: if node.0 < peers { peers } else { 0 },
                conns: Vec::new(),
                spend,
            };
            if node.0 < peers {
                busy.connect(fx);
                let phase = fx.rng.below(10 * MS / unit_ns) * unit_ns;
                fx.set_timer(TICK, Duration(phase));
            }
            Ok(Box::new(busy))
        })
    }

    fn connect(&mut self, fx: &mut Fx<'_>) {
        let me = fx.me();
        let higher = (me.0 + 1..self.peers).map(NodeId);
        self.conns.extend(higher.map(|peer| fx.open(peer)));
    }

    fn tick(&mut self, now: Now, fx: &mut Fx<'_>) {
        self.ticks += 1;
        self.memory_bytes += 10;
        self.see(now.wall.0 / (50 * MS));
        fx.set_timer(TICK, Duration::from_millis(10));
        let state = self.state;
        let me = fx.me();
        for peer in (0..self.peers).map(NodeId).filter(|peer| *peer != me) {
            fx.datagram(peer, |out| {
                out.extend_from_slice(&state.to_be_bytes());
                out.extend_from_slice(&[0; 56]);
            });
        }
        for conn in &self.conns {
            fx.write(*conn, |out| out.extend_from_slice(&state.to_be_bytes()));
        }
        self.log(fx);
        fx.spend(self.spend);
    }

    fn log(&mut self, fx: &mut Fx<'_>) {
        let end = fx.disk.len_bytes(LOG) % 65_536;
        let state = self.state.to_be_bytes();
        if fx.disk.write_at(LOG, end, &state).is_err() {
            self.write_errors += 1;
        }
        let mut back = [0; 8];
        if end >= 8 && fx.disk.read_at(LOG, end - 8, &mut back).is_ok() {
            self.see(u64::from_be_bytes(back));
        }
        fx.sync(SyncId(self.ticks), &[LOG]);
    }

    fn see(&mut self, word: u64) {
        self.state = contract::hash::mix(self.state, word);
    }
}

impl Node for Busy {
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            Input::Timer(_) => self.tick(now, fx),
            Input::Datagram { bytes, .. } | Input::Data { bytes, .. } => {
                self.received += 1;
                self.see(contract::hash::hash_bytes(bytes));
            }
            Input::Synced { result, .. } => {
                self.synced += 1;
                self.sync_errors += u64::from(result.is_err());
            }
            Input::Closed { conn, reason } => {
                self.resets += u64::from(reason != CloseReason::Done);
                self.conns.retain(|open| *open != conn);
                if conn.opener == fx.me() && self.conns.is_empty() {
                    self.connect(fx);
                }
            }
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
    fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }
}

/// The state of a node of a known type.
pub fn node<T: Node, O: engine::Observer>(world: &Engine<O>, id: u32) -> &T {
    world.nodes().get(NodeId(id)).expect("the node is up")
}

/// Whether the disk said no.
pub fn failed(result: Result<(), DiskError>) -> bool {
    result.is_err()
}
