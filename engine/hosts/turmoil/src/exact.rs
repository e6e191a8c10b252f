//! Exact mode: one UDP socket per machine, and a loop that feeds its adapter.

use contract::{NodeId, SimTime};
use engine::hosting::{Adapter, HostError, HostResult, HostRun, gather};
use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};
use turmoil::net::UdpSocket;

const PORT: u16 = 7_000;

/// The longest envelope: the longest write on a stream, which frames bound at 16 MiB, and its head.
const ENVELOPE_BYTES_MAX: usize = (16 << 20) + 1_024;

/// When the run begins: by then every machine listens. What is sent to a port on which nobody
/// listens is lost.
const ORIGIN: Duration = Duration::from_millis(2);

/// So long after the end of the run every machine has been woken for its last event.
const SLACK: Duration = Duration::from_millis(20);

/// Runs on a fresh thread: what a simulation keeps per thread is new for each run.
pub(crate) fn on_own_thread<T: Send>(
    run: impl FnOnce() -> Result<T, HostError> + Send,
) -> Result<T, HostError> {
    let ended = std::thread::scope(|scope| scope.spawn(run).join());
    ended.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(HostError::Failed(said.unwrap_or_else(|| "a panic".to_owned())))
    })
}

pub(crate) fn run(run: &HostRun<'_>) -> Result<HostResult, HostError> {
    let parts = (run.parts)();
    let count = run.config.nodes.len() as u32;
    let machine = |id| {
        let load = parts.workload.fork();
        Rc::new(RefCell::new(Adapter::new(run, NodeId(id), Rc::clone(&parts.boot), load)))
    };
    let machines: Vec<_> = (0..count).map(machine).collect();
    simulate(run, &machines).map_err(|said| HostError::Failed(said.to_string()))?;
    let unshared = machines.into_iter().map(|machine| {
        let machine = Rc::try_unwrap(machine).ok().expect("the simulation is over");
        machine.into_inner()
    });
    Ok(gather(run, &mut unshared.collect::<Vec<_>>()))
}

/// A simulation with a host for each machine, driven past the end of the run.
fn simulate(run: &HostRun<'_>, machines: &[Rc<RefCell<Adapter>>]) -> turmoil::Result {
    let end = ORIGIN + Duration::from_nanos(run.until.0) + SLACK;
    let mut builder = turmoil::Builder::new();
    builder
        // Both default to the operating system's: entropy and the time of day.
        .rng_seed(run.config.seed)
        .epoch(UNIX_EPOCH)
        .simulation_duration(end + SLACK)
        .min_message_latency(Duration::ZERO)
        .max_message_latency(Duration::ZERO)
        // Hosts take turns in a drawn order, which no node may notice.
        .enable_random_order()
        .udp_capacity(1 << 16);
    let mut sim = builder.build();
    for (id, machine) in machines.iter().enumerate() {
        let machine = Rc::clone(machine);
        sim.host(name(id), move || drive(Rc::clone(&machine)));
    }
    while sim.elapsed() < end {
        sim.step()?;
    }
    Ok(())
}

fn name(id: usize) -> String {
    format!("machine-{id}")
}

/// Feeds one machine: what came, what is due, what is to be sent, and again.
async fn drive(machine: Rc<RefCell<Adapter>>) -> turmoil::Result {
    let socket = UdpSocket::bind((IpAddr::from(Ipv4Addr::UNSPECIFIED), PORT)).await?;
    let mut buffer = vec![0; ENVELOPE_BYTES_MAX];
    tokio::time::sleep(ORIGIN).await;
    machine.borrow_mut().start();
    loop {
        let now = turmoil::sim_elapsed().expect("inside a simulation") - ORIGIN;
        let now = SimTime(now.as_nanos() as u64);
        let next_at = {
            let mut machine = machine.borrow_mut();
            receive(&mut machine, &socket, &mut buffer)?;
            machine.run(now);
            send(&mut machine, &socket)?;
            machine.next_at()
        };
        match next_at {
            Some(next_at) => {
                let wait = Duration::from_nanos(next_at.since(now).0);
                // Biased: an unbiased choice would draw from tokio's own generator.
                tokio::select! {
                    biased;
                    ready = socket.readable() => ready?,
                    () = tokio::time::sleep(wait) => {}
                }
            }
            None => socket.readable().await?,
        }
    }
}

fn receive(machine: &mut Adapter, socket: &UdpSocket, buffer: &mut [u8]) -> turmoil::Result {
    loop {
        match socket.try_recv_from(buffer) {
            Ok((len_bytes, _)) => machine.arrive(&buffer[..len_bytes]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn send(machine: &mut Adapter, socket: &UdpSocket) -> turmoil::Result {
    for envelope in machine.take_envelopes() {
        assert!(envelope.bytes.len() <= ENVELOPE_BYTES_MAX, "an envelope has a limit");
        let to = turmoil::lookup(name(envelope.to.index()));
        socket.try_send_to(&envelope.bytes, (to, PORT))?;
    }
    Ok(())
}
