//! What the nodes of the benchmarks do.
//!
//! Workload A, `Ping`: each node keeps `window` requests of 64 bytes outstanding to random peers; 1
//! to 10 ms of latency. Workload B, `Heartbeat`: a tick every 50 ms and a heartbeat to two peers
//! every 150 ms, nothing else.

use contract::{Dist, Duration, Fx, Input, Node, NodeId, Now, Refused, TimerKey};
use engine::{Boot, Config, Engine, Idle, LinkSpec, NodeSpec, Ties, Unwatched};
use std::rc::Rc;

/// The latency of every link, in milliseconds.
pub const LATENCY_MS: (u64, u64) = (1, 10);

/// The same for our engine.
fn latency() -> Dist {
    let (min, max) = LATENCY_MS;
    Dist::Uniform { min: min * 1_000_000, max: max * 1_000_000 }
}

/// A workload; also the state of its nodes, which have none.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Requests outstanding to random peers.
    Ping { nodes: u32, window: u32 },
    /// Ticks and heartbeats.
    Heartbeat { nodes: u32 },
}

impl Work {
    pub const fn nodes(self) -> u32 {
        match self {
            Self::Ping { nodes, .. } | Self::Heartbeat { nodes } => nodes,
        }
    }

    /// A world of such nodes, with everything on that is on in any run.
    pub fn world(self) -> Engine<Unwatched> {
        let names = (1..=self.nodes()).map(|index| format!("h/{index}"));
        let config = Config {
            seed: 1,
            nodes: names.map(|name| NodeSpec { name, ..NodeSpec::default() }).collect(),
            link: LinkSpec { latency: latency(), ..LinkSpec::default() },
            links: Vec::new(),
            ties: Ties::Canonical,
            events_max: u64::MAX,
            pins: Vec::new(),
        };
        Engine::new(config, Rc::new(self), Box::new(Idle), Unwatched)
    }

    /// The node boots.
    pub fn start(self, fx: &mut Fx<'_>) -> Box<dyn Node> {
        match self {
            Self::Ping { window, .. } => (0..window).for_each(|_| self.ask(fx)),
            Self::Heartbeat { .. } => {
                for (key, period_ms) in [(0, 50), (1, 150)] {
                    let phase = fx.rng.below(period_ms * 1_000_000);
                    fx.set_timer(TimerKey(key), Duration(phase));
                }
            }
        }
        Box::new(self)
    }

    fn ask(self, fx: &mut Fx<'_>) {
        let other = fx.rng.below(u64::from(self.nodes()) - 1) as u32;
        let to = if other >= fx.me().0 { other + 1 } else { other };
        fx.datagram(NodeId(to), |out| out.extend_from_slice(&[0; 64]));
    }
}

impl Node for Work {
    fn on_input(&mut self, _: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match (*self, input) {
            (Self::Ping { .. }, Input::Datagram { from, bytes }) if bytes[0] == 0 => {
                fx.datagram(from, |out| out.extend_from_slice(&[1; 64]));
            }
            (Self::Ping { .. }, Input::Datagram { .. }) => self.ask(fx),
            (Self::Heartbeat { .. }, Input::Timer(TimerKey(0))) => {
                fx.set_timer(TimerKey(0), Duration::from_millis(50));
            }
            (Self::Heartbeat { nodes }, Input::Timer(key)) => {
                fx.set_timer(key, Duration::from_millis(150));
                let to = |hops| NodeId((fx.me().0 + hops) % nodes);
                let (one, two) = (to(1), to(2));
                let span = fx.datagram(one, |out| out.extend_from_slice(&[2; 64]));
                fx.datagram_again(two, span);
            }
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(*self))
    }
}

impl Boot for Work {
    fn boot(&self, _: NodeId, _: u32, _: Now, fx: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused> {
        Ok(self.start(fx))
    }
}
