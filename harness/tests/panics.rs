//! A panic of a node is a violation with seed and time, and the lab goes on.

use catalog::{Role, Seat, System};
use contract::{Fx, Input, Node, Now, Outcome, Refused, Ret};
use harness::cli::{Lab, names};
use harness::outcome::outcome;
use harness::record::record;
use harness::run;
use reports::record::{RunOutcome, Verdict};
use scenario::Scenario;

/// Answers every operation, and panics at the tenth.
#[derive(Clone)]
struct Fragile(u32);

impl Node for Fragile {
    fn on_input(&mut self, _: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        if let Input::Invoke { op, .. } = input {
            self.0 += 1;
            assert!(self.0 < 10, "ten are too many");
            fx.complete(op, Outcome::Ok(Ret::Missing));
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

struct Fragiles;

impl System for Fragiles {
    fn name(&self) -> &'static str {
        "fragile"
    }
    fn roles(&self) -> &'static [Role] {
        const ROLES: &[Role] =
            &[Role::plain("server", "does nothing"), Role::plain("client", "counts to nine")];
        ROLES
    }
    fn boot(&self, _: &Seat<'_>, _: Now, _: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused> {
        Ok(Box::new(Fragile(0)))
    }
}

const LAB: Lab = Lab::of(&[&Fragiles]);

const SCENARIO: &str = r#"
format = 1
name   = "fragile"
about  = "a client that panics"
system = "fragile"
seed   = 3
expect = "pass"

[budget]
sim_time = "5s"
events   = 10_000

[nodes.s]
count = 1

[clients.c]
count  = 1
target = "s/1"
rate   = "10/s"
ops    = { get = 1 }
keys   = { count = 1 }

[[check]]
id    = "lin"
kind  = "linearizable"
model = "register-cas"
over  = "clients.c"
"#;

#[test]
fn a_panic_is_a_violation_with_seed_and_time_and_the_lab_goes_on() {
    let names = names(&LAB);
    let (scenario, said) = Scenario::compile("fragile.toml", SCENARIO.as_bytes(), &names);
    let scenario = scenario.unwrap_or_else(|| panic!("{said:?}"));
    for seed in [3, 4] {
        let plan = scenario.plan(&names, None, seed, 0, &[]).expect("a valid plan");
        let finished = run::run(plan, false);
        assert_eq!(outcome(&finished), RunOutcome::UnexpectedViolation);
        let record = record(&finished);
        assert_eq!(record.seed, seed);
        let check = record.violated().next().expect("the panic is a violation");
        assert_eq!(check.id, "no-panic");
        let seen = &check.evidence[0];
        assert!(seen.at_ns > 0 && seen.at_ns < 5_000_000_000, "{}", seen.at_ns);
        assert!(seen.detail.contains("c/1") && seen.detail.contains("ten are too many"));
        // What ran before the panic is not called good.
        assert!(record.checks.iter().all(|check| check.verdict != Verdict::Ok));
    }
}
