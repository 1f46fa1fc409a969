use std::fmt;
use std::time::Duration;

/// The rate at which speech is heard everywhere inside the house, in samples a second.
pub const SAMPLE_RATE: u32 = 16_000;

/// Why samples were refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PcmError {
    /// NaN or infinity at this sample.
    NotFinite {
        /// Index of the first such sample.
        at: usize,
    },
}

impl fmt::Display for PcmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PcmError::NotFinite { at } => {
                write!(f, "sample {at} of the sound is not a finite number; record it again or export it as 16-bit PCM")
            }
        }
    }
}

impl std::error::Error for PcmError {}

/// Sound ready for the models: 16 kHz, mono, finite, within -1..=1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pcm16k(Vec<f32>);

impl Pcm16k {
    /// Takes samples that are at 16 kHz already; louder ones are clipped, as a loudspeaker would.
    pub fn new(mut samples: Vec<f32>) -> Result<Self, PcmError> {
        if let Some(at) = samples.iter().position(|s| !s.is_finite()) {
            return Err(PcmError::NotFinite { at });
        }
        samples.iter_mut().for_each(|s| *s = s.clamp(-1.0, 1.0));
        Ok(Self(samples))
    }

    /// The samples.
    pub fn samples(&self) -> &[f32] {
        &self.0
    }

    /// A part of the sound; the range is cut to what is there.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        let end = range.end.min(self.0.len());
        Self(self.0[range.start.min(end)..end].to_vec())
    }

    /// How long it lasts.
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.0.len() as f64 / f64::from(SAMPLE_RATE))
    }

    /// How long it lasts, in seconds.
    pub fn seconds(&self) -> f32 {
        self.duration().as_secs_f32()
    }
}

/// What ended an utterance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The person stopped speaking.
    Silence,
    /// It reached the longest length allowed.
    LengthLimit,
    /// The sound itself ended: end of file, line or microphone closed.
    LineClosed,
}

/// What one person said without stopping.
#[derive(Debug, Clone, PartialEq)]
pub struct Utterance {
    /// The sound, with a little quiet before and after.
    pub pcm: Pcm16k,
    /// What ended it.
    pub ended_by: EndedBy,
}
