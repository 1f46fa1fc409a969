//! From sound to utterances.
//!
//! Sound comes from a file ([`decode`]) or from a microphone ([`Microphone`]); either way it becomes 16 kHz mono, and either way the
//! same two parts find the speech in it: [`Vad`] says for each frame of 32 ms how likely it is speech, and [`Endpointer`] decides from
//! that where an utterance begins and ends. [`pieces`] does both for a whole sound. In a conversation [`SmartTurn`] says at each pause how
//! likely it is, by the voice, that the speaker is done. What was said is for `speech/` to find out.
//!
//! What holds here: samples that leave this folder are finite, in -1..=1 and at 16 kHz; nothing that a file or a device contains can make
//! it panic or take more memory than the config allows; silence is an outcome (no utterance) and not an error; nothing here reads a
//! clock, except the microphone, which waits for a device; and in the microphone's callback there is no lock, no allocation, no log line.

mod capture;
mod codec;
mod container;
mod devices;
mod endpoint;
mod error;
mod framer;
mod level;
mod log_mel;
mod microphone;
mod mixdown;
mod mixing;
mod prosody;
mod resample;
mod segment;
mod smart_turn;
mod telephone;
mod vad;
mod wav;

use serde::Deserialize;

pub use codec::{CHANNELS, FileLimits, RATES_HZ, Sound, decode, decode_file};
pub use devices::{DeviceAbilities, DeviceInfo, devices};
pub use endpoint::{EndpointConfig, EndpointEvent, Endpointer};
pub use error::AudioError;
pub use framer::{FRAME_MS, FRAME_SAMPLES, Frame, Framer};
pub use level::{Level, SILENCE_DBFS};
pub use microphone::{Microphone, MicrophoneEvent};
pub use mixdown::Mixdown;
pub use mixing::in_noise;
pub use prosody::voice;
pub use resample::{Resampler, resample};
pub use segment::{Piece, pieces};
pub use smart_turn::SmartTurn;
pub use telephone::over_telephone;
pub use vad::Vad;

/// Where sound comes from and how it is cut.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AudioConfig {
    /// The microphone, by its name or id in `kioskd devices`; absent means the system's default.
    pub device: Option<String>,
    /// The largest sound file, in bytes (64 MiB). It is held in memory while it is decoded.
    pub file_bytes_max: u64,
    /// The longest sound in a file, in seconds (600). A second takes 64 kB of memory and a moment of every model.
    pub file_seconds_max: u32,
    /// Where utterances begin and end.
    pub endpoint: EndpointConfig,
}

impl Default for AudioConfig {
    fn default() -> Self {
        Self { device: None, file_bytes_max: 64 * 1024 * 1024, file_seconds_max: 600, endpoint: EndpointConfig::default() }
    }
}

impl AudioConfig {
    /// All that is wrong with the values, a sentence each.
    pub fn check(&self) -> Vec<String> {
        let zero = |name: &str, is_zero: bool| is_zero.then(|| format!("{name} is 0, so no file can be heard; expected 1 or more"));
        let files = [zero("file_bytes_max", self.file_bytes_max == 0), zero("file_seconds_max", self.file_seconds_max == 0)];
        files.into_iter().flatten().chain(self.endpoint.check().into_iter().map(|problem| format!("endpoint: {problem}"))).collect()
    }

    /// The part of it that concerns files.
    pub fn file_limits(&self) -> FileLimits {
        FileLimits { bytes_max: self.file_bytes_max, seconds_max: self.file_seconds_max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_refused_and_an_absent_one_has_its_default() {
        let config: AudioConfig = toml::from_str("file_seconds_max = 60\n[endpoint]\ntrailing_silence_ms = 700").unwrap();
        assert_eq!((config.file_seconds_max, config.endpoint.trailing_silence_ms), (60, 700));
        assert_eq!(config.endpoint.pre_roll_ms, EndpointConfig::default().pre_roll_ms);
        assert!(toml::from_str::<AudioConfig>("[endpoint]\ntrailing_silense_ms = 700").is_err());
    }

    #[test]
    fn every_problem_says_where_it_is() {
        let endpoint = EndpointConfig { hang_over_ms: 900, ..Default::default() };
        let config = AudioConfig { file_bytes_max: 0, endpoint, ..Default::default() };
        assert_eq!(
            config.check(),
            [
                "file_bytes_max is 0, so no file can be heard; expected 1 or more",
                "endpoint: wait_finished_ms is 250; expected hang_over_ms (900) to wait_unfinished_ms (2200)",
                "endpoint: hang_over_ms is 900; expected less than trailing_silence_ms (500)",
            ]
        );
    }
}
