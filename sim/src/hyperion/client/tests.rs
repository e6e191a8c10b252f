//! A client against scripted nodes.

use super::super::command::{Applied, Command, Write};
use super::super::tables;
use super::super::testing::{self, Asked, Host};
use super::super::wire::{Answer, Request, RequestFrame};
use super::*;
use crate::protocol::cache::StoreError;
use crate::service::peer_conn::PeerConn;
use crate::service::redirects::REDIRECTS_MAX;
use alloc::collections::BTreeMap;
use catalog::{Operation, SettingValue};
use contract::op::{OWN_ARGS_MAX, OwnCall};
use contract::{CloseReason, Duration, Effect, NodeId, Ratio, TimerKey, Value};

const NODES: [NodeId; 3] = [NodeId(10), NodeId(11), NodeId(12)];
const VALUE: Value = Value { id: 77, size_bytes: 16 };
const PUT: Call = Call::Put { key: 5, value: VALUE, ttl: None };
const GET: Call = Call::Get { key: 5, read: ReadLevel::Linearizable };

struct World {
    client: Client,
    host: Host,
    ops: u64,
    /// Open connections by the node they lead to.
    open: BTreeMap<ConnId, NodeId>,
    outcome: Option<Outcome>,
    /// Requests sent and not yet looked at: to which node, with which bytes.
    sent: Vec<(NodeId, ConnId, Vec<u8>)>,
    timers: BTreeMap<u64, Duration>,
    /// Whether nodes accept connections.
    accept: bool,
}

impl World {
    fn new(index: u32, defects: &[&'static str]) -> Self {
        let mut settings = testing::defaults(ClientSettings::ROWS);
        settings.0.insert("jitter", SettingValue::Bool(false));
        settings.0.insert("pinned", SettingValue::Ratio(Ratio::new(1, 2)));
        let seat = Seat {
            node: NodeId(1),
            name: "kv/1",
            machine: None,
            index,
            boot: 0,
            role: "client",
            group: &[NodeId(1)],
            uses: &testing::target(&NODES),
            settings: &settings,
            defects,
            drift_max: Ratio::ZERO,
            preload: &[],
        };
        Self {
            client: Client::boot(&seat, Now::default()),
            host: Host::new(NodeId(1)),
            ops: 0,
            open: BTreeMap::new(),
            outcome: None,
            sent: Vec::new(),
            timers: BTreeMap::new(),
            accept: true,
        }
    }

    fn input(&mut self, input: Input<'_>) {
        let client = &mut self.client;
        let asked = self.host.call(|now, fx| client.on_input(now, input, fx));
        self.take(&asked);
    }

    fn take(&mut self, asked: &Asked) {
        for effect in &asked.effects {
            match effect {
                Effect::Open { conn, to } => {
                    self.open.insert(*conn, *to);
                }
                Effect::Close { conn } => {
                    self.open.remove(conn);
                }
                Effect::Write { conn, bytes } => {
                    let frame = bytes.of(&asked.bytes)[4..].to_vec();
                    self.sent.push((self.open[conn], *conn, frame));
                }
                Effect::SetTimer { key, after } => {
                    self.timers.insert(key.0, *after);
                }
                Effect::CancelTimer { key } => {
                    self.timers.remove(&key.0);
                }
                Effect::Complete { outcome, .. } => {
                    assert_eq!(self.outcome, None, "an operation ends once");
                    self.outcome = Some(asked.outcomes[*outcome as usize].clone());
                }
                Effect::Mark(_) => {}
                other => panic!("a client does not ask for {other:?}"),
            }
        }
        if self.accept {
            self.accept_all();
        }
    }

    fn accept_all(&mut self) {
        let opening: Vec<_> = self.client.peers.iter().filter_map(PeerConn::opening).collect();
        for (conn, peer) in opening {
            self.input(Input::Opened { conn, peer });
        }
    }

    fn invoke(&mut self, call: &Call) {
        self.ops += 1;
        self.outcome = None;
        let op = OpId(self.ops);
        self.input(Input::Invoke { op, call });
    }

    /// The one request that was sent since the last look: to which node.
    fn sent_to(&mut self) -> (u32, ConnId, u64, Vec<u8>) {
        assert_eq!(self.sent.len(), 1, "one request was sent");
        let (node, conn, bytes) = self.sent.pop().unwrap();
        let id = RequestFrame::decode(&bytes).unwrap().id();
        let index = NODES.iter().position(|&n| n == node).unwrap();
        (index as u32, conn, id, bytes)
    }

    fn answer(&mut self, conn: ConnId, id: u64, answer: &Answer<'_>) {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, |out| answer.encode(id, out));
        self.input(Input::Data { conn, bytes: &bytes });
    }

    fn fire(&mut self, key: TimerKey) {
        assert!(self.timers.remove(&key.0).is_some(), "{key:?} is set");
        self.input(Input::Timer(key));
    }
}

fn found(value: &[u8]) -> Answer<'_> {
    Answer::Found { version: 1, stale: false, hint: Duration::ZERO, value }
}

fn session_of(bytes: &[u8]) -> (u64, u64) {
    match RequestFrame::decode(bytes).unwrap().view() {
        Request::Write(command) => (command.session.epoch, command.seq),
        other => panic!("{other:?} is no write"),
    }
}

fn put_value(bytes: &[u8]) -> Option<Value> {
    match RequestFrame::decode(bytes).unwrap().view() {
        Request::Write(command) => match command.write {
            Write::Put { value, .. } => Value::from_bytes(value),
            other => panic!("{other:?} is no put"),
        },
        other => panic!("{other:?} is no write"),
    }
}

const DONE: Answer<'_> = Answer::Applied(Applied::Done { version: 4 });

#[test]
fn a_write_is_redirected_by_the_hint_and_the_leader_is_remembered() {
    let mut world = World::new(0, &[]);
    world.invoke(&PUT);
    let (node, conn, id, _) = world.sent_to();
    assert_eq!(node, 0);
    world.answer(conn, id, &Answer::NotLeader { hint: Some(2) });
    let (node, conn, id, bytes) = world.sent_to();
    assert_eq!((node, session_of(&bytes)), (2, (0, 1)));
    assert_eq!(put_value(&bytes), Some(VALUE));
    world.answer(conn, id, &DONE);
    assert_eq!(world.outcome, Some(Outcome::Ok(Ret::Done { version: 4 })));
    world.invoke(&PUT);
    let (node, .., bytes) = world.sent_to();
    assert_eq!((node, session_of(&bytes)), (2, (0, 2)));
}

#[test]
fn a_pinned_client_starts_every_operation_at_home() {
    let mut world = World::new(1, &[]);
    assert_eq!(world.client.home(), Some(0));
    for _ in 0..2 {
        world.invoke(&GET);
        let (node, conn, id, _) = world.sent_to();
        assert_eq!(node, 0);
        world.answer(conn, id, &Answer::NotLeader { hint: Some(1) });
        let (node, conn, id, _) = world.sent_to();
        assert_eq!(node, 1);
        world.answer(conn, id, &Answer::Missing);
        assert_eq!(world.outcome, Some(Outcome::Ok(Ret::Missing)));
    }
}

#[test]
fn a_write_without_an_answer_is_unknown_and_ends_the_session() {
    let mut world = World::new(0, &[]);
    world.invoke(&PUT);
    let (.., bytes) = world.sent_to();
    assert_eq!(session_of(&bytes), (0, 1));
    world.fire(DEADLINE);
    assert_eq!(world.outcome, Some(Outcome::Unknown));
    world.invoke(&PUT);
    let (.., bytes) = world.sent_to();
    assert_eq!(session_of(&bytes), (1, 1));
}

#[test]
fn the_defect_reports_it_as_failed() {
    let mut world = World::new(0, &["timeout-treated-as-failure"]);
    world.invoke(&PUT);
    world.fire(DEADLINE);
    assert_eq!(world.outcome, Some(Outcome::Fail));
}

#[test]
fn a_write_that_never_left_has_failed() {
    let mut world = World::new(0, &[]);
    world.accept = false;
    world.invoke(&PUT);
    world.fire(TRY);
    world.fire(BACKOFF);
    world.fire(DEADLINE);
    assert_eq!(world.outcome, Some(Outcome::Fail));
    assert!(world.sent.is_empty());
}

#[test]
fn a_write_that_every_node_declined_has_failed() {
    let mut world = World::new(0, &[]);
    world.invoke(&PUT);
    for _ in 0..2 {
        let (_, conn, id, _) = world.sent_to();
        world.answer(conn, id, &Answer::NotLeader { hint: None });
        world.fire(BACKOFF);
    }
    let (_, conn, id, _) = world.sent_to();
    world.answer(conn, id, &Answer::NotLeader { hint: None });
    world.fire(DEADLINE);
    assert_eq!(world.outcome, Some(Outcome::Fail));
}

#[test]
fn a_retry_repeats_the_number_and_a_late_answer_to_an_earlier_try_counts() {
    let mut world = World::new(0, &[]);
    world.invoke(&PUT);
    let (_, first_conn, first_id, first) = world.sent_to();
    world.fire(TRY);
    world.fire(BACKOFF);
    let (node, _, second_id, second) = world.sent_to();
    assert_eq!(node, 1);
    assert_ne!(first_id, second_id);
    assert_eq!(session_of(&first), session_of(&second));
    world.answer(first_conn, first_id, &DONE);
    assert_eq!(world.outcome, Some(Outcome::Ok(Ret::Done { version: 4 })));
}

#[test]
fn a_deposed_leader_makes_the_client_ask_again_and_then_not_know() {
    let mut world = World::new(0, &[]);
    world.invoke(&PUT);
    let (_, conn, id, _) = world.sent_to();
    world.answer(conn, id, &Answer::Unknown);
    world.fire(BACKOFF);
    let (_, conn, id, _) = world.sent_to();
    world.answer(conn, id, &Answer::NotLeader { hint: None });
    world.fire(DEADLINE);
    assert_eq!(world.outcome, Some(Outcome::Unknown));
}

#[test]
fn a_definite_refusal_ends_the_operation() {
    let mut world = World::new(0, &[]);
    world.invoke(&PUT);
    let (_, conn, id, _) = world.sent_to();
    let refusal = StoreError::ValueTooLarge { size: 9, max: 8 }.into();
    world.answer(conn, id, &Answer::Refused(refusal));
    assert_eq!(world.outcome, Some(Outcome::Fail));
}

#[test]
fn a_read_that_got_no_answer_has_failed() {
    let mut world = World::new(0, &[]);
    world.invoke(&GET);
    world.sent_to();
    world.fire(DEADLINE);
    assert_eq!(world.outcome, Some(Outcome::Fail));
}

#[test]
fn a_damaged_value_is_never_taken_for_an_answer() {
    let mut world = World::new(0, &[]);
    world.invoke(&GET);
    let (_, conn, id, _) = world.sent_to();
    let mut value = Vec::new();
    VALUE.write_bytes(&mut value);
    value[12] ^= 1;
    let damaged = found(&value);
    world.answer(conn, id, &damaged);
    assert_eq!(world.outcome, None);
    assert!(!world.open.contains_key(&conn), "the connection is closed");
    world.fire(BACKOFF);
    let (_, conn, id, _) = world.sent_to();
    value[12] ^= 1;
    let intact = found(&value);
    world.answer(conn, id, &intact);
    let found = Ret::Found { value: VALUE, version: 1, stale: false };
    assert_eq!(world.outcome, Some(Outcome::Ok(found)));
}

#[test]
fn compare_and_set_carries_the_version_that_the_client_saw() {
    let mut world = World::new(0, &[]);
    let cas = Call::Cas { key: 5, expect: Some(VALUE), value: Value { id: 78, size_bytes: 8 } };
    let version_sent = |world: &mut World| {
        let (_, conn, id, bytes) = world.sent_to();
        world.answer(conn, id, &DONE);
        match RequestFrame::decode(&bytes).unwrap().view() {
            Request::Write(Command { write: Write::Cas { version, .. }, .. }) => version,
            other => panic!("{other:?} is no compare-and-set"),
        }
    };
    world.invoke(&cas);
    assert_eq!(version_sent(&mut world), 0);
    world.invoke(&PUT);
    let (_, conn, id, _) = world.sent_to();
    world.answer(conn, id, &DONE);
    world.invoke(&cas);
    assert_eq!(version_sent(&mut world), 4);
}

#[test]
fn an_operation_that_hyperion_does_not_have_fails_at_once() {
    let own = OwnCall { row: 0, name: "fetch", key: Some(1), args: [0; OWN_ARGS_MAX] };
    let unknown =
        [Call::Acquire { key: 1 }, Call::Admin { verb: "purge", arg: 1 }, Call::Own(Box::new(own))];
    for call in &unknown {
        let mut world = World::new(0, &[]);
        world.invoke(call);
        assert_eq!(world.outcome, Some(Outcome::Fail), "{call:?}");
        assert!(world.sent.is_empty());
    }
    let mut world = World::new(0, &[]);
    for Operation { name, .. } in tables::OPERATIONS {
        let known = ["get", "batch-get", "put", "delete", "cas"].contains(name);
        assert!(known, "the tests do not ask for {name}");
    }
    for verb in tables::VERBS {
        world.invoke(&Call::Admin { verb: verb.name, arg: verb.arg });
        assert_eq!(world.outcome, None, "{} is asked for", verb.name);
        world.sent.clear();
        world.fire(DEADLINE);
    }
}

#[test]
fn two_nodes_that_point_at_each_other_are_not_asked_in_a_circle() {
    let mut world = World::new(0, &[]);
    world.invoke(&GET);
    for round in 0..REDIRECTS_MAX + 1 {
        let (node, conn, id, _) = world.sent_to();
        assert_eq!(node, round % 2);
        let hint = Some(1 - node);
        world.answer(conn, id, &Answer::NotLeader { hint });
    }
    assert!(world.sent.is_empty());
    assert!(world.timers.contains_key(&BACKOFF.0));
}

#[test]
fn names_make_sessions_and_boots_make_epochs() {
    let world = World::new(0, &[]);
    assert_eq!(world.client.session.client, hash_bytes(b"kv/1"));
    assert_eq!(world.client.session.epoch, 0);
}

/// A stale get, which a client may answer itself.
const STALE: Call = Call::Get { key: 7, read: ReadLevel::Stale };

/// Reads `STALE` at a node that lets the client keep it for a second.
fn keep(world: &mut World, version: u64) -> ConnId {
    world.invoke(&STALE);
    let (_, conn, id, bytes) = world.sent_to();
    match RequestFrame::decode(&bytes).unwrap().view() {
        Request::Get { options, .. } => assert!(options.watch),
        other => panic!("{other:?} is no get"),
    }
    let mut value = Vec::new();
    VALUE.write_bytes(&mut value);
    let hint = Duration::from_secs(1);
    world.answer(conn, id, &Answer::Found { version, stale: true, hint, value: &value });
    assert!(matches!(world.outcome, Some(Outcome::Ok(_))));
    conn
}

/// Whether the client answers `STALE` itself.
fn answers_itself(world: &mut World) -> bool {
    world.invoke(&STALE);
    let itself = world.sent.is_empty() && world.outcome.is_some();
    if !itself {
        world.fire(DEADLINE);
        world.sent.clear();
    }
    itself
}

#[test]
fn what_is_kept_answers_until_it_is_over() {
    let mut world = World::new(0, &[]);
    let conn = keep(&mut world, 5);
    assert!(answers_itself(&mut world));
    world.answer(conn, 0, &Answer::Invalidate { key: Some(&8_u64.to_be_bytes()), version: 9 });
    world.answer(conn, 0, &Answer::Invalidate { key: Some(&7_u64.to_be_bytes()), version: 5 });
    assert!(answers_itself(&mut world), "neither concerns what it keeps");
    world.answer(conn, 0, &Answer::Invalidate { key: Some(&7_u64.to_be_bytes()), version: 6 });
    assert!(!answers_itself(&mut world));
    keep(&mut world, 6);
    world.host.now.mono = world.host.now.mono + Duration::from_secs(1);
    assert!(!answers_itself(&mut world), "the hint is over");
}

#[test]
fn a_lost_connection_takes_along_what_came_over_it() {
    for (defects, kept) in [(&[][..], false), (&["client-cache-survives-reconnect"][..], true)] {
        let mut world = World::new(0, defects);
        let conn = keep(&mut world, 5);
        world.input(Input::Closed { conn, reason: CloseReason::Reset });
        assert_eq!(answers_itself(&mut world), kept);
    }
}

#[test]
fn a_batch_is_whole_when_its_last_item_came() {
    let mut world = World::new(0, &[]);
    world.invoke(&Call::BatchGet { keys: Vec::from([1, 2]), read: ReadLevel::Linearizable });
    let (_, conn, id, _) = world.sent_to();
    let mut value = Vec::new();
    VALUE.write_bytes(&mut value);
    world.answer(conn, id, &Answer::Item { position: 0, of: 2, value: Some(&value) });
    assert_eq!(world.outcome, None);
    world.answer(conn, id, &Answer::Item { position: 1, of: 2, value: None });
    let values = Vec::from([Some(VALUE), None]);
    assert_eq!(world.outcome, Some(Outcome::Ok(Ret::Batch { values })));
}

#[test]
fn a_stream_with_a_gap_is_none() {
    let mut world = World::new(0, &[]);
    world.invoke(&Call::BatchGet { keys: Vec::from([1, 2]), read: ReadLevel::Linearizable });
    let (_, conn, id, _) = world.sent_to();
    world.answer(conn, id, &Answer::Item { position: 1, of: 2, value: None });
    assert_eq!(world.outcome, None);
    assert!(!world.open.contains_key(&conn), "the connection is closed");
}

/// An operator asks how a node is.
const HEALTH: Call = Call::Admin { verb: "health", arg: 0 };

#[test]
fn a_health_check_that_is_answered_is_a_yes() {
    let mut world = World::new(0, &[]);
    world.invoke(&HEALTH);
    let (_, conn, id, _) = world.sent_to();
    assert_eq!(world.timers[&DEADLINE.0], Duration::from_millis(500));
    world.answer(conn, id, &Answer::Done { count: 9 });
    assert_eq!(world.outcome, Some(Outcome::Ok(Ret::Done { version: 9 })));
}

#[test]
fn a_health_check_asks_one_node_once() {
    // Silence, a node that cannot serve, and a connection that is lost: each is a no at once.
    for no in 0..3 {
        let mut world = World::new(0, &[]);
        world.invoke(&HEALTH);
        let (node, conn, id, _) = world.sent_to();
        assert_eq!(node, 0);
        match no {
            0 => world.fire(DEADLINE),
            1 => world.answer(conn, id, &Answer::Unavailable),
            _ => world.input(Input::Closed { conn, reason: CloseReason::Reset }),
        }
        assert_eq!(world.outcome, Some(Outcome::Fail));
        assert!(world.sent.is_empty() && world.timers.is_empty(), "nobody else is asked");
    }
}
