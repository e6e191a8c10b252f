//! What keeps a run from being repeated event for event on another simulator.

use super::script::{Action, Timed};
use crate::config::{Config, Ties};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use contract::{Condition, Duration, Shock};

/// The shortest latency of a link. A envelope is carried within a simulator's tick of a millisecond,
/// plus one for the wake-up of either end, so it is there before it is due.
pub const LATENCY_MIN: Duration = Duration::from_millis(5);

/// What of a world an exact run does not have; empty when it can be run.
#[must_use]
pub fn exact_problems(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    let links = config.links.iter().map(|(from, to, spec)| {
        let (from, to) = (&config.nodes[from.index()], &config.nodes[to.index()]);
        (format!("the link {} > {}", from.name, to.name), spec)
    });
    let all = core::iter::once((String::from("the network"), &config.link));
    for (name, spec) in all.chain(links) {
        let least = Duration(spec.latency.min());
        if least < LATENCY_MIN {
            problems.push(format!(
                "{name} has a latency from {least}, and an exact run needs at least {LATENCY_MIN}"
            ));
        }
    }
    for node in config.nodes.iter().filter(|node| node.memory_limit.is_some()) {
        problems.push(format!(
            "{} has a memory limit, whose crash no other machine could foresee",
            node.name
        ));
    }
    for node in config.nodes.iter().filter(|node| node.is_dormant()) {
        problems.push(format!(
            "{} is started by another node, which takes effect at once on another machine",
            node.name
        ));
    }
    if config.ties == Ties::Explore {
        problems.push(String::from("ties are explored, not canonical"));
    }
    problems
}

/// What of a script an exact run does not have.
#[must_use]
pub fn script_problems(script: &[Timed]) -> Vec<String> {
    let problem = |step: &Timed| match &step.action {
        Action::Impose(_, Condition::MemoryLimit { .. }) => Some("a memory limit"),
        Action::Impose(_, Condition::ServiceTime { .. }) => Some("a service time"),
        Action::Strike(
            Shock::InjectFrame { .. } | Shock::WallJump { .. } | Shock::FlipBit { .. },
        )
        | Action::Impose(..)
        | Action::Lift(_) => None,
    };
    let found = script.iter().filter_map(|step| Some((step.at, problem(step)?)));
    found.map(|(at, what)| format!("{what} is imposed at {at}")).collect()
}
