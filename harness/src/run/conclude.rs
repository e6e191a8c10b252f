//! The end of a run: what it left behind, and what the checks say of it.

use super::{Ended, Finished, Judged, Runner};
use crate::checks::{RunData, Watched, op_cost};
use crate::load::Load;
use crate::measure::{Marked, Measured};
use crate::run_result::{judge, never_met, unnamed};
use contract::NodeId;
use std::rc::Rc;

impl Runner {
    /// What the checks say; half a run is judged by nobody.
    fn verdicts(&self, data: &RunData<'_>, ended: &Ended) -> Vec<Judged> {
        match ended {
            Ended::Interrupted => Vec::new(),
            Ended::InTime => {
                let mut verdicts = judge(data);
                verdicts.extend(never_met(&self.pins_unmet()));
                verdicts
            }
            _ => judge(data),
        }
    }

    fn node_digests(&self) -> Vec<u64> {
        let nodes = (0..self.roster.names().len() as u32).map(NodeId);
        nodes.map(|node| self.engine.node_digest(node)).collect()
    }

    /// As [`Runner::finish`], without the trace and without what a scraper would find: what it
    /// takes to write them down is many times what it takes to judge a short run.
    #[must_use]
    pub fn conclude(mut self) -> Finished {
        let ended_at = self.now();
        let incidents = self.incidents();
        let digest = self.engine.digest();
        let node_digests = self.node_digests();
        self.stop_waiting(ended_at);
        self.director.finish(&self.engine);
        let script = std::mem::take(&mut self.director.script);
        let ended = self.ended.clone().unwrap_or(Ended::InTime);
        let load = self.engine.workload().as_any().downcast_ref::<Load>();
        let load = load.expect("the runner gave the engine a Load");
        let (ops, given_up, never_sent) = (load.history(), load.given_up(), load.never_sent());
        let watch = self.engine.observer();
        let watched: Vec<Watched> = watch.watched().collect();
        let marks: Vec<Marked> = watch.marks.iter().copied().collect();
        let (extremes, samples) = (watch.extremes.seen(), self.sampler.taken());
        let data = RunData {
            plan: self.roster.plan(),
            roster: &self.roster,
            ops: &ops,
            given_up: &given_up,
            leaderless: self.quiet.longest(),
            violations: &watch.violations,
            violated: &watch.violated,
            watched: &watched,
            occurrences: &self.director.spans,
            script: &script,
            converged: &self.converged,
            measured: Measured {
                marks: &marks,
                marks_lost: watch.marks_lost,
                extremes: &extremes,
                samples: &samples,
            },
            ended_at,
            cut_short: ended.reason(),
        };
        assert!(ops.is_sorted_by_key(|op| op.id), "operations stand by id");
        assert!(script.is_sorted_by_key(|step| step.at), "what was done stands by time");
        let verdicts = self.verdicts(&data, &ended);
        let unnamed = unnamed(&data);
        let checks = data.plan.checks.iter();
        let spent =
            checks.filter_map(|check| Some((check.id.clone(), op_cost::spent(check, &data)?)));
        let spent = spent.collect();
        Finished {
            plan: self.roster.shared_plan(),
            roster: Rc::clone(&self.roster),
            digest,
            node_digests,
            script,
            events: self.engine.events(),
            ended_at,
            ended,
            verdicts,
            unnamed,
            covers: watch.covers.iter().map(|cover| cover.hits).collect(),
            marked: self.marked(),
            counters: self.engine.counters().rows().to_vec(),
            incidents,
            metered: watch.metered,
            spent,
            trace: Vec::new(),
            metrics: String::new(),
            occurrences: self.director.spans,
            converged: self.converged,
            ops,
            never_sent,
        }
    }
}
