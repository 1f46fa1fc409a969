/// The level that stands for no sound at all: below the noise of any converter, and a finite number, so that it can be compared.
pub const SILENCE_DBFS: f32 = -120.0;

/// A sample this close to full scale counts as clipped: the last step of a 16-bit converter, and what codecs make of it.
const CLIPPED: f32 = 0.999;

/// How loud a stretch of sound is, against full scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Root mean square in dBFS, where a constant 1.0 is 0; at least [`SILENCE_DBFS`].
    pub rms_dbfs: f32,
    /// The loudest sample in dBFS; at least [`SILENCE_DBFS`].
    pub peak_dbfs: f32,
    /// Share of the samples that are at full scale, 0 to 1. Speech above 0.01 sounds rough and is recognised worse.
    pub clipped_share: f32,
}

impl Level {
    /// Measures samples in -1..=1. No samples are silence.
    pub fn of(samples: &[f32]) -> Self {
        let count = samples.len().max(1) as f64;
        let power = samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / count;
        let peak = samples.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
        let clipped = samples.iter().filter(|s| s.abs() >= CLIPPED).count();
        Self { rms_dbfs: dbfs(power.sqrt() as f32), peak_dbfs: dbfs(peak), clipped_share: (clipped as f64 / count) as f32 }
    }
}

/// An amplitude in decibels against full scale.
fn dbfs(amplitude: f32) -> f32 {
    (20.0 * amplitude.log10()).max(SILENCE_DBFS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_is_zero_decibels_and_half_is_six_less() {
        assert_eq!(Level::of(&[1.0, -1.0]).rms_dbfs, 0.0);
        let half = Level::of(&[0.5, -0.5, 0.5, -0.5]);
        assert!((half.rms_dbfs + 6.02).abs() < 0.01);
        assert_eq!(half.peak_dbfs, half.rms_dbfs);
        assert_eq!(half.clipped_share, 0.0);
    }

    #[test]
    fn silence_has_a_level_too() {
        for silence in [&[0.0; 512][..], &[]] {
            assert_eq!(Level::of(silence).rms_dbfs, SILENCE_DBFS);
            assert_eq!(Level::of(silence).peak_dbfs, SILENCE_DBFS);
        }
    }

    #[test]
    fn clipping_is_counted_on_both_sides() {
        assert_eq!(Level::of(&[1.0, -1.0, 0.2, 0.1]).clipped_share, 0.5);
    }
}
