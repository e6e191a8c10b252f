//! Pinned messages: a network that is left to chance becomes one that is not, but for the few
//! messages whose latency or loss the failure needs.

use super::ddmin::minimise;
use super::passes::Shrinking;
use super::trial::Verdict;
use crate::run::Runner;
use crate::select::Roster;
use contract::SimTime;
use engine::{Fate, Pin, Sent};
use scenario::edit::draft::CHANCES;
use scenario::plan::PinPlan;
use std::rc::Rc;

/// Runs with more messages are not pinned: nobody would read the file.
const SENT_MAX: usize = 4_000;

/// More pins than this are no simpler than a distribution.
const PINS_MAX: usize = 20;

impl Shrinking<'_, '_, '_> {
    /// Makes the network constant and pins what has to be otherwise, where few pins will do.
    pub fn pins(&mut self) {
        let before = self.best().clone();
        let network = before.constants().into_iter().filter(|(path, _)| path.starts_with("net."));
        let network: Vec<(String, String)> = network.collect();
        let chances = CHANCES.into_iter().filter(|path| before.has(path));
        let chances: Vec<&str> = chances.collect();
        if network.is_empty() && chances.is_empty() {
            return;
        }
        let pins = self.sent();
        if pins.is_empty() || pins.len() > SENT_MAX {
            return;
        }
        let mut plain = before.clone();
        network.iter().for_each(|(path, constant)| plain.set_constant(path, constant));
        chances.iter().for_each(|path| plain.remove(path));
        let mut all = plain.clone();
        all.set_pins(&pins);
        if self.ask(&all) != Verdict::Same {
            return;
        }
        let mut fewest = None;
        minimise(pins.len(), &mut |kept| {
            let mut candidate = plain.clone();
            candidate.set_pins(&kept.iter().map(|at| pins[*at].clone()).collect::<Vec<_>>());
            let works = self.ask(&candidate) == Verdict::Same;
            if works {
                fewest = Some((kept.len(), candidate));
            }
            works
        });
        let counted = fewest.as_ref().is_none_or(|(count, _)| *count <= pins.len());
        assert!(counted, "the fewest are some of all");
        if let Some((count, candidate)) = fewest.filter(|(count, _)| *count <= PINS_MAX)
            && self.attempt(candidate) == Verdict::Same
        {
            self.note(format!("the chances of the network, but for {count} pinned messages"));
        }
    }

    /// Every datagram of the best's run before the violation, as a pin.
    fn sent(&self) -> Vec<PinPlan> {
        let Some(plan) = self.best().plan(self.lab()) else { return Vec::new() };
        let roster = Rc::new(Roster::new(Rc::new(plan)));
        let Ok(mut runner) = Runner::new(&roster) else { return Vec::new() };
        runner.log_datagrams();
        runner.go_until(SimTime::ZERO + self.at());
        assert!(runner.now() <= SimTime::ZERO + self.at(), "pins are of what came before");
        let pin = |sent: &Sent| PinPlan {
            from: roster.name(sent.from).to_owned(),
            to: roster.name(sent.to).to_owned(),
            n: sent.n,
            pin: match sent.lost {
                Some(_) => Pin { latency: None, fate: Some(Fate::Lost) },
                None => Pin { latency: Some(sent.due.since(sent.at)), fate: None },
            },
        };
        runner.take_datagrams().iter().map(pin).collect()
    }
}
