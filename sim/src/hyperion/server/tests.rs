//! A cache node alone, input by input: connections, requests that come too late, and what it counts.

use super::super::command::Refusal;
use super::super::tables::EVENTS;
use super::super::tables::settings::CacheSettings;
use super::super::testing::{Asked as Done, Host, defaults};
use super::super::wire::{Answer, ReadOptions, Request, ResponseFrame};
use super::*;
use crate::protocol::frame;
use alloc::string::String;
use alloc::vec;
use catalog::SettingValue;
use contract::{Dist, Duration, Effect, Ratio, ReadLevel};

const ME: NodeId = NodeId(0);
const CLIENT: NodeId = NodeId(7);

struct World {
    server: Server,
    host: Host,
}

impl World {
    fn new(settings: &[(&'static str, SettingValue)]) -> Self {
        let mut all = defaults(CacheSettings::ROWS);
        all.0.extend(settings.iter().cloned());
        let uses = alloc::collections::BTreeMap::new();
        let seat = Seat {
            node: ME,
            name: "h/1",
            machine: None,
            index: 0,
            boot: 0,
            role: "cache",
            group: &[ME],
            uses: &uses,
            settings: &all,
            defects: &[],
            drift_max: Ratio::ZERO,
            preload: &[],
        };
        let mut host = Host::new(ME);
        let mut server = None;
        host.call(|now, fx| server = Some(Server::boot(&seat, now, fx).expect("it boots")));
        Self { server: server.expect("it was called"), host }
    }

    fn input(&mut self, input: Input<'_>) -> Done {
        let server = &mut self.server;
        self.host.call(|now, fx| server.on_input(now, input, fx))
    }

    fn open(&mut self, opener: NodeId, number: u32) -> Done {
        self.input(Input::Opened { conn: ConnId { opener, number }, peer: opener })
    }

    /// A get of the client's first connection.
    fn get(&mut self, timeout_ms: u64) -> Done {
        let timeout = Duration::from_millis(timeout_ms);
        let options = ReadOptions { level: ReadLevel::Stale, timeout, watch: false };
        let mut bytes = Vec::new();
        frame::write(&mut bytes, |out| Request::Get { options, key: b"k" }.encode(3, out));
        let conn = ConnId { opener: CLIENT, number: 0 };
        self.input(Input::Data { conn, bytes: &bytes })
    }

    fn later(&mut self, ms: u64) {
        self.host.now.mono = self.host.now.mono + Duration::from_millis(ms);
    }

    fn metrics(&self) -> String {
        let mut out = String::new();
        metrics::render(&[("h/1", &self.server)], &mut out);
        out
    }
}

fn marks(done: &Done) -> Vec<&'static str> {
    let mark = |effect: &Effect| match effect {
        Effect::Mark(mark) => Some(EVENTS[usize::from(mark.event)].name),
        _ => None,
    };
    done.effects.iter().filter_map(mark).collect()
}

fn answers(done: &Done) -> usize {
    done.effects.iter().filter(|effect| matches!(effect, Effect::Write { .. })).count()
}

#[test]
fn a_client_has_ten_connections_and_no_more() {
    let mut world = World::new(&[]);
    for number in 0..10 {
        assert!(marks(&world.open(CLIENT, number)).is_empty());
    }
    let refused = world.open(CLIENT, 10);
    assert_eq!(marks(&refused), ["cache.too_many_connections"]);
    let conn = ConnId { opener: CLIENT, number: 10 };
    assert!(refused.effects.contains(&Effect::Close { conn }));
    assert_eq!(world.server.connections(), 10);
    // Others have their own ten, and one that closes makes room.
    assert!(marks(&world.open(NodeId(8), 0)).is_empty());
    let conn = ConnId { opener: CLIENT, number: 3 };
    world.input(Input::Closed { conn, reason: contract::CloseReason::Done });
    assert!(marks(&world.open(CLIENT, 11)).is_empty());
    assert_eq!(world.server.connections(), 11);
}

#[test]
fn what_nobody_waits_for_is_not_carried_out() {
    let cost = ("service_get", SettingValue::Dist(Dist::Constant(1_000_000)));
    let run = |waited_ms| {
        let mut world = World::new(core::slice::from_ref(&cost));
        world.open(CLIENT, 0);
        assert_eq!(answers(&world.get(100)), 0, "it waits for its time");
        world.later(waited_ms);
        let done = world.input(Input::Timer(SERVED));
        (answers(&done), marks(&done).contains(&"cache.too_late"))
    };
    assert_eq!(run(100), (1, false));
    assert_eq!(run(101), (0, true));
}

#[test]
fn who_hangs_up_and_comes_back_has_the_limits_it_had() {
    let mut world = World::new(&[("get_rate_max", SettingValue::Int(2))]);
    world.open(CLIENT, 0);
    let limited = |done: &Done| marks(done).contains(&"cache.rate_limited");
    assert!(!limited(&world.get(100)));
    assert!(!limited(&world.get(100)));
    let conn = ConnId { opener: CLIENT, number: 0 };
    world.input(Input::Closed { conn, reason: contract::CloseReason::Done });
    world.open(CLIENT, 0);
    assert!(limited(&world.get(100)), "the window is the client's, not the connection's");
    world.later(1_000);
    assert!(!limited(&world.get(100)));
}

#[test]
fn it_counts_what_it_is_asked_and_how_long_it_took() {
    let cost = ("service_get", SettingValue::Dist(Dist::Constant(1_000_000)));
    let mut world = World::new(&[cost]);
    world.open(CLIENT, 0);
    world.get(100);
    world.later(3);
    let done = world.input(Input::Timer(SERVED));
    let [Effect::Write { bytes, .. }] =
        &done.effects.iter().filter(|e| matches!(e, Effect::Write { .. })).collect::<Vec<_>>()[..]
    else {
        panic!("one answer");
    };
    let frame = &bytes.of(&done.bytes)[frame::HEADER_BYTES..];
    assert_eq!(ResponseFrame::decode(frame).expect("it is an answer").view(), Answer::Missing);
    let text = world.metrics();
    let wanted = vec![
        "hyperion_requests_total{instance=\"h/1\",method=\"get\"} 1",
        "hyperion_requests_total{instance=\"h/1\",method=\"set\"} 0",
        "hyperion_request_duration_seconds_bucket{instance=\"h/1\",method=\"get\",status=\"ok\",le=\"0.0025\"} 0",
        "hyperion_request_duration_seconds_bucket{instance=\"h/1\",method=\"get\",status=\"ok\",le=\"0.005\"} 1",
        "hyperion_request_duration_seconds_sum{instance=\"h/1\",method=\"get\",status=\"ok\"} 0.003",
        "hyperion_cache_size_bytes{instance=\"h/1\"} 0",
        "hyperion_cache_entries_total{instance=\"h/1\"} 0",
        "hyperion_evictions_total{instance=\"h/1\",reason=\"ttl\"} 0",
        "hyperion_raft_state{instance=\"h/1\"} 0",
        "hyperion_raft_elections_total{instance=\"h/1\",outcome=\"won\"} 0",
        "hyperion_raft_replication_seconds_count{instance=\"h/1\"} 0",
        "# TYPE hyperion_raft_replication_seconds histogram",
    ];
    for line in wanted {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    // Every line is a comment or a sample: a name, labels, a number.
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (head, value) = line.rsplit_once(' ').expect("a sample has a value");
        assert!(head.ends_with('}') && value.parse::<f64>().is_ok(), "{line}");
    }
}

/// Opens a connection, shows `certificate` where there is one, and asks for a key twice: which answers
/// came (m: missing, u: unauthenticated), and whether the connection was closed.
fn handshake(world: &mut World, number: u32, certificate: Option<&[u8]>) -> (Vec<u8>, bool) {
    let conn = ConnId { opener: CLIENT, number };
    world.open(CLIENT, number);
    let mut bytes = Vec::new();
    if let Some(certificate) = certificate {
        let hello = Request::Hello { client: 5, token: b"", certificate };
        frame::write(&mut bytes, |out| hello.encode(0, out));
    }
    let timeout = Duration::from_millis(100);
    let options = ReadOptions { level: ReadLevel::Stale, timeout, watch: false };
    frame::write(&mut bytes, |out| Request::Get { options, key: b"k" }.encode(3, out));
    frame::write(&mut bytes, |out| Request::Get { options, key: b"k" }.encode(4, out));
    let done = world.input(Input::Data { conn, bytes: &bytes });
    let written = |effect: &Effect| match effect {
        Effect::Write { bytes, .. } => {
            let frame = &bytes.of(&done.bytes)[frame::HEADER_BYTES..];
            let said = ResponseFrame::decode(frame).expect("it is an answer");
            Some(match said.view() {
                Answer::Missing => b'm',
                Answer::Refused(Refusal::Unauthenticated) => b'u',
                other => panic!("{other:?} was not expected"),
            })
        }
        _ => None,
    };
    let answers = done.effects.iter().filter_map(written).collect();
    (answers, done.effects.contains(&Effect::Close { conn }))
}

#[test]
fn with_mtls_only_certificates_that_hold_open_the_door() {
    use crate::protocol::tls::Authority;
    let life = Duration::from_secs(10);
    let mut world = World::new(&[("tls", SettingValue::Choice("mtls"))]);
    let now = world.host.now.wall;
    let served = (Vec::from(*b"mm"), false);
    // One refusal, and then the connection is closed: the second request is not looked at.
    let refused = (Vec::from(*b"u"), true);
    let ours = Authority::named("hyperion").issue(5, 1, now, life);
    assert_eq!(handshake(&mut world, 0, Some(&ours)), served);
    assert_eq!(handshake(&mut world, 1, None), refused);
    assert_eq!(handshake(&mut world, 2, Some(b"noise")), refused);
    let theirs = Authority::named("another").issue(5, 1, now, life);
    assert_eq!(handshake(&mut world, 3, Some(&theirs)), refused);
    let of_somebody_else = Authority::named("hyperion").issue(6, 1, now, life);
    assert_eq!(handshake(&mut world, 4, Some(&of_somebody_else)), refused);
    world.host.now.wall.0 += life.as_nanos() + 1;
    assert_eq!(handshake(&mut world, 5, Some(&ours)), refused, "it has ended");
    assert_eq!(world.server.connections(), 1, "who was let in stays");
}

#[test]
fn without_mtls_nobody_is_asked_and_without_verification_everybody_is_believed() {
    let mut world = World::new(&[]);
    assert_eq!(handshake(&mut world, 0, None), (Vec::from(*b"mm"), false));
    let mut world = World::new(&[("tls", SettingValue::Choice("unverified"))]);
    assert_eq!(handshake(&mut world, 0, Some(b"noise")), (Vec::from(*b"mm"), false));
    assert_eq!(handshake(&mut world, 1, None), (Vec::from(*b"u"), true));
}
