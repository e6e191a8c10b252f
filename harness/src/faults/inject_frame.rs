//! `inject-frame`: bytes that nobody sent, as from a confused or hostile peer.

use super::{Action, FaultKind, Stage, Step, links_of};
use catalog::{Kind, Need, Settings};
use contract::{Duration, Shock};
use scenario::kinds::{Damage, FaultRow, Field, Row};

/// Delivers a datagram of random bytes on some links.
pub struct InjectFrame;

/// The longest injected frame: what UDP carries.
const BYTES_MAX: i64 = 65_507;

impl FaultKind for InjectFrame {
    fn row(&self) -> FaultRow {
        const FIELDS: &[Field] = &[
            Field::link("from whom it seems to come, and who gets it; or give `node`"),
            Field::NODE_OF_LINKS,
            Field::with_default(
                "length",
                Kind::Int { min: 0, max: BYTES_MAX },
                "64",
                "how many bytes the datagram has",
            ),
        ];
        FaultRow {
            row: Row {
                name: "inject-frame",
                about: "delivers a datagram of random bytes that nobody sent",
                fields: FIELDS,
            },
            overlaps: "",
            trouble: Need::Network,
            at_once: true,
            random: &[],
            damage: Damage::NONE,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let length = usize::try_from(fields.int("length")).expect("the compiler bounds `length`");
        let links = links_of(fields, stage);
        let inject = |(from, to)| {
            let bytes = (0..length).map(|_| stage.rng().next_u32() as u8).collect();
            let action = Action::Strike(Shock::InjectFrame { from, to, bytes });
            Step { offset: Duration::ZERO, action }
        };
        links.into_iter().map(inject).collect()
    }
}
