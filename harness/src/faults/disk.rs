//! `disk`: disks that are slow or full, that lie, fail, or return what was never written.

use super::{FaultKind, Stage, Step, lasting, nodes_of};
use catalog::{Kind, Settings};
use contract::{Condition, Duration, NodeId};
use scenario::kinds::{Field, FieldKind, Row};

/// Bends the disks of nodes.
pub struct DiskFault;

const fn field(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind: FieldKind::Plain(kind), about, default: "", required: false }
}

const FIELDS: &[Field] = &[
    Field {
        name: "node",
        kind: FieldKind::Selector,
        about: "the nodes whose disks it bends",
        default: "",
        required: true,
    },
    field("read", Kind::DURATION, "how much longer a read takes"),
    field("write", Kind::DURATION, "how much longer a write takes"),
    field("sync", Kind::DURATION, "how much longer a sync takes"),
    field("sync_lie", Kind::Ratio, "how many syncs are answered as good and are not"),
    field("sync_fail", Kind::Ratio, "how many syncs fail and lose what they should have kept"),
    field("write_fail", Kind::Ratio, "how many writes fail"),
    field("read_corrupt", Kind::Ratio, "how many reads return a flipped bit"),
    field("write_corrupt", Kind::Ratio, "how many writes store a flipped bit"),
    field("misdirect", Kind::Ratio, "how many writes land at another offset"),
    field("capacity", Kind::Bytes, "how many bytes the disk holds"),
];

impl FaultKind for DiskFault {
    fn row(&self) -> Row {
        Row { name: "disk", about: "makes disks slow, full, lying or failing", fields: FIELDS }
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
