//! turmoil: UDP over its own links, ticks of a millisecond.

use crate::native::Native;
use crate::work::{LATENCY_MS, Work};
use contract::NodeId;
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};
use turmoil::net::UdpSocket;

const PORT: u16 = 7_000;

/// Its latencies are exponential; with this rate their mean is that of the uniform ones.
const CURVE: f64 = 1.6;

/// Runs for so many simulated milliseconds; returns the messages delivered.
pub fn run(work: Work, sim_ms: u64) -> u64 {
    let end = Duration::from_millis(sim_ms);
    let (min_ms, max_ms) = LATENCY_MS;
    let mut sim = turmoil::Builder::new()
        .rng_seed(1)
        .epoch(UNIX_EPOCH)
        .simulation_duration(end * 2 + Duration::from_secs(1))
        .min_message_latency(Duration::from_millis(min_ms))
        .max_message_latency(Duration::from_millis(max_ms))
        .udp_capacity(1 << 16)
        .build();
    sim.set_message_latency_curve(CURVE);
    let delivered = Rc::new(Cell::new(0));
    for me in 0..work.nodes() {
        let delivered = Rc::clone(&delivered);
        sim.host(format!("h{me}"), move || drive(work, me, Rc::clone(&delivered)));
    }
    while sim.elapsed() < end {
        sim.step().expect("no node fails");
    }
    delivered.get()
}

async fn drive(work: Work, me: u32, delivered: Rc<Cell<u64>>) -> turmoil::Result {
    let socket = UdpSocket::bind((IpAddr::from(Ipv4Addr::UNSPECIFIED), PORT)).await?;
    let peers: Vec<_> = (0..work.nodes()).map(|peer| turmoil::lookup(format!("h{peer}"))).collect();
    // Everybody listens before anybody sends.
    tokio::time::sleep(Duration::from_millis(2)).await;
    let send = |to: NodeId, bytes: &[u8]| {
        let sent = socket.try_send_to(bytes, (peers[to.index()], PORT));
        sent.expect("a simulated socket takes everything");
    };
    let mut native = Native::boot(work, me, send);
    let mut buffer = [0; 256];
    loop {
        let at_ns = turmoil::sim_elapsed().expect("inside a simulation").as_nanos() as u64;
        while let Ok((len_bytes, from)) = socket.try_recv_from(&mut buffer) {
            let from = peers.iter().position(|peer| *peer == from.ip()).expect("a peer");
            native.receive(at_ns, from as u32, &buffer[..len_bytes], send);
            delivered.set(delivered.get() + 1);
        }
        native.fire(at_ns, send);
        let wait =
            native.next_ns().map_or(Duration::MAX, |due_ns| Duration::from_nanos(due_ns - at_ns));
        tokio::select! {
            biased;
            ready = socket.readable() => ready?,
            () = tokio::time::sleep(wait) => {}
        }
    }
}
