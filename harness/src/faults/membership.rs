//! `membership`: an operator changes who takes part in a group.

use super::{Action, FaultKind, Stage, Step, nodes_of};
use catalog::{Kind, Membership, Need, Settings};
use contract::{Duration, Shock};
use scenario::kinds::{Damage, FaultRow, Field, FieldKind, RandomFault, Row};
use scenario::random::{self, Drawing, Entries};

/// Asks nodes to take others in, or to let them go.
pub struct ChangeMembers;

const FIELDS: &[Field] = &[
    Field::node("the nodes that come or go; several of one group are one change"),
    Field::required(
        "via",
        FieldKind::Selector,
        "the nodes that are asked, of the same group; mostly its leader",
    ),
    Field {
        name: "change",
        kind: FieldKind::Plain(Kind::Choice(&["add-voter", "add-learner", "remove"])),
        about: "what becomes of them: they vote, they follow without a vote, they leave",
        default: "\"add-voter\"",
        required: false,
    },
];

impl FaultKind for ChangeMembers {
    fn row(&self) -> FaultRow {
        let about = "asks nodes to change who takes part in their group, as an operator would";
        FaultRow {
            row: Row { name: "membership", about, fields: FIELDS },
            overlaps: "each is asked for by itself",
            trouble: Need::Membership,
            at_once: true,
            random: const { &[RandomFault::hunted(3, drawn)] },
            damage: Damage::NONE,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let change = match fields.choice("change") {
            "add-voter" => Membership::AddVoter,
            "add-learner" => Membership::AddLearner,
            "remove" => Membership::Remove,
            other => unreachable!("`change` is one of its words, not {other}"),
        };
        let whom = nodes_of(fields, stage);
        let asked = stage.select(&fields.text("via"));
        let frames = asked.into_iter().filter_map(|node| {
            let bytes = stage.membership(node, change, &whom)?;
            // What a node seems to send to itself comes from its own console.
            Some(Shock::InjectFrame { from: node, to: node, bytes })
        });
        let strike = |shock| Step { offset: Duration::ZERO, action: Action::Strike(shock) };
        frames.map(strike).collect()
    }
}

fn drawn(d: &mut Drawing<'_>) -> Entries {
    let change = d.word(&["add-voter", "add-voter", "add-learner", "remove"]);
    let node = match d.rng().below(6) {
        0 => random::text(&d.selector("random(2)")),
        _ => d.node(),
    };
    let via = random::text(&d.selector("leader"));
    vec![("kind", random::text("membership")), ("node", node), ("via", via), ("change", change)]
}
