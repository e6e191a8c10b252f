//! The way to a state: which salt was given to the world when.

use super::Strategy;
use crate::run::{Finished, Runner};
use crate::select::Roster;
use contract::SimTime;
use scenario::plan::Plan;
use scenario::syntax::units::Measure;
use std::fmt;
use std::rc::Rc;
use std::str::FromStr;

/// A salt that was given to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When.
    pub at: SimTime,
    /// The salt of [`Runner::reseed_from`].
    pub salt: u64,
}

impl Turn {
    /// Gives the salt to a world that is at its instant.
    pub fn apply(self, strategy: Strategy, runner: &mut Runner) {
        match strategy {
            Strategy::Ties => runner.reseed_ties(self.salt),
            Strategy::Random | Strategy::Novelty => runner.reseed_from(self.salt),
        }
    }
}

/// All salts in the order of time: `0s:17,1.5s:4`, with `ties ` before it where only ties vary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// The turns.
    pub turns: Vec<Turn>,
}

impl Path {
    /// Runs `plan` along the path, to its end.
    ///
    /// # Errors
    /// When a node panics at its first boot.
    pub fn replay(&self, plan: Plan, strategy: Strategy) -> Result<Finished, String> {
        let mut plan = plan;
        plan.ties_explore |= strategy == Strategy::Ties;
        let roster = Rc::new(Roster::new(Rc::new(plan)));
        let mut runner = Runner::new(&roster)?;
        for turn in &self.turns {
            runner.go_until(turn.at);
            turn.apply(strategy, &mut runner);
        }
        runner.go_on(false);
        Ok(runner.finish())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, turn) in self.turns.iter().enumerate() {
            let comma = if nth > 0 { "," } else { "" };
            write!(f, "{comma}{}:{}", Measure::Duration.show(turn.at.0), turn.salt)?;
        }
        Ok(())
    }
}

impl FromStr for Path {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let turn = |part: &str| {
            let wrong = || format!("`{part}` is no turn: write TIME:SALT, such as 1.5s:4");
            let (at, salt) = part.split_once(':').ok_or_else(wrong)?;
            let at = Measure::Duration.parse(at.trim()).map_err(|_| wrong())?;
            Ok(Turn { at: SimTime(at), salt: salt.trim().parse().map_err(|_| wrong())? })
        };
        let turns: Result<Vec<Turn>, String> = text.split(',').map(turn).collect();
        let turns = turns?;
        if turns.is_sorted_by_key(|turn| turn.at) {
            Ok(Self { turns })
        } else {
            Err("the turns of a path are in the order of time".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_and_read_back() {
        let path: Path = "0s:17,1500ms:4".parse().unwrap();
        assert_eq!(path.turns[1], Turn { at: SimTime(1_500_000_000), salt: 4 });
        assert_eq!(path.to_string().parse(), Ok(path));
        for wrong in ["", "1s", "1s:x", "2s:1,1s:1"] {
            assert!(wrong.parse::<Path>().is_err(), "{wrong}");
        }
    }
}
