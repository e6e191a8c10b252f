//! Recorded histories, judged by what they are about.

use super::model::check_model;
use super::register::check_register_with;
use super::report::{Options, Report};
use crate::history::{Recorded, Subject, preloaded};

/// Whether a recorded history is linearizable. The lab's own is taken to be about registers; other
/// models are asked for by name in [`MODELS`](crate::models::MODELS).
#[must_use]
pub fn check_recorded(recorded: &Recorded, search_steps_max: u64) -> Report {
    check_recorded_with(recorded, Options::steps(search_steps_max))
}

/// The same; clients, values and times are called as in the recording.
#[must_use]
pub fn check_recorded_with(recorded: &Recorded, options: Options<'_>) -> Report {
    let mut options = options;
    let value = |value| recorded.name(value);
    options.value = &value;
    if recorded.subject != Subject::Lab {
        options.client = &|client| format!("process {}", client.0);
        options.time = &|at| format!("event {}", at.0);
    }
    let ops = &recorded.ops;
    match &recorded.subject {
        Subject::Lab => check_register_with(ops, &preloaded(ops.iter()), &options),
        Subject::Register(model) => check_register_with(ops, model, &options),
        Subject::Strings(model) => check_model(model, ops, &options),
        Subject::Lock(model) => check_model(model, ops, &options),
    }
}
