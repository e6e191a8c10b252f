//! `crash` kills nodes and boots them again when it ends; `memory-pressure` takes their memory
//! away, kills those that use more, and boots them again when it ends.

use super::{FaultKind, Stage, Step, lasting, nodes_of};
use catalog::{Kind, Settings};
use contract::{Condition, DiskFate};
use scenario::kinds::{Field, FieldKind, Row};

/// Kills nodes; they boot again when it ends.
pub struct Crash;

/// Lowers the memory limit of nodes.
pub struct MemoryPressure;

const NODE: Field = Field {
    name: "node",
    kind: FieldKind::Selector,
    about: "the nodes it strikes",
    default: "",
    required: true,
};

impl FaultKind for Crash {
    fn row(&self) -> Row {
        const FIELDS: &[Field] = &[
            NODE,
            Field {
                name: "disk",
                kind: FieldKind::Plain(Kind::Choice(&["keep", "lose-unsynced", "torn", "wipe"])),
                about: "keep: only the process died; lose-unsynced: power was lost; torn: in the \
                        middle of a write; wipe: the disk was replaced",
                default: "\"lose-unsynced\"",
                required: false,
            },
        ];
        Row {
            name: "crash",
            about: "kills nodes and boots them again when it ends",
            fields: FIELDS,
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
        let nodes = nodes_of(fields, stage);
        lasting(nodes.into_iter().map(|node| Condition::Down { node, disk }))
    }
}

impl FaultKind for MemoryPressure {
    fn row(&self) -> Row {
        const FIELDS: &[Field] = &[
            NODE,
            Field {
                name: "limit",
                kind: FieldKind::Plain(Kind::Bytes),
                about: "the logical memory that each node may use meanwhile",
                default: "",
                required: true,
            },
        ];
        Row {
            name: "memory-pressure",
            about: "lowers the memory limit of nodes; those past it are killed, and boot again at its end",
            fields: FIELDS,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let bytes = fields.bytes("limit");
        let nodes = nodes_of(fields, stage);
        lasting(nodes.into_iter().map(|node| Condition::MemoryLimit { node, bytes }))
    }
}
