//! How likely a word is right, from the log-probabilities of the tokens that spell it.

/// Straight line between the decoder's own opinion and the odds that it is right (Platt 1999). `kioskd evaluate speech` prints how well it
/// holds, as `word_ece`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Log-odds for each unit of log-odds of the decoder.
    pub slope: f32,
    /// Log-odds where the decoder says one half.
    pub offset: f32,
}

impl Calibration {
    /// What the decoder says itself.
    pub const NONE: Self = Self { slope: 1.0, offset: 0.0 };

    /// Fitted on 2,760 words of people (census, books, keywords, digits; the first three in a kitchen too) with `tiny.en-short`: right words
    /// are doubted more often than wrong ones are believed, as one unlikely token is enough for a doubt.
    pub const FITTED: Self = Self { slope: 1.2, offset: 2.0 };

    /// Probability that a word is right whose tokens have these log-probabilities: its least likely token decides.
    pub fn word(&self, log_probabilities: &[f32]) -> f32 {
        logistic(self.slope * evidence(log_probabilities) + self.offset)
    }
}

/// Log-odds of the least likely token, kept where a float can still tell them apart.
pub fn evidence(log_probabilities: &[f32]) -> f32 {
    let least = log_probabilities.iter().copied().fold(0.0_f32, f32::min);
    let probability = least.exp().clamp(1e-4, 1.0 - 1e-4);
    (probability / (1.0 - probability)).ln()
}

fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_calibration_the_least_likely_token_decides() {
        let confidence = Calibration::NONE.word(&[-0.1, -0.7, -0.2]);
        assert!((confidence - 0.4966).abs() < 1e-3, "{confidence}");
    }

    #[test]
    fn certainty_and_nonsense_stay_probabilities() {
        for scores in [&[0.0][..], &[f32::NEG_INFINITY], &[]] {
            let confidence = Calibration { slope: 0.8, offset: 0.5 }.word(scores);
            assert!((0.0..=1.0).contains(&confidence), "{scores:?}: {confidence}");
        }
    }
}
