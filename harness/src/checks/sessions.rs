//! `staleness` and `sessions`: what reads promise short of being linearizable.

use super::linearizable_check::register_of;
use super::{CheckKind, RunData};
use crate::record::short_value;
use catalog::{Kind, Property, Verdict, Violation};
use checker::linearizable::Options;
use checker::linearizable::session_guarantees::Breach;
use checker::linearizable::session_guarantees::session::check_sessions;
use checker::linearizable::session_guarantees::staleness::check_staleness;
use contract::{Op, SimTime};
use scenario::kinds::{CheckRow, Field, FieldKind, LooksAt, Row};
use scenario::plan::CheckPlan;

const OVER: Field = Field {
    name: "over",
    kind: FieldKind::Clients,
    about: "whose operations",
    default: "",
    required: true,
};

/// Judges how far reads are behind.
pub struct Staleness;

impl CheckKind for Staleness {
    fn row(&self) -> CheckRow {
        const FIELDS: &[Field] = &[
            OVER,
            Field {
                name: "max",
                kind: FieldKind::Plain(Kind::DURATION),
                about: "how long before a read the first write may have ended that is certainly \
                        newer than what it saw",
                default: "",
                required: true,
            },
        ];
        CheckRow {
            of_reads: true,
            looks_at: LooksAt::History,
            ..CheckRow::of(Row {
                name: "staleness",
                about: "no read is too far behind",
                fields: FIELDS,
            })
        }
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: "staleness",
            about: "what a read sees was not certainly overwritten longer ago than allowed",
            source: "golab-2011 §3",
        }
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        let ops = ops(check, run);
        let client = |client| run.name(client).to_owned();
        let options = Options { client: &client, value: &short_value, ..Options::steps(0) };
        let max = check.fields.duration("max");
        let found = check_staleness(&ops, &register_of(run), max, &options);
        let told = format!(
            "; {} of {} reads were behind by more than {max}, the worst by {}",
            found.breaches,
            found.reads,
            found.worst.human()
        );
        verdict("staleness", check, &ops, found.reads, &found.examples, &told)
    }
}

/// Judges whether each process sees its own writes and never goes back.
pub struct Sessions;

impl CheckKind for Sessions {
    fn row(&self) -> CheckRow {
        CheckRow {
            of_reads: true,
            looks_at: LooksAt::History,
            ..CheckRow::of(Row {
                name: "sessions",
                about: "each process reads its own writes and never goes back",
                fields: const { &[OVER] },
            })
        }
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: "sessions",
            about: "read-your-writes, monotonic reads and monotonic writes hold in each process",
            source: "terry-1994 §3",
        }
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        let ops = ops(check, run);
        let client = |client| run.name(client).to_owned();
        let options = Options { client: &client, value: &short_value, ..Options::steps(0) };
        let found = check_sessions(&ops, &register_of(run), &options);
        let told = format!("; {} of {} reads broke a promise", found.breaches, found.reads);
        verdict("sessions", check, &ops, found.reads, &found.examples, &told)
    }
}

fn ops(check: &CheckPlan, run: &RunData<'_>) -> Vec<Op> {
    let over = check.fields.text("over");
    run.ops_of(over.strip_prefix("clients.").unwrap_or(&over)).cloned().collect()
}

fn verdict(
    property: &'static str,
    check: &CheckPlan,
    ops: &[Op],
    reads: u64,
    examples: &[Breach],
    told: &str,
) -> Verdict {
    if reads == 0 {
        return Verdict::Inconclusive(format!(
            "no read of {} saw anything",
            check.fields.text("over")
        ));
    }
    let violation = |(position, breach): (usize, &Breach)| {
        let mine = ops.iter().filter(|op| breach.ops.contains(&op.id));
        Violation {
            property,
            rule: breach.guarantee,
            at: mine.clone().map(|op| op.ret_at).max().unwrap_or(SimTime::ZERO),
            nodes: mine.map(|op| op.client).collect(),
            ops: breach.ops.clone(),
            // What all of them are together is said once.
            detail: format!("{}{}", breach.sentence, if position == 0 { told } else { "" }),
        }
    };
    let broken: Vec<Violation> = examples.iter().enumerate().map(violation).collect();
    if broken.is_empty() { Verdict::Ok } else { Verdict::Violated(broken) }
}
