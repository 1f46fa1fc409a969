use std::sync::{Arc, Mutex, PoisonError};

use ort::session::Session;
use ort::value::TensorRef;

use super::AudioError;
use super::framer::{FRAME_SAMPLES, Frame};
use crate::domain::{Probability, SAMPLE_RATE};
use crate::onnx::OnnxRuntime;
use crate::weights::VerifiedFile;

/// Samples of the frame before that the model sees again, at 16 kHz.
const CONTEXT_SAMPLES: usize = 64;

/// The model's memory: `[2, 1, 128]`, hidden and cell state of its LSTM.
const STATE_SHAPE: [usize; 3] = [2, 1, 128];

const EXPECTED: &str = "input, state, sr and output, stateN (silero_vad_16k_op15.onnx)";

/// Tells speech from everything else, 32 ms at a time, with the Silero model.
///
/// One detector listens to one stream, as it remembers what came before; [`Vad::reset`] makes it forget. A frame takes about 0.15 ms on
/// one core, half a percent of its length.
///
/// # Source
/// Silero Team, "Silero VAD" 6.2 (2025), MIT; the contract is that of its own `utils_vad.py`, class `OnnxWrapper`.
pub struct Vad {
    session: Arc<Mutex<Session>>,
    /// `[64 + 512]`: the end of the frame before, then the frame.
    window: [f32; CONTEXT_SAMPLES + FRAME_SAMPLES],
    /// `[2, 1, 128]`, flat.
    state: Vec<f32>,
}

impl Vad {
    /// Loads the model. One thread is enough: more cost more than they bring at this size.
    ///
    /// # Errors
    /// [`AudioError::Onnx`] where the file is no ONNX model, [`AudioError::VadContract`] where it is another one.
    pub fn load(runtime: &OnnxRuntime, model: &VerifiedFile) -> Result<Self, AudioError> {
        let session = runtime.session(model, 1)?;
        let inputs: Vec<String> = session.inputs().iter().map(|input| input.name().to_owned()).collect();
        let outputs: Vec<String> = session.outputs().iter().map(|output| output.name().to_owned()).collect();
        let has = |names: &[String], wanted: &[&str]| wanted.iter().all(|name| names.iter().any(|found| found == name));
        if !has(&inputs, &["input", "state", "sr"]) || !has(&outputs, &["output", "stateN"]) {
            return Err(AudioError::VadContract { inputs, outputs, expected: EXPECTED });
        }
        Ok(Self::fresh(Arc::new(Mutex::new(session))))
    }

    /// A detector for another stream, with a memory of its own over the same network.
    pub fn sibling(&self) -> Self {
        Self::fresh(Arc::clone(&self.session))
    }

    fn fresh(session: Arc<Mutex<Session>>) -> Self {
        Self { session, window: [0.0; CONTEXT_SAMPLES + FRAME_SAMPLES], state: vec![0.0; STATE_SHAPE.iter().product()] }
    }

    /// How likely it is that somebody speaks in this frame, which follows the one before without a gap.
    ///
    /// # Errors
    /// [`AudioError::Vad`] where ONNX Runtime fails. The detector should then be reset.
    pub fn score(&mut self, frame: &Frame) -> Result<Probability, AudioError> {
        self.window[CONTEXT_SAMPLES..].copy_from_slice(frame);
        let score = self.run().map_err(|error| AudioError::Vad { reason: error.to_string() })?;
        self.window.copy_within(FRAME_SAMPLES.., 0);
        Probability::new(score).map_err(|error| AudioError::Vad { reason: error.to_string() })
    }

    /// Forgets what was heard: for a new utterance, call or file.
    pub fn reset(&mut self) {
        self.window.fill(0.0);
        self.state.fill(0.0);
    }

    fn run(&mut self) -> ort::Result<f32> {
        // sr is a scalar: no dimensions, one value.
        let (no_dimensions, rate): ([usize; 0], _) = ([], [i64::from(SAMPLE_RATE)]);
        // A run that panicked left nothing behind in the session that the next one reads.
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(ort::inputs![
            "input" => TensorRef::from_array_view(([1, self.window.len()], &self.window[..]))?,
            "state" => TensorRef::from_array_view((STATE_SHAPE, &self.state[..]))?,
            "sr" => TensorRef::from_array_view((no_dimensions, &rate[..]))?,
        ])?;
        let (_, score) = outputs["output"].try_extract_tensor::<f32>()?;
        let (_, state) = outputs["stateN"].try_extract_tensor::<f32>()?;
        if score.len() != 1 || state.len() != self.state.len() {
            return Err(ort::Error::new(format!("it gave {} scores and a state of {}; expected 1 and 256", score.len(), state.len())));
        }
        self.state.copy_from_slice(state);
        Ok(score[0])
    }
}
