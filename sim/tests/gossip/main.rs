//! The gossip protocols in the engine, in a small system that is nothing else: SWIM alone, and Serf
//! over it; and each planted defect breaks the property that is meant to catch it.

mod serf;
mod serf_node;
mod swim;
mod swim_defects;
mod toy;
