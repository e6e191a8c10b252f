//! A system of your own, with an operation, a model and a kind of check of its own: a server that
//! gives out numbered tickets, and its client. Run it with
//! `cargo run -p chaoslab-harness --example own-system -- run harness/examples/own-system.toml`.

use catalog::*;
use checker::models::{Model, ModelKind, Observed};
use contract::*;
use harness::checks::{CheckKind, RunData};
use harness::cli::Lab;
use harness::kinds::{CheckRow, Field, FieldKind, LooksAt, Row};
use scenario::plan::CheckPlan;

const COUNT: Argument =
    Argument { name: "count", about: "how many at once", min: 1, max: 100, default: 1 };
const TAKE: Operation = Operation::own("take", "takes the next tickets", false, &[COUNT]);

#[derive(Clone)]
enum Tickets {
    Server { next: u64 },
    Client { server: NodeId, busy: Option<OpId> },
}

impl Node for Tickets {
    fn on_input(&mut self, _: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match (self, input) {
            (Self::Server { next }, Input::Datagram { from, bytes }) => {
                let [op, count] = words(bytes);
                fx.datagram(from, |out| out.extend([op, *next].map(u64::to_be_bytes).concat()));
                *next += count;
            }
            (Self::Client { server, busy }, Input::Invoke { op, call: Call::Own(take) }) => {
                let asked = [op.0, take.args[0]];
                fx.datagram(*server, |out| out.extend(asked.map(u64::to_be_bytes).concat()));
                fx.set_timer(TimerKey(op.0), Duration::from_millis(100));
                *busy = Some(op);
            }
            (Self::Client { busy, .. }, Input::Datagram { bytes, .. }) => {
                let [id, first] = words(bytes);
                if let Some(op) = busy.take_if(|op| op.0 == id) {
                    let given = OwnRet { word: "given", args: [first, 0, 0, 0] };
                    fx.complete(op, Outcome::Ok(Ret::Own(Box::new(given))));
                }
            }
            (Self::Client { busy, .. }, Input::Timer(TimerKey(id))) => {
                if let Some(op) = busy.take_if(|op| op.0 == id) {
                    fx.complete(op, Outcome::Unknown);
                }
            }
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

fn words(bytes: &[u8]) -> [u64; 2] {
    let word = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    [word(0), word(8)]
}

impl System for Tickets {
    fn name(&self) -> &'static str {
        "tickets"
    }
    fn roles(&self) -> &'static [Role] {
        const ROLES: [Role; 2] =
            [Role::plain("server", "counts in memory"), Role::plain("client", "asks the server")];
        &ROLES
    }
    fn operations(&self) -> &'static [Operation] {
        &[TAKE]
    }
    fn boot(&self, seat: &Seat<'_>, _: Now, _: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused> {
        let server = seat.uses.get("target").map(|target| target[0]);
        let client = server.map(|server| Self::Client { server, busy: None });
        Ok(Box::new(client.unwrap_or(Self::Server { next: 0 })))
    }
}

/// `in-order`: each answer begins where the one before it ended.
#[derive(Default)]
struct InOrder;

impl Model for InOrder {
    type State = u64;
    fn part(&self, _: &Call) -> Option<u64> {
        Some(0)
    }
    fn init(&self, _: u64) -> u64 {
        0
    }
    fn step(&self, next: &u64, op: &Observed<'_>) -> Option<u64> {
        let Call::Own(take) = op.call else { return None };
        let fits = match op.outcome {
            Outcome::Ok(Ret::Own(given)) => given.args[0] == *next,
            other => *other == Outcome::Unknown,
        };
        fits.then(|| next + take.args[0])
    }
}

/// `given-out`: clients got so many tickets in all.
struct GivenOut;

impl CheckKind for GivenOut {
    fn row(&self) -> CheckRow {
        const MIN: Field = Field {
            name: "tickets",
            kind: FieldKind::Plain(Kind::COUNT),
            about: "at least so many",
            default: "",
            required: true,
        };
        let about = "clients got so many tickets";
        let row = CheckRow::of(Row { name: "given-out", about, fields: const { &[MIN] } });
        CheckRow { looks_at: LooksAt::History, ..row }
    }
    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        let about = "the tickets of all answers are as many as asked for";
        Property { name: "given-out", about, source: "harness/examples/own-system.rs" }
    }
    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        let given = |op: &Op| match (&op.call, &op.outcome) {
            (Call::Own(take), Outcome::Ok(_)) => take.args[0],
            _ => 0,
        };
        let (all, least) = (run.ops.iter().map(given).sum::<u64>(), check.fields.int("tickets"));
        match all {
            0 => Verdict::Inconclusive("nobody got a ticket".to_owned()),
            all if all >= least as u64 => Verdict::Ok,
            _ => Verdict::Violated(vec![Violation {
                property: "given-out",
                rule: "too few tickets",
                at: run.ended_at,
                nodes: Vec::new(),
                ops: Vec::new(),
                detail: format!("{all} tickets were given out; {least} are asked for"),
            }]),
        }
    }
}

fn main() -> std::process::ExitCode {
    harness::cli::main(Lab {
        models: const { &[ModelKind::of::<InOrder>("in-order", "tickets without a gap")] },
        checks: &[&GivenOut],
        ..Lab::of(&[&Tickets::Server { next: 0 }])
    })
}
