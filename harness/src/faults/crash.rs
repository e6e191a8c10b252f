//! `crash` kills nodes and boots them again when it ends; `memory-pressure` takes their memory
//! away, kills those that use more, and boots them again when it ends.

use super::{FaultKind, Stage, Step, lasting, nodes_of};
use catalog::{Kind, Need, Settings};
use contract::{Condition, DiskFate, Sockets};
use scenario::kinds::{Damage, FaultRow, Field, FieldKind, Line, RandomFault, Row};
use scenario::random::{self, Drawing, Entries};
use scenario::syntax::units::Measure;

/// Kills nodes; they boot again when it ends.
pub struct Crash;

/// Lowers the memory limit of nodes.
pub struct MemoryPressure;

impl FaultKind for Crash {
    fn row(&self) -> FaultRow {
        const FIELDS: &[Field] = &[
            Field::node("the nodes it strikes"),
            Field {
                name: "disk",
                kind: FieldKind::Plain(Kind::Choice(&["keep", "lose-unsynced", "torn", "wipe"])),
                about: "keep: only the process died; lose-unsynced: power was lost; torn: in the \
                        middle of a write; wipe: the disk was replaced, and with it everything \
                        that the node was: same address, no log, no vote, no term",
                default: "\"lose-unsynced\"",
                required: false,
            },
            Field {
                name: "sockets",
                kind: FieldKind::Plain(Kind::Choice(&["by-disk", "closed", "silent"])),
                about: "by-disk: closed where `disk` is keep, else silent; closed: the process \
                        died, its operating system resets its connections and refuses new ones; \
                        silent: the power went, nothing is sent and nothing \
                        answered until it boots, and peers find out by their own time-outs or \
                        from the machine once it is back",
                default: "\"by-disk\"",
                required: false,
            },
        ];
        FaultRow {
            row: Row {
                name: "crash",
                about: "kills nodes and boots them again when it ends",
                fields: FIELDS,
            },
            overlaps: "the worst fate of the disk",
            trouble: Need::Crash,
            at_once: false,
            random: const {
                &[RandomFault::survivable(2, crashed), RandomFault::beyond(Line::WipedDisk, wiped)]
            },
            damage: |fields| {
                // A field that is wrong is not there.
                let disk = if fields.has("disk") { fields.choice("disk") } else { "keep" };
                Damage { wipes: disk == "wipe", loses_power: disk != "keep", ..Damage::default() }
            },
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let disk = match fields.choice("disk") {
            "keep" => DiskFate::Kept,
            "lose-unsynced" => DiskFate::UnsyncedLost,
            "torn" => DiskFate::Torn,
            "wipe" => DiskFate::Wiped,
            other => unreachable!("`disk` is one of its words, not {other}"),
        };
        let sockets = match fields.choice("sockets") {
            "by-disk" => Sockets::of(disk),
            "closed" => Sockets::Closed,
            "silent" => Sockets::Silent,
            other => unreachable!("`sockets` is one of its words, not {other}"),
        };
        let nodes = nodes_of(fields, stage);
        lasting(nodes.into_iter().map(|node| Condition::Down { node, disk, sockets }))
    }
}

impl FaultKind for MemoryPressure {
    fn row(&self) -> FaultRow {
        const FIELDS: &[Field] = &[
            Field::node("the nodes it strikes"),
            Field::required(
                "limit",
                FieldKind::Plain(Kind::Bytes),
                "the logical memory that each node may use meanwhile",
            ),
        ];
        FaultRow {
            row: Row {
                name: "memory-pressure",
                about: "lowers the memory limit of nodes; those past it are killed, and boot again \
                        at its end",
                fields: FIELDS,
            },
            overlaps: "the least limit",
            trouble: Need::Crash,
            at_once: false,
            random: const { &[RandomFault::survivable(1, starved)] },
            damage: Damage::NONE,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let bytes = fields.bytes("limit");
        let nodes = nodes_of(fields, stage);
        lasting(nodes.into_iter().map(|node| Condition::MemoryLimit { node, bytes }))
    }
}

fn crashed(d: &mut Drawing<'_>) -> Entries {
    let disk = d.word(&["keep", "lose-unsynced", "torn"]);
    let node = match d.rng().below(4) {
        0 => d.all(),
        _ => d.node(),
    };
    vec![("kind", random::text("crash")), ("node", node), ("disk", disk)]
}

fn wiped(d: &mut Drawing<'_>) -> Entries {
    vec![("kind", random::text("crash")), ("node", d.node()), ("disk", random::text("wipe"))]
}

/// So little memory that the node is killed, and killed again whenever it boots.
fn starved(d: &mut Drawing<'_>) -> Entries {
    let limit = random::quantity(Measure::Bytes, 1 << d.rng().range(4, 16));
    vec![("kind", random::text("memory-pressure")), ("node", d.node()), ("limit", limit)]
}
