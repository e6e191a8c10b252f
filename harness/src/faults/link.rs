//! `link`: links that lose, double, delay, reorder or corrupt messages, or carry fewer bytes.

use super::{FaultKind, Stage, Step, lasting, links_of};
use catalog::{Kind, Settings};
use contract::{Condition, NodeId};
use scenario::kinds::{Field, FieldKind, Row};

/// Bends the law of some links for a while.
pub struct Link;

const fn field(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind: FieldKind::Plain(kind), about, default: "", required: false }
}

const FIELDS: &[Field] = &[
    Field {
        name: "link",
        kind: FieldKind::Link,
        about: "the links from one selector to another; or give `node`",
        default: "",
        required: false,
    },
    Field {
        name: "node",
        kind: FieldKind::Selector,
        about: "all links to and from these nodes; or give `link`",
        default: "",
        required: false,
    },
    field("loss", Kind::Ratio, "how many messages are lost besides"),
    field("duplicate", Kind::Ratio, "how many messages arrive twice"),
    field("reorder", Kind::Ratio, "how many messages are overtaken, by up to `reorder_extra`"),
    Field {
        name: "reorder_extra",
        kind: FieldKind::Plain(Kind::DURATION),
        about: "how much later an overtaken message arrives at most",
        default: "\"50ms\"",
        required: false,
    },
    field("corrupt", Kind::Ratio, "how many messages have one bit flipped"),
    field("delay", Kind::Dist, "how much later every message arrives"),
    field("bandwidth", Kind::Bytes, "bytes per second that the link carries at most"),
];

impl FaultKind for Link {
    fn row(&self) -> Row {
        Row {
            name: "link",
            about: "makes links lose, double, delay, reorder or corrupt messages",
            fields: FIELDS,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let links = links_of(fields, stage);
        lasting(links.into_iter().flat_map(|(from, to)| conditions(fields, from, to)))
    }
}

fn conditions(fields: &Settings, from: NodeId, to: NodeId) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let ratio = |name: &str| fields.has(name).then(|| fields.ratio(name));
    conditions.extend(ratio("loss").map(|ratio| Condition::Loss { from, to, ratio }));
    conditions.extend(ratio("duplicate").map(|ratio| Condition::Duplicate { from, to, ratio }));
    conditions.extend(ratio("corrupt").map(|ratio| Condition::Corrupt { from, to, ratio }));
    if let Some(ratio) = ratio("reorder") {
        let extra = fields.duration("reorder_extra");
        conditions.push(Condition::Reorder { from, to, ratio, extra });
    }
    if fields.has("delay") {
        conditions.push(Condition::Delay { from, to, extra: fields.dist("delay") });
    }
    if fields.has("bandwidth") {
        let bytes_per_s = fields.bytes("bandwidth");
        conditions.push(Condition::Bandwidth { from, to, bytes_per_s });
    }
    conditions
}
