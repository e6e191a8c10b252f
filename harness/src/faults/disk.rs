//! `disk`: disks that are slow or full, that lie, fail, or return what was never written.

use super::{FaultKind, Stage, Step, lasting, nodes_of};
use catalog::{Kind, Need, Settings};
use contract::{Condition, Duration, NodeId};
use scenario::kinds::{Damage, FaultRow, Field, Line, RandomFault, Row};
use scenario::random::{self, Drawing, Entries};
use scenario::syntax::units::Measure;

/// Bends the disks of nodes.
pub struct DiskFault;

const FIELDS: &[Field] = &[
    Field::node("the nodes whose disks it bends"),
    Field::optional("read", Kind::DURATION, "how much longer a read takes"),
    Field::optional("write", Kind::DURATION, "how much longer a write takes"),
    Field::optional("sync", Kind::DURATION, "how much longer a sync takes"),
    Field::optional("sync_lie", Kind::Ratio, "how many syncs are answered as good and are not"),
    Field::optional(
        "sync_fail",
        Kind::Ratio,
        "how many syncs fail and lose what they should have kept",
    ),
    Field::optional("write_fail", Kind::Ratio, "how many writes fail"),
    Field::optional("read_corrupt", Kind::Ratio, "how many reads return a flipped bit"),
    Field::optional("write_corrupt", Kind::Ratio, "how many writes store a flipped bit"),
    Field::optional("misdirect", Kind::Ratio, "how many writes land at another offset"),
    Field::optional("capacity", Kind::Bytes, "how many bytes the disk holds"),
];

impl FaultKind for DiskFault {
    fn row(&self) -> FaultRow {
        FaultRow {
            row: Row {
                name: "disk",
                about: "makes disks slow, full, lying or failing",
                fields: FIELDS,
            },
            overlaps: "latencies add, chances as independent ones, the least capacity",
            trouble: Need::Disk,
            at_once: false,
            random: const {
                &[
                    RandomFault::survivable(1, slow),
                    RandomFault::survivable(1, failing),
                    RandomFault::survivable(1, full),
                    RandomFault::survivable(1, rotten),
                    RandomFault::beyond(Line::DamagedDisks, all_rotten),
                ]
            },
            damage: |fields| Damage {
                syncs_lie: above_zero(fields, "sync_lie"),
                rots: ROT.iter().any(|field| above_zero(fields, field)),
                ..Damage::default()
            },
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let nodes = nodes_of(fields, stage);
        lasting(nodes.into_iter().flat_map(|node| conditions(fields, node)))
    }
}

fn conditions(fields: &Settings, node: NodeId) -> Vec<Condition> {
    let ratio = |name: &str| fields.has(name).then(|| fields.ratio(name));
    let extra = |name: &str| fields.has(name).then(|| fields.duration(name));
    let mut conditions = Vec::new();
    let (read, write, sync) = (extra("read"), extra("write"), extra("sync"));
    if read.is_some() || write.is_some() || sync.is_some() {
        let or_none = |extra: Option<Duration>| extra.unwrap_or_default();
        let (read, write, sync) = (or_none(read), or_none(write), or_none(sync));
        conditions.push(Condition::DiskSlow { node, read, write, sync });
    }
    conditions.extend(ratio("sync_lie").map(|ratio| Condition::SyncLies { node, ratio }));
    conditions.extend(ratio("sync_fail").map(|ratio| Condition::SyncFails { node, ratio }));
    conditions.extend(ratio("write_fail").map(|ratio| Condition::WriteFails { node, ratio }));
    conditions.extend(ratio("read_corrupt").map(|ratio| Condition::ReadCorrupt { node, ratio }));
    conditions.extend(ratio("write_corrupt").map(|ratio| Condition::WriteCorrupt { node, ratio }));
    conditions.extend(ratio("misdirect").map(|ratio| Condition::Misdirect { node, ratio }));
    if fields.has("capacity") {
        conditions.push(Condition::Capacity { node, bytes: fields.bytes("capacity") });
    }
    conditions
}

/// The fields by which a disk returns what was not written.
const ROT: [&str; 3] = ["read_corrupt", "write_corrupt", "misdirect"];

fn above_zero(fields: &Settings, name: &str) -> bool {
    fields.has(name) && !fields.ratio(name).is_zero()
}

fn slow(d: &mut Drawing<'_>) -> Entries {
    vec![("kind", random::text("disk")), ("node", d.node()), ("sync", d.millis(1, 500))]
}

fn failing(d: &mut Drawing<'_>) -> Entries {
    let field = if d.rng().below(2) == 0 { "sync_fail" } else { "write_fail" };
    vec![("kind", random::text("disk")), ("node", d.node()), (field, d.share(20))]
}

fn full(d: &mut Drawing<'_>) -> Entries {
    let bytes = d.rng().range(1, 1 << 20);
    let capacity = random::quantity(Measure::Bytes, bytes);
    vec![("kind", random::text("disk")), ("node", d.node()), ("capacity", capacity)]
}

/// Rot, on a disk of the minority that may have it.
fn rotten(d: &mut Drawing<'_>) -> Entries {
    let Some(node) = d.breakable() else { return slow(d) };
    let field = d.pick(&ROT);
    vec![("kind", random::text("disk")), ("node", node), (field, d.share(50))]
}

fn all_rotten(d: &mut Drawing<'_>) -> Entries {
    let field = d.pick(&ROT);
    vec![("kind", random::text("disk")), ("node", d.all()), (field, d.share(50))]
}
