use crate::domain::{Pcm16k, SAMPLE_RATE, Voice};

/// Pitch is looked for at half the rate: a voice's is below 400 Hz.
const STRIDE: usize = 2;
const RATE: usize = SAMPLE_RATE as usize / STRIDE;
/// 64 ms: two periods of the deepest voice and more.
const WINDOW: usize = RATE * 64 / 1_000;
const HOP: usize = RATE * 32 / 1_000;
const LOWEST_HZ: usize = 65;
const HIGHEST_HZ: usize = 400;
/// Correlation with itself one period later from which a frame is a voice.
const VOICED: f32 = 0.6;
/// A shorter lag wins from this share of the best correlation on: twice the period correlates as well as the period.
const OCTAVE: f32 = 0.92;
/// Quieter frames are none of the speaker's.
const QUIET_DBFS: f32 = -55.0;
/// Voiced frames without which nothing is said about a voice.
const FRAMES_MIN: usize = 6;

/// How loud and how high somebody speaks, from one utterance; `None` where it has too little voice in it. The words a second are left to
/// whoever has them.
///
/// Level is the median of voiced frames. Pitch is the median of the lag with the largest normalised autocorrelation (Boersma 1993, without
/// its path search: a median needs none). A second of sound takes about a millisecond.
pub fn voice(pcm: &Pcm16k) -> Option<Voice> {
    let samples: Vec<f32> = pcm.samples().chunks_exact(STRIDE).map(|pair| pair.iter().sum::<f32>() / STRIDE as f32).collect();
    let longest = RATE / LOWEST_HZ;
    let frames = samples.windows(WINDOW + longest).step_by(HOP);
    let (mut levels, mut pitches): (Vec<f32>, Vec<f32>) = frames.filter_map(voiced).unzip();
    if pitches.len() < FRAMES_MIN {
        return None;
    }
    Some(Voice { level_dbfs: median(&mut levels), pitch_hz: median(&mut pitches), words_per_s: None })
}

/// Level and pitch of a frame with a voice in it.
fn voiced(frame: &[f32]) -> Option<(f32, f32)> {
    let (now, longest) = (&frame[..WINDOW], frame.len() - WINDOW);
    let energy: f32 = now.iter().map(|x| x * x).sum();
    let level = 10.0 * (energy / WINDOW as f32).max(1e-12).log10();
    if level < QUIET_DBFS {
        return None;
    }
    let shortest = RATE / HIGHEST_HZ;
    let correlation = |lag: usize| {
        let later = &frame[lag..lag + WINDOW];
        let (product, other) = now.iter().zip(later).fold((0.0f32, 0.0f32), |(p, e), (a, b)| (p + a * b, e + b * b));
        product / (energy * other).sqrt().max(1e-9)
    };
    let all: Vec<f32> = (shortest..=longest).map(correlation).collect();
    let best = all.iter().copied().fold(f32::MIN, f32::max);
    if best < VOICED {
        return None;
    }
    // The first local peak that is nearly as high as the highest.
    let peak = (1..all.len().saturating_sub(1)).find(|&at| all[at] >= OCTAVE * best && all[at] >= all[at - 1] && all[at] >= all[at + 1])?;
    Some((level, RATE as f32 / (shortest + peak) as f32))
}

fn median(values: &mut [f32]) -> f32 {
    values.sort_by(f32::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    /// A buzz with overtones, as a throat makes it.
    fn buzz(hz: f32, amplitude: f32, seconds: f32) -> Pcm16k {
        let sample = |n: usize| {
            let phase = std::f32::consts::TAU * hz * n as f32 / SAMPLE_RATE as f32;
            amplitude * (1..=6).map(|k| (phase * k as f32).sin() / k as f32).sum::<f32>()
        };
        Pcm16k::new((0..(seconds * SAMPLE_RATE as f32) as usize).map(sample).collect()).expect("finite")
    }

    #[test]
    fn a_buzz_has_the_pitch_it_was_made_with() {
        for hz in [80.0, 110.0, 160.0, 220.0, 310.0] {
            let found = voice(&buzz(hz, 0.2, 1.0)).expect("a voice").pitch_hz;
            assert!((found / hz - 1.0).abs() < 0.04, "{hz} Hz was heard as {found} Hz");
        }
    }

    #[test]
    fn twice_the_amplitude_is_six_decibels_and_the_same_pitch() {
        let (soft, loud) = (voice(&buzz(150.0, 0.1, 1.0)).expect("a voice"), voice(&buzz(150.0, 0.2, 1.0)).expect("a voice"));
        assert!((loud.level_dbfs - soft.level_dbfs - 6.02).abs() < 0.05);
        assert!((loud.pitch_hz - soft.pitch_hz).abs() < 1.0);
    }

    #[test]
    fn silence_noise_and_a_moment_of_sound_are_no_voice() {
        assert_eq!(voice(&Pcm16k::new(vec![0.0; 16_000]).expect("finite")), None);
        let mut chance = StdRng::seed_from_u64(1);
        let noise = (0..16_000).map(|_| chance.random::<f32>() - 0.5).collect();
        assert_eq!(voice(&Pcm16k::new(noise).expect("finite")), None);
        assert_eq!(voice(&buzz(150.0, 0.2, 0.1)), None);
    }
}
