//! Every code with its long form. Codes are stable: one that is retired is not used again.
//!
//! By hundred: 1 syntax, fields, units · 2 types and ranges · 3 relations between settings ·
//! 4 selectors, faults, times · 5 vacuity · 6 expectations and sweeps · 7 files.

/// A code and its long form.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `E0102`.
    pub code: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What it means, an example, and what to do.
    pub text: &'static str,
}

/// The long form of `code`, such as `E0102`; `None` when there is no such code.
#[must_use]
pub fn explain(code: &str) -> Option<&'static str> {
    let row = CODES.iter().find(|row| row.code.eq_ignore_ascii_case(code));
    row.map(|row| row.text)
}

macro_rules! codes {
    ($($code:ident $title:literal $text:literal)*) => {
        $(
            #[doc = $title]
            pub const $code: &str = stringify!($code);
        )*
        /// Every code, in order.
        pub const CODES: &[Code] = &[
            $(Code { code: stringify!($code), title: $title, text: $text },)*
        ];
    };
}

codes! {
E0101 "The file is not TOML."
"A bracket, a quote, an equals sign or the like is missing, or a key stands twice in one table.

    seed = = 3

All mistakes of this kind are reported at once. While there are any, mistakes that could follow
from them (a field that seems to be missing) are not reported."

E0102 "There is no such field."
"Every table of a scenario has a fixed set of fields, and a field that is not one of them is an
error instead of being ignored.

    [tuning.h]
    heart_beat = \"150ms\"        # the setting is called `heartbeat`

The help names the nearest field of the table, or the table that the field belongs to. The keys of
`[tuning.G]` are the settings of the group's role, those of `[[fault]]` and `[[check]]` depend on
`kind`; `chaoslab list` prints them."

E0103 "A field is missing."
"The table cannot be understood without this field.

    [[fault]]
    id   = \"split\"
    kind = \"partition\"            # neither `at` nor `when`: when does it start?"

E0104 "A quantity without a unit."
"Every duration, rate, size and ratio is a text with a unit; a bare number is a count or a factor.

    timeout = 400               # write \"400ms\"

Units: durations ns, us, ms, s, min, h; sizes B, KB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB,
TiB (powers of 1024); ratios % and ppm; rates /s, /min, /h, /ms; bandwidths bit, Kbit, Mbit, Gbit
(per second) and B/s, KB/s, MB/s, GB/s, KiB/s, MiB/s, GiB/s."

E0105 "Not a quantity of this kind."
"The text has a unit that does not exist or measures something else, or a value that cannot be
kept exactly.

    latency = \"3 msec\"          # write \"3ms\"
    timeout = \"0.5ns\"           # less than the smallest unit

Quantities are exact: what is not a whole number of nanoseconds, bytes or parts per million is
refused, not rounded. E0104 lists the units."

E0106 "A table for a group that does not exist."
"The second part of `[tuning.G]`, `[disk.G]`, `[clock.G]` and `[memory.G]` is the name of a group
that `[nodes.G]` (or, for `[tuning.G]` and `[clock.G]`, `[clients.C]`) declares.

    [nodes.h]
    [tuning.hh]                 # no group is called `hh`"

E0107 "Fields that exclude each other."
"Of these fields at most one may be given.

    [[fault]]
    at   = \"5s\"
    when = { event = \"cache.evicted\" }"

E0108 "Not a name."
"Names of groups, phases, variants and ids appear in paths (`fault.split.plus`), selectors (`h/1`)
and directories, so they are made of letters, digits, `-` and `_`, and begin with a letter."

E0201 "A value of the wrong type."
"    [nodes.h]
    count = \"three\"             # a count is a number without quotes"

E0202 "A value out of its range."
"The value has the right type, but the field does not go so far. Counts of nodes and entries, the
number of keys and the lengths of lists have limits, so that no scenario can exhaust the machine.

    [nodes.h]
    count = 0                   # a group has at least one node"

E0203 "There is no such name."
"The name should be one that the lab or the system under test knows: a system, a role, a kind of
fault or check, an event, a gauge, a predicate, an invariant, a model, a defect, an operation, or a
word out of a fixed list. The tables of the systems are printed by `chaoslab list`.

    when = { event = \"cache.evictd\" }"

E0204 "A name that is taken."
"Ids of faults, checks and covers, names of variants, and names of groups (nodes and clients
together) are unique."

E0205 "A distribution that makes no sense."
"    latency = { dist = \"uniform\", min = \"4ms\", max = \"1ms\" }

Distributions are `constant` (value), `uniform` (min, max; max is not reached), `exponential`
(min, mean of the whole), `lognormal` (median, sigma, max), `bimodal` (fast, slow, slow_share) and
`choice` (values). `zipf` (s) exists for keys alone."

E0206 "A reference to something that this file does not have."
"A check, cover, client or expectation names a phase, fault, check, group of clients or variant
that the file does not declare.

    [[check]]
    over = \"clients.kw\"         # the group is called `kv`"

E0301 "Settings that contradict each other."
"A system states relations that its settings must keep; this one is broken. Systems may give a
relation a code of its own."

E0401 "Not a selector."
"A selector is `GROUP/NUMBER` (from 1), `GROUP/*`, `GROUP/any`, `GROUP/minority`, `GROUP/majority`,
`GROUP/random(N)`, `GROUP/WORD` with a word of the system (`leader`, `followers`), `zone:ZONE`, or
`machine:GROUP/NODE` for a machine and all that runs on it.

    node = \"h-1\"                # write \"h/1\""

E0402 "A selector that matches nothing."
"The group, the zone, the number or the word does not exist.

    [nodes.h]
    count = 3

    [[fault]]
    node = \"h/4\"                # nodes are numbered from 1 to 3"

E0403 "Sides that overlap."
"A node cannot be on two sides of a partition.

    sides = [[\"h/1\"], [\"h/*\"]]

Only what is certain is an error here: `h/1` against `h/leader` is resolved when the fault fires."

E0404 "A fault past the end."
"The fault starts when the run is over, or ends before it starts, so it cannot do anything.

    [budget]
    sim_time = \"20s\"

    [[fault]]
    at = \"25s\""

E0405 "Not exact on every simulator."
"A scenario with the tag `exact` is run on three simulators that must agree on every event. The
coarsest counts milliseconds, so latencies are whole milliseconds and at least 5ms, and times of
faults are whole milliseconds. Nodes that others start are not offered there: a start takes effect at
once, and no message of another simulator is that fast.

    tags = [\"exact\"]

    [net]
    latency = \"1ms\""

E0406 "Not an interval."
"A phase is a text `\"START..END\"`, half-open, and each phase starts where the one before it ends.

    [phases]
    warm   = \"0s..5s\"
    steady = \"6s..25s\"          # a gap of one second"

E0407 "Past the end of the run."
"A phase, a preload, the recovery, or the start or stop of a load lies behind `[budget] sim_time`."

E0408 "Not a moment."
"A moment is a time (`\"5s\"`), a phase's `NAME.start` or `NAME.end`, or a fault's `fault.ID.start`
or `fault.ID.end`. Where a time is needed before the run, only times and phases will do."

E0409 "A target that is not known before the run."
"Clients get their target, and nodes the groups that they use, before the first event. So only
`GROUP/*`, `GROUP/any`, `GROUP/NUMBER`, `GROUP/random(N)` and zones will do there: nobody is a
leader yet.

    [clients.kv]
    target = \"h/leader\"         # write \"h/any\"; the client finds the leader itself"

E0410 "A fault that outlives the run."
"The fault starts inside the run but would end after it, so the run never sees the cluster heal.
A warning."

E0501 "A check over clients that never read."
"A linearizability check judges what clients saw. Clients that only put and append see nothing, so
the check could never fail.

    [clients.kv]
    ops = { put = 100 }

    [[check]]
    kind = \"linearizable\"
    over = \"clients.kv\""

E0502 "A load of nothing."
"No operation has a weight above zero, the rate is zero, or there are no keys."

E0503 "A load that ends before it starts."
"`stop` is at or before `start`, so these clients never do anything."

E0504 "A scenario without a check."
"A scenario that checks nothing is always green. Add a `[[check]]`."

E0505 "A cover of nothing."
"`min = 0` or `min_runs = 0` is reached by every run. A warning."

E0506 "A fault without length."
"`for = \"0s\"` begins and ends at one instant, so the fault has no effect."

E0507 "Something that no node of the file can touch."
"An invariant or a predicate is about nodes of certain roles, and no group of the file has one of
them: the invariant could never fail, the predicate never hold. Add such a group, or ask for
something else (`chaoslab list checks`)."

E0508 "More than a run can hold."
"The operations that arrive are more than `[budget] events`, or the entries of a preload take more
memory than one machine should give to a run. Nothing that such a run showed could be told from a
machine that ran out of something.

    [budget]
    sim_time = \"10s\"
    events   = 1_000_000

    [clients.kv]
    rate = \"1_000_000/s\"        # ten million operations"

E0509 "A bound that chance may cross."
"`chaoslab margins` ran the scenario on many seeds, and this bound on a quantile, a share or a rate is
nearer than five standard errors to what they measured: one seed in a few thousand crosses it without
anything being wrong. Widen the bound where the promise allows it, or make the run longer, so that
the figure varies less. A warning."

E0510 "More than the system can do."
"The system under test says what it holds at most: nodes of a group, the size of a value that a
client writes, the size of a value that a node holds from the start. A file that asks for more would
show a limit of the model, and no fault of the system."

E0601 "An expected failure that names no check."
"`expect = \"fail\"` needs `caught_by`: the checks that must all fire. Otherwise any failure, also
one that has nothing to do with the defect, would count.

    expect = \"fail\"
    caught_by = [\"lin\"]"

E0602 "There is no such path."
"The keys of `set`, `vary` and `redraw`, and `--set`, are paths: `tuning.h.lease`,
`clients.kv.rate`, `net.latency`, `fault.split.plus`, `check.lin.model`, `sweep.vary`. Faults,
checks and covers are named by id, `preload` and `net.link` by number from 1."

E0603 "A matrix over its cap."
"`[sweep] vary` spans the product of all its axes; more than `[sweep] cap` points (1000 unless
given) are refused, so that no sweep grows by accident."

E0604 "Not an axis."
"A value of `vary` is a list, or `{ from, to, step }` with three quantities of one kind. The range
is half-open: `to` is not reached.

    vary = { \"fault.split.plus\" = { from = \"0ms\", to = \"150ms\", step = \"0ms\" } }"

E0605 "Expectations that contradict each other."
"`caught_by`, `may_fail` and `min_rate` belong to `expect = \"fail\"`, and no check is both in
`caught_by` and in `may_fail`."

E0606 "A fault that cannot be left out."
"`[swarm] omit` may drop this fault, but a check refers to its start or end and would have nothing
to refer to. Covers that refer to it are dropped with it; checks are not."

E0607 "There is no such variant or point."
"The scenario has no variant of that name, or its matrix has fewer points."

E0701 "The file is not UTF-8."
"TOML files are UTF-8. The label shows the first byte that is not."

E0702 "Not yet supported."
"This belongs to the format, but this build of the lab does not offer it. It is an error and not a
warning, because a scenario that silently runs without a part of itself would prove nothing."

E0703 "The format is missing."
"A scenario begins with `format = 1`, so that a later lab knows how to read it."

E0704 "A format that this lab does not know."
"This lab reads format 1. A file of a later format may mean other things by the same fields, so it is
not read at all; use the lab that the file was written for."

E0705 "A name that is not the path."
"The name of a scenario is its path under `scenarios/` without `.toml`, so that a name in a report
leads to the file: `scenarios/demo/split.toml` is called `demo/split`."

E0706 "The file is too large."
"A scenario is at most 1 MiB of text. Nothing that a person writes comes near; load and entries are
described by a few fields and made when the scenario runs."

E0707 "This build has no such part."
"The default build has what compiles fast. The other simulators (`turmoil`, `madsim`) are a feature of
the binary:

    cargo run --features simulators -- run scenarios/smoke/loss.toml --simulator all

`--features full` brings everything, as in CI."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_ordered_and_explained() {
        assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
        for code in CODES {
            assert_eq!(code.code.len(), 5);
            assert!(code.text.len() > 40, "{} is not explained", code.code);
            assert!(code.title.ends_with('.'), "{}", code.title);
        }
    }

    #[test]
    fn explains_by_code_in_either_case() {
        assert!(explain("e0301").is_some_and(|text| text.contains("relations")));
        assert_eq!(explain("E9999"), None);
    }
}
