//! The tables of the format and their fields: what each holds, in one line. Suggestions and the
//! JSON Schema are made of it; a test holds it against the readers and the manual.

use crate::syntax::units::Measure;

/// A table of the format.
pub struct Layout {
    /// As a message names it: `[nodes.G]`.
    pub shown: &'static str,
    /// Its key at the top level; empty for the top level itself.
    pub key: &'static str,
    /// What the key holds.
    pub form: Form,
    /// Its fields besides those that depend on a system or a kind.
    pub fields: &'static [Field],
    /// The fields that must be there.
    pub required: &'static [&'static str],
    /// What holds between them.
    pub choices: &'static [Choice],
}

/// What a key of the top level holds.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// One table.
    One,
    /// A table per name.
    PerName,
    /// A value per name.
    PerNameOf(Shape),
    /// A list of tables.
    List,
}

/// A field: its name, what it holds, one line of help.
pub type Field = (&'static str, Shape, &'static str);

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Any text.
    Text,
    /// A name that the file gives or refers to.
    Name,
    /// A list of such names.
    Names,
    /// The path of a scenario.
    Path,
    /// A number, or text in hex.
    Seed,
    /// A quantity, or a distribution that it is drawn from.
    Quantity(Measure),
    /// A quantity that is never drawn.
    Plain(Measure),
    /// A quantity that may be negative: one, a list of one per node, or drawn per node.
    PerNode(Measure),
    /// A whole number within its limits.
    Int(i64, i64),
    /// A pure factor such as 1.1.
    Factor,
    /// A moment that is known before the run.
    Moment,
    /// Such a moment, or a distribution of times.
    Start,
    /// Such a moment, or an event.
    End,
    /// An event of the system, or several.
    Event,
    /// From when to when: `"5s..25s"`.
    Interval,
    /// A group of nodes, or a selector.
    Nodes,
    /// One node or client: `h/1`.
    Client,
    /// A link: `link h/2>h/1`.
    Stream,
    /// A phase, or `fault.ID`.
    During,
    /// A system of the lab.
    System,
    /// A role of some system, clients apart.
    Role,
    /// A table of the uses of roles.
    Uses,
    /// A list of planted defects.
    Defects,
    /// The name of an event.
    EventName,
    /// The name of a predicate.
    PredicateName,
    /// An operation or a verb of some system.
    Calls,
    /// A table with a weight for each of some operations and verbs.
    Weights,
    /// A list of operations and verbs.
    Steps,
    /// A table of arguments of an operation of the system's own.
    Arguments,
    /// A table of operations, each with a table of arguments.
    ArgumentsOf,
    /// A workload written in code.
    Workload,
    /// The clients' setting of the same name.
    Setting,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// `true` or `false`.
    Flag,
    /// The number of a written value, or "nothing".
    Expected,
    /// One bandwidth, or a table of them by link.
    Bandwidths,
    /// Paths and axes.
    Axes,
    /// Paths and distributions.
    Redraws,
    /// Paths and values.
    Edits,
    /// A table with these fields.
    Table(&'static Nested),
    /// A list of such tables.
    Tables(&'static Nested),
    /// One such table, or a list of them.
    TableOrTables(&'static Nested),
    /// Nothing yet: whoever writes the field is told that it is not supported.
    Reserved,
}

/// A table inside of another.
#[derive(Debug)]
pub struct Nested {
    /// Its fields.
    pub fields: &'static [Field],
    /// The fields that must be there.
    pub required: &'static [&'static str],
}

/// What holds between fields of one table.
#[derive(Clone, Copy, Debug)]
pub enum Choice {
    /// Exactly one of them is there.
    One(&'static [&'static str]),
    /// At most one of them is there.
    AtMostOne(&'static [&'static str]),
    /// At least one of them is there.
    AtLeastOne(&'static [&'static str]),
}

/// What starts a fault.
pub const STARTS: &[&str] = &["at", "when"];
/// What ends it.
pub const ENDS: &[&str] = &["for", "until"];
/// What a cover covers.
pub const COVERED: &[&str] = &["event", "state"];
/// When it has to.
pub const COVERED_IN: &[&str] = &["in", "during", "at"];
/// What says what one arrival of a load does.
pub const LOADS: &[&str] = &["ops", "script", "workload"];
/// What a pin fixes.
pub const PINNED: &[&str] = &["latency", "fate"];
/// Where a fault of links strikes.
pub const PLACES: &[&str] = &["link", "node"];

use Shape::{
    Arguments, ArgumentsOf, Axes, Bandwidths, Calls, Client, Defects, During, Edits, End, Event,
    EventName, Expected, Factor, Flag, Int, Interval, Moment, Name, Names, Nodes, Path, PerNode,
    Plain, PredicateName, Quantity, Redraws, Reserved, Role, Seed, Setting, Start, Steps, Stream,
    System, Table, TableOrTables, Tables, Text, Texts, Uses, Weights, Words, Workload,
};

const COUNT: Shape = Quantity(Measure::Count);
const DURATION: Shape = Quantity(Measure::Duration);
const SIZE: Shape = Quantity(Measure::Bytes);
const SHARE: Shape = Quantity(Measure::Ratio);
const RATE: Shape = Quantity(Measure::Rate);
/// What a number of a key or a value ends at.
const NUMBER_MAX: i64 = u32::MAX as i64;

/// `expect` and what belongs to it; at the top level and in variants.
const EXPECT: &[Field] = &[
    ("expect", Words(&["pass", "fail"]), "what a run must end with"),
    ("caught_by", Names, "the checks that must all fire"),
    ("may_fail", Names, "the checks that may fire besides"),
    ("min_rate", SHARE, "the share of a sweep's seeds that must fail as expected"),
    ("defects", Defects, "planted defects"),
];

/// The top level without its tables.
pub const TOP: Layout = Layout {
    shown: "the top level",
    key: "",
    form: Form::One,
    fields: &[
        ("format", Int(1, 1), "1"),
        ("name", Path, "the path under scenarios/, without the suffix"),
        ("about", Text, "one sentence"),
        ("system", System, "the system of all groups that do not name their own"),
        ("seed", Seed, "the root of all randomness: a number, or text in hex"),
        EXPECT[0],
        EXPECT[1],
        EXPECT[2],
        EXPECT[3],
        EXPECT[4],
        ("tags", Texts, "free words; `exact` has a meaning"),
    ],
    required: &["format", "name", "budget", "nodes", "check"],
    choices: &[],
};

/// Every table below the top level.
pub const TABLES: &[Layout] = &[
    Layout {
        shown: "[budget]",
        key: "budget",
        form: Form::One,
        fields: &[
            ("sim_time", Plain(Measure::Duration), "the end of the run, in virtual time"),
            ("events", COUNT, "events of the engine"),
            ("search_steps", COUNT, "steps of the linearizability checker"),
        ],
        required: &["sim_time"],
        choices: &[],
    },
    Layout {
        shown: "[phases]",
        key: "phases",
        form: Form::PerNameOf(Interval),
        fields: &[],
        required: &[],
        choices: &[],
    },
    Layout {
        shown: "[recovery]",
        key: "recovery",
        form: Form::One,
        fields: &[
            ("at", Moment, "when faults are lifted and clients stop: a moment"),
            ("restart", Words(&["dead", "all"]), "which servers are booted again"),
        ],
        required: &["at"],
        choices: &[],
    },
    Layout {
        shown: "[nodes.G]",
        key: "nodes",
        form: Form::PerName,
        fields: &[
            ("count", Plain(Measure::Count), "how many nodes"),
            ("role", Role, "what they are: a role of the system"),
            ("uses", Uses, "the groups that the role needs"),
            ("system", System, "the system, where it is not that of the top level"),
            ("dormant", Flag, "whether they wait for a machine to start them"),
            ("on", Name, "the group of machines that may start them, for dormant ones"),
            ("zones", Names, "dealt round-robin"),
            ("model", Reserved, "not yet supported"),
            ("version", Reserved, "not yet supported"),
        ],
        required: &[],
        choices: &[],
    },
    Layout {
        shown: "[net]",
        key: "net",
        form: Form::One,
        fields: NET,
        required: &[],
        choices: &[],
    },
    Layout {
        shown: "[disk.G]",
        key: "disk",
        form: Form::PerName,
        fields: &[
            ("read", DURATION, "latency of a read"),
            ("write", DURATION, "latency of a write"),
            ("sync", DURATION, "latency of a sync"),
            ("read_corrupt", SHARE, "reads that return a flipped bit"),
            ("write_corrupt", SHARE, "writes that store a flipped bit"),
            ("misdirect", SHARE, "writes that land at another offset"),
            ("torn", SHARE, "crashes that tear the last unsynced write"),
            ("sync_lie", SHARE, "syncs that made nothing durable"),
            ("capacity", SIZE, "the size of the disk"),
        ],
        required: &[],
        choices: &[],
    },
    Layout {
        shown: "[clock.G]",
        key: "clock",
        form: Form::PerName,
        fields: &[
            (
                "skew",
                PerNode(Measure::Duration),
                "how far the wall clock is ahead: one, a list, or drawn per node",
            ),
            (
                "drift_ppm",
                PerNode(Measure::Count),
                "how fast both clocks run: one, a list, or drawn per node",
            ),
            ("drift_max", SHARE, "the bound that the system may rely on"),
            ("jump", Reserved, "not yet supported"),
        ],
        required: &[],
        choices: &[],
    },
    Layout {
        shown: "[memory.G]",
        key: "memory",
        form: Form::PerName,
        fields: &[
            ("limit", SIZE, "logical memory past which a node is killed"),
            ("scale", COUNT, "one stored byte counts as so many"),
        ],
        required: &[],
        choices: &[],
    },
    Layout {
        shown: "[[preload]]",
        key: "preload",
        form: Form::List,
        fields: &[
            ("into", Nodes, "which nodes: a selector"),
            ("entries", COUNT, "how many keys, from 0"),
            ("value", SIZE, "the size of the values"),
            ("ttl", DURATION, "how long they live, from the start of the run"),
            ("at", DURATION, "when; the start is all that is supported"),
            ("spread", DURATION, "up to so much longer, evenly"),
        ],
        required: &["into", "entries"],
        choices: &[],
    },
    Layout {
        shown: "[clients.C]",
        key: "clients",
        form: Form::PerName,
        fields: CLIENTS,
        required: &[],
        choices: &[Choice::AtMostOne(LOADS)],
    },
    Layout {
        shown: "[[op]]",
        key: "op",
        form: Form::List,
        fields: &[
            ("at", Moment, "when the client is asked for it: a moment"),
            ("client", Client, "who is asked: `kv/3`"),
            ("call", Calls, "what is asked: an operation or a verb of the system"),
            ("key", Int(0, NUMBER_MAX), "the key, where the operation is about one"),
            ("args", Arguments, "the arguments of an operation of the system's own"),
            (
                "value",
                Int(1, NUMBER_MAX),
                "the number of the value that it writes, unique in the file",
            ),
            (
                "expect",
                Expected,
                "what a compare-and-set expects: a value's number, or \"nothing\"",
            ),
            ("ttl", DURATION, "how long the written value lives"),
            ("timeout", Reserved, "not yet supported"),
        ],
        required: &["at", "client", "call"],
        choices: &[],
    },
    Layout {
        shown: "[[pin]]",
        key: "pin",
        form: Form::List,
        fields: &[
            ("stream", Stream, "the link: \"link h/2>h/1\""),
            (
                "n",
                Int(0, i64::MAX),
                "which message of the link, from 0; those of streams count too",
            ),
            ("latency", DURATION, "how long it is under way"),
            (
                "fate",
                Words(crate::read::pins::FATES),
                "whether it gets through, whatever the link does",
            ),
            ("value", Reserved, "not yet supported"),
        ],
        required: &["stream", "n"],
        choices: &[Choice::AtLeastOne(PINNED)],
    },
    Layout {
        shown: "[[fault]]",
        key: "fault",
        form: Form::List,
        fields: &[
            ("id", Name, "its name, unique in the file"),
            ("kind", Text, "a kind of fault"),
            ("at", Start, "when it starts: a moment"),
            ("when", Event, "the event that starts it"),
            ("plus", DURATION, "how long after the instant or the event"),
            ("for", DURATION, "its length"),
            ("until", End, "its end: a moment or an event"),
            ("repeat", Table(REPEAT), "{ every, jitter, max }"),
        ],
        required: &["id", "kind"],
        choices: &[Choice::One(STARTS), Choice::AtMostOne(ENDS)],
    },
    Layout {
        shown: "[[check]]",
        key: "check",
        form: Form::List,
        fields: &[("id", Name, "its name, unique in the file"), ("kind", Text, "a kind of check")],
        required: &["id", "kind"],
        choices: &[],
    },
    Layout {
        shown: "[[cover]]",
        key: "cover",
        form: Form::List,
        fields: &[
            ("id", Name, "its name, unique in the file"),
            ("event", EventName, "an event of the system"),
            ("state", PredicateName, "a predicate of the system"),
            ("in", Name, "a phase"),
            ("during", During, "`fault.ID`, or a phase"),
            ("at", Reserved, "not yet supported"),
            ("min", COUNT, "how often in one run"),
            ("min_runs", COUNT, "in how many runs of the command"),
        ],
        required: &["id"],
        choices: &[Choice::One(COVERED), Choice::AtMostOne(COVERED_IN)],
    },
    Layout {
        shown: "[sweep]",
        key: "sweep",
        form: Form::One,
        fields: &[
            ("seeds", COUNT, "how many seeds"),
            ("vary", Axes, "paths and axes: lists, or { from, to, step }"),
            ("ties", Words(&["canonical", "explore"]), "the order at one instant"),
            ("cap", COUNT, "the most points of the matrix"),
        ],
        required: &[],
        choices: &[],
    },
    Layout {
        shown: "[swarm]",
        key: "swarm",
        form: Form::One,
        fields: &[
            ("redraw", Redraws, "paths and distributions, drawn per seed"),
            ("omit", TableOrTables(OMIT), "{ faults, probability }, or a list of such"),
            (
                "random",
                Table(RANDOM),
                "{ on, faults, from, to, budget }: faults that the seed draws",
            ),
        ],
        required: &[],
        choices: &[],
    },
    Layout {
        shown: "[[variant]]",
        key: "variant",
        form: Form::List,
        fields: &[
            ("name", Name, "its name, unique in the file"),
            ("set", Edits, "paths and values"),
            EXPECT[0],
            EXPECT[1],
            EXPECT[2],
            EXPECT[3],
            EXPECT[4],
        ],
        required: &["name"],
        choices: &[],
    },
    Layout {
        shown: "[report]",
        key: "report",
        form: Form::One,
        fields: &[
            ("detail", Words(&["brief"]), "`full` is not yet supported"),
            ("traces", Reserved, "not yet supported"),
        ],
        required: &[],
        choices: &[],
    },
    Layout {
        shown: "[minimal]",
        key: "minimal",
        form: Form::One,
        fields: &[
            ("of", Text, "the run that was shrunk"),
            ("check", Text, "the check that fires"),
            ("rule", Text, "the rule of it that is broken"),
            ("roles", Text, "the kinds of nodes involved"),
            ("trials", COUNT, "how many runs it took"),
            ("removed", Texts, "what could go"),
            ("needed", Texts, "what could not, and what happened without it"),
        ],
        required: &["of", "check"],
        choices: &[],
    },
];

const LATENCY: Field = ("latency", DURATION, "of every message");
const LOSS: Field = ("loss", SHARE, "messages that are lost");
const DUPLICATE: Field = ("duplicate", SHARE, "messages that arrive twice");
const REORDER: Field =
    ("reorder", SHARE, "messages that take longer, so that later ones overtake them");
const REORDER_EXTRA: Field = ("reorder_extra", DURATION, "how much longer at most");
const CORRUPT: Field = ("corrupt", SHARE, "messages with a flipped bit");

const NET: &[Field] = &[
    LATENCY,
    LOSS,
    DUPLICATE,
    REORDER,
    REORDER_EXTRA,
    CORRUPT,
    ("bandwidth", Bandwidths, "of every link, or { default, \"a->b\" }"),
    ("link", Tables(LINK), "links with a law of their own: from, to and the fields of [net]"),
];

const LINK: &Nested = &Nested {
    fields: &[
        ("from", Nodes, "where messages come from"),
        ("to", Nodes, "where they go"),
        LATENCY,
        LOSS,
        DUPLICATE,
        REORDER,
        REORDER_EXTRA,
        CORRUPT,
        ("bandwidth", Quantity(Measure::Bandwidth), "of this link"),
    ],
    required: &["from", "to"],
};

const REPEAT: &Nested = &Nested {
    fields: &[
        ("every", DURATION, "the time from one start to the next"),
        ("jitter", DURATION, "up to so much longer"),
        ("max", COUNT, "how often it comes in all"),
    ],
    required: &["every", "max"],
};

const OMIT: &Nested = &Nested {
    fields: &[
        ("faults", Names, "the faults that may be left out"),
        ("probability", SHARE, "how often each is"),
    ],
    required: &["faults", "probability"],
};

const RANDOM: &Nested = &Nested {
    fields: &[
        ("on", Name, "the group of nodes that is struck"),
        ("faults", COUNT, "how many faults a run has"),
        ("from", Moment, "when the first may start"),
        ("to", Moment, "when none starts any more"),
        ("budget", Words(&["survivable", "beyond"]), "whether they may exceed the fault budget"),
    ],
    required: &["on", "faults", "from", "to"],
};

const KEYS: &Nested = &Nested {
    fields: &[
        ("count", COUNT, "how many keys there are"),
        ("dist", Words(&["uniform", "zipf"]), "how they are drawn"),
        ("s", Factor, "the exponent of Zipf's law"),
    ],
    required: &["count"],
};

const CLIENTS: &[Field] = &[
    ("count", Plain(Measure::Count), "how many clients"),
    ("target", Nodes, "what they talk to: a selector"),
    ("mode", Words(&["open", "closed"]), "whether arrivals wait for answers"),
    ("rate", RATE, "of the whole group"),
    ("think", DURATION, "the pause after an answer"),
    ("uses", Uses, "the groups that the client's role needs besides `target`"),
    ("ops", Weights, "operations and their weights"),
    ("script", Steps, "operations that each arrival carries out in this order, on one key"),
    ("workload", Workload, "what each arrival does: `general`, or a workload in code by its name"),
    ("args", ArgumentsOf, "{ OPERATION = { ARGUMENT = .. } } for operations of the system's own"),
    ("keys", Table(KEYS), "{ count, dist, s }"),
    ("batch", COUNT, "how many keys a batch-get draws"),
    ("value", SIZE, "the size of written values"),
    ("ttl", DURATION, "how long written values live"),
    ("read", Words(&["linearizable", "lease", "stale"]), "how fresh reads must be"),
    ("timeout", Setting, "passed on to the client's setting of this name"),
    ("retry", Setting, "passed on to the client's setting of this name"),
    ("start", Moment, "when arrivals begin: a moment"),
    ("stop", Moment, "when arrivals end: a moment"),
];
