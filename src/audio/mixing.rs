use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::domain::Pcm16k;

/// Samples of the frames whose loudest is compared: 128 ms, about a syllable.
const FRAME: usize = 2_048;

/// Speech in noise, as long as the speech.
///
/// The signal-to-noise ratio is that of the loudest frames of 2048 samples, in dB: pauses in the clip, and its length, make no difference.
/// The noise is cut out at a place fixed by `seed` and begins anew where it ends. Where the sum would exceed full scale, speech and noise
/// are both made quieter: nothing is clipped, and the ratio stays. Without noise (none at all, or silent) the speech stays as it is;
/// silence has no loudest frame to compare with, so that noise is added to it as it was recorded.
pub fn in_noise(speech: &Pcm16k, noise: &Pcm16k, snr_db: f32, seed: u64) -> Pcm16k {
    let piece = piece_of(noise.samples(), speech.samples().len(), seed);
    let (loudest_speech, loudest_noise) = (peak_frame_energy(speech.samples()), peak_frame_energy(&piece));
    if loudest_noise == 0.0 || !snr_db.is_finite() {
        return speech.clone();
    }
    let gain = if loudest_speech == 0.0 { 1.0 } else { (loudest_speech / loudest_noise).sqrt() * 10_f64.powf(-f64::from(snr_db) / 20.0) };
    let sum: Vec<f64> = speech.samples().iter().zip(&piece).map(|(s, n)| f64::from(*s) + gain * f64::from(*n)).collect();
    let peak = sum.iter().fold(1.0_f64, |peak, sample| peak.max(sample.abs()));
    // Both are finite, and so is a sum that was divided by its peak: this cannot be refused.
    Pcm16k::new(sum.into_iter().map(|sample| (sample / peak) as f32).collect()).unwrap_or_else(|_| speech.clone())
}

/// So many samples of the noise, from a place fixed by the seed on, in a circle.
fn piece_of(noise: &[f32], samples: usize, seed: u64) -> Vec<f32> {
    if noise.is_empty() {
        return Vec::new();
    }
    let from = StdRng::seed_from_u64(seed).random_range(0..noise.len());
    noise.iter().cycle().skip(from).take(samples).copied().collect()
}

/// The energy of the loudest frame; the last frame may be shorter.
fn peak_frame_energy(samples: &[f32]) -> f64 {
    let energy = |frame: &[f32]| frame.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
    samples.chunks(FRAME).map(energy).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pcm(samples: Vec<f32>) -> Pcm16k {
        Pcm16k::new(samples).unwrap()
    }

    fn tone(samples: usize, step: f32, loudness: f32) -> Pcm16k {
        pcm((0..samples).map(|n| loudness * (step * n as f32).sin()).collect())
    }

    /// The ratio found in a mix that was not made quieter.
    fn ratio_db(speech: &Pcm16k, mixed: &Pcm16k) -> f64 {
        let noise: Vec<f32> = mixed.samples().iter().zip(speech.samples()).map(|(m, s)| m - s).collect();
        10.0 * (peak_frame_energy(speech.samples()) / peak_frame_energy(&noise)).log10()
    }

    #[test]
    fn the_ratio_is_that_of_the_loudest_frames() {
        // A word of a quarter of a second between two seconds of silence: the silence does not count.
        let mut samples = vec![0.0; 32_768];
        samples[16_384..20_480].copy_from_slice(tone(4_096, 0.3, 0.2).samples());
        let speech = pcm(samples);
        let noise = tone(9_000, 0.7, 0.01);
        for snr_db in [0.0, 10.0, 20.0] {
            let mixed = in_noise(&speech, &noise, snr_db, 7);
            assert!((ratio_db(&speech, &mixed) - f64::from(snr_db)).abs() < 0.1, "{}", ratio_db(&speech, &mixed));
            assert_eq!(mixed.samples().len(), speech.samples().len());
        }
    }

    #[test]
    fn a_sum_beyond_full_scale_is_made_quieter_and_not_clipped() {
        let speech = tone(8_192, 0.3, 0.9);
        let mixed = in_noise(&speech, &tone(20_000, 0.71, 0.9), 0.0, 1);
        let at_full_scale = mixed.samples().iter().filter(|s| s.abs() > 0.9999).count();
        assert!(at_full_scale <= 2, "{at_full_scale} samples");
    }

    #[test]
    fn a_seed_fixes_the_place_of_the_noise() {
        let speech = tone(4_096, 0.3, 0.2);
        let noise = pcm((0..50_000).map(|n| ((n * n) % 1_001) as f32 / 2_002.0).collect());
        assert_eq!(in_noise(&speech, &noise, 5.0, 1), in_noise(&speech, &noise, 5.0, 1));
        assert_ne!(in_noise(&speech, &noise, 5.0, 1), in_noise(&speech, &noise, 5.0, 2));
    }

    #[test]
    fn silence_gets_the_noise_as_it_is_and_no_noise_changes_nothing() {
        let (silence, noise) = (pcm(vec![0.0; 3_000]), tone(3_000, 0.2, 0.1));
        let heard = in_noise(&silence, &noise, 10.0, 3);
        assert!((peak_frame_energy(heard.samples()) / peak_frame_energy(noise.samples()) - 1.0).abs() < 0.2);
        assert_eq!(in_noise(&noise, &silence, 10.0, 3), noise);
        assert_eq!(in_noise(&noise, &Pcm16k::default(), 10.0, 3), noise);
        assert_eq!(in_noise(&Pcm16k::default(), &noise, 10.0, 3), Pcm16k::default());
    }

    proptest! {
        #[test]
        fn any_sound_in_any_noise_stays_within_full_scale(
            speech in prop::collection::vec(-1.0_f32..=1.0, 0..5_000),
            noise in prop::collection::vec(-1.0_f32..=1.0, 0..300),
            snr_db in -400.0_f32..400.0,
            seed: u64,
        ) {
            let length = speech.len();
            let mixed = in_noise(&pcm(speech), &pcm(noise), snr_db, seed);
            prop_assert!(mixed.samples().len() == length && mixed.samples().iter().all(|s| s.is_finite() && s.abs() <= 1.0));
        }
    }
}
