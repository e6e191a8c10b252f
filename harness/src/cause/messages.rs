//! What if one message had come through? Of the messages that were lost or late before the
//! violation, those whose loss or delay the failure needs, each tried alone.
//!
//! All trials share the past: one world goes on from message to message, and from the instant before
//! each a copy goes on with that one message pinned ([`engine::Pin`]), which moves no other draw.

use super::future::{Branching, until_horizon};
use crate::interrupt;
use crate::record::record;
use crate::run::{Ended, Runner};
use crate::select::Roster;
use crate::shrink::{Verdict, judge};
use contract::{Duration, SimTime};
use engine::{DropReason, Fate, Pin, Sent};
use reports::seeds::Cause;
use scenario::Lab;
use scenario::edit::draft::Draft;
use serde::Serialize;
use std::rc::Rc;
use std::thread;

/// A message is late when it took so many times as long as half of all messages did.
const LATE_TIMES: u64 = 3;

/// A message that mattered by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mattered {
    /// Who sent it.
    pub from: String,
    /// To whom.
    pub to: String,
    /// Its number on the link, from 0; `[[pin]]` takes it.
    pub n: u64,
    /// When it was sent.
    pub at_ns: u64,
    /// What happened to it.
    pub what: String,
    /// What happens when it comes through in good time.
    pub without: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Messages {
    /// Messages that were lost or late before the violation.
    pub all: u64,
    /// How many of them were tried: the last ones.
    pub tried: u64,
    /// Those that mattered by themselves, in the order of time.
    pub mattered: Vec<Mattered>,
}

/// Lets single messages of the run of `draft` through, in which `cause` showed at `violation`.
#[must_use]
pub fn what_if(
    lab: &Lab<'_>,
    draft: &Draft,
    violation: Duration,
    cause: &Cause,
    branching: Branching,
    tell: &mut dyn FnMut(&str),
) -> Messages {
    let (draft, _) = until_horizon(draft, violation);
    let sent = log(lab, &draft, violation);
    let usual = usual(&sent);
    let mut odd: Vec<Sent> = sent.into_iter().filter(|sent| is_odd(sent, usual)).collect();
    let all = odd.len();
    odd.drain(..all.saturating_sub(branching.messages));
    tell(&format!("letting {} of {all} lost or late messages through", odd.len()));
    let trials = Letting { lab, draft: &draft, cause, usual };
    let jobs = branching.jobs.clamp(1, odd.len().max(1));
    let mut tried = 0;
    let mut mattered: Vec<Mattered> = Vec::new();
    thread::scope(|scope| {
        let of = |job: usize| {
            let mine: Vec<Sent> = odd.iter().skip(job).step_by(jobs).copied().collect();
            let trials = &trials;
            scope.spawn(move || trials.each(&mine))
        };
        let threads: Vec<_> = (0..jobs).map(of).collect();
        for thread in threads {
            let (found, count) = thread.join().expect("a panic of the lab ends the lab");
            mattered.extend(found);
            tried += count;
        }
    });
    mattered.sort_by(|a, b| (a.at_ns, &a.from, &a.to, a.n).cmp(&(b.at_ns, &b.from, &b.to, b.n)));
    Messages { all: all as u64, tried, mattered }
}

/// Every datagram that was sent before the violation.
fn log(lab: &Lab<'_>, draft: &Draft, violation: Duration) -> Vec<Sent> {
    let Some(plan) = draft.plan(lab) else { return Vec::new() };
    let Ok(mut runner) = Runner::new(&Rc::new(Roster::new(Rc::new(plan)))) else {
        return Vec::new();
    };
    runner.log_datagrams();
    runner.go_until(SimTime::ZERO + violation);
    runner.take_datagrams()
}

/// How long half of the messages take at most.
fn usual(sent: &[Sent]) -> Duration {
    let mut all: Vec<u64> = sent.iter().map(|sent| sent.due.since(sent.at).0).collect();
    all.sort_unstable();
    Duration(all.get(all.len() / 2).copied().unwrap_or(0))
}

fn is_odd(sent: &Sent, usual: Duration) -> bool {
    sent.lost.is_some() || sent.due.since(sent.at).0 > usual.0.saturating_mul(LATE_TIMES)
}

struct Letting<'a> {
    lab: &'a Lab<'a>,
    draft: &'a Draft,
    cause: &'a Cause,
    usual: Duration,
}

impl Letting<'_> {
    /// Tries messages in the order in which they were sent; those that mattered, and how many were
    /// tried.
    fn each(&self, sent: &[Sent]) -> (Vec<Mattered>, u64) {
        let mut found = (Vec::new(), 0);
        let Some(plan) = self.draft.plan(self.lab) else { return found };
        let roster = Rc::new(Roster::new(Rc::new(plan)));
        let Ok(mut past) = Runner::new(&roster) else { return found };
        for message in sent {
            past.go_until(message.at);
            let Some(verdict) = self.through(&past, message) else { return found };
            found.1 += 1;
            if let Verdict::Other(without) = verdict {
                let name = |node| roster.name(node).to_owned();
                found.0.push(Mattered {
                    from: name(message.from),
                    to: name(message.to),
                    n: message.n,
                    at_ns: message.at.0,
                    what: what(message),
                    without,
                });
            }
        }
        found
    }

    /// `None` when the past cannot be copied, or the user interrupted it.
    fn through(&self, past: &Runner, message: &Sent) -> Option<Verdict> {
        let mut future = past.fork()?;
        let pin = Pin { latency: Some(self.usual), fate: Some(Fate::Delivered) };
        future.pin(message.from, message.to, message.n, pin);
        future.go_on(false);
        let run = future.finish();
        let over = run.ended == Ended::Interrupted || interrupt::asked();
        (!over).then(|| judge(self.cause, &record(&run)))
    }
}

fn what(sent: &Sent) -> String {
    match sent.lost {
        Some(DropReason::Blocked) => "lost: the link was cut".to_owned(),
        Some(DropReason::Lost) => "lost by chance".to_owned(),
        Some(DropReason::QueueFull) => "lost: too much waited for the link".to_owned(),
        Some(DropReason::NodeDown) => "lost: the receiver was down".to_owned(),
        None => format!("took {}", sent.due.since(sent.at)),
    }
}
