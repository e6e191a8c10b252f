//! Every check of a figure, shown green, red and undecided by a record that was written by hand.

use super::{CHECKS, Leaderless, RunData};
use crate::director::Occurrence;
use crate::kinds::Kinds;
use crate::measure::extremes::Extremes;
use crate::measure::samples::Sample;
use crate::measure::{Marked, Measured};
use crate::select::Roster;
use catalog::{EventKind, GaugeKind, Role, Seat, System, Verdict};
use contract::{
    Call, Condition, ConditionId, DiskFate, Duration, Fx, Mark, Node, NodeId, Now, Op, OpId,
    Outcome, ReadLevel, Refused, Ret, SimTime, Value,
};
use engine::hosting::{Action, Timed};
use scenario::Scenario;
use scenario::diagnostics::render;
use scenario::plan::Plan;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A system of nothing but tables.
struct Shop;

const EVENTS: &[EventKind] = &[
    EventKind { name: "shop.opened", unit: "bytes", labels: &["item"], about: "for tests" },
    EventKind { name: "shop.closed", unit: "bytes", labels: &["item"], about: "for tests" },
    EventKind {
        name: "shop.hit",
        unit: "bytes",
        labels: &["item", "deep_clones", "handle_clones"],
        about: "for tests",
    },
];
const GAUGES: &[GaugeKind] = &[
    GaugeKind { name: "shop.held", unit: "bytes", about: "for tests", read: |_| None },
    GaugeKind { name: "shop.items", unit: "", about: "for tests", read: |_| None },
];
const OPENED: u16 = 0;
const CLOSED: u16 = 1;
const HIT: u16 = 2;

impl System for Shop {
    fn name(&self) -> &'static str {
        "shop"
    }
    fn roles(&self) -> &'static [Role] {
        const fn role(name: &'static str) -> Role {
            Role { name, about: "for tests", settings: &[], uses: &[], durable: false }
        }
        const { &[role("till"), role("client")] }
    }
    fn events(&self) -> &'static [EventKind] {
        EVENTS
    }
    fn gauges(&self) -> &'static [GaugeKind] {
        GAUGES
    }
    fn boot(&self, _: &Seat<'_>, _: Now, _: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused> {
        Err(Refused("a table does not boot".to_owned()))
    }
}

const HEAD: &str = r#"
format = 1
name   = "written"
system = "shop"
[budget]
sim_time = "20s"
[phases]
warm   = "0s..5s"
steady = "5s..15s"
drain  = "15s..20s"
[nodes.a]
role  = "till"
count = 2
[clients.kv]
count = 2
rate  = "1/s"
ops   = { get = 1 }
keys  = { count = 4 }
[[fault]]
id   = "down"
kind = "crash"
at   = "5s"
for  = "2s"
node = "a/1"
[[check]]
id = "c"
"#;

/// What compiling `HEAD` with the check gives.
fn compiled(check: &str) -> Result<Plan, String> {
    let lab = Kinds::house().names(&[&Shop]);
    let text = format!("{HEAD}{check}\n");
    let (scenario, diagnostics) = Scenario::compile("written.toml", text.as_bytes(), &lab);
    let shown = |all: &[_]| render(all, &text, "written.toml", false);
    let Some(scenario) = scenario else { return Err(shown(&diagnostics)) };
    scenario.plan(&lab, None, 1, 0, &[]).map_err(|diagnostics| shown(&diagnostics))
}

/// A record of a run.
struct Record {
    ops: Vec<Op>,
    given_up: Vec<(OpId, SimTime)>,
    leaderless: Vec<Leaderless>,
    marks: Vec<Marked>,
    samples: Vec<Sample>,
    extremes: Extremes,
    occurrences: Vec<Occurrence>,
    script: Vec<Timed>,
    ended_at: SimTime,
}

/// Seconds, in tenths.
const fn at(tenths: u64) -> SimTime {
    SimTime(tenths * 100_000_000)
}

impl Record {
    fn new() -> Self {
        Self {
            ops: Vec::new(),
            given_up: Vec::new(),
            leaderless: Vec::new(),
            marks: Vec::new(),
            samples: Vec::new(),
            extremes: Extremes::default(),
            occurrences: Vec::new(),
            script: Vec::new(),
            ended_at: at(200),
        }
    }

    /// A mark of node `a/1` or `a/2`.
    fn mark(mut self, tenths: u64, node: u32, event: u16, labels: [u64; 3], value: u64) -> Self {
        let mark = Mark { event, labels, value };
        self.marks.push(Marked { at: at(tenths), node: NodeId(node - 1), mark, allocations: None });
        self
    }

    /// A read of value `value` by `kv/1` or `kv/2`.
    fn get(self, from: u64, until: u64, client: u32, value: u64) -> Self {
        let found =
            Ret::Found { value: Value { id: value, size_bytes: 8 }, version: 0, stale: false };
        let call = Call::Get { key: 0, read: ReadLevel::Stale };
        self.op(from, until, client, call, Outcome::Ok(found))
    }

    fn put(self, from: u64, until: u64, client: u32, value: u64) -> Self {
        let value = Value { id: value, size_bytes: 8 };
        let done = Outcome::Ok(Ret::Done { version: 0 });
        self.op(from, until, client, Call::Put { key: 0, value, ttl: None }, done)
    }

    fn op(mut self, from: u64, until: u64, client: u32, call: Call, outcome: Outcome) -> Self {
        let open = outcome == Outcome::Unknown;
        self.ops.push(Op {
            id: OpId(self.ops.len() as u64),
            client: NodeId(client + 1),
            process: client,
            call,
            outcome,
            arrived_at: at(from),
            call_at: at(from),
            ret_at: if open { SimTime::MAX } else { at(until) },
        });
        self
    }

    fn sample(mut self, tenths: u64, node: u32, row: usize, value: u64) -> Self {
        self.samples.push(Sample { at: at(tenths), node: NodeId(node - 1), row, value });
        self
    }

    fn verdict(&self, check: &str) -> Verdict {
        let plan = compiled(check).unwrap_or_else(|shown| panic!("{shown}"));
        let roster = Roster::new(Rc::new(plan));
        let extremes = BTreeMap::from([("c".to_owned(), self.extremes.clone())]);
        let samples = BTreeMap::from([("c".to_owned(), self.samples.clone())]);
        let run = RunData {
            plan: roster.plan(),
            roster: &roster,
            ops: &self.ops,
            given_up: &self.given_up,
            leaderless: &self.leaderless,
            violations: &[],
            violated: &BTreeMap::new(),
            watched: &[],
            occurrences: &self.occurrences,
            script: &self.script,
            measured: Measured {
                marks: &self.marks,
                marks_lost: 0,
                extremes: &extremes,
                samples: &samples,
            },
            converged: &BTreeMap::new(),
            ended_at: self.ended_at,
            cut_short: None,
        };
        let check = &roster.plan().checks[0];
        let kind = Kinds::house().check(check.kind).expect("a row of the table");
        assert!(!kind.property(check, &run).source.is_empty());
        kind.judge(check, &run)
    }

    #[track_caller]
    fn holds(&self, check: &str) {
        assert_eq!(self.verdict(check), Verdict::Ok, "{check}");
    }

    /// The check must fire, with one violation for each text, which its detail contains.
    #[track_caller]
    fn breaks(&self, check: &str, details: &[&str]) {
        let Verdict::Violated(violations) = self.verdict(check) else {
            panic!("{:?} for {check}", self.verdict(check))
        };
        let found: Vec<&str> = violations.iter().map(|violation| &*violation.detail).collect();
        assert_eq!(found.len(), details.len(), "{found:#?}");
        for (found, expect) in found.iter().zip(details) {
            assert!(found.contains(expect), "{found}\ndoes not contain\n{expect}");
        }
    }

    #[track_caller]
    fn says_nothing(&self, check: &str, why: &str) {
        let Verdict::Inconclusive(found) = self.verdict(check) else {
            panic!("{:?} for {check}", self.verdict(check))
        };
        assert!(found.contains(why), "{found}");
    }
}

#[test]
fn bound_of_a_gauge_and_of_an_event() {
    let check = "kind = \"bound\"\nwhat = \"shop.held\"\nmax = \"10B\"\nin = \"steady\"";
    let mut record = Record::new();
    record.says_nothing(check, "never seen");
    record.extremes.least = Some((3, at(60), NodeId(0)));
    record.extremes.greatest = Some((10, at(70), NodeId(1)));
    record.holds(check);
    record.extremes.greatest = Some((14, at(80), NodeId(1)));
    record.extremes.first_breach = Some((11, at(70), NodeId(1)));
    record.extremes.breaches = 2;
    record.breaks(check, &["was 11 bytes at a/2 at 7.000000000s; 10 bytes is the most"]);

    let check = "kind = \"bound\"\nwhat = \"shop.opened\"\nmin = \"5B\"\nin = \"steady\"";
    let record = Record::new().mark(40, 1, OPENED, [0; 3], 1).mark(60, 1, OPENED, [0; 3], 5);
    record.holds(check);
    let record = record.mark(61, 2, OPENED, [0; 3], 4).mark(62, 2, OPENED, [0; 3], 2);
    record.breaks(check, &["was 4 bytes at a/2 at 6.100000000s; 5 bytes is the least"]);
    record.breaks(check, &["out of bounds 2 times, the worst 2 bytes"]);
}

#[test]
fn count_alone_by_group_and_per_something() {
    let record = Record::new()
        .mark(60, 1, OPENED, [7, 0, 0], 1)
        .mark(61, 2, OPENED, [7, 0, 0], 1)
        .mark(62, 2, OPENED, [8, 0, 0], 1);
    let check = "kind = \"count\"\nwhat = \"shop.opened\"\n";
    record.holds(&format!("{check}max = 3\nmin = 3"));
    record.breaks(&format!("{check}max = 2"), &["3 times, at 6.200000000s once too often"]);
    record.breaks(&format!("{check}min = 4"), &["at least 4"]);
    record.holds(&format!("{check}max = 0\nin = \"warm\""));
    let grouped = format!("{check}group = [\"item\"]\n");
    record.breaks(&format!("{grouped}max = 1"), &["2 times for item 7"]);
    record.holds(&format!("{grouped}max = 2"));
    let both = format!("{check}group = [\"item\", \"node\"]\n");
    record.holds(&format!("{both}max = 1"));
    record.breaks(&format!("{check}group = [\"node\"]\nmax = 1"), &["for node a/2"]);

    // Load amplification: three openings for two operations. Availability: one of two answered.
    let record = record.get(60, 61, 1, 5).op(
        62,
        0,
        1,
        Call::Get { key: 0, read: ReadLevel::Stale },
        Outcome::Unknown,
    );
    let per = format!("{check}per = \"clients.kv.ops\"\n");
    record.holds(&format!("{per}max = 2"));
    record.breaks(
        &format!("{per}max = 1"),
        &["3 of `shop.opened` for 2 of `clients.kv.ops` are 150.00%"],
    );
    let available = "kind = \"count\"\nwhat = \"clients.kv.ok\"\nper = \"clients.kv.ops\"\n";
    record.holds(&format!("{available}min = \"50%\""));
    record.breaks(&format!("{available}min = \"50.1%\""), &["are 50.00%; 50.10% is the least"]);
    let none = "kind = \"count\"\nwhat = \"clients.kv.ok\"\nper = \"shop.closed\"\nmax = 1";
    record.says_nothing(none, "nothing to divide by");
}

#[test]
fn rate_bounds_bursts_and_outages() {
    let mut record = Record::new();
    for tenths in [50, 52, 54, 80, 90, 100, 110, 120, 130, 140] {
        record = record.get(tenths, tenths, 1, 5);
    }
    let check = "kind = \"rate\"\nwhat = \"clients.kv.ok\"\nin = \"steady\"\nwindow = \"500ms\"\n";
    record.holds(&format!("{check}max = \"6/s\""));
    record.breaks(&format!("{check}max = \"5/s\""), &["3 times in the 500ms from 5.000000000s on"]);
    let outage =
        "kind = \"rate\"\nwhat = \"clients.kv.ok\"\nin = \"steady\"\nwindow = \"2600ms\"\n";
    record.holds(&format!("{outage}min = \"0.1/s\""));
    let shorter = outage.replace("2600", "2500");
    record.breaks(
        &format!("{shorter}min = \"0.1/s\""),
        &["0 times in the 2500ms from 5.400000001s on"],
    );
    let mut short = Record::new();
    short.ended_at = at(60);
    short.says_nothing(&format!("{outage}min = \"1/s\""), "no window");
}

/// That nothing happened in an interval is a finding where the event was seen outside of it, and says
/// nothing where it was never seen: then it may be that it cannot happen. Another event, and one of
/// the same number in another system, is no sign of it; what clients ask for is never a sign.
#[test]
fn an_event_that_was_seen_elsewhere_can_happen() {
    let rate = |what: &str| {
        format!(
            "kind = \"rate\"\nwhat = \"{what}\"\nin = \"steady\"\nwindow = \"1s\"\nmax = \"1/s\""
        )
    };
    let never = Record::new();
    never.says_nothing(&rate("shop.opened"), "`shop.opened` never happened");
    let before = Record::new().mark(10, 1, OPENED, [0; 3], 1);
    before.holds(&rate("shop.opened"));
    let after = Record::new().mark(199, 2, OPENED, [0; 3], 1);
    after.holds(&rate("shop.opened"));
    let other = Record::new().mark(10, 1, CLOSED, [0; 3], 1);
    other.says_nothing(&rate("shop.opened"), "never happened");
    // A least that is asked for is broken by nothing, whether the event can happen or not.
    let least = rate("shop.opened").replace("max", "min");
    never.breaks(&least, &["0 times in the 1s"]);
    let asked = Record::new().get(10, 11, 1, 5);
    asked.says_nothing(&rate("clients.kv.ok"), "clients.kv did nothing while it counts");
}

#[test]
fn quantiles_of_latencies_and_of_values() {
    let mut record = Record::new();
    let check = "kind = \"quantile\"\nwhat = \"clients.kv.latency\"\n";
    record.says_nothing(&format!("{check}p50 = \"1s\""), "no value");
    for op in 0..100 {
        record = record.get(50, 51 + op / 99, 1, 5);
    }
    record.holds(&format!("{check}p50 = \"100ms\"\np99 = \"100ms\"\nmax = \"200ms\""));
    record.breaks(
        &format!("{check}p50 = \"99ms\"\np99 = \"100ms\"\np999 = \"150ms\""),
        &["p50 of `clients.kv.latency` over 100 values is 100.0 ms; 99.0 ms", "p999"],
    );
    let near = |p50: &str, within: &str| format!("{check}p50 = \"{p50}\"\nwithin = \"{within}\"");
    record.holds(&near("110ms", "10%"));
    record.holds(&near("91ms", "10%"));
    record.breaks(&near("112ms", "10%"), &["112.0 ms is asked for, give or take 10%"]);
    record.breaks(&near("90ms", "10%"), &["p50 of `clients.kv.latency` over 100 values"]);
    let record = record.mark(60, 1, HIT, [0; 3], 512);
    record.breaks("kind = \"quantile\"\nwhat = \"shop.hit\"\np50 = \"511B\"", &["512 bytes"]);
}

#[test]
fn slope_says_what_grew_beside() {
    let check = "kind = \"slope\"\nwhat = \"shop.held\"\nin = \"steady\"\n";
    let mut record = Record::new().sample(50, 1, 0, 7);
    record.says_nothing(check, "too seldom");
    for step in 1..20 {
        record = record
            .sample(50 + step * 5, 1, 0, 7 + step * 10)
            .sample(50 + step * 5, 1, 1, step)
            .sample(50 + step * 5, 2, 0, 100 - step);
    }
    record.breaks(check, &["grew at a/1 by 190 bytes from 5.000000000s"]);
    record.breaks(check, &["; beside it grew `shop.items` by 18"]);
    record.holds(&format!("{check}tolerance = \"190B\""));
    record.breaks(&format!("{check}tolerance = \"189B\""), &["190 bytes"]);
    record.holds(&format!("{check}max = \"20B\""));
    record.breaks(&format!("{check}max = \"19B\""), &["190 bytes"]);
    for tenths in 60..70 {
        record = record.get(tenths, tenths, 1, 5);
    }
    record.holds(&format!("{check}per = \"op\"\nmax = \"19B\""));
    record.breaks(&format!("{check}per = \"op\"\nmax = \"18B\""), &["over 10 answered operations"]);
}

#[test]
fn reach_of_a_gauge_and_of_a_rate() {
    let check =
        "kind = \"reach\"\nwhat = \"shop.items\"\nmin = 5\nafter = \"steady\"\nwithin = \"2s\"";
    let record = Record::new().sample(50, 1, 1, 5).sample(50, 2, 1, 4).sample(60, 1, 1, 4);
    let late = record.sample(60, 2, 1, 5).sample(71, 1, 1, 5).sample(71, 2, 1, 5);
    late.breaks(
        check,
        &["2.000 s after `steady` (at 5.000000000s) `shop.items` was not there: \
                          at 6.000000000s it was 4 at a/1"],
    );
    let mut in_time = late.sample(80, 1, 1, 5);
    in_time.samples.retain(|sample| sample.at != at(60));
    in_time.samples.iter_mut().for_each(|sample| sample.at = sample.at.min(at(70)));
    in_time.samples[1].value = 5;
    in_time.holds(check);

    let check = "kind = \"reach\"\nwhat = \"clients.kv.ok\"\nmin = \"3/s\"\nafter = \"drain\"\nwithin = \"3s\"";
    let mut record = Record::new();
    for tenths in [150, 155, 160, 165, 170] {
        record = record.get(tenths, tenths, 1, 5);
    }
    record.breaks(check, &["every window of 1s had from 1 to 2 of them"]);
    let record = record.get(169, 169, 1, 5);
    record.holds(check);
    let never = check.replace("\"drain\"", "\"fault.down.end\"");
    record.says_nothing(&never, "never came");
    let mut short = Record::new();
    short.ended_at = at(160);
    short.says_nothing(check, "the run ended 1.000 s after");
}

#[test]
fn final_values_are_exact_or_bounded() {
    let check = "kind = \"final\"\nwhat = \"shop.items\"\nat = \"drain.end\"\n";
    let record = Record::new();
    record.says_nothing(&format!("{check}equals = 1"), "no node had");
    let record = record.sample(200, 1, 1, 1).sample(200, 2, 1, 3);
    record
        .breaks(&format!("{check}equals = 1"), &["was 3 at a/2 at 20.000000000s; it has to be 1"]);
    record.breaks(
        &format!("{check}min = 2"),
        &["was 1 at a/1 at 20.000000000s; it has to be at least 2"],
    );
    record.holds(&format!("{check}min = 1\nmax = 3"));
}

#[test]
fn op_cost_counts_clones() {
    let check = "kind = \"op-cost\"\ndeep_clones = 0\nhandle_clones_max = 1\n";
    Record::new().says_nothing(check, "no operation ended in \"hit\"");
    let record = Record::new().mark(60, 1, HIT, [4, 0, 1], 9);
    record.holds(check);
    let record = record.mark(61, 2, HIT, [4, 1, 3], 9).mark(62, 2, HIT, [4, 2, 0], 9);
    record.breaks(
        check,
        &[
            "2 of 3 operations made more than 0 deep clones, the worst 2; the first at 6.1",
            "1 of 3 operations made more than 1 handle clones, the worst 3",
        ],
    );
    record.holds(&check.replace("= 0", "= 2").replace("= 1", "= 3"));
    record.says_nothing(&format!("{check}in = \"warm\""), "no operation");
}

#[test]
fn op_cost_judges_allocations_without_saying_how_many() {
    let check = "kind = \"op-cost\"\nallocations_max = 3\n";
    let mut record = Record::new().mark(60, 1, HIT, [4, 0, 1], 9).mark(61, 1, HIT, [4, 0, 1], 9);
    record.says_nothing(check, "nothing counts real allocations here");
    record.marks[0].allocations = Some(6);
    record.says_nothing(check, "nothing counts real allocations here");
    record.marks[1].allocations = Some(0);
    record.holds(check);
    record.marks[1].allocations = Some(1);
    record.breaks(check, &["operations made more than 3 allocations in the mean; `host.json`"]);
}

#[test]
fn level_is_placement() {
    let once = "kind = \"level\"\nup = \"shop.opened\"\ndown = \"shop.closed\"\n\
                group = [\"item\"]\nmax = 1";
    Record::new().says_nothing(once, "never happened");
    let moved = Record::new()
        .mark(10, 1, OPENED, [7, 0, 0], 60)
        .mark(20, 1, CLOSED, [7, 0, 0], 60)
        .mark(30, 2, OPENED, [7, 0, 0], 60)
        .mark(30, 2, OPENED, [8, 0, 0], 50);
    moved.holds(once);
    let full = "kind = \"level\"\nup = \"shop.opened\"\ndown = \"shop.closed\"\n\
                group = [\"node\"]\nsum = true\n";
    moved.holds(&format!("{full}max = \"110B\""));
    moved
        .breaks(&format!("{full}max = \"100B\""), &["was 110 at 3.000000000s, and 100 is allowed"]);
    let twice = Record::new().mark(60, 1, OPENED, [7, 0, 0], 1).mark(61, 2, OPENED, [7, 0, 0], 1);
    twice.breaks(once, &["for [7] was 2 at 6.100000000s, and 1 is allowed; begun by a/1, a/2"]);
    let mut crashed = twice;
    let down = Condition::down(NodeId(0), DiskFate::Kept);
    let action = Action::Impose(ConditionId(1), down);
    crashed.script.push(Timed { at: at(60) + contract::Duration(1), round: 0, action });
    crashed.holds(once);
}

#[test]
fn staleness_and_sessions() {
    let record = Record::new().put(0, 10, 1, 1).put(20, 30, 2, 2).get(50, 51, 1, 1);
    let stale = "kind = \"staleness\"\nover = \"clients.kv\"\n";
    record.holds(&format!("{stale}max = \"2s\""));
    record.breaks(
        &format!("{stale}max = \"1999ms\""),
        &["1 of 1 reads were behind by more than 1999ms"],
    );
    let sessions = "kind = \"sessions\"\nover = \"clients.kv\"\n";
    record.holds(sessions);
    record.get(52, 53, 2, 1).breaks(sessions, &["in the same session, which is newer"]);
    Record::new().put(0, 1, 1, 1).says_nothing(sessions, "no read");
}

#[test]
fn every_model_judges_a_run() {
    let check = |model: &str| {
        format!("kind = \"linearizable\"\nover = \"clients.kv\"\nmodel = \"{model}\"")
    };
    let add = |delta| Call::Add { key: 0, delta };
    let total = |total| Outcome::Ok(Ret::Added { total });
    let counted = Record::new().op(0, 1, 1, add(2), total(2)).op(2, 3, 2, add(3), total(5));
    counted.holds(&check("counter"));
    counted.says_nothing(&check("lock"), "lock knows no operation");
    counted.op(4, 5, 1, add(1), total(5)).breaks(&check("counter"), &["no order explains"]);
    let done = || Outcome::Ok(Ret::Done { version: 0 });
    let held = Record::new().op(0, 1, 1, Call::Acquire { key: 0 }, done());
    held.holds(&check("lock"));
    held.op(2, 3, 2, Call::Acquire { key: 0 }, done())
        .breaks(&check("lock"), &["no order explains"]);
}

#[test]
fn limits_must_be_there_and_fit() {
    let refused = |check: &str, expect: &str| {
        let shown = compiled(check).map(|_| ()).expect_err(check);
        assert!(shown.contains(expect), "{shown}");
    };
    refused("kind = \"bound\"\nwhat = \"shop.held\"", "missing field: one of `max`, `min`");
    refused("kind = \"bound\"\nwhat = \"shop.held\"\nmax = 12", "`max` has to be a size");
    refused("kind = \"bound\"\nwhat = \"shop.items\"\nmax = \"5ms\"", "`max` has to be a count");
    refused(
        "kind = \"bound\"\nwhat = \"shop.help\"\nmax = 1",
        "unknown gauge or event `shop.help`",
    );
    refused("kind = \"bound\"\nwhat = \"clients.kv.ok\"\nmax = 1", "unknown measure");
    refused("kind = \"count\"\nwhat = \"shop.hit\"\nmax = \"5%\"", "`max` has to be a count");
    refused(
        "kind = \"count\"\nwhat = \"shop.hit\"\nmax = 1\ngroup = [\"itm\"]",
        "unknown label `itm`",
    );
    refused("kind = \"count\"\nwhat = \"clients.kx.ok\"\nmax = 1", "clients.kx");
    refused("kind = \"rate\"\nwhat = \"clients.kv.okay\"\nmax = \"1/s\"", "clients.kv.ok");
    refused("kind = \"slope\"\nwhat = \"shop.hit\"", "unknown gauge `shop.hit`");
    refused(
        "kind = \"quantile\"\nwhat = \"clients.kv.latency\"\np99 = 5",
        "`p99` has to be a duration",
    );
    refused("kind = \"op-cost\"", "missing field: one of `deep_clones`");
}

#[test]
fn the_table_of_checks_is_in_order() {
    let rows = Kinds::house().check_rows();
    assert_eq!(rows.len(), CHECKS.len());
    let lab = Kinds::house().names(&[&Shop]);
    assert_eq!(lab.wrong_defaults(), [""; 0]);
}

#[test]
fn termination_of_operations_and_of_elections() {
    let read = || Call::Get { key: 0, read: ReadLevel::Stale };
    let check = "kind = \"termination\"\nwithin = \"1s\"";
    Record::new().says_nothing(check, "no operation was begun");
    let record = Record::new().get(10, 12, 1, 5);
    record.holds(check);
    record.breaks("kind = \"termination\"\nwithin = \"90ms\"", &["ended at 1.2"]);

    // Given up in time, and too late.
    let mut record = record.op(20, 0, 1, read(), Outcome::Unknown);
    record.given_up = vec![(OpId(1), at(30))];
    record.holds(check);
    record.given_up = vec![(OpId(1), at(40))];
    record.breaks(check, &["began at 2.000000000s ended at 4.0"]);
    // Never; and where it may go on, nothing can be said.
    record.given_up.clear();
    record.breaks(check, &["had not ended"]);
    record.says_nothing("kind = \"termination\"", "its client says no bound");
    record.says_nothing("kind = \"termination\"\nwithin = \"60s\"", "may do so until 62");

    let mut record = Record::new().get(10, 12, 1, 5);
    let (group, within) = ("a".to_owned(), Duration::from_secs(6));
    record.leaderless = vec![Leaderless { group, longest: within, since: at(100), within }];
    record.holds(check);
    record.leaderless[0].longest = Duration::from_secs(7);
    record.breaks(check, &["had none for 7.000 s"]);
}
