//! Literal records and snapshots for the tests of this crate.

use crate::digest::Digest;
use crate::record::{
    CheckRow, CoverRow, Evidence, Expectation, FaultRow, FlightRow, Latency, NodeRow, OpOutcome,
    OpRow, OperationRow, PhaseRow, RunOutcome, RunRecord, Series, StripSpan, TailRow, Verdict,
};
use std::collections::BTreeMap;
use std::path::Path;

const MS: u64 = 1_000_000;

/// Compares `text` with `testdata/<name>`; writes the file instead when `UPDATE=1`.
pub fn check_snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    devkit::golden::check(&path, text);
}

/// A small check that tags nest and attributes are quoted; enough for what this crate writes.
pub fn well_formed(xml: &str) {
    const VOID: [&str; 3] = ["meta", "br", "hr"];
    let mut open: Vec<&str> = Vec::new();
    for piece in xml.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "a stray > in {text:?}");
        let name = tag.split([' ', '\n', '/']).find(|part| !part.is_empty()).unwrap();
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes in <{tag}>");
        if tag.starts_with(['?', '!']) || VOID.contains(&name) || tag.ends_with('/') {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes another element");
        } else {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "elements that are not closed");
}

fn nodes() -> Vec<NodeRow> {
    let node = |id, name: &str, group: &str, role: &str, zone: Option<&str>| NodeRow {
        id,
        name: name.into(),
        group: group.into(),
        role: role.into(),
        zone: zone.map(Into::into),
    };
    vec![
        node(0, "h/1", "h", "replica", Some("east")),
        node(1, "h/2", "h", "replica", Some("west")),
        node(2, "h/3", "h", "replica", Some("west")),
        node(3, "kv/1", "kv", "client", None),
        node(4, "kv/2", "kv", "client", None),
    ]
}

fn strips() -> Vec<StripSpan> {
    let spans = [
        (0, 0, 1_600, "follower", "follower, term 0"),
        (0, 1_600, 16_400, "leader", "leader, term 1"),
        (0, 16_400, 30_000, "follower", "follower, term 3"),
        (1, 0, 14_060, "follower", "follower, term 1"),
        (1, 14_060, 14_212, "candidate", "candidate, term 3"),
        (1, 14_212, 30_000, "leader", "leader, term 3"),
        (2, 0, 20_000, "follower", "follower, term 1"),
        (2, 20_000, 22_000, "down", "down"),
        (2, 22_000, 30_000, "follower", "follower, term 3"),
    ];
    let span = |(node, from, to, state, label): (u32, u64, u64, &str, &str)| StripSpan {
        node,
        from_ns: from * MS,
        to_ns: to * MS,
        state: state.into(),
        label: label.into(),
    };
    spans.map(span).into()
}

/// Alternating writes and reads of two clients, and the three operations of a stale read.
fn ops() -> Vec<OpRow> {
    let mut ops = Vec::new();
    let mut push = |client, call_ns: u64, ret_ns: Option<u64>, call: &str, ret: &str, outcome| {
        ops.push(OpRow {
            id: ops.len() as u64 + 1,
            client,
            process: client,
            call: call.into(),
            ret: ret.into(),
            outcome,
            call_ns,
            ret_ns,
            point_ns: ret_ns.map(|ret_ns| u64::midpoint(call_ns, ret_ns)),
        });
    };
    for n in 0..14u64 {
        let (at, key) = (2_000 * n * MS + 300 * MS, n % 4);
        let took = (240 + 31 * n % 200) * MS;
        let put = format!("put {key} = #{n}");
        push(3, at, Some(at + took), &put, "", OpOutcome::Ok);
        match n {
            4 => push(4, at + 500 * MS, Some(at + 900 * MS), "get 1", "", OpOutcome::Fail),
            9 => push(4, at + 500 * MS, None, "cas 1: #5 -> #90", "", OpOutcome::Unknown),
            _ => push(4, at + 500 * MS, Some(at + 700 * MS), "get 0", "#0", OpOutcome::Ok),
        }
    }
    let times = [(14_250, 14_400), (14_420, 14_500), (14_460, 14_512)];
    let texts = [("put 7 = #81", ""), ("get 7", "#81"), ("get 7", "missing")];
    for (client, ((call, ret), (what, answer))) in
        [3, 3, 4].into_iter().zip(times.into_iter().zip(texts))
    {
        push(client, call * MS, Some(ret * MS), what, answer, OpOutcome::Ok);
    }
    ops.sort_by_key(|op| op.call_ns);
    ops
}

fn series() -> Vec<Series> {
    let of = |name: &str, unit: &str, node, value: &dyn Fn(u64) -> i64| Series {
        name: name.into(),
        unit: unit.into(),
        node,
        points: (0..60).map(|n| (n * 500 * MS, value(n))).collect(),
    };
    let rows = |n: u64| i64::try_from(n).expect("a small number");
    vec![
        of("log.bytes", "bytes", Some(0), &|n| rows(n.min(28) * 3_100)),
        of("log.bytes", "bytes", Some(1), &|n| rows(n * 2_900)),
        of("log.bytes", "bytes", Some(2), &|n| rows(n * 2_600 / (1 + u64::from(n == 41)))),
        of("latency.p99", "ns", None, &|n| {
            rows(if (28..33).contains(&n) { 1_900 * MS } else { (3 + n % 7) * MS })
        }),
    ]
}

fn checks() -> Vec<CheckRow> {
    let leaders = Evidence {
        at_ns: 14_212_345_678,
        rule: "two leaders acknowledge writes".into(),
        nodes: vec![0, 1],
        ops: vec![],
        detail: "h/1 leads term 1 and h/2 leads term 3; both acknowledged a write".into(),
    };
    let stale = Evidence {
        at_ns: 14_512 * MS,
        rule: "no order explains the reads".into(),
        nodes: vec![0],
        ops: vec![29, 30, 31],
        detail: "get 7 returned missing after #81 had been read".into(),
    };
    let check = |id: &str, kind: &str, property: &str, source: &str| CheckRow {
        id: id.into(),
        kind: kind.into(),
        property: property.into(),
        source: source.into(),
        verdict: Verdict::Ok,
        ..CheckRow::default()
    };
    vec![
        CheckRow {
            about: "Two nodes that lead at the same time never both acknowledge a write".into(),
            verdict: Verdict::Violated,
            violations: 1,
            evidence: vec![leaders],
            ..check(
                "no-split-brain",
                "invariant",
                "raft.one_acknowledging_leader",
                "raft-thesis §6.4",
            )
        },
        CheckRow {
            about: "Operations take effect at one instant between call and answer".into(),
            verdict: Verdict::Violated,
            violations: 3,
            evidence: vec![stale],
            ..check("lin", "linearizable", "linearizable", "herlihy-wing-1990 §2")
        },
        check("log-matching", "invariant", "raft.log_matching", "raft-thesis §3.5"),
        CheckRow {
            verdict: Verdict::Inconclusive,
            reason: "only 2 of 10 required operations finished after the heal".into(),
            ..check("recovers", "converge", "available again after the heal", "")
        },
    ]
}

fn faults() -> Vec<FaultRow> {
    let fault =
        |id: &str, kind: &str, from: Option<u64>, to: Option<u64>, targets: &str| FaultRow {
            id: id.into(),
            kind: kind.into(),
            start_ns: from.map(|at| at * MS),
            end_ns: to.map(|at| at * MS),
            targets: targets.into(),
            effects: 112,
            vacuous: false,
        };
    vec![
        fault("cut", "partition", Some(13_000), Some(16_300), "h/1 | h/2, h/3"),
        fault("crash", "crash", Some(20_000), Some(22_000), "h/3"),
        FaultRow {
            effects: 0,
            vacuous: true,
            ..fault("slow-disk", "disk-latency", Some(18_000), None, "h/2")
        },
        FaultRow { effects: 0, vacuous: true, ..fault("late", "pause", None, None, "") },
    ]
}

/// A run with two violations, faults, plots and everything else that a report may show.
pub fn split_brain() -> RunRecord {
    let cover = |id: &str, hits, met| CoverRow { id: id.into(), hits, min: 1, met };
    let counters = |rows: &[(&str, u64)]| -> BTreeMap<String, u64> {
        rows.iter().map(|&(name, n)| (name.to_owned(), n)).collect()
    };
    RunRecord {
        scenario: "hyperion/split-brain-1500ms".into(),
        about: "A cut of 1.5 s between the leader and the rest; nobody may acknowledge a write \
                that the others do not have."
            .into(),
        systems: vec!["hyperion".into()],
        seed: 4_711,
        variant: Some("flawed".into()),
        scenario_digest: Digest(0x0123_4567_89ab_cdef),
        digest: Digest(0xfeed_0000_0000_beef),
        events: 1_234_567,
        end_ns: 30_000 * MS,
        ended: "the plan was done".into(),
        replay: "hyperion/split-brain-1500ms@4711-flawed".into(),
        notes: vec!["Memory is scaled: one stored byte counts as 1,024.".into()],
        nodes: nodes(),
        phases: vec![PhaseRow { name: "faults".into(), start_ns: 5_000 * MS, end_ns: 25_000 * MS }],
        faults: faults(),
        checks: checks(),
        covers: vec![cover("leader-change", 2, true), cover("snapshot", 0, false)],
        expectation: Expectation::default(),
        outcome: RunOutcome::UnexpectedViolation,
        operations: operations(),
        ops: ops(),
        counters: counters(&[("raft.elections", 3), ("raft.frames_refused", 0)]),
        messages: counters(&[("sent", 90_210), ("delivered", 89_001), ("dropped: blocked", 1_209)]),
        series: series(),
        strips: strips(),
        flights: flights(),
        tail: tail(),
        ..RunRecord::default()
    }
}

fn operations() -> Vec<OperationRow> {
    let latency = Latency {
        p50_ns: 2_345_678,
        p99_ns: 19_800_000,
        p999_ns: 1_912_000_000,
        max_ns: 2_001_000_000,
    };
    let row = |op: &str, ok, fail, unknown, latency| OperationRow {
        op: op.into(),
        ok,
        fail,
        unknown,
        latency,
    };
    vec![
        row("cas", 0, 0, 1, None),
        row("get", 81_234, 1, 0, Some(latency)),
        row("put", 40_100, 12, 3, Some(latency)),
    ]
}

fn flights() -> Vec<FlightRow> {
    let rows = [
        (1, 0, 14_060, None, "RequestVote", "dropped: blocked"),
        (1, 2, 14_061, Some(14_120), "RequestVote", ""),
        (2, 1, 14_150, Some(14_212), "Vote", ""),
        (1, 2, 14_213, Some(14_260), "AppendEntries", ""),
        (3, 0, 14_250, Some(14_300), "put 7 = #81", ""),
        (0, 1, 14_301, None, "AppendEntries", "dropped: blocked"),
        (0, 3, 14_340, Some(14_400), "done", ""),
        (4, 1, 14_460, Some(14_480), "get 7", ""),
        (1, 4, 14_490, Some(14_512), "missing", "corrupted"),
    ];
    let row =
        |(from, to, sent, arrived, label, fate): (_, _, u64, Option<u64>, &str, &str)| FlightRow {
            from,
            to,
            sent_ns: sent * MS,
            arrived_ns: arrived.map(|at| at * MS),
            label: label.into(),
            fate: fate.into(),
        };
    rows.map(row).into()
}

fn tail() -> Vec<TailRow> {
    let row = |at_ns, node, line: &str| TailRow { at_ns, node, line: line.into() };
    vec![
        row(14_212_345_678, Some(1), "becomes leader of term 3 with votes of h/2, h/3"),
        row(14_250_000_000, Some(0), "acknowledges put 7 = #81 in term 1"),
        row(14_511_000_000, None, "client kv/2 reads 7 at h/2: missing"),
    ]
}

/// A run without a flaw.
pub fn clean_run() -> RunRecord {
    let mut run = split_brain();
    run.variant = None;
    run.seed = 7;
    run.replay = "hyperion/split-brain-1500ms@7".into();
    run.outcome = RunOutcome::Passed;
    run.checks.truncate(3);
    for check in &mut run.checks {
        check.verdict = Verdict::Ok;
        check.violations = 0;
        check.evidence.clear();
    }
    run.faults.truncate(2);
    run.covers.truncate(1);
    run.notes.clear();
    run
}

/// A run whose every name tries to be markup, a table, a fence or a terminal command.
pub fn hostile() -> RunRecord {
    const EVIL: &str =
        "a|b`c``` <script>alert('\"1\"')</script>\x1b[31m\n## &amp; ]]> --> @all \u{202e}x";
    let evil = || EVIL.to_owned();
    let mut run = split_brain();
    for text in [&mut run.scenario, &mut run.about, &mut run.ended, &mut run.replay] {
        *text = evil();
    }
    run.variant = Some(evil());
    run.cause = Some(evil());
    run.overrides = vec![evil()];
    run.systems = vec![evil()];
    run.notes = vec![evil()];
    for node in &mut run.nodes {
        (node.name, node.group, node.role, node.zone) = (evil(), evil(), evil(), Some(evil()));
    }
    for fault in &mut run.faults {
        (fault.id, fault.kind, fault.targets) = (evil(), evil(), evil());
    }
    for check in &mut run.checks {
        (check.id, check.kind, check.property) = (evil(), evil(), evil());
        (check.about, check.source, check.reason) = (evil(), evil(), evil());
        for seen in &mut check.evidence {
            (seen.rule, seen.detail) = (evil(), evil());
        }
    }
    run.covers.iter_mut().for_each(|cover| cover.id = evil());
    run.operations.iter_mut().for_each(|row| row.op = evil());
    run.ops.iter_mut().for_each(|op| (op.call, op.ret) = (evil(), evil()));
    run.counters = BTreeMap::from([(evil(), 1)]);
    run.messages = BTreeMap::from([(evil(), 1)]);
    run.series.iter_mut().for_each(|series| (series.name, series.unit) = (evil(), evil()));
    run.strips.iter_mut().for_each(|span| (span.state, span.label) = (evil(), evil()));
    run.flights.iter_mut().for_each(|row| (row.label, row.fate) = (evil(), evil()));
    run.tail.iter_mut().for_each(|row| row.line = evil());
    run.phases.iter_mut().for_each(|phase| phase.name = evil());
    run
}
