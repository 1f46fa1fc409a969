/// Which channels make the mono sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mixdown {
    /// The mean of all: the usual case, and the one with the least noise.
    Mean,
    /// One channel alone, counted from 0, because in the mean it would be lost.
    Only(usize),
}

/// The mean may be quieter than the loudest channel by a factor of 8 in power (9 dB). One live channel beside a dead one costs 6 dB, so
/// ordinary stereo always passes. Channels in opposite phase (one microphone wired as a balanced pair, some built-in arrays) cancel and
/// fall far below, and so does one voice among many silent channels (the centre of 5.1).
const MEAN_LOSS_MAX: f64 = 8.0;

/// The power of every channel and of their mean, summed up over a sound. Empty until the first frame.
#[derive(Debug, Clone, Default)]
pub struct ChannelPowers {
    channels: Vec<f64>,
    mean: f64,
    frames: u64,
}

impl ChannelPowers {
    /// Adds interleaved frames of `channels` samples each; a broken last frame is left out.
    pub fn add(&mut self, interleaved: &[f32], channels: usize) {
        self.channels.resize(channels, 0.0);
        for frame in interleaved.chunks_exact(channels.max(1)) {
            for (power, sample) in self.channels.iter_mut().zip(frame) {
                *power += f64::from(*sample).powi(2);
            }
            self.mean += f64::from(mean(frame)).powi(2);
            self.frames += 1;
        }
    }

    /// Frames added so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// RMS level of the loudest channel, in dBFS.
    pub fn loudest_dbfs(&self) -> f64 {
        let loudest = self.channels.iter().copied().fold(0.0, f64::max);
        10.0 * (loudest / self.frames.max(1) as f64).log10()
    }

    /// The mix that keeps the voice.
    pub fn mixdown(&self) -> Mixdown {
        let loudest = self.channels.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        match loudest {
            Some((channel, power)) if *power > self.mean * MEAN_LOSS_MAX => Mixdown::Only(channel),
            _ => Mixdown::Mean,
        }
    }
}

impl Mixdown {
    /// Appends the mono sound of interleaved frames to `mono`.
    pub fn apply(self, interleaved: &[f32], channels: usize, mono: &mut Vec<f32>) {
        let frames = interleaved.chunks_exact(channels.max(1));
        match self {
            Self::Mean => mono.extend(frames.map(mean)),
            Self::Only(channel) => mono.extend(frames.filter_map(|frame| frame.get(channel))),
        }
    }
}

fn mean(frame: &[f32]) -> f32 {
    frame.iter().sum::<f32>() / frame.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(interleaved: &[f32], channels: usize, mix: Mixdown, mono: &[f32]) {
        let mut powers = ChannelPowers::default();
        powers.add(interleaved, channels);
        assert_eq!(powers.mixdown(), mix);
        let mut heard = Vec::new();
        mix.apply(interleaved, channels, &mut heard);
        assert_eq!(heard, mono);
    }

    #[test]
    fn stereo_becomes_the_mean() {
        check(&[0.5, 0.25, -0.5, -0.25], 2, Mixdown::Mean, &[0.375, -0.375]);
    }

    #[test]
    fn a_dead_channel_beside_a_live_one_only_halves_it() {
        check(&[0.5, 0.0, -0.5, 0.0], 2, Mixdown::Mean, &[0.25, -0.25]);
    }

    #[test]
    fn channels_in_opposite_phase_do_not_cancel_to_silence() {
        check(&[0.5, -0.6, -0.5, 0.6], 2, Mixdown::Only(1), &[-0.6, 0.6]);
    }

    #[test]
    fn a_voice_in_one_of_six_channels_is_kept_at_its_level() {
        check(&[0.0, 0.0, 0.5, 0.0, 0.0, 0.0], 6, Mixdown::Only(2), &[0.5]);
    }

    #[test]
    fn silence_and_mono_stay_as_they_are() {
        check(&[0.0; 4], 2, Mixdown::Mean, &[0.0, 0.0]);
        check(&[0.1, -0.2], 1, Mixdown::Mean, &[0.1, -0.2]);
    }
}
