//! A machine on turmoil: its sockets, and the loop that serves them.

use super::stream::{self, Command};
use super::{ORIGIN, name};
use contract::{CloseReason, Condition, ConditionId, ConnId, Node, NodeId, Nodes, SimTime};
use engine::Observer;
use engine::hosting::{Adapter, Arrival, Notice, Outgoing};
use std::cell::{Ref, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use turmoil::net::{TcpListener, UdpSocket};

pub const UDP_PORT: u16 = 7_000;
pub const TCP_PORT: u16 = 7_001;

/// The longest datagram.
const DATAGRAM_BYTES_MAX: usize = contract::node::DATAGRAM_BYTES_MAX as usize;

/// All machines of a run, and who watches them.
pub struct Cluster {
    pub machines: Vec<RefCell<Machine>>,
    pub observer: RefCell<Box<dyn Observer>>,
}

/// One machine.
pub struct Machine {
    pub adapter: Adapter,
    started: bool,
    /// What tasks of connections have for the node.
    pub inbox: VecDeque<Arrival>,
    /// Wakes the machine's loop.
    pub wake: Rc<Notify>,
    /// The way to the task of each connection.
    pub streams: BTreeMap<ConnId, UnboundedSender<Command>>,
}

impl Machine {
    pub fn new(adapter: Adapter) -> Self {
        Self {
            adapter,
            started: false,
            inbox: VecDeque::new(),
            wake: Rc::new(Notify::new()),
            streams: BTreeMap::new(),
        }
    }

    /// Bends the machine; what a crash leaves in its sockets is gone.
    pub fn bend(&mut self, now: SimTime, id: ConditionId, condition: &Condition) {
        self.adapter.bend(now, id, condition);
        if self.adapter.node().is_none() {
            self.inbox.clear();
            self.streams.clear();
            self.adapter.take_outgoing();
        }
    }
}

impl Cluster {
    /// Lets a machine do everything that is due, and the observer hear of it event by event.
    pub fn settle(&self, id: usize, now: SimTime) {
        loop {
            let (worked, notices) = {
                let machine = &mut self.machines[id].borrow_mut().adapter;
                (machine.run_one(now), machine.take_notices())
            };
            self.tell(NodeId(id as u32), notices);
            if !worked {
                return;
            }
        }
    }

    /// Has a machine's loop look after it.
    pub fn wake(&self, id: usize) {
        self.machines[id].borrow().wake.notify_one();
    }

    /// The connections between two machines are reset.
    pub fn reset_between(&self, one: NodeId, two: NodeId) {
        for (me, peer) in [(one, two), (two, one)] {
            let mut machine = self.machines[me.index()].borrow_mut();
            let conns: Vec<ConnId> = machine.adapter.conns_with(peer).collect();
            for conn in conns {
                // Its task ends when nobody can command it any more.
                machine.streams.remove(&conn);
                machine.inbox.push_back(Arrival::Closed { conn, reason: CloseReason::Reset });
            }
            machine.wake.notify_one();
        }
    }

    fn tell(&self, node: NodeId, notices: Vec<(SimTime, Notice)>) {
        if notices.is_empty() {
            return;
        }
        let view = View(self.machines.iter().map(RefCell::borrow).collect());
        let mut observer = self.observer.borrow_mut();
        for (at, notice) in notices {
            match notice {
                Notice::Mark(mark) => observer.on_mark(at, node, mark, &view),
                Notice::Complete(op, outcome) => observer.on_complete(at, node, op, &outcome),
                Notice::Event => observer.after_event(at, node, &view),
            };
        }
    }
}

/// All nodes, between two events.
struct View<'a>(Vec<Ref<'a, Machine>>);

impl Nodes for View<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }
    fn node(&self, id: NodeId) -> Option<&dyn Node> {
        self.0[id.index()].adapter.node()
    }
    fn boot(&self, id: NodeId) -> u32 {
        self.0[id.index()].adapter.boot_number()
    }
}

/// The sockets of a machine that is up.
struct Sockets {
    udp: UdpSocket,
    peers: Vec<IpAddr>,
    buffer: Vec<u8>,
}

/// Serves one machine until it crashes.
pub async fn drive(cluster: Rc<Cluster>, id: usize) -> turmoil::Result {
    let any = IpAddr::from(Ipv4Addr::UNSPECIFIED);
    let listener = TcpListener::bind((any, TCP_PORT)).await?;
    let mut sockets = Sockets {
        udp: UdpSocket::bind((any, UDP_PORT)).await?,
        peers: (0..cluster.machines.len()).map(|peer| turmoil::lookup(name(peer))).collect(),
        buffer: vec![0; DATAGRAM_BYTES_MAX],
    };
    tokio::task::spawn_local(stream::accept(Rc::clone(&cluster), id, listener));
    let wake = Rc::clone(&cluster.machines[id].borrow().wake);
    if !cluster.machines[id].borrow().started {
        tokio::time::sleep(ORIGIN).await;
        let mut machine = cluster.machines[id].borrow_mut();
        machine.started = true;
        machine.adapter.start();
    }
    loop {
        let now = now();
        cluster.settle(id, now);
        sockets.receive(&cluster, id, now)?;
        cluster.settle(id, now);
        sockets.send(&cluster, id)?;
        let next_at = cluster.machines[id].borrow().adapter.next_at();
        let wait =
            next_at.map_or(Duration::from_secs(1), |at| Duration::from_nanos(at.since(now).0));
        tokio::select! {
            biased;
            ready = sockets.udp.readable() => ready?,
            () = wake.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

fn now() -> SimTime {
    let elapsed = turmoil::sim_elapsed().expect("inside a simulation");
    SimTime(elapsed.saturating_sub(ORIGIN).as_nanos() as u64)
}

impl Sockets {
    /// Hands over what came since the last time.
    fn receive(&mut self, cluster: &Cluster, id: usize, now: SimTime) -> turmoil::Result {
        let mut machine = cluster.machines[id].borrow_mut();
        while let Some(arrival) = machine.inbox.pop_front() {
            if let Arrival::Closed { conn, .. } = &arrival {
                machine.streams.remove(conn);
            }
            machine.adapter.hand_over(now, arrival);
        }
        loop {
            match self.udp.try_recv_from(&mut self.buffer) {
                Ok((len_bytes, from)) => {
                    let from = self.peers.iter().position(|peer| *peer == from.ip());
                    let from = NodeId(from.expect("only machines send") as u32);
                    let bytes = self.buffer[..len_bytes].to_vec();
                    machine.adapter.hand_over(now, Arrival::Datagram { from, bytes });
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Does what the node asked the network for.
    fn send(&self, cluster: &Rc<Cluster>, id: usize) -> turmoil::Result {
        let outgoing = cluster.machines[id].borrow_mut().adapter.take_outgoing();
        for one in outgoing {
            match one {
                Outgoing::Datagram { to, bytes } => {
                    self.udp.try_send_to(&bytes, (self.peers[to.index()], UDP_PORT))?;
                }
                Outgoing::Open { conn, to } => {
                    stream::open(cluster, id, conn, to, self.peers[to.index()]);
                }
                Outgoing::Write { conn, bytes } => {
                    let machine = cluster.machines[id].borrow();
                    if let Some(stream) = machine.streams.get(&conn) {
                        // A task that has ended has said so; its word is in the inbox.
                        let _ = stream.send(Command::Write(bytes));
                    }
                }
                Outgoing::Close { conn } => {
                    let stream = cluster.machines[id].borrow_mut().streams.remove(&conn);
                    if let Some(stream) = stream {
                        let _ = stream.send(Command::Close);
                    }
                }
            }
        }
        Ok(())
    }
}
