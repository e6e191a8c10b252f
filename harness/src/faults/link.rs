//! `link`: links that lose, double, delay, reorder or corrupt messages, or carry fewer bytes.

use super::{FaultKind, Stage, Step, lasting, links_of};
use catalog::{Kind, Need, Settings};
use contract::{Condition, NodeId};
use scenario::kinds::{Damage, FaultRow, Field, RandomFault, Row};
use scenario::random::{self, Drawing, Entries};

/// Bends the law of some links for a while.
pub struct Link;

const FIELDS: &[Field] = &[
    Field::link("the links from one selector to another; or give `node`"),
    Field::NODE_OF_LINKS,
    Field::optional("loss", Kind::Ratio, "how many messages are lost besides"),
    Field::optional("duplicate", Kind::Ratio, "how many messages arrive twice"),
    Field::optional(
        "reorder",
        Kind::Ratio,
        "how many messages are overtaken, by up to `reorder_extra`",
    ),
    Field::with_default(
        "reorder_extra",
        Kind::DURATION,
        "\"50ms\"",
        "how much later an overtaken message arrives at most",
    ),
    Field::optional("corrupt", Kind::Ratio, "how many messages have one bit flipped"),
    Field::optional("delay", Kind::Dist, "how much later every message arrives"),
    Field::optional("bandwidth", Kind::Bytes, "bytes per second that the link carries at most"),
];

impl FaultKind for Link {
    fn row(&self) -> FaultRow {
        FaultRow {
            row: Row {
                name: "link",
                about: "makes links lose, double, delay, reorder or corrupt messages",
                fields: FIELDS,
            },
            overlaps: "chances as independent ones, the longest `reorder_extra`, delays add, the \
                       least bandwidth",
            trouble: Need::Network,
            at_once: false,
            random: const { &[RandomFault::survivable(1, drawn), RandomFault::hunted(2, one_way)] },
            damage: Damage::NONE,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let links = links_of(fields, stage);
        lasting(links.into_iter().flat_map(|(from, to)| conditions(fields, from, to)))
    }
}

fn drawn(d: &mut Drawing<'_>) -> Entries {
    let mut entries = vec![("kind", random::text("link")), ("node", d.node())];
    for field in ["loss", "duplicate", "reorder", "corrupt"] {
        if d.rng().below(2) == 0 {
            entries.push((field, d.share(20)));
        }
    }
    if entries.len() == 2 {
        entries.push(("loss", d.share(50)));
    }
    entries
}

/// One direction of a node's links, heavily: what a symmetric fault never shows.
fn one_way(d: &mut Drawing<'_>) -> Entries {
    let (from, to) = match d.rng().below(2) {
        0 => (d.node(), d.all()),
        _ => (d.all(), d.node()),
    };
    let link = random::table(vec![("from", from), ("to", to)]);
    let mut entries = vec![("kind", random::text("link")), ("link", link)];
    match d.rng().below(4) {
        0 => entries.push(("loss", d.share(90))),
        1 => entries.push(("duplicate", d.share(60))),
        2 => {
            entries.push(("reorder", d.share(60)));
            entries.push(("reorder_extra", d.millis(20, 2_000)));
        }
        _ => entries.push(("delay", d.millis(5, 400))),
    }
    entries
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
