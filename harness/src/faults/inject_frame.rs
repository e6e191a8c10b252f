//! `inject-frame`: bytes that nobody sent, as from a confused or hostile peer.

use super::{Action, FaultKind, Stage, Step, links_of};
use catalog::{Kind, Settings};
use contract::{Duration, Shock};
use scenario::kinds::{Field, FieldKind, Row};

/// Delivers a datagram of random bytes on some links.
pub struct InjectFrame;

/// The longest injected frame: what UDP carries.
const BYTES_MAX: i64 = 65_507;

impl FaultKind for InjectFrame {
    fn row(&self) -> Row {
        const FIELDS: &[Field] = &[
            Field {
                name: "link",
                kind: FieldKind::Link,
                about: "from whom it seems to come, and who gets it; or give `node`",
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
            Field {
                name: "length",
                kind: FieldKind::Plain(Kind::Int { min: 0, max: BYTES_MAX }),
                about: "how many bytes the datagram has",
                default: "64",
                required: false,
            },
        ];
        Row {
            name: "inject-frame",
            about: "delivers a datagram of random bytes that nobody sent",
            fields: FIELDS,
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
