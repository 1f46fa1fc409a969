use std::time::Duration;

/// How long each stage of a turn took, in order of their ends. Names are fixed: they are metric names too.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timings(Vec<(&'static str, f32)>);

impl Timings {
    /// Notes a stage.
    pub fn add(&mut self, stage: &'static str, took: Duration) {
        self.0.push((stage, took.as_secs_f32() * 1_000.0));
    }

    /// Stages and their milliseconds.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f32)> + '_ {
        self.0.iter().copied()
    }

    /// Milliseconds of one stage.
    pub fn get(&self, stage: &str) -> Option<f32> {
        self.0.iter().find(|(name, _)| *name == stage).map(|(_, ms)| *ms)
    }
}
