//! `termination`: every operation ends, and a quorum that can talk finds a leader.
//!
//! On by default in every scenario with a recovery. From the recovery on nothing excuses a client
//! that waits: an operation is answered or given up within the client's own bound
//! ([`catalog::System::patience`]), counted from the recovery where it began before. And nodes that
//! could elect a leader have one within the bound of their system
//! ([`catalog::System::leadership`]).

use super::{CheckKind, Leaderless, RunData};
use catalog::{Kind, Property, Verdict, Violation};
use contract::{Duration, Op, OpId, Outcome, SimTime};
use scenario::kinds::{CheckRow, Field, FieldKind, Row};
use scenario::plan::{CheckPlan, GroupPlan};
use std::collections::BTreeMap;

/// How much later than its bound an operation may end: a client needs time to notice.
const SLACK: Duration = Duration::from_millis(100);

/// Judges whether operations end.
pub struct Termination;

impl CheckKind for Termination {
    fn row(&self) -> CheckRow {
        const FIELDS: &[Field] = &[
            Field {
                name: "over",
                kind: FieldKind::Clients,
                about: "whose operations; those of all clients where it is left out",
                default: "",
                required: false,
            },
            Field::optional(
                "within",
                Kind::DURATION,
                "how long an operation may take, where it is not the client's own bound",
            ),
        ];
        CheckRow::of(Row {
            name: scenario::TERMINATION,
            about: "every operation ends, and nodes that can elect a leader have one",
            fields: FIELDS,
        })
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: scenario::TERMINATION,
            about: "after the recovery every operation is answered or given up within the \
                    client's bound, and a quorum that can talk does not stay without a leader",
            source: "alpern-schneider-1985 §2",
        }
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        let seen = look(check, run);
        let mut violations = seen.violations;
        violations.extend(run.leaderless.iter().filter_map(|group| leaderless(group, run)));
        if !violations.is_empty() {
            violations.sort_by_key(|violation| violation.at);
            return Verdict::Violated(violations);
        }
        if let Some(open) = seen.open {
            return Verdict::Inconclusive(open);
        }
        if seen.ended == 0 {
            return Verdict::Inconclusive("no operation was begun".to_owned());
        }
        Verdict::Ok
    }

    fn measured(&self, check: &CheckPlan, run: &RunData<'_>) -> String {
        let ended = look(check, run).ended;
        let longest = run.leaderless.iter().map(|group| group.longest).max();
        let leader = longest.map(|longest| {
            format!("; without a leader for {} at most after the recovery", longest.human())
        });
        format!("{ended} operations ended{}", leader.unwrap_or_default())
    }
}

/// What became of the operations.
#[derive(Default)]
struct Seen {
    ended: u64,
    violations: Vec<Violation>,
    /// Why one of them could not be judged.
    open: Option<String>,
}

fn look(check: &CheckPlan, run: &RunData<'_>) -> Seen {
    let over = check.fields.has("over").then(|| check.fields.text("over"));
    let over = over.as_deref().map(|over| over.strip_prefix("clients.").unwrap_or(over));
    let within = check.fields.has("within").then(|| check.fields.duration("within"));
    let given_up: BTreeMap<OpId, SimTime> = run.given_up.iter().copied().collect();
    let mut seen = Seen::default();
    for op in run.ops {
        let group = run.roster.group_of(op.client).plan;
        if over.is_some_and(|over| over != group.name) {
            continue;
        }
        let ended_at = match op.outcome {
            Outcome::Ok(_) | Outcome::Fail => Some(op.ret_at),
            Outcome::Unknown => given_up.get(&op.id).copied(),
        };
        let own = || group.system.patience(group.role, &group.settings);
        let due = within.or_else(own).map(|bound| due(op, group, bound, run));
        seen.judge(op, ended_at, due, run);
    }
    seen
}

/// When an operation has to have ended, by a clock that may run slowly.
fn due(op: &Op, group: &GroupPlan, bound: Duration, run: &RunData<'_>) -> SimTime {
    let recovery = run.plan.recovery.map_or(SimTime::ZERO, |recovery| recovery.at);
    let drifts = group.clock.nodes.iter().map(|clock| u64::from(clock.drift_ppm.unsigned_abs()));
    // A clock that is slow by d shows a span after span / (1 - d), which is below span * (1 + 2d).
    let drifted = bound.0 / 1_000_000 * 2 * drifts.max().unwrap_or(0);
    op.call_at.max(recovery) + bound + Duration(drifted) + SLACK
}

impl Seen {
    fn judge(
        &mut self,
        op: &Op,
        ended_at: Option<SimTime>,
        due: Option<SimTime>,
        run: &RunData<'_>,
    ) {
        let client = run.name(op.client);
        let call = op.call.name();
        let (rule, at, said) = match (ended_at, due) {
            (Some(at), Some(due)) if at > due => ("an operation ended too late", at, "ended"),
            (Some(_), _) => {
                self.ended += 1;
                return;
            }
            (None, Some(due)) if due <= run.ended_at => {
                ("an operation never ended", due, "had not ended")
            }
            (None, due) => {
                let why = match due {
                    Some(due) => format!("and may do so until {due}"),
                    None => "and its client says no bound".to_owned(),
                };
                self.open = Some(format!("a {call} of {client} had not ended, {why}"));
                return;
            }
        };
        let due = due.expect("only what is due is late");
        let detail = format!(
            "the {call} that {client} began at {} {said} at {at}; it was due at {due}",
            op.call_at
        );
        self.violations.push(Violation {
            property: scenario::TERMINATION,
            rule,
            at,
            nodes: vec![op.client],
            ops: vec![op.id],
            detail,
        });
    }
}

fn leaderless(group: &Leaderless, run: &RunData<'_>) -> Option<Violation> {
    (group.longest > group.within).then(|| Violation {
        property: scenario::TERMINATION,
        rule: "a quorum had no leader",
        at: group.since + group.within,
        nodes: run.roster.group(&group.group).map_or_else(Vec::new, |g| g.nodes.to_vec()),
        ops: Vec::new(),
        detail: format!(
            "the nodes of {} could elect a leader and had none for {} from {} on, and {} is the \
             bound",
            group.group,
            group.longest.human(),
            group.since,
            group.within.human(),
        ),
    })
}
