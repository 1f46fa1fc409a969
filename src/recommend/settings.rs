use serde::Deserialize;

/// How much the desk learns and tries out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecommendConfig {
    /// How far offers are drawn by chance from what is not known surely, 0 to 1; 0 always offers what is believed best.
    pub explore: f64,
    /// Turns of the log that are learned from at the start, the newest.
    pub history_turns_max: u32,
}

impl Default for RecommendConfig {
    fn default() -> Self {
        Self { explore: 0.3, history_turns_max: 20_000 }
    }
}

impl RecommendConfig {
    /// All that is wrong with the values.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(0.0..=1.0).contains(&self.explore) {
            problems.push(format!("recommend.explore is {}; expected 0 to 1", self.explore));
        }
        if self.history_turns_max > 1_000_000 {
            problems.push(format!("recommend.history_turns_max is {}; expected 0 to 1000000", self.history_turns_max));
        }
        problems
    }
}
