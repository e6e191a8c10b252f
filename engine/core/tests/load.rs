//! Clients and their load, and the network that waits for a test.

mod common;

use common::{MS, boot_with, config, ms, node, world};
use contract::{
    Call, Condition, DiskFate, Duration, Fx, Input, Mark, Node, NodeId, Nodes, Now, OpId, Outcome,
    ReadLevel, Ret, SimTime, TimerKey,
};
use engine::{Control, Engine, Observer, Stopped, Wake, Workload};
use std::cell::RefCell;
use std::rc::Rc;

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

/// Node 1 is a client: it asks node 0 and completes when the answer comes.
#[derive(Clone, Debug, Default)]
struct Client {
    asked: Option<OpId>,
}

impl Node for Client {
    fn on_input(&mut self, _now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            Input::Invoke { op, call } => {
                assert!(matches!(call, Call::Get { .. }));
                self.asked = Some(op);
                fx.mark(3, [op.0, 0, 0], 1);
                fx.datagram(A, |out| out.push(1));
            }
            Input::Datagram { from, bytes } if fx.me() == A => {
                fx.datagram(from, |out| out.extend_from_slice(bytes));
            }
            Input::Datagram { .. } => {
                let op = self.asked.take().expect("an answer follows a question");
                fx.complete(op, Outcome::Ok(Ret::Missing));
            }
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

/// What happened, shared with the test.
type Log = Rc<RefCell<Vec<(u64, &'static str, u64)>>>;

/// Asks one operation after the other, 5 ms apart.
#[derive(Clone)]
struct Load {
    log: Log,
    asked: u64,
    in_flight: bool,
}

impl Load {
    fn say(&self, at: SimTime, what: &'static str, number: u64) {
        self.log.borrow_mut().push((at.0, what, number));
    }
}

impl Workload for Load {
    fn start(&mut self, client: NodeId) -> Option<SimTime> {
        (client == B).then_some(ms(5))
    }
    fn wake(&mut self, at: SimTime, _client: NodeId) -> Wake {
        if self.in_flight {
            return Wake::default();
        }
        self.in_flight = true;
        self.asked += 1;
        self.say(at, "wake", self.asked);
        let call = Call::Get { key: 1, read: ReadLevel::Linearizable };
        Wake { invoke: Some((OpId(self.asked), call)), next: None }
    }
    fn complete(&mut self, at: SimTime, _: NodeId, op: OpId, _: Outcome) -> Option<SimTime> {
        self.in_flight = false;
        self.say(at, "complete", op.0);
        Some(at + Duration::from_millis(5))
    }
    fn lost(&mut self, at: SimTime, _client: NodeId) {
        self.in_flight = false;
        self.say(at, "lost", self.asked);
    }
    fn fork(&self) -> Box<dyn Workload> {
        let log = Rc::new(RefCell::new(self.log.borrow().clone()));
        Box::new(Self { log, ..self.clone() })
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// Pauses at every mark.
#[derive(Clone, Default)]
struct Pauses {
    marks: Vec<Mark>,
    completed: u64,
    events: u64,
}

impl Observer for Pauses {
    fn on_mark(&mut self, _at: SimTime, _node: NodeId, mark: Mark, nodes: &dyn Nodes) -> Control {
        assert!(nodes.get::<Client>(A).is_some());
        self.marks.push(mark);
        Control::Pause
    }
    fn on_complete(&mut self, _: SimTime, _: NodeId, _: OpId, outcome: &Outcome) -> Control {
        assert_eq!(*outcome, Outcome::Ok(Ret::Missing));
        self.completed += 1;
        Control::Continue
    }
    fn after_event(&mut self, _: SimTime, _: NodeId, _: &dyn Nodes) -> Control {
        self.events += 1;
        Control::Continue
    }
}

fn loaded() -> (Engine<Pauses>, Log) {
    let log = Log::default();
    let load = Load { log: Rc::clone(&log), asked: 0, in_flight: false };
    let boot = boot_with(|_, _, _: &mut Fx<'_>| Ok(Box::new(Client::default())));
    let engine = Engine::new(config(1, 2), Rc::new(boot), Box::new(load), Pauses::default());
    (engine, log)
}

fn through(engine: &mut Engine<Pauses>, until: SimTime) {
    while engine.run_until(until) == Stopped::Paused {}
}

#[test]
fn a_closed_loop_of_operations() {
    let (mut engine, log) = loaded();
    assert_eq!(engine.run_until(ms(1_000)), Stopped::Paused);
    assert_eq!(engine.now(), ms(5));
    assert_eq!(engine.observer().marks[0].labels[0], 1);
    through(&mut engine, ms(1_000));
    assert!(engine.observer().completed > 30);
    assert_eq!(engine.observer().events, engine.events());
    let log = log.borrow();
    assert!(log.len() > 60);
    for pair in log.chunks_exact(2) {
        assert_eq!((pair[0].1, pair[1].1), ("wake", "complete"));
        assert_eq!(pair[0].2, pair[1].2);
    }
    for (complete, wake) in log.iter().skip(1).zip(log.iter().skip(2)).step_by(2) {
        assert_eq!(wake.0 - complete.0, 5 * MS);
    }
}

#[test]
fn a_client_that_crashed_is_woken_when_it_is_back() {
    let (mut engine, log) = loaded();
    assert_eq!(engine.run_until(ms(100)), Stopped::Paused);
    let id = engine.impose(Condition::down(B, DiskFate::Kept)).expect("has it");
    assert_eq!(log.borrow().last(), Some(&(5 * MS, "lost", 1)));
    through(&mut engine, ms(50));
    assert_eq!(log.borrow().len(), 2, "a client that is down asks nothing");
    engine.lift(id);
    through(&mut engine, ms(51));
    assert_eq!(log.borrow()[2], (50 * MS, "wake", 2));
}

#[test]
fn a_paused_client_asks_when_it_goes_on() {
    let (mut engine, log) = loaded();
    let id = engine.impose(Condition::Pause { node: B }).expect("has it");
    through(&mut engine, ms(70));
    assert!(log.borrow().is_empty());
    engine.lift(id);
    through(&mut engine, ms(71));
    assert_eq!(log.borrow()[0], (70 * MS, "wake", 1));
}

#[test]
fn a_fork_takes_its_load_along() {
    let (mut engine, log) = loaded();
    through(&mut engine, ms(100));
    let so_far = log.borrow().len();
    let mut fork = engine.fork().expect("it can be copied");
    through(&mut fork, ms(500));
    assert_eq!(log.borrow().len(), so_far);
    through(&mut engine, ms(500));
    assert_eq!(fork.digest(), engine.digest());
    assert_eq!(fork.observer().completed, engine.observer().completed);
}

#[test]
fn a_test_delivers_message_by_message() {
    let boot = boot_with(|node, _, fx: &mut Fx<'_>| {
        if node == A {
            fx.set_timer(TimerKey(1), Duration::from_millis(1));
        }
        Ok(Box::new(Greeter::default()))
    });
    let mut engine = world(config(1, 2), boot);
    engine.hold_all();
    engine.run_until(ms(100));
    let waiting = engine.waiting();
    let bytes: Vec<_> = waiting.iter().map(|message| message.bytes.clone()).collect();
    assert_eq!(bytes, [Some(vec![1]), Some(vec![2]), Some(vec![3])]);
    assert!(engine.drop_waiting(A, B, 1));
    assert!(engine.deliver_waiting(A, B, 1));
    engine.run_until(ms(101));
    assert!(engine.deliver_waiting(A, B, 0));
    engine.run_until(ms(102));
    assert!(!engine.deliver_waiting(A, B, 0));
    assert_eq!(node::<Greeter, _>(&engine, 1).0, [[3], [1]]);
    assert_eq!(engine.waiting().len(), 2, "the answers wait as well");
    assert!(engine.waiting().iter().all(|message| (message.from, message.to) == (B, A)));
}

/// Node 0 sends three datagrams; node 1 answers each.
#[derive(Clone, Debug, Default)]
struct Greeter(Vec<Vec<u8>>);

impl Node for Greeter {
    fn on_input(&mut self, _now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            Input::Timer(_) => (1..=3).for_each(|number| {
                fx.datagram(B, |out| out.push(number));
            }),
            Input::Datagram { from, bytes } => {
                self.0.push(bytes.to_vec());
                fx.datagram(from, |out| out.extend_from_slice(bytes));
            }
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

#[test]
fn a_test_delivers_segments_of_a_stream() {
    #[derive(Clone, Debug, Default)]
    struct Stream {
        opened: u64,
        bytes: Vec<u8>,
    }
    impl Node for Stream {
        fn on_input(&mut self, _now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
            match input {
                Input::Timer(_) => {
                    let conn = fx.open(B);
                    fx.write(conn, |out| out.push(9));
                }
                Input::Opened { .. } => self.opened += 1,
                Input::Data { bytes, .. } => self.bytes.extend_from_slice(bytes),
                _ => {}
            }
        }
        fn fork(&self) -> Option<Box<dyn Node>> {
            Some(Box::new(self.clone()))
        }
    }
    let boot = boot_with(|node, _, fx: &mut Fx<'_>| {
        if node == A {
            fx.set_timer(TimerKey(1), Duration::from_millis(1));
        }
        Ok(Box::new(Stream::default()))
    });
    let mut engine = world(config(1, 2), boot);
    engine.hold_all();
    engine.run_until(ms(100));
    assert_eq!(engine.waiting().len(), 1);
    assert!(engine.deliver_waiting(A, B, 0));
    engine.run_until(ms(101));
    assert_eq!(node::<Stream, _>(&engine, 1).opened, 1);
    assert_eq!(node::<Stream, _>(&engine, 1).bytes, []);
    assert!(engine.deliver_waiting(A, B, 0));
    engine.run_until(ms(102));
    assert_eq!(node::<Stream, _>(&engine, 1).bytes, [9]);
    assert_eq!(node::<Stream, _>(&engine, 0).opened, 0);
    assert!(engine.deliver_waiting(B, A, 0));
    engine.run_until(ms(103));
    assert_eq!(node::<Stream, _>(&engine, 0).opened, 1);
}
