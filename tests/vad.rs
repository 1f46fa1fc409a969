//! The real voice detector finds the speech in real files, and nothing where nobody speaks.

use std::path::Path;

mod common;

use common::{model as model_file, path, runtime};
use kioskd::audio::{AudioConfig, AudioError, Vad, decode_file, pieces};
use kioskd::domain::EndedBy;
use kioskd::onnx::{OnnxError, OnnxRuntime};

fn load(model: &str) -> Result<Vad, AudioError> {
    Vad::load(&runtime(), &model_file(model))
}

/// Where the pieces of a fixture begin and end, in seconds, and by what.
fn cut(fixture: &str) -> Vec<(f32, f32, EndedBy)> {
    let config = AudioConfig::default();
    let sound = decode_file(&path("audio_fixtures").join(fixture), config.file_limits()).unwrap();
    let mut vad = load("silero-vad").unwrap();
    let found = pieces(&sound.pcm, &mut vad, &config.endpoint).unwrap();
    let place = |from_ms: u64, seconds: f32| (from_ms as f32 / 1_000.0, from_ms as f32 / 1_000.0 + seconds);
    found
        .iter()
        .map(|piece| (place(piece.from_ms, piece.utterance.pcm.seconds()), piece.utterance.ended_by))
        .map(|((a, b), by)| (a, b, by))
        .collect()
}

#[test]
fn nobody_speaks_in_silence_noise_and_hum() {
    for fixture in ["silence.wav", "white-noise.flac", "hum.flac", "kitchen.flac", "bad/too-short.wav"] {
        assert_eq!(cut(fixture), [], "{fixture}");
    }
}

#[test]
fn a_question_between_two_silences_is_one_piece_at_its_place() {
    let [(from, to, EndedBy::Silence)] = cut("person.padded.flac")[..] else { panic!("one question, ended by silence") };
    // The voice is heard from 3.04 s to 4.32 s.
    assert!((2.6..3.04).contains(&from) && (4.32..4.6).contains(&to), "{from} {to}");
}

#[test]
fn the_first_word_is_not_lost_over_the_telephone() {
    for fixture in ["close.telephone.wav", "offers.telephone.wav", "person.telephone.wav", "cheaper-juice.telephone-a-law.wav"] {
        let [(from, ..)] = cut(fixture)[..] else { panic!("{fixture} is one question") };
        assert!(from < 0.25, "{fixture} is heard from {from} s");
    }
}

#[test]
fn ten_questions_in_a_row_are_ten_pieces() {
    assert_eq!(cut("ten-questions.ogg").len(), 10);
}

#[test]
fn the_runtime_may_be_loaded_as_often_as_needed_but_from_one_file() {
    let (_first, _second) = (runtime(), runtime());
    let other = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(OnnxRuntime::load(other.path()), Err(OnnxError::SecondLibrary { .. })));
    assert!(matches!(OnnxRuntime::load(Path::new("/nowhere.so")), Err(OnnxError::Library { .. })));
}

#[test]
fn a_file_that_is_no_model_and_a_model_that_is_no_detector_are_refused() {
    assert!(matches!(load("minilm-tokenizer"), Err(AudioError::Onnx(OnnxError::Model { .. }))));
    let sentence = load("grocery-classifier-first").err().map(|error| error.to_string()).unwrap_or_default();
    assert!(sentence.contains("expected input, state, sr"), "{sentence}");
}
