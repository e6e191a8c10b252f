//! madsim: its endpoints, which delay every receive by a millisecond or so, hence several of them
//! at a time; a task for every send.

use crate::native::Native;
use crate::work::{LATENCY_MS, Work};
use contract::NodeId;
use madsim::net::Endpoint;
use madsim::runtime::{Handle, Runtime};
use madsim::time::{TimeHandle, sleep};
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

const TAG: u64 = 1;

/// With fewer an endpoint cannot receive as fast as five nodes send.
const RECEIVERS: usize = 16;

/// madsim forgets ended tasks only when it is asked how many there are.
const SENDS_BETWEEN_PRUNES: u64 = 4_096;

fn address(node: u32) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, (node >> 8) as u8, node as u8 + 1)), 7_000)
}

/// Runs for so many simulated milliseconds; returns the messages delivered.
pub fn run(work: Work, sim_ms: u64) -> u64 {
    let thread = std::thread::spawn(move || simulate(work, sim_ms));
    thread.join().expect("no node fails")
}

fn simulate(work: Work, sim_ms: u64) -> u64 {
    let mut config = madsim::Config::default();
    let (min_ms, max_ms) = LATENCY_MS;
    config.net.send_latency = Duration::from_millis(min_ms)..Duration::from_millis(max_ms);
    let runtime = Runtime::with_seed_and_config(1, config);
    let delivered = Arc::new(AtomicU64::new(0));
    for me in 0..work.nodes() {
        let delivered = Arc::clone(&delivered);
        let node = runtime.create_node().name(format!("h{me}")).ip(address(me).ip());
        node.init(move || drive(work, me, Arc::clone(&delivered))).build();
    }
    // A sleep is made inside the simulation only.
    runtime.block_on(async { sleep(Duration::from_millis(sim_ms)).await });
    delivered.load(Ordering::Relaxed)
}

async fn drive(work: Work, me: u32, delivered: Arc<AtomicU64>) {
    let endpoint = Rc::new(Endpoint::bind(address(me)).await.expect("the address is free"));
    sleep(Duration::from_millis(2)).await;
    let (arrived, mut inbox) = unbounded_channel();
    for _ in 0..RECEIVERS {
        madsim::task::spawn_local(receive(Rc::clone(&endpoint), arrived.clone()));
    }
    let sends = Cell::new(0_u64);
    let send = |to: NodeId, bytes: &[u8]| {
        let (endpoint, bytes) = (Rc::clone(&endpoint), bytes.to_vec());
        madsim::task::spawn_local(async move {
            let sent = endpoint.send_to(address(to.0), TAG, &bytes).await;
            sent.expect("a simulated endpoint takes everything");
        });
        sends.set(sends.get() + 1);
        if sends.get().is_multiple_of(SENDS_BETWEEN_PRUNES) {
            Handle::current().metrics().num_tasks();
        }
    };
    let mut native = Native::boot(work, me, send);
    let time = TimeHandle::current();
    let at_ns = || time.elapsed().as_nanos() as u64;
    loop {
        native.fire(at_ns(), send);
        let wait = native.next_ns().map_or(Duration::from_secs(1), |due_ns| {
            Duration::from_nanos(due_ns.saturating_sub(at_ns()))
        });
        tokio::select! {
            biased;
            Some((from, bytes)) = inbox.recv() => {
                native.receive(at_ns(), from, &bytes, send);
                delivered.fetch_add(1, Ordering::Relaxed);
            }
            () = sleep(wait) => {}
        }
    }
}

async fn receive(endpoint: Rc<Endpoint>, arrived: UnboundedSender<(u32, Vec<u8>)>) {
    let mut buffer = [0; 256];
    while let Ok((len_bytes, from)) = endpoint.recv_from(TAG, &mut buffer).await {
        let IpAddr::V4(ip) = from.ip() else { panic!("all addresses are of version 4") };
        let from = u32::from(ip.octets()[2]) << 8 | u32::from(ip.octets()[3] - 1);
        if arrived.send((from, buffer[..len_bytes].to_vec())).is_err() {
            return;
        }
    }
}
