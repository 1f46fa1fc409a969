use super::super::linear::{fit_temperature, softmax};

/// Share of in-scope sentences that must stay in scope when nothing is known about the others.
const KEPT: f32 = 0.97;

/// How much the scores of the heads are to be believed, learnt on sentences that the heads had not seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Calibration {
    pub(super) temperature: f32,
    /// Mean and deviation of the largest score of sentences that are in scope.
    pub(super) score: (f32, f32),
    /// The same of the nearness to the predicted intent's examples.
    pub(super) nearness: (f32, f32),
    /// Below it a sentence is for no desk.
    pub(super) threshold: f32,
}

/// What the heads made of a sentence that they had not seen.
#[derive(Debug, Clone)]
pub(super) struct Unseen {
    /// `[classes]`.
    pub(super) scores: Vec<f32>,
    /// To the examples of the intent with the largest score.
    pub(super) nearness: f32,
    /// Its true intent; none where it is out of scope.
    pub(super) intent: Option<u32>,
}

impl Calibration {
    pub(super) fn fit(unseen: &[Unseen]) -> Self {
        let known: Vec<&Unseen> = unseen.iter().filter(|sentence| sentence.intent.is_some()).collect();
        let (rows, labels): (Vec<Vec<f32>>, Vec<u32>) = known.iter().filter_map(|s| Some((s.scores.clone(), s.intent?))).unzip();
        let score = mean_and_deviation(known.iter().map(|s| largest(&s.scores).1));
        let nearness = mean_and_deviation(known.iter().map(|s| s.nearness));
        let mut calibration = Self { temperature: fit_temperature(&rows, &labels), score, nearness, threshold: f32::MIN };
        let mut belonging: Vec<f32> = known.iter().map(|s| calibration.belonging(largest(&s.scores).1, s.nearness)).collect();
        belonging.sort_by(f32::total_cmp);
        calibration.threshold = belonging.get(((1.0 - KEPT) * belonging.len() as f32) as usize).copied().unwrap_or(f32::MIN);
        calibration
    }

    /// How much a sentence is like those that the desk is for: the standardised sum of both signs.
    pub(super) fn belonging(&self, largest_score: f32, nearness: f32) -> f32 {
        (largest_score - self.score.0) / self.score.1 + (nearness - self.nearness.0) / self.nearness.1
    }

    pub(super) fn probabilities(&self, scores: &[f32]) -> Vec<f32> {
        softmax(scores, self.temperature)
    }
}

/// The largest score and its place.
pub(super) fn largest(scores: &[f32]) -> (usize, f32) {
    scores.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, f32::MIN))
}

fn mean_and_deviation(values: impl Iterator<Item = f32> + Clone) -> (f32, f32) {
    let count = values.clone().count().max(1) as f32;
    let mean = values.clone().sum::<f32>() / count;
    let variance = values.map(|v| (v - mean).powi(2)).sum::<f32>() / count;
    (mean, variance.sqrt().max(1e-6))
}
