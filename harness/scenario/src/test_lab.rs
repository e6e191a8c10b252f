//! A system of nothing but tables, for tests of the compiler.

use crate::Lab;
use crate::kinds::{Amounts, Behind, CheckRow, Damage, FaultRow, Field, FieldKind, Row};
use crate::workload::{LoadKind, SessionSteps};
use catalog::{
    Argument, Code, Defect, EventKind, Fields, GaugeKind, Group, Invariant, Kind, Limits, Need,
    Operation, PredicateKind, Property, PropertyRow, Relation, Role, Seat, Setting, Settings,
    System, Verb, Violation,
};
use contract::{Duration, Fx, Node, NodeId, Nodes, Now, Ratio, Refused, SimTime};

/// A system under some name.
pub struct Fake(&'static str);

/// The system of the test data.
pub static DEMO: Fake = Fake("demo");
/// The same tables under the name that the design's examples use.
pub static HYPERION: Fake = Fake("hyperion");

const fn setting(name: &'static str, kind: Kind, default: &'static str) -> Setting {
    Setting { name, kind, about: "for tests", default }
}

const CACHE: &[Setting] = &[
    setting("heartbeat", Kind::DURATION, "\"150ms\""),
    setting("election", Kind::Range, "{ min = \"1500ms\", max = \"3000ms\" }"),
    setting("election_fixed", Kind::List(&Kind::DURATION), ""),
    setting("pre_vote", Kind::Bool, "true"),
    setting("reads", Kind::Choice(&["read-index", "leader-lease"]), "read-index"),
    setting("lease", Kind::DURATION, "1000ms"),
    setting("tick", Kind::Duration { min: Duration::ZERO, max: Duration::from_secs(1) }, "50ms"),
    setting("entries_max", Kind::Int { min: 1, max: 1_000_000 }, "1_000"),
    setting("fill_max", Kind::Ratio, "90%"),
    setting("page", Kind::Bytes, "4KiB"),
    setting("admit", Kind::Rate, "\"5_000/s\""),
    setting("pause", Kind::Dist, "1ms"),
    setting("label", Kind::Text, ""),
    setting("memory_scale", Kind::Int { min: 1, max: 1_024 }, "1"),
];
const CLIENT: &[Setting] =
    &[setting("timeout", Kind::DURATION, "1s"), setting("retry", Kind::Bool, "false")];
const PLAIN: &[Setting] = &[setting("depth", Kind::COUNT, "8")];

const ROLES: &[Role] = &[
    Role { name: "cache", about: "stores", settings: CACHE, uses: &[], durable: false },
    Role { name: "gate", about: "forwards", settings: PLAIN, uses: &["backend"], durable: false },
    Role { name: "client", about: "asks", settings: CLIENT, uses: &[], durable: false },
];

const fn event(name: &'static str) -> EventKind {
    EventKind { name, unit: "", labels: &[], about: "for tests" }
}

const fn predicate(name: &'static str) -> PredicateKind {
    PredicateKind { name, about: "for tests", roles: &[], holds: |_, _| None }
}

const fn defect(name: &'static str) -> Defect {
    Defect { name, about: "for tests", source: "nowhere", caught_by: "lin", needs: &[] }
}

struct Watch;

impl Invariant for Watch {
    fn property(&self) -> Property {
        Property { name: "raft.one_leader_per_term", about: "for tests", source: "nowhere" }
    }
    fn after_event(&mut self, _: SimTime, _: NodeId, _: &dyn Nodes) -> Result<(), Violation> {
        Ok(())
    }
    fn looked(&self) -> u64 {
        0
    }
    fn fork(&self) -> Box<dyn Invariant> {
        Box::new(Self)
    }
}

struct WatchAcks;

impl Invariant for WatchAcks {
    fn property(&self) -> Property {
        Property { name: "raft.no_two_nodes_ack_in_overlap", ..Watch.property() }
    }
    fn after_event(&mut self, _: SimTime, _: NodeId, _: &dyn Nodes) -> Result<(), Violation> {
        Ok(())
    }
    fn looked(&self) -> u64 {
        0
    }
    fn fork(&self) -> Box<dyn Invariant> {
        Box::new(Self)
    }
}

/// An operation that only this system knows, with an argument.
const LOCK: Operation = Operation::own(
    "lock",
    "takes a lock for a while",
    true,
    &[Argument { name: "ttl_ms", about: "for how long", min: 1, max: 60_000, default: 500 }],
);
/// One without a key.
const COUNT_ALL: Operation = Operation::own("count-all", "counts", false, &[]).reading();

const OPERATIONS: &[Operation] = &[
    Operation::GET,
    Operation::BATCH_GET,
    Operation::PUT,
    Operation::DELETE,
    Operation::CAS,
    Operation::APPEND,
    Operation::ACQUIRE,
    Operation::RELEASE,
    LOCK,
    COUNT_ALL,
];

/// A workload of a lab that embeds the compiler.
struct Visits;

impl LoadKind for Visits {
    fn name(&self) -> &'static str {
        "visits"
    }
    fn about(&self) -> &'static str {
        "for tests"
    }
    fn asks(&self) -> &'static [&'static str] {
        &["get", "lock"]
    }
    fn begin(&self) -> Box<dyn SessionSteps> {
        unreachable!("a fake does not run")
    }
}

impl System for Fake {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }
    fn memory_scale(&self, role: &str) -> Option<&'static str> {
        (role == "cache").then_some("memory_scale")
    }
    fn codes(&self) -> &'static [Code] {
        &[Code { code: "E0311", title: "for tests", about: "for tests" }]
    }
    fn verbs(&self) -> &'static [Verb] {
        &[Verb { name: "step-down", about: "for tests", arg: 0, is_lossy: false }]
    }
    fn name(&self) -> &'static str {
        self.0
    }
    fn about(&self) -> &'static str {
        "tables for tests"
    }
    fn roles(&self) -> &'static [Role] {
        ROLES
    }
    fn limits(&self, _: &str, _: &Settings) -> Limits {
        Limits { value_bytes_max: 1 << 20, preload_bytes_max: 1 << 20, ..Limits::NONE }
    }
    fn properties(&self) -> &'static [PropertyRow] {
        const ACKS: Property = Property {
            name: "raft.no_two_nodes_ack_in_overlap",
            about: "for tests",
            source: "nowhere",
        };
        &[PropertyRow { property: ACKS, roles: &["cache"] }]
    }
    fn defects(&self) -> &'static [Defect] {
        const DEFECTS: &[Defect] = &[
            defect("lease-without-vote-stickiness"),
            defect("local-leader-read"),
            defect("ack-before-quorum"),
            defect("get-clones-value"),
            defect("get-forgets-handle"),
        ];
        DEFECTS
    }
    fn events(&self) -> &'static [EventKind] {
        const EVENTS: &[EventKind] =
            &[event("raft.heartbeat_sent"), event("raft.leader_elected"), event("cache.hit")];
        EVENTS
    }
    fn gauges(&self) -> &'static [GaugeKind] {
        &[GaugeKind {
            name: "raft.log_entries",
            unit: "entries",
            about: "for tests",
            read: |_| None,
        }]
    }
    fn predicates(&self) -> &'static [PredicateKind] {
        const { &[predicate("raft.single_leader"), predicate("raft.applied_equal")] }
    }
    fn selectors(&self) -> &'static [&'static str] {
        &["leader", "followers"]
    }
    fn relations(&self, role: &str, settings: &Settings, drift_max: Ratio) -> Vec<Relation> {
        if role != "cache" {
            return Vec::new();
        }
        let d = u128::from(drift_max.ppm());
        let lease = u128::from(settings.duration("lease").0) * (1_000_000 + d);
        let (min, _) = settings.range("election");
        let election = u128::from(min.0) * (1_000_000 - d);
        let mut broken = Vec::new();
        if lease >= election {
            let detail = format!("is not below the election timeout of {min}, drift included");
            broken.push(relation("E0311", "lease", detail));
        }
        if settings.duration("heartbeat") >= min {
            let detail = format!("is not below the election timeout of {min}");
            broken.push(relation("E0301", "heartbeat", detail));
        }
        broken
    }
    fn boot(&self, _: &Seat<'_>, _: Now, _: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused> {
        Err(Refused("a fake does not boot".to_owned()))
    }
    fn invariants(&self, groups: &[Group]) -> Vec<Box<dyn Invariant>> {
        assert!(!groups.is_empty(), "asked about groups of this system");
        vec![Box::new(Watch), Box::new(WatchAcks)]
    }
    fn select(&self, _: &str, _: &[NodeId], _: &dyn Nodes) -> Vec<NodeId> {
        Vec::new()
    }
    fn pending(&self, _: &[Group], _: &dyn Nodes) -> Option<&'static str> {
        None
    }
    fn view(&self, _: &dyn Node, _: &mut dyn Fields) {}
    fn fingerprint(&self, _: &[Group], _: &dyn Nodes) -> u64 {
        0
    }
}

const fn relation(code: &'static str, setting: &'static str, detail: String) -> Relation {
    Relation { code, setting, detail }
}

const fn field(name: &'static str, kind: FieldKind, default: &'static str) -> Field {
    Field { name, kind, about: "for tests", default, required: false }
}

const fn required(name: &'static str, kind: FieldKind, about: &'static str) -> Field {
    Field { name, kind, about, default: "", required: true }
}

/// A kind of fault that no random plan draws.
const fn kind(row: Row) -> FaultRow {
    FaultRow {
        row,
        overlaps: "",
        trouble: Need::Network,
        at_once: false,
        random: &[],
        damage: Damage::NONE,
    }
}

const FAULTS: &[FaultRow] = &[
    kind(Row {
        name: "partition",
        about: "cuts",
        fields: &[
            required("sides", FieldKind::Sides, "who is cut off from whom"),
            field("mode", FieldKind::Plain(Kind::Choice(&["drop", "hold", "slow"])), "drop"),
            field("in_flight", FieldKind::Plain(Kind::Choice(&["lost", "kept"])), "lost"),
        ],
    }),
    kind(Row {
        name: "crash",
        about: "kills",
        fields: &[
            required("node", FieldKind::Selector, "who dies"),
            field("restart", FieldKind::Plain(Kind::DURATION), ""),
        ],
    }),
    kind(Row {
        name: "link",
        about: "bends a link",
        fields: &[
            required("link", FieldKind::Link, "which link"),
            field("loss", FieldKind::Plain(Kind::Ratio), "0%"),
        ],
    }),
    FaultRow {
        at_once: true,
        ..kind(Row {
            name: "expire",
            about: "expires",
            fields: &[required("node", FieldKind::Selector, "whose entries")],
        })
    },
];

const CHECKS: &[CheckRow] = &[
    CheckRow {
        of_reads: true,
        ..CheckRow::of(Row {
            name: "linearizable",
            about: "is linearizable",
            fields: &[
                required("model", FieldKind::Model, "what is specified"),
                field("over", FieldKind::Clients, ""),
            ],
        })
    },
    CheckRow::of(Row {
        name: "invariant",
        about: "holds",
        fields: &[required("name", FieldKind::Invariant, "which one")],
    }),
    CheckRow::of(Row {
        name: "converge",
        about: "settles",
        fields: &[
            field("after", FieldKind::Moment, "0s"),
            required("within", FieldKind::Plain(Kind::DURATION), "how soon"),
            required("to", FieldKind::Predicates, "what then holds"),
            field("group", FieldKind::Group, ""),
        ],
    }),
    CheckRow {
        limits: &["max", "min"],
        ..CheckRow::of(Row {
            name: "bound",
            about: "is bounded",
            fields: &[
                required("what", FieldKind::Gauge, "what is bounded"),
                required("max", FieldKind::Amount, "by what"),
                field("in", FieldKind::Phase, ""),
            ],
        })
    },
    CheckRow {
        limits: &["max", "min"],
        amounts: Amounts::Count,
        ..CheckRow::of(Row {
            name: "count",
            about: "counts",
            fields: &[
                required("what", FieldKind::Event, "what is counted"),
                field("group", FieldKind::Plain(Kind::List(&Kind::Text)), ""),
                required("max", FieldKind::Plain(Kind::COUNT), "how many"),
            ],
        })
    },
];

/// A lab of the fakes.
pub const LAB: Lab<'static> = Lab {
    systems: &[&DEMO, &HYPERION],
    faults: FAULTS,
    checks: CHECKS,
    models: &["register", "register-cas"],
    behind: Behind::NOTHING,
    workloads: &[&Visits],
};
