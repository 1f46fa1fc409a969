use crate::domain::Voice;

/// Changes that count as much raised: 6 dB louder, four semitones higher, a third quicker.
const LEVEL_DB: f32 = 6.0;
const PITCH_SEMITONES: f32 = 4.0;
const RATE_SHARE: f32 = 0.33;
/// From here on words are friendly, and a raised voice is joy.
const FRIENDLY: f32 = 0.25;
/// The most that a voice takes off.
const MOST: f32 = 0.3;

/// Sentiment of what was said, from -1 to 1, with the voice that said it: a voice that is raised above its own beginning makes plain and
/// unfriendly words worse, and changes nothing about friendly ones.
///
/// It compares a person with nobody but themselves, since voices, rooms and microphones differ more than moods do. There were no labelled
/// voices to fit it to: the limits are a choice, and so is how little it may change.
pub fn with_voice(sentiment: f32, first: Voice, now: Voice) -> f32 {
    if sentiment >= FRIENDLY {
        return sentiment;
    }
    (sentiment - MOST * raised(first, now)).clamp(-1.0, 1.0)
}

/// From 0, as at the beginning or calmer, to 1.
fn raised(first: Voice, now: Voice) -> f32 {
    let level = (now.level_dbfs - first.level_dbfs) / LEVEL_DB;
    let pitch = 12.0 * (now.pitch_hz / first.pitch_hz.max(1.0)).max(0.01).log2() / PITCH_SEMITONES;
    let rate = first.words_per_s.zip(now.words_per_s).map(|(before, now)| (now / before.max(0.1) - 1.0) / RATE_SHARE);
    let signs: Vec<f32> = [Some(level), Some(pitch), rate].into_iter().flatten().map(|sign| sign.clamp(-1.0, 1.0)).collect();
    (signs.iter().sum::<f32>() / signs.len() as f32).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Voice = Voice { level_dbfs: -26.0, pitch_hz: 120.0, words_per_s: Some(2.5) };
    const RAISED: Voice = Voice { level_dbfs: -19.0, pitch_hz: 160.0, words_per_s: Some(3.6) };

    #[test]
    fn a_raised_voice_makes_plain_and_unfriendly_words_worse_and_friendly_ones_not() {
        for (said, expected) in [(0.0, -0.3), (-0.5, -0.8), (-0.9, -1.0), (0.6, 0.6)] {
            assert!((with_voice(said, CALM, RAISED) - expected).abs() < 1e-6, "{said}");
        }
    }

    #[test]
    fn the_same_or_a_calmer_voice_changes_nothing() {
        assert_eq!(with_voice(-0.2, CALM, CALM), -0.2);
        assert_eq!(with_voice(-0.2, RAISED, CALM), -0.2);
    }

    #[test]
    fn one_sign_alone_counts_a_third() {
        let louder = Voice { level_dbfs: CALM.level_dbfs + 6.0, ..CALM };
        assert!((with_voice(0.0, CALM, louder) + 0.1).abs() < 1e-6);
    }
}
