use std::path::PathBuf;

use super::codec::{CHANNELS, RATES_HZ};
use crate::onnx::OnnxError;

/// Why sound could not be had. Silence is no error: it gives no utterance.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// The file cannot be opened or read.
    #[error("{} cannot be read ({source}); check the path and the permissions", path.display())]
    Unreadable {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No bytes at all.
    #[error("the sound file is empty (0 bytes); record it again")]
    Empty,
    /// More bytes than the config allows.
    #[error("the sound file is larger than {limit} bytes; send a shorter one, or raise audio.file_bytes_max")]
    TooManyBytes {
        /// `audio.file_bytes_max`.
        limit: u64,
    },
    /// It plays longer than the config allows, however small the file is.
    #[error("the sound lasts longer than {limit_seconds} s; send a shorter one, or raise audio.file_seconds_max")]
    TooLong {
        /// `audio.file_seconds_max`.
        limit_seconds: u32,
    },
    /// The bytes are something else, whatever the file's name says.
    #[error("found {found} where a sound file was expected; send WAV, FLAC, MP3, Ogg Vorbis or Opus")]
    NotSound {
        /// What the first bytes look like, with its article.
        found: &'static str,
    },
    /// A header and nothing behind it.
    #[error("the {container} file has a header but no sound in it; record it again")]
    NoSamples {
        /// Name of the file format.
        container: &'static str,
    },
    /// A container we know around something we do not.
    #[error("the {container} file holds sound in a coding that is not supported ({reason}); export it as 16-bit PCM WAV")]
    UnknownCoding {
        /// Name of the file format.
        container: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// The file contradicts itself.
    #[error("the {container} file is damaged ({reason}); export it again, best as 16-bit PCM WAV")]
    Damaged {
        /// Name of the file format.
        container: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// A sample rate nobody records at.
    #[error(
        "the sound claims {found} samples a second; expected {} to {}; export it again at 16000 or 48000",
        RATES_HZ.start(),
        RATES_HZ.end()
    )]
    Rate {
        /// The rate in the header, in Hz.
        found: u32,
    },
    /// A channel count nobody records with.
    #[error("the sound claims {found} channels; expected {} to {}; export it again as mono", CHANNELS.start(), CHANNELS.end())]
    Channels {
        /// The count in the header.
        found: usize,
    },
    /// NaN or infinity in a file of floating-point samples.
    #[error("the sound holds a sample that is no finite number, {at_seconds:.3} s from its start; export it again as 16-bit PCM")]
    NotFinite {
        /// Where, in seconds.
        at_seconds: f64,
    },
    /// The resampler refused to work; this is a bug, as its input was checked.
    #[error("sound at {rate} samples a second cannot be brought to 16000 ({reason}); export it at 16000 and report this as a bug")]
    Resampler {
        /// The rate it came from, in Hz.
        rate: u32,
        /// What the resampler said.
        reason: String,
    },
    /// The voice detector's model could not be loaded or run.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// A model that does not speak Silero's contract.
    #[error("the voice detector's model has inputs {inputs:?} and outputs {outputs:?}; expected {expected}; run `make setup`")]
    VadContract {
        /// Names of the inputs found.
        inputs: Vec<String>,
        /// Names of the outputs found.
        outputs: Vec<String>,
        /// Names of the inputs and outputs expected.
        expected: &'static str,
    },
    /// The voice detector failed while running.
    #[error("the voice detector failed ({reason}); check its model with `kioskd models verify`")]
    Vad {
        /// What ONNX Runtime said.
        reason: String,
    },
    /// A model that does not speak Smart Turn's contract.
    #[error("the end-of-turn model has inputs {inputs:?} and outputs {outputs:?}; expected {expected}; run `make setup`")]
    EndOfTurnContract {
        /// Names of the inputs found.
        inputs: Vec<String>,
        /// Names of the outputs found.
        outputs: Vec<String>,
        /// Names of the inputs and outputs expected.
        expected: &'static str,
    },
    /// The end-of-turn model failed while running.
    #[error("the end-of-turn model failed ({reason}); check it with `kioskd models verify`")]
    EndOfTurn {
        /// What it said.
        reason: String,
    },
    /// The endpointer's config contradicts itself.
    #[error("the endpointer's config makes no sense: {}; correct it below [audio.endpoint]", problems.join("; "))]
    Endpoint {
        /// All of it, a sentence each.
        problems: Vec<String>,
    },
    /// The system lists no microphones.
    #[error("the sound devices of this machine cannot be listed ({reason}); check that ALSA or PulseAudio is installed and running")]
    Devices {
        /// What the system said.
        reason: String,
    },
    /// The microphone is not there, or cannot be used.
    #[error("the microphone cannot be opened ({reason}); plug one in, or name one that `kioskd devices` lists")]
    NoMicrophone {
        /// What the system said.
        reason: String,
    },
    /// The microphone's thread has died.
    #[error("the microphone's thread has stopped; start again and report this as a bug")]
    MicrophoneStopped,
    /// The thread that reads the microphone could not be started.
    #[error("the microphone's thread cannot be started ({reason}); free memory or threads on this machine")]
    Thread {
        /// What the system said.
        reason: String,
    },
}
