//! Any bytes as a scenario file: the compiler says what is wrong and never panics. What compiles
//! also plans, and the plan's document compiles again.
#![no_main]

use harness::cli::{Lab, names};
use libfuzzer_sys::fuzz_target;
use scenario::Scenario;

fuzz_target!(|bytes: &[u8]| {
    let names = names(&Lab::of(sim::SYSTEMS));
    let (scenario, said) = Scenario::compile("fuzz.toml", bytes, &names);
    let text = String::from_utf8_lossy(bytes);
    let _printed = scenario::diagnostics::render(&said, &text, "fuzz.toml", false);
    let Some(scenario) = scenario else {
        assert!(!said.is_empty(), "a file that is refused is told why");
        return;
    };
    let plan = scenario.plan(&names, None, 7, 0, &[]).expect("what compiles can be planned");
    let (again, said) = Scenario::compile("plan.toml", plan.document.as_bytes(), &names);
    assert!(again.is_some(), "a plan's document compiles: {said:?}\n{}", plan.document);
});
