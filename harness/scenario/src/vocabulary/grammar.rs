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
}

/// What a key of the top level holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One table.
    One,
    /// A table per name.
    PerName,
    /// A list of tables.
    List,
}

/// A field: its name, what it holds, one line of help.
pub type Field = (&'static str, Shape, &'static str);

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Any text: names, selectors, moments.
    Text,
    /// A quantity, or a distribution that it is drawn from.
    Quantity(Measure),
    /// An operation or a verb of some system.
    Calls,
    /// A table with a weight for each of some operations and verbs.
    Weights,
    /// A list of operations and verbs.
    Steps,
    /// A workload written in code.
    Workload,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// `true` or `false`.
    Flag,
    /// A table with fields of its own.
    Inner,
    /// A list of tables.
    Inners,
    /// Several of these; the reader tells them apart.
    Mixed,
}

use Shape::{
    Calls, Flag, Inner, Inners, Mixed, Quantity, Steps, Text, Texts, Weights, Words, Workload,
};

const COUNT: Shape = Quantity(Measure::Count);
const DURATION: Shape = Quantity(Measure::Duration);
const SIZE: Shape = Quantity(Measure::Bytes);
const SHARE: Shape = Quantity(Measure::Ratio);
const RATE: Shape = Quantity(Measure::Rate);

/// `expect` and what belongs to it; at the top level and in variants.
const EXPECT: &[Field] = &[
    ("expect", Words(&["pass", "fail"]), "what a run must end with"),
    ("caught_by", Texts, "the checks that must all fire"),
    ("may_fail", Texts, "the checks that may fire besides"),
    ("min_rate", SHARE, "the share of a sweep's seeds that must fail as expected"),
    ("defects", Texts, "planted flaws"),
];

/// The top level without its tables.
pub const TOP: Layout = Layout {
    shown: "the top level",
    key: "",
    form: Form::One,
    fields: &[
        ("format", COUNT, "1"),
        ("name", Text, "the path under scenarios/, without the suffix"),
        ("about", Text, "one sentence"),
        ("system", Text, "the system of all groups that do not name their own"),
        ("seed", Mixed, "the root of all randomness: a number, or text in hex"),
        EXPECT[0],
        EXPECT[1],
        EXPECT[2],
        EXPECT[3],
        EXPECT[4],
        ("tags", Texts, "free words; `exact` has a meaning"),
    ],
    required: &["format", "name", "budget", "nodes", "check"],
};

/// Every table below the top level.
pub const TABLES: &[Layout] = &[
    Layout {
        shown: "[budget]",
        key: "budget",
        form: Form::One,
        fields: &[
            ("sim_time", DURATION, "the end of the run, in virtual time"),
            ("events", COUNT, "events of the engine"),
            ("search_steps", COUNT, "steps of the linearizability checker"),
        ],
        required: &["sim_time"],
    },
    Layout {
        shown: "[recovery]",
        key: "recovery",
        form: Form::One,
        fields: &[
            ("at", Text, "when faults are lifted and clients stop: a moment"),
            ("restart", Words(&["dead", "all"]), "which servers are booted again"),
        ],
        required: &["at"],
    },
    Layout {
        shown: "[nodes.G]",
        key: "nodes",
        form: Form::PerName,
        fields: &[
            ("count", COUNT, "how many nodes"),
            ("role", Text, "what they are: a role of the system"),
            ("uses", Inner, "the groups that the role needs"),
            ("system", Text, "the system, where it is not that of the top level"),
            ("dormant", Flag, "whether they wait for a machine to start them"),
            ("on", Text, "the group of machines that may start them, for dormant ones"),
            ("zones", Texts, "dealt round-robin"),
            ("model", Words(crate::vocabulary::words::NODE_MODELS), "not yet supported"),
            ("version", Text, "not yet supported"),
        ],
        required: &[],
    },
    Layout { shown: "[net]", key: "net", form: Form::One, fields: NET, required: &[] },
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
    },
    Layout {
        shown: "[clock.G]",
        key: "clock",
        form: Form::PerName,
        fields: &[
            ("skew", Mixed, "how far the wall clock is ahead: one, a list, or drawn per node"),
            ("drift_ppm", Mixed, "how fast both clocks run: one, a list, or drawn per node"),
            ("drift_max", SHARE, "the bound that the system may rely on"),
            ("jump", Mixed, "not yet supported"),
        ],
        required: &[],
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
    },
    Layout {
        shown: "[[preload]]",
        key: "preload",
        form: Form::List,
        fields: &[
            ("into", Text, "which nodes: a selector"),
            ("entries", COUNT, "how many keys, from 0"),
            ("value", SIZE, "the size of the values"),
            ("ttl", DURATION, "how long they live, from the start of the run"),
            ("at", DURATION, "when; the start is all that is supported"),
            ("spread", DURATION, "up to so much longer, evenly"),
        ],
        required: &["into", "entries"],
    },
    Layout {
        shown: "[clients.C]",
        key: "clients",
        form: Form::PerName,
        fields: CLIENTS,
        required: &[],
    },
    Layout {
        shown: "[[op]]",
        key: "op",
        form: Form::List,
        fields: &[
            ("at", Text, "when the client is asked for it: a moment"),
            ("client", Text, "who is asked: `kv/3`"),
            ("call", Calls, "what is asked: an operation or a verb of the system"),
            ("key", COUNT, "the key, where the operation is about one"),
            ("args", Inner, "the arguments of an operation of the system's own"),
            ("value", COUNT, "the number of the value that it writes, unique in the file"),
            ("expect", Mixed, "what a compare-and-set expects: a value's number, or \"nothing\""),
            ("ttl", DURATION, "how long the written value lives"),
            ("timeout", DURATION, "not yet supported"),
        ],
        required: &["at", "client", "call"],
    },
    Layout {
        shown: "[[pin]]",
        key: "pin",
        form: Form::List,
        fields: &[
            ("stream", Text, "the link: \"link h/2>h/1\""),
            ("n", COUNT, "which message of the link, from 0; those of streams count too"),
            ("latency", DURATION, "how long it is under way"),
            (
                "fate",
                Words(crate::read::pins::FATES),
                "whether it gets through, whatever the link does",
            ),
            ("value", Mixed, "not yet supported"),
        ],
        required: &["stream", "n"],
    },
    Layout {
        shown: "[[fault]]",
        key: "fault",
        form: Form::List,
        fields: &[
            ("id", Text, "its name, unique in the file"),
            ("kind", Text, "a kind of fault"),
            ("at", Mixed, "when it starts: a moment"),
            ("when", Inner, "the event that starts it"),
            ("plus", DURATION, "how long after the instant or the event"),
            ("for", DURATION, "its length"),
            ("until", Mixed, "its end: a moment or an event"),
            ("repeat", Inner, "{ every, jitter, max }"),
        ],
        required: &["id", "kind"],
    },
    Layout {
        shown: "[[check]]",
        key: "check",
        form: Form::List,
        fields: &[("id", Text, "its name, unique in the file"), ("kind", Text, "a kind of check")],
        required: &["id", "kind"],
    },
    Layout {
        shown: "[[cover]]",
        key: "cover",
        form: Form::List,
        fields: &[
            ("id", Text, "its name, unique in the file"),
            ("event", Text, "an event of the system"),
            ("state", Text, "a predicate of the system"),
            ("in", Text, "a phase"),
            ("during", Text, "`fault.ID`, or a phase"),
            ("at", Text, "not yet supported"),
            ("min", COUNT, "how often in one run"),
            ("min_runs", COUNT, "in how many runs of the command"),
        ],
        required: &["id"],
    },
    Layout {
        shown: "[sweep]",
        key: "sweep",
        form: Form::One,
        fields: &[
            ("seeds", COUNT, "how many seeds"),
            ("vary", Inner, "paths and axes: lists, or { from, to, step }"),
            ("ties", Words(&["canonical", "explore"]), "the order at one instant"),
            ("cap", COUNT, "the most points of the matrix"),
        ],
        required: &[],
    },
    Layout {
        shown: "[swarm]",
        key: "swarm",
        form: Form::One,
        fields: &[
            ("redraw", Inner, "paths and distributions, drawn per seed"),
            ("omit", Mixed, "{ faults, probability }, or a list of such"),
            ("random", Inner, "{ on, faults, from, to, budget }: faults that the seed draws"),
        ],
        required: &[],
    },
    Layout {
        shown: "[[variant]]",
        key: "variant",
        form: Form::List,
        fields: &[
            ("name", Text, "its name, unique in the file"),
            ("set", Inner, "paths and values"),
            EXPECT[0],
            EXPECT[1],
            EXPECT[2],
            EXPECT[3],
            EXPECT[4],
        ],
        required: &["name"],
    },
    Layout {
        shown: "[report]",
        key: "report",
        form: Form::One,
        fields: &[
            ("detail", Words(&["brief", "full"]), "`full` is not yet supported"),
            ("traces", Texts, "not yet supported"),
        ],
        required: &[],
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
    },
];

const NET: &[Field] = &[
    ("latency", DURATION, "of every message"),
    ("loss", SHARE, "messages that are lost"),
    ("duplicate", SHARE, "messages that arrive twice"),
    ("reorder", SHARE, "messages that take longer, so that later ones overtake them"),
    ("reorder_extra", DURATION, "how much longer at most"),
    ("corrupt", SHARE, "messages with a flipped bit"),
    ("bandwidth", Mixed, "of every link, or { default, \"a->b\" }"),
    ("link", Inners, "links with a law of their own: from, to and the fields of [net]"),
];

const CLIENTS: &[Field] = &[
    ("count", COUNT, "how many clients"),
    ("target", Text, "what they talk to: a selector"),
    ("mode", Words(&["open", "closed"]), "whether arrivals wait for answers"),
    ("rate", RATE, "of the whole group"),
    ("think", DURATION, "the pause after an answer"),
    ("uses", Inner, "the groups that the client's role needs besides `target`"),
    ("ops", Weights, "operations and their weights"),
    ("script", Steps, "operations that each arrival carries out in this order, on one key"),
    ("workload", Workload, "what each arrival does: `general`, or a workload in code by its name"),
    ("args", Inner, "{ OPERATION = { ARGUMENT = .. } } for operations of the system's own"),
    ("keys", Inner, "{ count, dist, s }"),
    ("batch", COUNT, "how many keys a batch-get draws"),
    ("value", SIZE, "the size of written values"),
    ("ttl", DURATION, "how long written values live"),
    ("read", Words(&["linearizable", "lease", "stale"]), "how fresh reads must be"),
    ("timeout", Mixed, "passed on to the client's setting of this name"),
    ("retry", Mixed, "passed on to the client's setting of this name"),
    ("start", Text, "when arrivals begin: a moment"),
    ("stop", Text, "when arrivals end: a moment"),
];
