//! Clients without a world: what they ask for, given how each call ends.

use super::*;
use catalog::{Argument, Operation, Role, Seat, System};
use contract::{Fx, Node, Now, Refused};
use scenario::{Lab, Scenario};

/// A system of rows alone.
struct Locks;

const LOCK: Operation = Operation::own(
    "lock",
    "takes a lock for a while",
    true,
    &[Argument { name: "ttl_ms", about: "for how long", min: 1, max: 100, default: 50 }],
);
const COUNT: Operation = Operation::own("count-all", "counts", false, &[]).reading();

impl System for Locks {
    fn name(&self) -> &'static str {
        "locks"
    }
    fn operations(&self) -> &'static [Operation] {
        const { &[Operation::ACQUIRE, Operation::PUT, Operation::RELEASE, LOCK, COUNT] }
    }
    fn roles(&self) -> &'static [Role] {
        const { &[Role::plain("server", "serves"), Role::plain("client", "asks")] }
    }
    fn boot(&self, _: &Seat<'_>, _: Now, _: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused> {
        Err(Refused("rows do not boot".to_owned()))
    }
}

/// Takes a lock until it is granted, and then counts.
struct Stubborn;

#[derive(Clone)]
struct Trying {
    counted: bool,
}

impl LoadKind for Stubborn {
    fn name(&self) -> &'static str {
        "stubborn"
    }
    fn about(&self) -> &'static str {
        "takes a lock until it is granted, and then counts"
    }
    fn asks(&self) -> &'static [&'static str] {
        &["acquire", "count-all"]
    }
    fn begin(&self) -> Box<dyn SessionSteps> {
        Box::new(Trying { counted: false })
    }
}

impl SessionSteps for Trying {
    fn next(&mut self, last: Option<(&Call, &Outcome)>, draws: &mut dyn Draws) -> Option<Call> {
        match last {
            None | Some((_, Outcome::Fail)) => Some(Call::Acquire { key: draws.key() }),
            Some(_) if self.counted => None,
            Some(_) => {
                self.counted = true;
                let (row, name, args) = (4, COUNT.name, [0; 4]);
                Some(Call::Own(Box::new(contract::OwnCall { row, name, key: None, args })))
            }
        }
    }
    fn fork(&self) -> Box<dyn SessionSteps> {
        Box::new(self.clone())
    }
}

fn load(asks: &str) -> Load {
    let text = format!(
        "format = 1\nname = \"x\"\nsystem = \"locks\"\n[budget]\nsim_time = \"20s\"\n[nodes.s]\n\
         role = \"server\"\n[clients.c]\nrate = \"10/s\"\nkeys = {{ count = 1000 }}\n{asks}\n\
         [[check]]\nid = \"some\"\nkind = \"count\"\nwhat = \"clients.c.ok\"\nmin = 1\n"
    );
    let lab = Lab { workloads: &[&Stubborn], ..crate::kinds::Kinds::house().names(&[&Locks]) };
    let (scenario, said) = Scenario::compile("x.toml", text.as_bytes(), &lab);
    let shown = scenario::diagnostics::render(&said, &text, "x.toml", false);
    let plan = scenario.expect(&shown).plan(&lab, None, 5, 0, &[]).expect("it is right");
    Load::new(5, &plan.groups)
}

const CLIENT: NodeId = NodeId(0);

/// Every call of the client's first arrivals, each answered at once by `answer`.
fn calls(load: &mut Load, count: usize, mut answer: impl FnMut(&Call) -> Outcome) -> Vec<Call> {
    let mut found = Vec::new();
    let mut at = load.start(CLIENT).expect("something arrives");
    while found.len() < count {
        let wake = load.wake(at, CLIENT);
        let Some((id, call)) = wake.invoke else {
            at = wake.next.expect("there is more to come");
            continue;
        };
        found.push(call.clone());
        let outcome = answer(&call);
        at = load.complete(at, CLIENT, id, outcome).expect("there is more to come");
    }
    found
}

fn done() -> Outcome {
    Outcome::Ok(Ret::Done { version: 1 })
}

#[test]
fn a_script_runs_in_order_on_one_key() {
    let mut load = load("script = [\"acquire\", \"put\", \"release\"]");
    let calls = calls(&mut load, 9, |_| done());
    for session in calls.chunks(3) {
        let names: Vec<&str> = session.iter().map(Call::name).collect();
        assert_eq!(names, ["acquire", "put", "release"]);
        assert!(session.iter().all(|call| call.key() == session[0].key()));
    }
    assert_ne!(calls[0].key(), calls[3].key(), "each session draws a key of its own");
}

#[test]
fn a_step_that_is_not_carried_out_ends_the_session() {
    let ends = [Outcome::Fail, Outcome::Unknown, Outcome::Ok(Ret::Conflict { seen: None })];
    for end in ends {
        let mut load = load("script = [\"acquire\", \"put\", \"release\"]");
        let answer = |call: &Call| if call.name() == "put" { end.clone() } else { done() };
        let calls = calls(&mut load, 6, answer);
        let names: Vec<&str> = calls.iter().map(Call::name).collect();
        assert_eq!(names, ["acquire", "put", "acquire", "put", "acquire", "put"]);
    }
}

/// A fork goes on where its original was, also in the middle of a session.
#[test]
fn a_workload_in_code_sees_each_answer() {
    let mut load = load("workload = \"stubborn\"");
    let mut asked = 0;
    let answer = |call: &Call| {
        asked += 1;
        if call.name() == "acquire" && asked % 3 != 0 { Outcome::Fail } else { done() }
    };
    let first = calls(&mut load, 4, answer);
    let names: Vec<&str> = first.iter().map(Call::name).collect();
    assert_eq!(names, ["acquire", "acquire", "acquire", "count-all"]);
    let mut copy = load.clone();
    let one = calls(&mut load, 5, |_| done());
    assert_eq!(one, calls(&mut copy, 5, |_| done()));
}

#[test]
fn arguments_of_an_own_operation_are_drawn_for_each_call() {
    let mut load = load("ops = { lock = 1 }\nargs = { lock = { ttl_ms = { min = 3, max = 6 } } }");
    let mut seen = std::collections::BTreeSet::new();
    for call in calls(&mut load, 60, |_| done()) {
        let Call::Own(own) = call else { panic!("an operation of the system's own") };
        assert_eq!((own.row, own.name, own.key.is_some()), (3, "lock", true));
        seen.insert(own.args[0]);
    }
    assert_eq!(Vec::from_iter(seen), [3, 4, 5]);
}
