//! Exact mode: a task per machine, and channels between them.

use contract::{NodeId, SimTime};
use engine::hosting::{Adapter, HostError, HostResult, HostRun, gather};
use madsim::runtime::Runtime;
use madsim::time::{TimeHandle, sleep};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// So long after the end of the run every machine has been woken for its last event.
const SLACK: Duration = Duration::from_millis(20);

/// A machine looks after itself at least so often. madsim cannot cancel a timer, so every long
/// sleep that is interrupted stays in its heap until it ends.
const SLEEP_MAX: Duration = Duration::from_millis(100);

/// Runs on a fresh thread: what a simulation keeps per thread is new for each run, and madsim's
/// hash seeds are the same only there.
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
    let runtime = Runtime::with_seed_and_config(run.config.seed, madsim::Config::default());
    runtime.block_on(simulate(machines.clone(), Duration::from_nanos(run.until.0) + SLACK));
    // The tasks hold the machines.
    drop(runtime);
    let unshared = machines.into_iter().map(|machine| {
        let machine = Rc::try_unwrap(machine).ok().expect("the simulation is over");
        machine.into_inner()
    });
    Ok(gather(run, &mut unshared.collect::<Vec<_>>()))
}

/// Drives all machines past the end of the run.
async fn simulate(machines: Vec<Rc<RefCell<Adapter>>>, end: Duration) {
    let (board, inboxes): (Vec<_>, Vec<_>) = machines.iter().map(|_| unbounded_channel()).unzip();
    let board: Rc<[UnboundedSender<Vec<u8>>]> = board.into();
    let origin = TimeHandle::current().elapsed();
    let tasks: Vec<_> = machines
        .into_iter()
        .zip(inboxes)
        .map(|(machine, inbox)| {
            madsim::task::spawn_local(drive(machine, inbox, Rc::clone(&board), origin))
        })
        .collect();
    sleep(end).await;
    for task in tasks {
        task.abort();
        // Over once the task is dropped, and its machine with it.
        assert!(task.await.is_err(), "a machine never ends by itself");
    }
}

/// Feeds one machine: what came, what is due, what is to be sent, and again.
async fn drive(
    machine: Rc<RefCell<Adapter>>,
    mut inbox: UnboundedReceiver<Vec<u8>>,
    board: Rc<[UnboundedSender<Vec<u8>>]>,
    origin: Duration,
) {
    machine.borrow_mut().start();
    loop {
        let now = TimeHandle::current().elapsed() - origin;
        let now = SimTime(now.as_nanos() as u64);
        let wait = {
            let mut machine = machine.borrow_mut();
            while let Ok(bytes) = inbox.try_recv() {
                machine.arrive(&bytes);
            }
            machine.run(now);
            for envelope in machine.take_envelopes() {
                // A machine that is gone when the run ends needs nothing more.
                let _ = board[envelope.to.index()].send(envelope.bytes);
            }
            let next_at = machine.next_at().unwrap_or(SimTime::MAX);
            Duration::from_nanos(next_at.since(now).0).min(SLEEP_MAX)
        };
        // Biased: an unbiased choice would draw from a counter of the process.
        tokio::select! {
            biased;
            Some(bytes) = inbox.recv() => machine.borrow_mut().arrive(&bytes),
            () = sleep(wait) => {}
        }
    }
}
