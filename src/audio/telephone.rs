use super::{AudioError, resample};
use crate::domain::{Pcm16k, SAMPLE_RATE};

/// Samples a second on a telephone line.
const LINE_RATE: u32 = 8_000;
/// ITU-T G.711 adds a bias (33 in its 14-bit scale, 132 in ours) so that each segment starts at a power of two.
const BIAS: i32 = 132;
/// The largest magnitude that the code has a step for.
const LOUDEST: i32 = 32_635;

/// The sound as a telephone line gives it back: 8 kHz, 8 bits of mu-law, and brought to 16 kHz again.
///
/// # Errors
/// [`AudioError::Resampler`] where the filter cannot be built.
pub fn over_telephone(sound: &Pcm16k) -> Result<Pcm16k, AudioError> {
    // Halving a rate is the same filter whatever the rate is called: from "32 kHz" to 16 kHz leaves every second sample, filtered.
    let line = resample(sound.samples(), 2 * SAMPLE_RATE)?;
    let heard: Vec<f32> = line.into_iter().map(|sample| expanded(compressed(sample))).collect();
    let mut samples = resample(&heard, LINE_RATE)?;
    // An odd number of samples has lost or won one.
    samples.resize(sound.samples().len(), 0.0);
    Pcm16k::new(samples).map_err(|error| AudioError::Resampler { rate: LINE_RATE, reason: error.to_string() })
}

/// A sample in -1..=1 as a byte of mu-law. ITU-T G.711, table 2a.
fn compressed(sample: f32) -> u8 {
    let linear = (sample.clamp(-1.0, 1.0) * 32_768.0) as i32;
    let magnitude = linear.abs().min(LOUDEST) + BIAS;
    // Segment 0 begins at the bias, whose highest bit is the eighth.
    let segment = (magnitude.ilog2() - 7).min(7);
    let step = (magnitude >> (segment + 3)) & 0x0f;
    let sign = if linear < 0 { 0x80 } else { 0 };
    !(sign | ((segment as u8) << 4) | step as u8)
}

/// The sample that a byte of mu-law stands for.
fn expanded(byte: u8) -> f32 {
    let code = !byte;
    let (segment, step) = ((code >> 4) & 0x07, i32::from(code & 0x0f));
    let magnitude = (((step << 3) + BIAS) << segment) - BIAS;
    let linear = if code & 0x80 == 0 { magnitude } else { -magnitude };
    linear as f32 / 32_768.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f32, samples: usize) -> Pcm16k {
        let step = std::f32::consts::TAU * hertz / SAMPLE_RATE as f32;
        Pcm16k::new((0..samples).map(|n| 0.5 * (step * n as f32).sin()).collect()).unwrap()
    }

    fn rms(samples: impl Iterator<Item = f32>) -> f32 {
        let (sum, count) = samples.fold((0.0, 0), |(sum, count), s| (sum + s * s, count + 1));
        (sum / count as f32).sqrt()
    }

    #[test]
    fn the_codes_are_those_of_the_standard() {
        // The code of silence is all ones; full scale is 0x80 and 0x00; every code stands for a sample that has this code.
        assert_eq!((compressed(0.0), compressed(1.0), compressed(-1.0)), (0xff, 0x80, 0x00));
        assert_eq!(expanded(0x80), 32_124.0 / 32_768.0);
        for byte in 0..=255 {
            // There are two codes of zero.
            assert!(compressed(expanded(byte)) == byte || expanded(byte) == 0.0, "{byte}");
        }
    }

    #[test]
    fn a_tone_within_the_band_keeps_its_level_its_place_and_its_length() {
        for samples in [16_000, 16_001] {
            let sound = tone(1_000.0, samples);
            let heard = over_telephone(&sound).unwrap();
            assert_eq!(heard.samples().len(), samples);
            let middle = 2_000..14_000;
            let error = rms(heard.samples()[middle.clone()].iter().zip(&sound.samples()[middle]).map(|(h, s)| h - s));
            // 8 bits of mu-law are good for 38 dB; the tone's rms is 0.35.
            assert!((0.0005..0.01).contains(&error), "{error}");
        }
    }

    #[test]
    fn what_a_line_cannot_carry_is_gone() {
        let heard = over_telephone(&tone(6_000.0, 16_000)).unwrap();
        assert!(rms(heard.samples()[2_000..14_000].iter().copied()) < 0.003);
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(over_telephone(&Pcm16k::default()).unwrap(), Pcm16k::default());
    }
}
