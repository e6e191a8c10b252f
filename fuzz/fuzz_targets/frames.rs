//! Any bytes at the door of a live node: it refuses them or acts on them, and never panics.
//!
//! Structured with `arbitrary`: a sequence of inputs for one cache node and one client, so that
//! frames arrive in every state that a sequence can reach.
#![no_main]

use arbitrary::Arbitrary;
use contract::{Duration, NodeId, Shock, SimTime};
use harness::cli::{Lab, names};
use harness::run::Runner;
use harness::select::Roster;
use libfuzzer_sys::fuzz_target;
use scenario::Scenario;
use std::rc::Rc;

#[derive(Arbitrary, Debug)]
struct Injected {
    /// When, in units of 10 ms after the last one.
    after: u8,
    from: u8,
    to: u8,
    bytes: Vec<u8>,
}

const WORLD: &[u8] = include_bytes!("../world.toml");

fuzz_target!(|frames: Vec<Injected>| {
    let names = names(&Lab::of(sim::SYSTEMS));
    let (scenario, said) = Scenario::compile("world.toml", WORLD, &names);
    let scenario = scenario.unwrap_or_else(|| panic!("{said:?}"));
    let plan = scenario.plan(&names, None, 1, 0, &[]).expect("the world can be planned");
    let roster = Rc::new(Roster::new(Rc::new(plan)));
    let count = roster.names().len() as u32;
    let mut runner = Runner::new(&roster).expect("the world boots");
    let mut at = SimTime::ZERO;
    for frame in frames.into_iter().take(64) {
        at = at + Duration::from_millis(10 * u64::from(frame.after));
        runner.go_until(at);
        let from = NodeId(u32::from(frame.from) % count);
        let to = NodeId((from.0 + 1 + u32::from(frame.to) % (count - 1)) % count);
        let injected = runner.strike(Shock::InjectFrame { from, to, bytes: frame.bytes });
        injected.expect("our engine injects frames");
    }
    runner.go_on(false);
    if let Some(said) = runner.panic_message() {
        panic!("a frame made a node panic: {said}");
    }
});
