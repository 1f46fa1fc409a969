use crate::domain::SAMPLE_RATE;

/// Samples in a frame: the voice detector takes exactly this many at 16 kHz.
pub const FRAME_SAMPLES: usize = 512;

/// Length of a frame, in milliseconds.
pub const FRAME_MS: u32 = (FRAME_SAMPLES as u32) * 1_000 / SAMPLE_RATE;

/// 32 ms of mono sound.
pub type Frame = [f32; FRAME_SAMPLES];

/// Cuts a stream of samples into frames, however it arrives.
#[derive(Debug, Clone, Default)]
pub struct Framer {
    /// Fewer than a frame.
    waiting: Vec<f32>,
}

impl Framer {
    /// Takes samples at 16 kHz and hands every frame that is full to `take`, in order.
    ///
    /// # Errors
    /// The first error of `take`; the rest of the samples is then lost.
    pub fn push<E>(&mut self, mut samples: &[f32], mut take: impl FnMut(&Frame) -> Result<(), E>) -> Result<(), E> {
        if !self.waiting.is_empty() {
            let (head, rest) = samples.split_at(samples.len().min(FRAME_SAMPLES - self.waiting.len()));
            self.waiting.extend_from_slice(head);
            samples = rest;
            let Ok(frame) = <&Frame>::try_from(&self.waiting[..]) else { return Ok(()) };
            take(frame)?;
            self.waiting.clear();
        }
        let (frames, rest) = samples.as_chunks::<FRAME_SAMPLES>();
        self.waiting.extend_from_slice(rest);
        frames.iter().try_for_each(take)
    }

    /// Hands out what is left at the end of the stream, filled up with silence; nothing where the last frame was full.
    pub fn finish(self) -> Option<Frame> {
        if self.waiting.is_empty() {
            return None;
        }
        let mut frame = [0.0; FRAME_SAMPLES];
        frame[..self.waiting.len()].copy_from_slice(&self.waiting);
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn frames(chunks: &[&[f32]]) -> Vec<Frame> {
        let (mut framer, mut frames) = (Framer::default(), Vec::new());
        for chunk in chunks {
            let Ok(()) = framer.push(chunk, |frame| {
                frames.push(*frame);
                Ok::<_, Infallible>(())
            });
        }
        frames.extend(framer.finish());
        frames
    }

    #[test]
    fn the_last_frame_is_filled_up_with_silence() {
        let frames = frames(&[&[1.0; 513]]);
        assert_eq!(frames.len(), 2);
        assert_eq!(frames[1][..2], [1.0, 0.0]);
    }

    proptest! {
        #[test]
        fn any_cutting_of_the_stream_gives_the_same_frames(samples in 0_usize..4_000, cuts in prop::collection::vec(0_usize..900, 0..12)) {
            let sound: Vec<f32> = (0..samples).map(|n| n as f32).collect();
            let (mut rest, mut chunks) = (&sound[..], Vec::new());
            for cut in cuts {
                let (chunk, later) = rest.split_at(cut.min(rest.len()));
                chunks.push(chunk);
                rest = later;
            }
            chunks.push(rest);
            prop_assert_eq!(frames(&chunks), frames(&[&sound]));
        }
    }
}
