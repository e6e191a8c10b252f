//! A check has three ends: it holds, it is violated, or nothing can be said. Whatever looked at
//! nothing is the third, with the reason: an invariant, a pin, a cover, a check of figures, a
//! search.

use catalog::{EventKind, Group, Invariant, Property, Role, Seat, System, Violation};
use contract::{
    Duration, Fx, Input, Node, NodeId, Nodes, Now, Outcome, Refused, Ret, SimTime, TimerKey,
};
use harness::campaign::Campaign;
use harness::cli::{Lab, names};
use harness::explore::exhaustive::{self, Bounds};
use harness::explore::{Limits, Strategy, explore};
use harness::known_failures::Known;
use harness::outcome::{Exit, outcome};
use harness::record::record;
use harness::run::{self, Finished};
use reports::SeedResult;
use reports::record::{RunOutcome, Verdict};
use scenario::Scenario;
use scenario::plan::Plan;

/// A server says a word to its neighbour every 100 ms, and marks it; a client gets "nothing".
#[derive(Clone)]
struct Toy {
    neighbour: Option<NodeId>,
}

const EVERY: Duration = Duration::from_millis(100);

impl Node for Toy {
    fn on_input(&mut self, _: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match (input, self.neighbour) {
            (Input::Invoke { op, .. }, _) => fx.complete(op, Outcome::Ok(Ret::Missing)),
            (Input::Timer(key), Some(neighbour)) => {
                fx.datagram(neighbour, |out| out.push(1));
                fx.mark(0, [0; 3], 0);
                fx.set_timer(key, EVERY);
            }
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

/// Looks at every event, or at none.
struct Looks {
    name: &'static str,
    looked: Option<u64>,
}

impl Invariant for Looks {
    fn property(&self) -> Property {
        Property { name: self.name, about: "for the test", source: "nowhere" }
    }
    fn after_event(&mut self, _: SimTime, _: NodeId, _: &dyn Nodes) -> Result<(), Violation> {
        self.looked = self.looked.map(|looked| looked + 1);
        Ok(())
    }
    fn looked(&self) -> u64 {
        self.looked.unwrap_or(0)
    }
    fn fork(&self) -> Box<dyn Invariant> {
        Box::new(Self { ..*self })
    }
}

struct Toys;

impl System for Toys {
    fn name(&self) -> &'static str {
        "toys"
    }
    fn roles(&self) -> &'static [Role] {
        const ROLES: [Role; 2] = [Role::plain("server", "talks"), Role::plain("client", "asks")];
        &ROLES
    }
    fn events(&self) -> &'static [EventKind] {
        &[
            EventKind { name: "toys.said", unit: "", labels: &[], about: "a word" },
            EventKind { name: "toys.never", unit: "", labels: &["of"], about: "nobody does" },
        ]
    }
    fn boot(&self, seat: &Seat<'_>, _: Now, fx: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused> {
        let others = seat.group.iter().copied().filter(|node| *node != seat.node);
        let neighbour = others.min().filter(|_| seat.role == "server");
        if neighbour.is_some() {
            fx.set_timer(TimerKey(1), EVERY);
        }
        Ok(Box::new(Toy { neighbour }))
    }
    fn invariants(&self, _: &[Group]) -> Vec<Box<dyn Invariant>> {
        let sees = Looks { name: "toys.sees", looked: Some(0) };
        vec![Box::new(sees), Box::new(Looks { name: "toys.blind", looked: None })]
    }
}

const LAB: Lab = Lab::of(&[&Toys]);

fn text(rest: &str) -> String {
    format!(
        r#"
format = 1
name   = "toys"
system = "toys"
seed   = 3

[budget]
sim_time = "3s"
events   = 10_000

[nodes.s]
count = 2
role  = "server"

[clients.c]
count  = 1
target = "s/1"
rate   = "10/s"
ops    = {{ get = 1 }}
keys   = {{ count = 1 }}
start  = "2s"

[phases]
quiet = "0s..2s"
loud  = "2s..3s"

[[check]]
id   = "sees"
kind = "invariant"
name = "toys.sees"
{rest}"#
    )
}

fn scenario(rest: &str) -> Scenario {
    let (scenario, said) = Scenario::compile("toys.toml", text(rest).as_bytes(), &names(&LAB));
    scenario.unwrap_or_else(|| panic!("{said:?}"))
}

fn plan(rest: &str) -> Plan {
    scenario(rest).plan(&names(&LAB), None, 3, 0, &[]).expect("a valid plan")
}

fn run(rest: &str) -> Finished {
    run::run(plan(rest), false)
}

/// The run is inconclusive, on account of the check `id` and for this reason.
#[track_caller]
fn open(rest: &str, id: &str, reason: &str) {
    let finished = run(rest);
    assert_eq!(outcome(&finished), RunOutcome::Inconclusive);
    let record = record(&finished);
    let row = record.checks.iter().find(|row| row.id == id).expect("the check is in the record");
    assert_eq!(row.verdict, Verdict::Inconclusive);
    assert!(row.reason.contains(reason), "{}", row.reason);
    let mut campaign = Campaign::new(scenario(rest).law(None).expect("the base").clone());
    campaign.add(&SeedResult::from(&record), &Known::default());
    assert_eq!(campaign.exit(), Exit::Inconclusive);
    assert_eq!(campaign.exit().code(), 3);
}

#[test]
fn an_invariant_that_looked_at_something_holds() {
    assert_eq!(outcome(&run("")), RunOutcome::Passed);
}

#[test]
fn an_invariant_that_looked_at_nothing_is_inconclusive() {
    let blind = "[[check]]\nid = \"blind\"\nkind = \"invariant\"\nname = \"toys.blind\"\n";
    open(blind, "blind", "nothing that it could look at");
}

#[test]
fn a_pin_that_met_no_message_is_inconclusive() {
    let pin = |n: u64| format!("[[pin]]\nstream = \"link s/1>s/2\"\nn = {n}\nfate = \"lost\"\n");
    assert_eq!(outcome(&run(&pin(7))), RunOutcome::Passed);
    open(&pin(700), "pins", "the pin of s/1 > s/2 no. 700 never met its message");
    open(&(pin(700) + &pin(701)), "pins", "s/1 > s/2 no. 700, s/1 > s/2 no. 701 never met");
}

#[test]
fn checks_of_figures_that_saw_nothing_are_inconclusive() {
    let check = |rest: &str| format!("[[check]]\nid = \"c\"\n{rest}\n");
    let quiet = |rest: &str| check(&format!("{rest}\nin = \"quiet\""));
    let idle = "clients.c did nothing while it counts";
    open(&quiet("kind = \"count\"\nwhat = \"clients.c.fail\"\nmax = 0"), "c", idle);
    open(&quiet("kind = \"rate\"\nwhat = \"clients.c.ops\"\nmax = \"5/s\""), "c", idle);
    let never = "`toys.never` never happened";
    open(&check("kind = \"rate\"\nwhat = \"toys.never\"\nmax = \"5/s\""), "c", never);
    let grouped = "kind = \"count\"\nwhat = \"toys.never\"\ngroup = [\"of\"]\nmax = 3";
    open(&check(grouped), "c", never);
    let reach = "kind = \"reach\"\nwhat = \"toys.never\"\nafter = \"1s\"\nwithin = \"2s\"";
    open(&check(&format!("{reach}\nmax = \"9/s\"")), "c", never);
    // That an event never happens is a finding.
    let finding = check("kind = \"count\"\nwhat = \"toys.never\"\nmax = 0");
    assert_eq!(outcome(&run(&finding)), RunOutcome::Passed);
}

#[test]
fn a_moment_that_never_came_names_its_event() {
    let fault = "[[fault]]\nid = \"dies\"\nkind = \"crash\"\nfor = \"1s\"\nnode = \"s/1\"\n\
                 when = { event = \"toys.never\", node = \"s/1\", nth = 2 }\n";
    let reach = "[[check]]\nid = \"c\"\nkind = \"reach\"\nwhat = \"clients.c.ok\"\nmin = \"1/s\"\n\
                 after = \"fault.dies.end\"\nwithin = \"2s\"\n";
    let awaited = "`fault.dies.end` never came: it waits for `toys.never` no. 2 at s/1";
    open(&format!("{fault}{reach}"), "c", awaited);
}

#[test]
fn a_cover_that_was_not_reached_is_inconclusive() {
    let cover = "[[cover]]\nid = \"never\"\nevent = \"toys.never\"\n";
    let mut campaign = Campaign::new(scenario(cover).law(None).expect("the base").clone());
    campaign.add(&SeedResult::from(&record(&run(cover))), &Known::default());
    assert_eq!(campaign.exit(), Exit::Inconclusive);
    assert_eq!(campaign.vacuous(), ["cover `never` was reached in 0 of 1 runs, and needs 1"]);
}

#[test]
fn a_search_that_saw_one_state_is_inconclusive() {
    let limits = Limits { step: EVERY, events: 1_000, salt: 0 };
    let found = explore(plan(""), Strategy::Novelty, limits, &mut |_| {}).expect("toys are copied");
    assert!(found.executions > 0 && found.states == 1, "{found:?}");
    let why = found.saw_nothing().expect("one state");
    assert!(why.contains("every look saw the same state"), "{why}");
}

#[test]
fn a_search_of_orders_names_what_had_nothing_to_look_at() {
    let (from, after) = (SimTime::ZERO, Vec::new());
    let bounds = Bounds { from, waiting: 1, after, timers: 2, depth: 50, states: 10_000 };
    let search = |plan: Plan| {
        let found = exhaustive::search(plan.clone(), bounds.clone(), &mut |_| {});
        found.expect("toys are copied").saw_nothing(&plan)
    };
    assert_eq!(search(plan("")), None);
    let blind = "[[check]]\nid = \"blind\"\nkind = \"invariant\"\nname = \"toys.blind\"\n";
    let why = search(plan(blind)).expect("toys.blind looks at nothing");
    assert!(why.contains("toys.blind (clients are silent"), "{why}");
    let mut unjudged = plan("");
    unjudged.checks.clear();
    let why = search(unjudged).expect("nothing is judged");
    assert!(why.contains("no check of the scenario is an invariant"), "{why}");
}
