use super::AudioError;
use super::endpoint::{EndpointConfig, EndpointEvent, Endpointer};
use super::framer::{Frame, Framer};
use super::level::Level;
use super::vad::Vad;
use crate::domain::{Pcm16k, Probability, SAMPLE_RATE, Utterance};

/// An utterance and its place in the sound it was cut from.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Where it begins, in milliseconds from the beginning of the sound.
    pub from_ms: u64,
    /// What was said there.
    pub utterance: Utterance,
}

/// Finds the utterances in a whole sound, such as a file: cut at pauses, none longer than `utterance_ms_max`, none in silence.
///
/// The detector is reset first, so the same sound always gives the same pieces.
///
/// # Errors
/// [`AudioError::Endpoint`] where the config makes no sense, [`AudioError::Vad`] where the detector fails.
pub fn pieces(sound: &Pcm16k, vad: &mut Vad, config: &EndpointConfig) -> Result<Vec<Piece>, AudioError> {
    vad.reset();
    pieces_by(sound, |frame| vad.score(frame), config)
}

/// As [`pieces`], with the detector as a function.
fn pieces_by(
    sound: &Pcm16k,
    mut score: impl FnMut(&Frame) -> Result<Probability, AudioError>,
    config: &EndpointConfig,
) -> Result<Vec<Piece>, AudioError> {
    let mut endpointer = Endpointer::new(config.clone()).map_err(|problems| AudioError::Endpoint { problems })?;
    let mut events = Vec::new();
    let mut hear = |frame: &Frame| -> Result<(), AudioError> {
        events.extend(endpointer.push(score(frame)?, Level::of(frame).rms_dbfs));
        Ok(())
    };
    let mut framer = Framer::default();
    framer.push(sound.samples(), &mut hear)?;
    framer.finish().iter().try_for_each(&mut hear)?;
    events.extend(endpointer.close());
    Ok(events.iter().filter_map(|event| piece(sound, event)).collect())
}

fn piece(sound: &Pcm16k, event: &EndpointEvent) -> Option<Piece> {
    let &EndpointEvent::Ended { ended_by, from_ms, to_ms } = event else { return None };
    let pcm = sound.slice(sample_at(from_ms)..sample_at(to_ms));
    Some(Piece { from_ms, utterance: Utterance { pcm, ended_by } })
}

fn sample_at(ms: u64) -> usize {
    (ms * u64::from(SAMPLE_RATE) / 1_000) as usize
}

#[cfg(test)]
mod tests {
    use super::super::framer::FRAME_SAMPLES;
    use super::*;
    use crate::domain::EndedBy;

    /// Sound that is loud or silent for so many seconds each, and a detector that takes whatever is loud for speech.
    fn cut(parts: &[(f32, f32)]) -> Vec<Piece> {
        let samples = parts.iter().flat_map(|(level, seconds)| vec![*level; (seconds * SAMPLE_RATE as f32) as usize]).collect();
        let loud = |frame: &Frame| Ok(Probability::clamped(frame.iter().sum::<f32>() / FRAME_SAMPLES as f32 * 2.0));
        // A level that never changes is no voice; here it stands for one.
        let config = EndpointConfig { above_noise_db: 0.0, ..Default::default() };
        pieces_by(&Pcm16k::new(samples).unwrap(), loud, &config).unwrap()
    }

    #[test]
    fn silence_has_no_pieces() {
        assert_eq!(cut(&[(0.0, 5.0)]), []);
        assert_eq!(cut(&[]), []);
    }

    #[test]
    fn each_sentence_is_a_piece_at_its_place() {
        let found = cut(&[(0.0, 1.0), (0.5, 1.0), (0.0, 1.0), (0.5, 0.5)]);
        let places: Vec<_> = found.iter().map(|piece| (piece.from_ms, piece.utterance.ended_by)).collect();
        assert_eq!(places, [(692, EndedBy::Silence), (2_676, EndedBy::LineClosed)]);
        assert!((found[0].utterance.pcm.seconds() - 1.5).abs() < 0.1);
    }

    #[test]
    fn ten_minutes_of_talk_are_cut_into_pieces_that_whisper_can_hear() {
        let talk: Vec<_> = (0..60).flat_map(|_| [(0.5, 9.5), (0.2, 0.5)]).collect();
        let found = cut(&talk);
        assert!(found.iter().all(|piece| piece.utterance.pcm.seconds() <= 28.0));
        let total: f32 = found.iter().map(|piece| piece.utterance.pcm.seconds()).sum();
        assert!((total - 600.0).abs() < 1.0, "nothing is lost: {total}");
    }
}
