//! `partition`: two or more sides that cannot reach each other.

use super::{FaultKind, Stage, Step, lasting, pairs};
use catalog::{Kind, Need, SettingValue, Settings};
use contract::{Condition, Dist, InFlight, NodeId};
use scenario::kinds::{Damage, FaultRow, Field, FieldKind, RandomFault, Row};
use scenario::random::{self, Drawing, Entries};

/// Cuts every link between nodes of different sides; nodes on no side keep all of theirs.
pub struct Partition;

const FIELDS: &[Field] = &[
    Field {
        name: "sides",
        kind: FieldKind::Sides,
        about: "two or more lists of selectors; links between different sides are cut",
        default: "",
        required: true,
    },
    Field {
        name: "direction",
        kind: FieldKind::Plain(Kind::Choice(&["both", "forward", "backward"])),
        about: "forward: only what an earlier side sends to a later one is cut; backward: the rest",
        default: "\"both\"",
        required: false,
    },
    Field {
        name: "mode",
        kind: FieldKind::Plain(Kind::Choice(&["drop", "hold", "slow"])),
        about: "drop: lost; hold: delivered on heal; slow: late by `extra`",
        default: "\"drop\"",
        required: false,
    },
    Field {
        name: "in_flight",
        kind: FieldKind::Plain(Kind::Choice(&["lost", "kept"])),
        about: "what becomes of messages under way when the link is cut (mode drop)",
        default: "\"lost\"",
        required: false,
    },
    Field {
        name: "extra",
        kind: FieldKind::Plain(Kind::Dist),
        about: "how much later messages arrive (mode slow)",
        default: "\"200ms\"",
        required: false,
    },
];

impl FaultKind for Partition {
    fn row(&self) -> FaultRow {
        FaultRow {
            row: Row {
                name: "partition",
                about: "cuts the links between two or more sides",
                fields: FIELDS,
            },
            overlaps: "any cut cuts",
            trouble: Need::Network,
            at_once: false,
            random: const { &[RandomFault::survivable(2, drawn)] },
            damage: Damage::NONE,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let sides = sides(fields, stage);
        let direction = fields.choice("direction");
        let mut cut = Vec::new();
        for (i, earlier) in sides.iter().enumerate() {
            for later in &sides[i + 1..] {
                if direction != "backward" {
                    cut.extend(pairs(earlier, later));
                }
                if direction != "forward" {
                    cut.extend(pairs(later, earlier));
                }
            }
        }
        let law = Law::of(fields);
        lasting(cut.into_iter().map(|(from, to)| law.condition(from, to)))
    }
}

/// One node, or some, on one side; everybody else of the group on the other.
fn drawn(d: &mut Drawing<'_>) -> Entries {
    let mut numbers: Vec<u32> = (1..=d.count()).collect();
    d.rng().shuffle(&mut numbers);
    let cuts = u64::from(d.count().max(2) - 1);
    let cut = 1 + d.rng().below(cuts) as usize;
    if numbers.len() < 2 {
        return super::pause::drawn(d);
    }
    let side = |numbers: &[u32]| {
        let mut numbers = numbers.to_vec();
        numbers.sort_unstable();
        random::list(numbers.iter().map(|n| d.named(u64::from(*n))).collect())
    };
    let sides = random::list(vec![side(&numbers[..cut]), side(&numbers[cut..])]);
    let direction = d.word(&["both", "both", "forward", "backward"]);
    let mode = d.word(&["drop", "drop", "hold"]);
    vec![
        ("kind", random::text("partition")),
        ("sides", sides),
        ("direction", direction),
        ("mode", mode),
    ]
}

/// What a cut link does.
enum Law {
    Drop(InFlight),
    Hold,
    Slow(Dist),
}

impl Law {
    fn of(fields: &Settings) -> Self {
        match fields.choice("mode") {
            "drop" if fields.choice("in_flight") == "kept" => Self::Drop(InFlight::Kept),
            "drop" => Self::Drop(InFlight::Lost),
            "hold" => Self::Hold,
            "slow" => Self::Slow(fields.dist("extra")),
            other => unreachable!("`mode` is one of its words, not {other}"),
        }
    }

    fn condition(&self, from: NodeId, to: NodeId) -> Condition {
        match self {
            Self::Drop(in_flight) => Condition::Block { from, to, in_flight: *in_flight },
            Self::Hold => Condition::Hold { from, to },
            Self::Slow(extra) => Condition::Delay { from, to, extra: extra.clone() },
        }
    }
}

/// The nodes of each side. A node that two sides mean when the fault fires (`h/leader` and `h/1`)
/// belongs to the first of them.
fn sides(fields: &Settings, stage: &mut dyn Stage) -> Vec<Vec<NodeId>> {
    let Some(SettingValue::List(lists)) = fields.0.get("sides") else {
        panic!("the compiler fills `sides` with lists of selectors");
    };
    let mut taken = Vec::new();
    let mut sides = Vec::new();
    for list in lists {
        let SettingValue::List(selectors) = list else {
            panic!("the compiler fills each side with a list of selectors");
        };
        let mut side = Vec::new();
        for selector in selectors {
            let SettingValue::Text(selector) = selector else {
                panic!("the compiler fills each side with selectors");
            };
            for node in stage.select(selector) {
                if !taken.contains(&node) {
                    taken.push(node);
                    side.push(node);
                }
            }
        }
        sides.push(side);
    }
    sides
}
