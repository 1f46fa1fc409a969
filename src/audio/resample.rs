use audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler as _};

use super::AudioError;
use crate::domain::SAMPLE_RATE;

/// Length of the block that is transformed at once, as a share of a second: 20 ms at the usual rates. A longer block would keep a
/// little more between 7.6 and 8 kHz; a shorter one would answer sooner. Rates that share no divisor with 16 kHz need a longer one.
const BLOCKS_PER_SECOND: u32 = 50;

/// Brings mono sound of any rate to 16 kHz, chunk by chunk.
///
/// The delay of the filter is taken out: sample 0 out is sample 0 in, and [`Resampler::finish`] makes the whole as long as the input to
/// within half a sample. How the input is cut into chunks makes no difference to what comes out.
pub struct Resampler {
    rate: u32,
    /// None where the sound is at 16 kHz already.
    filter: Option<Filter>,
    samples_in: u64,
    samples_out: u64,
}

/// The FFT resampler with the buffers around it.
struct Filter {
    fft: Fft<f32>,
    /// Input that does not fill a block yet.
    waiting: Vec<f32>,
    block_out: Vec<f32>,
    /// Samples still to come out of the filter before the first real one.
    delay_left: usize,
}

impl Resampler {
    /// For sound at `rate` Hz, which must not be 0.
    ///
    /// # Errors
    /// [`AudioError::Resampler`] where the filter cannot be built.
    pub fn new(rate: u32) -> Result<Self, AudioError> {
        let filter = if rate == SAMPLE_RATE { None } else { Some(Filter::new(rate)?) };
        Ok(Self { rate, filter, samples_in: 0, samples_out: 0 })
    }

    /// Takes samples and appends what is ready to `out`.
    ///
    /// # Errors
    /// [`AudioError::Resampler`] where the filter refuses to run, which its own documentation rules out.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<(), AudioError> {
        let before = out.len();
        match &mut self.filter {
            None => out.extend_from_slice(samples),
            Some(filter) => filter.push(samples, out).map_err(|error| refused(self.rate, &error))?,
        }
        self.samples_in += samples.len() as u64;
        self.samples_out += (out.len() - before) as u64;
        Ok(())
    }

    /// Drains the filter into `out`, so that all that came out together lasts as long as all that went in.
    ///
    /// # Errors
    /// As [`Resampler::push`].
    pub fn finish(mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        let wanted = duration_kept(self.samples_in, self.rate);
        // Each turn gives a block, and less than two blocks are held back: this ends.
        while let Some(filter) = &mut self.filter
            && self.samples_out < wanted
        {
            let before = out.len();
            let silence = vec![0.0; filter.fft.input_frames_next()];
            filter.push(&silence, out).map_err(|error| refused(self.rate, &error))?;
            self.samples_out += (out.len() - before) as u64;
        }
        let surplus = self.samples_out.saturating_sub(wanted) as usize;
        out.truncate(out.len().saturating_sub(surplus));
        Ok(())
    }
}

impl Filter {
    fn new(rate: u32) -> Result<Self, AudioError> {
        let block = block_samples(rate);
        let fft =
            Fft::new_custom(rate as usize, SAMPLE_RATE as usize, block, 1, 1, rubato::WindowFunction::BlackmanHarris2, FixedSync::Both)
                .map_err(|error| refused(rate, &error))?;
        let block_out = vec![0.0; fft.output_frames_max()];
        Ok(Self { delay_left: fft.output_delay(), fft, waiting: Vec::new(), block_out })
    }

    fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<(), rubato::ResampleError> {
        self.waiting.extend_from_slice(samples);
        let block = self.fft.input_frames_next();
        let ready = self.waiting.len() / block * block;
        for start in (0..ready).step_by(block) {
            // Both buffers hold what they are said to hold, so neither size can be refused.
            let (Ok(input), Ok(mut output)) = (
                SequentialSlice::new(&self.waiting[start..start + block], 1, block),
                SequentialSlice::new_mut(&mut self.block_out, 1, self.fft.output_frames_next()),
            ) else {
                continue;
            };
            let (_, written) = self.fft.process_into_buffer(&input, &mut output, None)?;
            let late = self.delay_left.min(written);
            self.delay_left -= late;
            out.extend_from_slice(&self.block_out[late..written]);
        }
        self.waiting.drain(..ready);
        Ok(())
    }
}

/// Brings a whole sound to 16 kHz.
///
/// # Errors
/// As [`Resampler::push`].
pub fn resample(samples: &[f32], rate: u32) -> Result<Vec<f32>, AudioError> {
    let mut out = Vec::with_capacity(duration_kept(samples.len() as u64, rate) as usize);
    let mut resampler = Resampler::new(rate)?;
    resampler.push(samples, &mut out)?;
    resampler.finish(&mut out)?;
    Ok(out)
}

/// Samples at `rate` Hz that are transformed at once: the smallest number that lasts at least 20 ms, is a whole number of samples at
/// 16 kHz, and is even. The middle of the filter's odd blocks lies between two samples, so its delay could not be taken out exactly.
fn block_samples(rate: u32) -> usize {
    let smallest = rate / greatest_common_divisor(rate, SAMPLE_RATE);
    let step = if smallest.is_multiple_of(2) { smallest } else { 2 * smallest };
    ((rate / BLOCKS_PER_SECOND).div_ceil(step).max(1) * step) as usize
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// How many samples at 16 kHz last as long as `samples` at `rate` Hz, rounded to the nearest.
fn duration_kept(samples: u64, rate: u32) -> u64 {
    (samples * u64::from(SAMPLE_RATE) + u64::from(rate) / 2) / u64::from(rate.max(1))
}

fn refused(rate: u32, error: &dyn std::error::Error) -> AudioError {
    AudioError::Resampler { rate, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USUAL_RATES: [u32; 10] = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000];

    fn tone(hertz: f32, rate: u32, seconds: f32) -> Vec<f32> {
        let step = std::f32::consts::TAU * hertz / rate as f32;
        (0..(seconds * rate as f32) as usize).map(|n| 0.5 * (step * n as f32).sin()).collect()
    }

    fn rms(samples: &[f32]) -> f32 {
        (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt()
    }

    #[test]
    fn a_tone_keeps_its_pitch_its_level_and_its_place() {
        for rate in USUAL_RATES {
            let heard = resample(&tone(440.0, rate, 1.0), rate).unwrap();
            let wanted = tone(440.0, SAMPLE_RATE, 1.0);
            assert_eq!(heard.len(), wanted.len(), "{rate} Hz");
            // The ends are left out: there the filter sees the silence around the tone.
            let middle = 1_600..14_400;
            let error: Vec<f32> = heard[middle.clone()].iter().zip(&wanted[middle.clone()]).map(|(h, w)| h - w).collect();
            assert!(rms(&error) < 0.002, "{rate} Hz: error {}", rms(&error));
            assert!((rms(&heard[middle]) - 0.5 / 2_f32.sqrt()).abs() < 0.002, "{rate} Hz");
        }
    }

    #[test]
    fn what_16_khz_cannot_carry_is_filtered_out_and_not_folded_down() {
        let heard = resample(&tone(10_000.0, 48_000, 1.0), 48_000).unwrap();
        assert!(rms(&heard[1_600..14_400]) < 0.001);
    }

    #[test]
    fn rates_without_a_common_divisor_work_too() {
        for rate in [1_000, 44_099, 384_000] {
            let heard = resample(&tone(220.0, rate, 0.7), rate).unwrap();
            assert_eq!(heard.len() as u64, duration_kept((0.7 * rate as f32) as u64, rate));
        }
    }

    #[test]
    fn nothing_in_gives_nothing_out() {
        assert_eq!(resample(&[], 44_100).unwrap(), Vec::<f32>::new());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn duration_is_kept_to_within_a_sample_period(rate in prop::sample::select(&USUAL_RATES[..]), samples in 0_usize..30_000) {
            let heard = resample(&vec![0.25; samples], rate).unwrap();
            let drift = heard.len() as f64 / f64::from(SAMPLE_RATE) - samples as f64 / f64::from(rate);
            prop_assert!(drift.abs() <= 1.0 / f64::from(SAMPLE_RATE));
        }

        #[test]
        fn any_cutting_of_the_sound_gives_the_same_samples(
            rate in prop::sample::select(&USUAL_RATES[..]),
            cuts in prop::collection::vec(1_usize..3_000, 1..12),
        ) {
            let sound = tone(300.0, rate, 0.2);
            let mut resampler = Resampler::new(rate).unwrap();
            let (mut rest, mut heard) = (&sound[..], Vec::new());
            for cut in cuts {
                let (chunk, later) = rest.split_at(cut.min(rest.len()));
                resampler.push(chunk, &mut heard).unwrap();
                rest = later;
            }
            resampler.push(rest, &mut heard).unwrap();
            resampler.finish(&mut heard).unwrap();
            prop_assert_eq!(heard, resample(&sound, rate).unwrap());
        }
    }
}
