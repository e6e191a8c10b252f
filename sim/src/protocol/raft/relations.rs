//! Relations between settings that a group needs to be safe and to elect.

use super::settings::Config;
use alloc::format;
use alloc::vec::Vec;
use catalog::Relation;
use contract::{Duration, Ratio};

/// The settings of a role that relate to each other. A system reads them out of its own settings,
/// which it calls `election`, `heartbeat`, `lease` and `election_fixed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// [`Config::election`].
    pub election: (Duration, Duration),
    /// [`Config::heartbeat`].
    pub heartbeat: Duration,
    /// [`Config::lease`], where reads are served under it.
    pub lease: Option<Duration>,
    /// [`Config::election_fixed`] of the nodes that have one.
    pub election_fixed: Vec<Duration>,
}

/// The relations that `timing` breaks, where clocks may be off by `drift_max`.
#[must_use]
pub fn relations(timing: &Timing, drift_max: Ratio) -> Vec<Relation> {
    let (min, _) = timing.election;
    let lease = timing.lease.and_then(|lease| unsafe_lease(lease, min, drift_max));
    let found = [lease, slow_heartbeat(timing), short_wait(timing), no_range(timing)];
    found.into_iter().flatten().collect()
}

fn slow_heartbeat(timing: &Timing) -> Option<Relation> {
    let (heartbeat, (min, _)) = (timing.heartbeat, timing.election);
    (heartbeat >= min).then(|| Relation {
        code: "E0312",
        setting: "heartbeat",
        detail: format!(
            "heartbeat < election.min must hold, or followers elect others while the leader is \
             well; here {heartbeat} and {min}"
        ),
    })
}

fn short_wait(timing: &Timing) -> Option<Relation> {
    let (min, _) = timing.election;
    let short = timing.election_fixed.iter().find(|&&fixed| fixed < min)?;
    Some(Relation {
        code: "E0314",
        setting: "election_fixed",
        detail: format!(
            "no fixed wait may be below election.min, on which leases and votes rest; here {short} \
             and {min}"
        ),
    })
}

fn no_range(timing: &Timing) -> Option<Relation> {
    let (min, max) = timing.election;
    (min >= max).then(|| Relation {
        code: "E0313",
        setting: "election",
        detail: format!(
            "election.min < election.max must hold, or votes split; here {min} and {max}"
        ),
    })
}

/// `lease · (1 + d) < election.min · (1 − d)`: the slowest clock at the leader and the fastest at a
/// voter still agree that the lease is over before anyone else can be elected.
fn unsafe_lease(lease: Duration, election_min: Duration, drift_max: Ratio) -> Option<Relation> {
    let lease_max = Config::lease_max(election_min, drift_max);
    assert!(lease_max <= election_min, "no lease outlives the election timeout");
    if lease <= lease_max {
        return None;
    }
    let drift_ppm = drift_max.ppm();
    Some(Relation {
        code: "E0311",
        setting: "lease",
        detail: format!(
            "lease * (1 + d) < election.min * (1 - d) must hold with d = clock.drift_max, here \
             {drift_ppm} ppm, and election.min = {election_min}: the lease may be up to \
             {lease_max} and is {lease}"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_safe_below_the_election_timeout_with_room_for_drift() {
        let check = |lease_ms, election_ms, drift_max, is_safe: bool| {
            let lease = Duration::from_millis(lease_ms);
            let broken = unsafe_lease(lease, Duration::from_millis(election_ms), drift_max);
            assert_eq!(broken.is_none(), is_safe, "{broken:?}");
        };
        check(1000, 1500, Ratio::new(1, 100), true);
        // Decision 12: with 1000 ms and 1500 ms the bound is one fifth, exclusive.
        check(1000, 1500, Ratio::from_ppm(199_999), true);
        check(1000, 1500, Ratio::new(1, 5), false);
        check(1500, 1500, Ratio::ZERO, false);
        check(1499, 1500, Ratio::ZERO, true);
        check(1, 1500, Ratio::ONE, false);
    }

    #[test]
    fn the_error_shows_its_figures() {
        let lease = Duration::from_millis(1500);
        let broken = unsafe_lease(lease, lease, Ratio::new(1, 100)).expect("it is not safe");
        assert_eq!(broken.code, "E0311");
        assert!(broken.detail.contains("10000 ppm"), "{}", broken.detail);
        // 1500 ms · 0.99 / 1.01, exclusive.
        let lease_max = Duration(1_470_297_029);
        assert!(broken.detail.contains(&format!("{lease_max}")), "{}", broken.detail);
    }

    #[test]
    fn each_broken_relation_has_a_code_of_the_table() {
        let ms = Duration::from_millis;
        let sound = Timing {
            election: (ms(1500), ms(3000)),
            heartbeat: ms(150),
            lease: Some(ms(1000)),
            election_fixed: alloc::vec![ms(1500), ms(1900)],
        };
        let check = |timing: &Timing, expect: &[&str]| {
            let found = relations(timing, Ratio::new(1, 100));
            let found: Vec<&str> = found.iter().map(|relation| relation.code).collect();
            assert_eq!(found, expect);
            let is_listed = |code: &&str| super::super::CODES.iter().any(|row| row.code == *code);
            assert!(found.iter().all(is_listed));
        };
        check(&sound, &[]);
        check(&Timing { lease: Some(ms(1500)), ..sound.clone() }, &["E0311"]);
        check(&Timing { heartbeat: ms(1500), ..sound.clone() }, &["E0312"]);
        check(&Timing { election: (ms(1500), ms(1500)), ..sound.clone() }, &["E0313"]);
        check(&Timing { election_fixed: alloc::vec![ms(900)], ..sound.clone() }, &["E0314"]);
        check(&Timing { lease: None, election: (ms(900), ms(3000)), ..sound }, &[]);
    }
}
