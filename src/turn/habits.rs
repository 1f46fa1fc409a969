use std::io::{Error, ErrorKind};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::weights::write_atomically;

/// What is believed before anybody was heard, as pauses after which people were done and after which they went on: some four in five are
/// done, which waits 0.8 s. It weighs as much as eight pauses, so a morning of orders outweighs it.
const DONE_BEFORE: f32 = 6.3;
const WENT_ON_BEFORE: f32 = 1.7;

/// Pauses remembered: older ones fade, as a shop's people and its menu change.
const REMEMBERED: f32 = 100.0;

/// How often the people of one place go on after words that could stand as they are, such as an order to which something may be added.
///
/// Only that is learned: what an unfinished sentence is, everybody agrees on, but whether "a mocha" is mostly followed by "with milk" is
/// one shop's own. It is the mean of a beta distribution whose counts fade (Beta-Bernoulli with exponential forgetting).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Habits {
    /// Pauses that were the end.
    done: f32,
    /// Pauses after which more came.
    went_on: f32,
}

impl Habits {
    /// Reads what was learned; nothing where there is no such file yet.
    ///
    /// # Errors
    /// What the file system says, or what is wrong with the file.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            read => read?,
        };
        let habits: Self = serde_json::from_slice(&bytes)?;
        let is_count = |count: f32| (0.0..=2.0 * REMEMBERED).contains(&count);
        let is_sound = is_count(habits.done) && is_count(habits.went_on);
        is_sound.then_some(habits).ok_or_else(|| {
            Error::new(ErrorKind::InvalidData, format!("its counts are {} and {}; expected 0 to 200 each", habits.done, habits.went_on))
        })
    }

    /// Keeps what was learned, whole or not at all.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        write_atomically(path, &serde_json::to_vec(self)?)
    }

    /// Notes one pause after words that could stand as they are.
    pub fn note(&mut self, is_end: bool) {
        let kept = (REMEMBERED - 1.0) / (self.done + self.went_on).max(REMEMBERED - 1.0);
        (self.done, self.went_on) = (self.done * kept, self.went_on * kept);
        *(if is_end { &mut self.done } else { &mut self.went_on }) += 1.0;
    }

    /// Log-odds that somebody is done who pauses after such words.
    pub fn log_odds_done(&self) -> f32 {
        ((self.done + DONE_BEFORE) / (self.went_on + WENT_ON_BEFORE)).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(pauses: impl IntoIterator<Item = bool>) -> f32 {
        let mut habits = Habits::default();
        pauses.into_iter().for_each(|is_end| habits.note(is_end));
        habits.log_odds_done()
    }

    #[test]
    fn a_shop_where_nobody_adds_anything_is_told_from_one_where_most_do() {
        let most = |pause: usize| pause.is_multiple_of(3);
        assert!(after([true; 20]) > 2.0, "{}", after([true; 20]));
        assert!(after((0..20).map(most)) < 0.3, "{}", after((0..20).map(most)));
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let changed = (0..1_000).map(|_| false).chain((0..300).map(|_| true));
        assert!(after(changed) > 2.0);
    }

    #[test]
    fn what_was_learned_is_there_after_a_restart_and_nonsense_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("habits.json");
        assert_eq!(Habits::read(&path).expect("nothing yet"), Habits::default());
        let mut habits = Habits::default();
        [true, false, true].into_iter().for_each(|is_end| habits.note(is_end));
        habits.write(&path).expect("writes");
        assert_eq!(Habits::read(&path).expect("reads"), habits);
        for nonsense in ["", "{}", r#"{"done":-1,"went_on":0}"#, r#"{"done":1e9,"went_on":0}"#, "[1]"] {
            std::fs::write(&path, nonsense).expect("writes");
            assert!(Habits::read(&path).is_err(), "{nonsense}");
        }
    }
}
