use crate::audio::EndpointConfig;
use crate::domain::Probability;
use crate::language::Ending;
use crate::speech::grammar::Progress;

// The numbers below were chosen on the development part of benches/endpoint/join.py: of a grid, the least false cut-offs at a median wait
// of 300 ms for voice and words together, docs/results/endpoint.md. They are no probabilities: the voice weighs about a third of what it
// claims, as half of all pauses inside a sentence sound complete to it.

/// Log-odds from which the speaker is taken to be surely done, and down to which to be surely not. Between them the wait grows evenly.
const SURELY_DONE: f32 = 1.5;
const SURELY_NOT: f32 = 1.0;

/// How much the voice's own log-odds count.
const SOUND_WEIGHT: f32 = 0.35;

/// The voice is never surer than this.
const SOUND_MIN: f32 = 0.002;

/// What stands for a voice, or for words, of which nothing is known: about their mean, so that the other alone can still decide.
const SOUND_UNKNOWN: f32 = 0.5;
const ENDING_UNKNOWN: f32 = 0.75;

/// What is known, at a pause, about whether the speaker is done. What is not known is `None` and counts neither way.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Evidence {
    /// How likely the voice is done, by Smart Turn.
    pub sound: Option<Probability>,
    /// How the words end.
    pub ending: Option<Ending>,
    /// Where the words stand in a grammar.
    pub progress: Option<Progress>,
}

/// Silence that ends the utterance, in milliseconds from the beginning of the silence: between `wait_finished_ms` and `wait_unfinished_ms`,
/// less the surer it is that the speaker is done. Without any evidence it is `trailing_silence_ms`.
pub fn patience_ms(evidence: &Evidence, config: &EndpointConfig) -> u32 {
    match log_odds(evidence) {
        None => config.trailing_silence_ms,
        Some(log_odds) => {
            let unsure = ((SURELY_DONE - log_odds + config.caution) / (SURELY_DONE - SURELY_NOT)).clamp(0.0, 1.0);
            let span_ms = config.wait_unfinished_ms.saturating_sub(config.wait_finished_ms);
            config.wait_finished_ms + (unsure * span_ms as f32).round() as u32
        }
    }
}

/// Log-odds that the speaker is done; `None` where nothing is known.
fn log_odds(evidence: &Evidence) -> Option<f32> {
    let progress = match evidence.progress {
        None | Some(Progress::Impossible) => None,
        Some(Progress::Partial) => Some(-3.0),
        Some(Progress::Final) => Some(0.5),
    };
    if evidence.sound.is_none() && evidence.ending.is_none() && progress.is_none() {
        return None;
    }
    let sound = evidence.sound.map_or(SOUND_UNKNOWN, |done| {
        let done = done.get().clamp(SOUND_MIN, 1.0 - SOUND_MIN);
        SOUND_WEIGHT * (done / (1.0 - done)).ln()
    });
    let ending = match evidence.ending {
        None => ENDING_UNKNOWN,
        Some(Ending::Unfinished) => -3.0,
        Some(Ending::Open) => 0.25,
        Some(Ending::Finished) => 1.0,
    };
    Some(sound + ending + progress.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SURE: Option<f32> = Some(0.99);
    const UNSURE: Option<f32> = Some(0.5);
    const GOES_ON: Option<f32> = Some(0.02);

    fn wait_ms(sound: Option<f32>, ending: Option<Ending>, progress: Option<Progress>) -> u32 {
        patience_ms(&Evidence { sound: sound.map(Probability::clamped), ending, progress }, &EndpointConfig::default())
    }

    #[test]
    fn what_is_known_decides_how_long_is_waited() {
        use Ending::{Finished, Open, Unfinished};
        let config = EndpointConfig::default();
        let (least, most) = (config.wait_finished_ms, config.wait_unfinished_ms);
        let table = [
            // Voice and words agree.
            (SURE, Some(Finished), None, least..=least),
            (SURE, Some(Finished), Some(Progress::Final), least..=least),
            (GOES_ON, Some(Unfinished), None, most..=most),
            (GOES_ON, Some(Open), None, most..=most),
            // "A latte with": whatever the voice did.
            (SURE, Some(Unfinished), None, 1_000..=most),
            (SURE, Some(Open), Some(Progress::Partial), 1_000..=most),
            // A whole sentence in a voice that is not done.
            (GOES_ON, Some(Finished), None, 700..=most),
            // The grammar does not know what was said, and says nothing.
            (SURE, Some(Finished), Some(Progress::Impossible), least..=least),
            // Half of it is missing.
            (SURE, None, None, least..=500),
            (None, Some(Finished), None, least..=1_000),
            (None, Some(Unfinished), None, most..=most),
            (UNSURE, None, None, 500..=most),
            (None, None, None, config.trailing_silence_ms..=config.trailing_silence_ms),
        ];
        for (row, (sound, ending, progress, expected)) in table.into_iter().enumerate() {
            let found = wait_ms(sound, ending, progress);
            assert!(expected.contains(&found), "row {row}: {found} ms, expected {expected:?}");
        }
    }

    #[test]
    fn a_surer_voice_is_never_waited_for_longer() {
        for ending in [None, Some(Ending::Unfinished), Some(Ending::Open), Some(Ending::Finished)] {
            let waits: Vec<u32> = (0..=100).map(|percent| wait_ms(Some(percent as f32 / 100.0), ending, None)).collect();
            assert!(waits.is_sorted_by(|a, b| a >= b), "{ending:?}: {waits:?}");
        }
    }

    #[test]
    fn caution_waits_longer() {
        let evidence = Evidence { sound: Some(Probability::clamped(0.7)), ending: Some(Ending::Finished), progress: None };
        let of = |caution| patience_ms(&evidence, &EndpointConfig { caution, ..Default::default() });
        assert!(of(1.0) > of(0.0) || of(0.0) > of(-1.0));
        assert!(of(5.0) == EndpointConfig::default().wait_unfinished_ms && of(-5.0) == EndpointConfig::default().wait_finished_ms);
    }
}
