use std::f64::consts::PI;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{FftError, RealFftPlanner, RealToComplex};

use crate::domain::SAMPLE_RATE;

/// Mel bands of Whisper's smaller models.
pub(super) const BANDS: usize = 80;

/// Samples from one column to the next: 10 ms.
pub(super) const HOP: usize = 160;

/// Samples in a window: 25 ms.
const WINDOW: usize = 400;

/// Frequencies of a window's spectrum, 0 to 8 kHz.
const FREQUENCIES: usize = WINDOW / 2 + 1;

/// Power below this counts as this, so that silence has a logarithm.
const POWER_MIN: f64 = 1e-10;

/// Powers of ten that a column may lie below the loudest of the whole sound; the rest is cut off.
const RANGE: f64 = 8.0;

/// Whisper's picture of sound: the logarithm of the power in 80 bands, every 10 ms.
///
/// Worked out in double precision, as the reference is; 8 s take about 10 ms.
///
/// # Source
/// Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), section 2.2, and openai-whisper's `audio.py`,
/// `log_mel_spectrogram`. The scale is that of Slaney, "Auditory Toolbox" (1998), each band divided by half its width in Hz, as librosa
/// makes them (`htk=False`, `norm="slaney"`).
pub(super) struct LogMel {
    fft: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    bands: Vec<Band>,
}

/// A triangle over neighbouring frequencies.
struct Band {
    /// Index of the first frequency.
    first: usize,
    weights: Vec<f64>,
}

impl LogMel {
    pub(super) fn new() -> Self {
        // Periodic, as for a spectrum: the last sample is not the mirror of the first.
        let window = (0..WINDOW).map(|n| 0.5 - 0.5 * (2.0 * PI * n as f64 / WINDOW as f64).cos()).collect();
        Self { fft: RealFftPlanner::new().plan_fft_forward(WINDOW), window, bands: bands() }
    }

    /// Columns of `[80]`, band after band: `[80, samples / 160]`, flat. Sound of up to 200 samples has no columns, as its edges cannot be
    /// mirrored.
    ///
    /// # Errors
    /// Never for what this makes itself: the lengths that the transform is given are its own.
    pub(super) fn of(&self, samples: &[f32]) -> Result<Vec<f32>, FftError> {
        if samples.len() <= WINDOW / 2 {
            return Ok(Vec::new());
        }
        let columns = samples.len() / HOP;
        let mut logarithms = vec![0.0; BANDS * columns];
        let mut segment = self.fft.make_input_vec();
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        let mut power = [0.0; FREQUENCIES];
        for column in 0..columns {
            for (at, (value, weight)) in segment.iter_mut().zip(&self.window).enumerate() {
                *value = f64::from(mirrored(samples, column * HOP + at)) * weight;
            }
            self.fft.process_with_scratch(&mut segment, &mut spectrum, &mut scratch)?;
            power.iter_mut().zip(&spectrum).for_each(|(power, value)| *power = Complex::norm_sqr(value));
            for (row, band) in self.bands.iter().enumerate() {
                let sum: f64 = band.weights.iter().zip(&power[band.first..]).map(|(weight, power)| weight * power).sum();
                logarithms[row * columns + column] = sum.max(POWER_MIN).log10();
            }
        }
        let loudest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Brought to about -1..=1, as the model was trained.
        Ok(logarithms.into_iter().map(|value| ((value.max(loudest - RANGE) + 4.0) / 4.0) as f32).collect())
    }
}

/// The sample at `at` of a sound with half a window of its own mirror image before and after it.
fn mirrored(samples: &[f32], at: usize) -> f32 {
    let from_start = at.abs_diff(WINDOW / 2);
    let last = samples.len() - 1;
    samples[if from_start > last { (2 * last).saturating_sub(from_start) } else { from_start }]
}

/// Slaney's scale: even steps up to 1 kHz, then even ratios.
fn hertz(mel: f64) -> f64 {
    const LINEAR_UP_TO_MEL: f64 = 15.0;
    if mel < LINEAR_UP_TO_MEL { 200.0 * mel / 3.0 } else { 1_000.0 * ((mel - LINEAR_UP_TO_MEL) * 6.4_f64.ln() / 27.0).exp() }
}

fn bands() -> Vec<Band> {
    // The mel of half the sample rate, 8 kHz.
    let highest_mel = 15.0 + 8.0_f64.ln() * 27.0 / 6.4_f64.ln();
    let corners: Vec<f64> = (0..BANDS + 2).map(|n| hertz(highest_mel * n as f64 / (BANDS + 1) as f64)).collect();
    let frequency = |n: usize| n as f64 * f64::from(SAMPLE_RATE) / WINDOW as f64;
    corners
        .windows(3)
        .map(|corner| {
            let weight = |n: usize| {
                let rising = (frequency(n) - corner[0]) / (corner[1] - corner[0]);
                let falling = (corner[2] - frequency(n)) / (corner[2] - corner[1]);
                rising.min(falling).max(0.0) * 2.0 / (corner[2] - corner[0])
            };
            let first = (0..FREQUENCIES).find(|n| weight(*n) > 0.0).unwrap_or(0);
            Band { first, weights: (first..FREQUENCIES).map(weight).take_while(|weight| *weight > 0.0).collect() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chord with a slow swell: integers and sines only, so that any language makes the same samples.
    fn chord(samples: usize) -> Vec<f32> {
        let tone = |n: usize, hertz: f64| (2.0 * PI * hertz * n as f64 / f64::from(SAMPLE_RATE)).sin();
        (0..samples).map(|n| (0.3 * tone(n, 220.0) + 0.2 * tone(n, 1_370.0) * tone(n, 3.0) + 0.05 * tone(n, 5_100.0)) as f32).collect()
    }

    #[test]
    fn the_numbers_are_those_of_the_reference() {
        let columns = 50;
        let found = LogMel::new().of(&chord(columns * HOP)).unwrap();
        assert_eq!(found.len(), BANDS * columns);
        // (band, column, value), printed by `benches/endpoint/reference.py mel`.
        let expected: [(usize, usize, f32); 14] = [
            (0, 0, 1.032204),
            (2, 0, 1.105635),
            (7, 0, 1.156069),
            (8, 1, 0.572564),
            (8, 25, 0.489354),
            (20, 10, -0.535166),
            (33, 5, 1.017446),
            (33, 49, 0.728202),
            (34, 30, 1.102874),
            (50, 20, -0.698140),
            (66, 12, -0.698140),
            (67, 48, 0.041612),
            (79, 0, 0.081598),
            (79, 49, -0.698140),
        ];
        for (band, column, value) in expected {
            let ours = found[band * columns + column];
            assert!((ours - value).abs() < 1e-4, "band {band}, column {column}: {ours}, expected {value}");
        }
    }

    #[test]
    fn silence_and_a_moment_are_no_trouble() {
        assert!(LogMel::new().of(&[0.0; 1_600]).unwrap().iter().all(|value| *value == -1.5));
        assert_eq!(LogMel::new().of(&[0.5; 200]).unwrap(), Vec::<f32>::new());
        assert_eq!(LogMel::new().of(&[0.5; 201]).unwrap().len(), BANDS);
        assert_eq!(LogMel::new().of(&[]).unwrap(), Vec::<f32>::new());
    }

    #[test]
    fn every_band_has_a_weight() {
        assert_eq!(bands().len(), BANDS);
        assert!(bands().iter().all(|band| !band.weights.is_empty()));
    }
}
