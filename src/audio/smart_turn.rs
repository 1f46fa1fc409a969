use std::sync::{Arc, Mutex, PoisonError};

use ort::session::Session;
use ort::value::TensorRef;

use super::AudioError;
use super::log_mel::{BANDS, HOP, LogMel};
use crate::domain::{Probability, SAMPLE_RATE};
use crate::onnx::OnnxRuntime;
use crate::weights::VerifiedFile;

/// What the model hears: the last 8 s.
const HEARD_SAMPLES: usize = 8 * SAMPLE_RATE as usize;

/// Added to the variance, so that silence can be divided by it.
const VARIANCE_MIN: f64 = 1e-7;

const EXPECTED: &str = "input_features [n, 80, 800] and logits [n, 1] (smart-turn-v3.2-cpu.onnx)";

/// Tells from the sound of a voice whether its owner is done: pitch, pace and the drawl of whoever looks for a word.
///
/// To be asked at a pause, with the utterance up to that pause. It remembers nothing, so all streams share one: clones take turns at the
/// same network. A call takes some 50 ms on an idle core, most of it in the network, whatever the length of the sound.
///
/// # Source
/// Daily, "Smart Turn" v3.2 (2025), BSD-2-Clause; the contract is that of pipecat 1.14.0, `local_smart_turn_v3.py` and
/// `_whisper_features.py`.
#[derive(Clone)]
pub struct SmartTurn {
    session: Arc<Mutex<Session>>,
    log_mel: Arc<LogMel>,
}

impl SmartTurn {
    /// Loads the model, for one thread: it runs while the recogniser does.
    ///
    /// # Errors
    /// [`AudioError::Onnx`] where the file is no ONNX model, [`AudioError::EndOfTurnContract`] where it is another one.
    pub fn load(runtime: &OnnxRuntime, model: &VerifiedFile) -> Result<Self, AudioError> {
        let session = runtime.session(model, 1)?;
        let inputs: Vec<String> = session.inputs().iter().map(|input| input.name().to_owned()).collect();
        let outputs: Vec<String> = session.outputs().iter().map(|output| output.name().to_owned()).collect();
        if inputs != ["input_features"] || outputs != ["logits"] {
            return Err(AudioError::EndOfTurnContract { inputs, outputs, expected: EXPECTED });
        }
        Ok(Self { session: Arc::new(Mutex::new(session)), log_mel: Arc::new(LogMel::new()) })
    }

    /// How likely it is that the speaker is done, given the utterance so far at 16 kHz with the first moment of the pause. Only its last
    /// 8 s are heard.
    ///
    /// # Errors
    /// [`AudioError::EndOfTurn`] where ONNX Runtime fails.
    pub fn complete(&self, utterance: &[f32]) -> Result<Probability, AudioError> {
        let failed = |reason: String| AudioError::EndOfTurn { reason };
        let picture = self.log_mel.of(&prepared(utterance)).map_err(|error| failed(error.to_string()))?;
        let done = self.run(&picture).map_err(|error| failed(error.to_string()))?;
        Probability::new(done).map_err(|error| failed(error.to_string()))
    }

    /// The output is called logits, but the model's last layer makes a probability of it.
    fn run(&self, picture: &[f32]) -> ort::Result<f32> {
        let columns = picture.len() / BANDS;
        // A run that panicked left nothing behind in the session that the next one reads.
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(ort::inputs!["input_features" => TensorRef::from_array_view(([1, BANDS, columns], picture))?])?;
        let (_, done) = outputs["logits"].try_extract_tensor::<f32>()?;
        match done {
            [done] => Ok(*done),
            _ => Err(ort::Error::new(format!("it gave {} numbers; expected 1", done.len()))),
        }
    }
}

/// The last 8 s, with silence in front of what is shorter, brought to mean 0 and variance 1.
fn prepared(utterance: &[f32]) -> Vec<f32> {
    let last = &utterance[utterance.len().saturating_sub(HEARD_SAMPLES)..];
    let mut sound = vec![0.0; HEARD_SAMPLES - last.len()];
    sound.extend_from_slice(last);
    let mean = sound.iter().map(|s| f64::from(*s)).sum::<f64>() / HEARD_SAMPLES as f64;
    let variance = sound.iter().map(|s| (f64::from(*s) - mean).powi(2)).sum::<f64>() / HEARD_SAMPLES as f64;
    let scale = 1.0 / (variance + VARIANCE_MIN).sqrt();
    sound.iter_mut().for_each(|s| *s = ((f64::from(*s) - mean) * scale) as f32);
    sound
}

const _: () = assert!(HEARD_SAMPLES / HOP == 800, "the model's input has 800 columns");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_sound_has_silence_in_front_and_long_sound_loses_its_beginning() {
        let short = prepared(&[0.5, -0.5]);
        assert_eq!(short.len(), HEARD_SAMPLES);
        assert!(short[HEARD_SAMPLES - 2] > 200.0 && short[HEARD_SAMPLES - 1] < -200.0 && short[0].abs() < 1e-3);
        let mut long = vec![1.0; HEARD_SAMPLES];
        long.extend((0..HEARD_SAMPLES).map(|n| if n % 2 == 0 { 0.1 } else { -0.1 }));
        assert!(prepared(&long).iter().all(|s| (s.abs() - 1.0).abs() < 0.01), "the loud beginning is not heard");
    }

    #[test]
    fn silence_stays_silence() {
        assert!(prepared(&[]).iter().all(|s| *s == 0.0));
    }
}
