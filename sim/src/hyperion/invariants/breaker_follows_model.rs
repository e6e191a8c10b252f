//! A circuit breaker does what its model does (nygard-2007 §5.2).
//!
//! The model is the text of the pattern, written down as plainly as it goes: a list of the last ends, a
//! moment until which nobody is admitted, and at most one probe. Everything that the breaker of a
//! client was asked is asked of the model as well, and the answers must be equal. A breaker that lets
//! nobody through while no try is under way at all is stuck, whatever both of them say.

use super::super::client::Client;
use crate::service::CircuitBreaker;
use crate::service::circuit_breaker::{BreakerCall, Change, CircuitBreakerConfig};
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use catalog::{Judged, Look, PerNode, Property};
use contract::Instant;

#[derive(Clone, Debug)]
pub struct BreakerFollowsModel;

/// The model beside one client's breaker.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// How many calls of the breaker were followed.
    followed: u64,
    /// Whether the tries of the window failed, the latest last.
    ends: VecDeque<bool>,
    opened_until: Option<Instant>,
    is_probing: bool,
    is_half_open: bool,
    has_broken: bool,
}

type Broken = Option<(&'static str, String)>;

impl Model {
    fn admits(&mut self, now: Instant) -> bool {
        if let Some(until) = self.opened_until {
            if now < until {
                return false;
            }
            self.opened_until = None;
            self.is_half_open = true;
        }
        if self.is_half_open && self.is_probing {
            return false;
        }
        self.is_probing = self.is_half_open;
        true
    }

    fn ends(&mut self, config: CircuitBreakerConfig, now: Instant, failed: bool) -> Option<Change> {
        let decides = core::mem::take(&mut self.is_probing);
        if decides && !failed {
            self.is_half_open = false;
            self.ends.clear();
            return Some(Change::Closed);
        }
        self.ends.push_back(failed);
        let window = config.window as usize;
        while self.ends.len() > window {
            self.ends.pop_front();
        }
        let failures = self.ends.iter().filter(|failed| **failed).count() as u64;
        let too_many = failures * 1_000_000 >= window as u64 * u64::from(config.threshold_ppm);
        if !decides && (self.ends.len() < window || !too_many) {
            return None;
        }
        self.is_half_open = false;
        self.ends.clear();
        self.opened_until = Some(now + config.open_for);
        Some(Change::Opened)
    }

    /// Asks the model what the breaker was asked.
    fn follow(&mut self, config: CircuitBreakerConfig, call: BreakerCall) -> Broken {
        let rule = "the breaker does something else than its model";
        match call {
            BreakerCall::Admit { now, granted } => {
                let expect = self.admits(now);
                (expect != granted).then(|| {
                    let what = if granted { "admitted a try" } else { "turned a try away" };
                    (rule, format!("its breaker {what} that the model would not have"))
                })
            }
            BreakerCall::Note { is_current: false, change, .. } => change.map(|change| {
                (rule, format!("its breaker was {change:?} by a try that was made before"))
            }),
            BreakerCall::Note { now, failed, change, .. } => {
                let expect = self.ends(config, now, failed);
                (expect != change).then(|| {
                    let detail = format!("its breaker became {change:?}, the model {expect:?}");
                    (rule, detail)
                })
            }
            BreakerCall::GiveBack => {
                self.is_probing = false;
                None
            }
        }
    }

    /// Follows what was asked since the last look; how many calls, and the first difference.
    fn catch_up(&mut self, breaker: &CircuitBreaker) -> (u64, Broken) {
        let (count, last) = breaker.calls();
        let new = count - self.followed;
        self.followed = count;
        let kept = last.collect::<VecDeque<_>>();
        let skip = kept.len().saturating_sub(usize::try_from(new).unwrap_or(usize::MAX));
        let mut calls = kept.into_iter().skip(skip);
        (new, calls.find_map(|call| self.follow(breaker.config(), call)))
    }
}

impl PerNode for BreakerFollowsModel {
    type Part = Client;
    type Memory = Model;
    const PROPERTY: Property = Property {
        name: "hyperion.breaker_follows_model",
        about: "a circuit breaker admits and turns away what its model does, and is never stuck",
        source: "nygard-2007 §5.2",
    };

    fn look(&mut self, look: &Look<'_, Client>, model: &mut Model) -> Judged {
        let Some(breaker) = look.part.breaker().filter(|_| !model.has_broken) else {
            return Ok(0);
        };
        if breaker.calls().0 == model.followed {
            return Ok(0);
        }
        let (judged, broken) = model.catch_up(breaker);
        let is_stuck = breaker.is_probing() && !look.part.is_busy();
        let stuck = || {
            let detail = "its breaker waits for a probe, and no try is under way";
            is_stuck.then(|| ("a breaker waits for nobody", String::from(detail)))
        };
        let Some((rule, detail)) = broken.or_else(stuck) else { return Ok(judged) };
        model.has_broken = true;
        let detail = format!("{}: {detail}", look.name());
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
