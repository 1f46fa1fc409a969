use std::borrow::Cow;
use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::LazyLock;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia_adapter_libopus::OpusDecoder;

use super::AudioError;
use super::container::Container;
use super::mixdown::{ChannelPowers, Mixdown};
use super::resample::Resampler;
use super::wav::Wav;
use crate::domain::Pcm16k;

/// Sample rates that are taken, in Hz: below is no speech, above is no recorder.
pub const RATES_HZ: RangeInclusive<u32> = 1_000..=384_000;

/// Channel counts that are taken.
pub const CHANNELS: RangeInclusive<usize> = 1..=32;

/// A file counts as truncated when it gives this many frames less than its header promises. MP3 and Vorbis promise whole blocks, of
/// which they may drop two.
const MISSING_FRAMES_MAX: u64 = 2 * 1_152;

/// How much sound is taken from one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLimits {
    /// Size of the file, in bytes.
    pub bytes_max: u64,
    /// Playing time after decoding, in seconds: a small FLAC file can hold hours of silence.
    pub seconds_max: u32,
}

/// A decoded file.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    /// The sound, ready for the models.
    pub pcm: Pcm16k,
    /// The file ends before its header says so; `pcm` is what was there.
    pub truncated: bool,
    /// Name of the file format, such as "WAV".
    pub container: &'static str,
    /// Samples a second in the file.
    pub rate: u32,
    /// Channels in the file.
    pub channels: usize,
}

/// Reads and decodes a sound file, see [`decode`]. No more than the limit is read, whatever the path leads to.
///
/// # Errors
/// [`AudioError::Unreadable`] and [`AudioError::TooManyBytes`], then those of [`decode`].
pub fn decode_file(path: &Path, limits: FileLimits) -> Result<Sound, AudioError> {
    let unreadable = |source| AudioError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limits.bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    decode(&bytes, limits)
}

/// Decodes a WAV (PCM, float, A-law, mu-law), FLAC, MP3, Ogg Vorbis or Opus file to 16 kHz mono.
///
/// The format is known by its first bytes, so a wrong file name does no harm. Several channels become their mean, or the loudest one
/// where the mean would cancel (see [`Mixdown`]). Memory is bounded by the playing time at 16 kHz: nothing is kept at the file's own
/// rate or channel count. To choose the channels first, files with more than one are decoded twice.
///
/// # Errors
/// An [`AudioError`] that tells what was found, what was expected and what to do, for whatever is not the sound of a person speaking.
/// A file cut short is not among them as long as some sound is there: see [`Sound::truncated`].
pub fn decode(bytes: &[u8], limits: FileLimits) -> Result<Sound, AudioError> {
    if bytes.is_empty() {
        return Err(AudioError::Empty);
    }
    if bytes.len() as u64 > limits.bytes_max {
        return Err(AudioError::TooManyBytes { limit: limits.bytes_max });
    }
    let file = SoundFile::new(bytes)?;
    let mixdown = file.mixdown(limits)?;
    file.decode(mixdown, limits)
}

/// Symphonia's own decoders and Opus, which voice messages are in (RFC 6716).
fn codecs() -> &'static CodecRegistry {
    static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
        let mut codecs = CodecRegistry::new();
        symphonia::default::register_enabled_codecs(&mut codecs);
        codecs.register_audio_decoder::<OpusDecoder>();
        codecs
    });
    &CODECS
}

/// Bytes that are known to be a sound file, with a header that can be trusted.
struct SoundFile<'a> {
    container: Container,
    bytes: Cow<'a, [u8]>,
    truncated: bool,
}

impl<'a> SoundFile<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, AudioError> {
        let container = Container::recognise(bytes).map_err(|found| AudioError::NotSound { found })?;
        if container != Container::Wav {
            return Ok(Self { container, bytes: Cow::Borrowed(bytes), truncated: false });
        }
        let wav = Wav::read(bytes).ok_or(AudioError::NoSamples { container: container.name() })?;
        // Checked here as well as on the decoded sound, because the decoder takes a count of 0 for a damaged file.
        check_format(wav.rate, usize::from(wav.channels))?;
        Ok(Self { container, bytes: wav.bytes, truncated: wav.truncated })
    }

    /// Decides how the channels become one. Mono is known by its first block; otherwise the whole file is heard once.
    fn mixdown(&self, limits: FileLimits) -> Result<Mixdown, AudioError> {
        let mut blocks = Blocks::open(self, limits)?;
        let mut powers = ChannelPowers::default();
        while let Some(block) = blocks.next()? {
            if block.channels == 1 {
                break;
            }
            powers.add(block.interleaved, block.channels);
        }
        Ok(powers.mixdown())
    }

    fn decode(&self, mixdown: Mixdown, limits: FileLimits) -> Result<Sound, AudioError> {
        let mut blocks = Blocks::open(self, limits)?;
        let (mut mono, mut samples) = (Vec::new(), Vec::new());
        let mut format: Option<(Resampler, u32, usize)> = None;
        while let Some(block) = blocks.next()? {
            if format.is_none() {
                format = Some((Resampler::new(block.rate)?, block.rate, block.channels));
            }
            mono.clear();
            mixdown.apply(block.interleaved, block.channels, &mut mono);
            if let Some((resampler, ..)) = &mut format {
                resampler.push(&mono, &mut samples)?;
            }
        }
        let no_samples = AudioError::NoSamples { container: self.container.name() };
        let Some((resampler, rate, channels)) = format else { return Err(no_samples) };
        resampler.finish(&mut samples)?;
        if samples.is_empty() {
            return Err(no_samples);
        }
        let truncated = self.truncated || blocks.ended_early();
        // Every sample was checked on its way in, and the filter makes no NaN of finite ones.
        let pcm = Pcm16k::new(samples).map_err(|error| AudioError::Resampler { rate, reason: error.to_string() })?;
        Ok(Sound { pcm, truncated, container: self.container.name(), rate, channels })
    }
}

/// The decoded blocks of a file, one after the other.
struct Blocks<'a> {
    container: Container,
    reader: Box<dyn FormatReader + 'a>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    /// What the header promises, where it does.
    frames_promised: Option<u64>,
    frames_read: u64,
    /// Of the first block; all others must be like it.
    format: Option<(u32, usize)>,
    seconds_max: u32,
    /// Every packet takes at least one byte of the file, which bounds the loop.
    packets_left: usize,
    interleaved: Vec<f32>,
    /// A packet that could not be decoded or was cut short, kept for the case that there is no good one.
    damage: Option<String>,
}

/// Frames that were decoded together.
struct Block<'b> {
    /// `[frames, channels]`, every sample finite and in -1..=1.
    interleaved: &'b [f32],
    rate: u32,
    channels: usize,
}

impl<'a> Blocks<'a> {
    fn open(file: &'a SoundFile<'_>, limits: FileLimits) -> Result<Self, AudioError> {
        let container = file.container;
        let stream = MediaSourceStream::new(Box::new(Cursor::new(&file.bytes[..])), Default::default());
        let reader = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| refused(container, &error))?;
        let track = reader.default_track(TrackType::Audio);
        let coding = track.and_then(|track| track.codec_params.as_ref()?.audio());
        let (Some(track), Some(coding)) = (track, coding) else {
            return Err(AudioError::NoSamples { container: container.name() });
        };
        let decoder = codecs()
            .make_audio_decoder(coding, &AudioDecoderOptions::default())
            .map_err(|error| AudioError::UnknownCoding { container: container.name(), reason: error.to_string() })?;
        let (track, frames_promised) = (track.id, track.num_frames);
        Ok(Self {
            container,
            reader,
            decoder,
            track,
            frames_promised,
            frames_read: 0,
            format: None,
            seconds_max: limits.seconds_max,
            packets_left: file.bytes.len(),
            interleaved: Vec::new(),
            damage: None,
        })
    }

    /// The next block that holds frames; None at the end. Damaged packets are left out as long as there are good ones.
    fn next(&mut self) -> Result<Option<Block<'_>>, AudioError> {
        while self.read_block()? {
            if !self.interleaved.is_empty() {
                let (rate, channels) = self.check_block()?;
                return Ok(Some(Block { interleaved: &self.interleaved, rate, channels }));
            }
        }
        match self.damage.take() {
            Some(reason) if self.frames_read == 0 => Err(AudioError::Damaged { container: self.container.name(), reason }),
            damage => {
                self.damage = damage;
                Ok(None)
            }
        }
    }

    /// Decodes a packet into `interleaved`, which stays empty where the packet is damaged or belongs to another track. False at the end.
    fn read_block(&mut self) -> Result<bool, AudioError> {
        self.interleaved.clear();
        if self.packets_left == 0 {
            return Ok(false);
        }
        self.packets_left -= 1;
        let packet = match self.reader.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => return Ok(false),
            Err(error) => return self.note_damage(&error).map(|()| false),
        };
        if packet.track_id != self.track {
            return Ok(true);
        }
        match self.decoder.decode(&packet) {
            Ok(buffer) => {
                let (rate, channels) = (buffer.spec().rate(), buffer.spec().channels().count());
                buffer.copy_to_vec_interleaved(&mut self.interleaved);
                self.check_same_format(rate, channels)?;
            }
            Err(error) => self.note_damage(&error)?,
        }
        Ok(true)
    }

    /// A damaged or missing part is remembered; whatever else went wrong ends the file.
    fn note_damage(&mut self, error: &SymphoniaError) -> Result<(), AudioError> {
        match error {
            SymphoniaError::DecodeError(_) => {}
            SymphoniaError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {}
            _ => return Err(refused(self.container, error)),
        }
        self.damage = Some(error.to_string());
        Ok(())
    }

    fn check_same_format(&mut self, rate: u32, channels: usize) -> Result<(), AudioError> {
        match self.format {
            None => {
                check_format(rate, channels)?;
                self.format = Some((rate, channels));
                Ok(())
            }
            Some(first) if first == (rate, channels) => Ok(()),
            Some((first_rate, first_channels)) => Err(AudioError::Damaged {
                container: self.container.name(),
                reason: format!("it turns from {first_rate} Hz, {first_channels} channels into {rate} Hz, {channels} channels midway"),
            }),
        }
    }

    /// Holds the block against the limits and brings its samples into -1..=1: float files may exceed that.
    fn check_block(&mut self) -> Result<(u32, usize), AudioError> {
        let (rate, channels) = self.format.unwrap_or((1, 1));
        if let Some(at) = self.interleaved.iter().position(|sample| !sample.is_finite()) {
            let frame = self.frames_read + (at / channels) as u64;
            return Err(AudioError::NotFinite { at_seconds: frame as f64 / f64::from(rate) });
        }
        self.frames_read += (self.interleaved.len() / channels) as u64;
        if self.frames_read > u64::from(self.seconds_max) * u64::from(rate) {
            return Err(AudioError::TooLong { limit_seconds: self.seconds_max });
        }
        self.interleaved.iter_mut().for_each(|sample| *sample = sample.clamp(-1.0, 1.0));
        Ok((rate, channels))
    }

    /// Less came out than the header promised.
    fn ended_early(&self) -> bool {
        self.frames_promised.is_some_and(|promised| self.frames_read + MISSING_FRAMES_MAX < promised)
    }
}

fn check_format(rate: u32, channels: usize) -> Result<(), AudioError> {
    if !RATES_HZ.contains(&rate) {
        return Err(AudioError::Rate { found: rate });
    }
    if !CHANNELS.contains(&channels) {
        return Err(AudioError::Channels { found: channels });
    }
    Ok(())
}

fn refused(container: Container, error: &SymphoniaError) -> AudioError {
    let container = container.name();
    match error {
        // The header itself is cut off.
        SymphoniaError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => AudioError::NoSamples { container },
        SymphoniaError::Unsupported(_) => AudioError::UnknownCoding { container, reason: error.to_string() },
        _ => AudioError::Damaged { container, reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::level::Level;
    use super::*;

    const LIMITS: FileLimits = FileLimits { bytes_max: 1 << 20, seconds_max: 10 };

    /// The same half second of 440 Hz at half of full scale, 22.05 kHz stereo, made by sox.
    const TONES: [(&str, &[u8]); 3] = [
        ("FLAC", include_bytes!("../../audio_fixtures/formats/tone.flac")),
        ("MP3", include_bytes!("../../audio_fixtures/formats/tone.mp3")),
        ("Ogg", include_bytes!("../../audio_fixtures/formats/tone.ogg")),
    ];

    /// Codings of RIFF WAVE, as mmreg.h numbers them.
    const PCM: u16 = 1;
    const FLOAT: u16 = 3;
    const A_LAW: u16 = 6;
    const MU_LAW: u16 = 7;

    fn wav(coding: u16, bits: u16, channels: u16, rate: u32, sound: &[u8]) -> Vec<u8> {
        let frame = channels * (bits / 8);
        let mut format = Vec::new();
        for field in [coding, channels, rate as u16, (rate >> 16) as u16, 0, 0, frame, bits] {
            format.extend(field.to_le_bytes());
        }
        if coding != PCM {
            format.extend([0, 0]);
        }
        let mut file = b"RIFF".to_vec();
        file.extend((20 + format.len() as u32 + sound.len() as u32).to_le_bytes());
        file.extend(b"WAVEfmt ");
        file.extend((format.len() as u32).to_le_bytes());
        file.extend(format);
        file.extend(b"data");
        file.extend((sound.len() as u32).to_le_bytes());
        file.extend(sound);
        file
    }

    fn wav_16(channels: u16, rate: u32, samples: &[i16]) -> Vec<u8> {
        wav(PCM, 16, channels, rate, &samples.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>())
    }

    #[track_caller]
    fn check_refused(bytes: &[u8], sentence: &str) {
        assert_eq!(decode(bytes, LIMITS).unwrap_err().to_string(), sentence);
    }

    #[test]
    fn every_coding_of_wav_gives_the_same_sample() {
        let half = |coding, bits, sample: &[u8]| (coding, bits, sample.to_vec(), 0.5);
        for (coding, bits, sample, value) in [
            half(PCM, 8, &[192]),
            half(PCM, 16, &0x4000_i16.to_le_bytes()),
            half(PCM, 24, &[0, 0, 0x40]),
            half(PCM, 32, &0x4000_0000_i32.to_le_bytes()),
            half(FLOAT, 32, &0.5_f32.to_le_bytes()),
            half(FLOAT, 64, &0.5_f64.to_le_bytes()),
            // ITU-T G.711: the largest positive values, 32124 and 32256 of 32768.
            (MU_LAW, 8, vec![0x80], 32_124.0 / 32_768.0),
            (A_LAW, 8, vec![0xaa], 32_256.0 / 32_768.0),
        ] {
            let sound = decode(&wav(coding, bits, 1, 16_000, &sample.repeat(100)), LIMITS).unwrap();
            assert_eq!(sound.pcm.samples(), [value; 100], "coding {coding}, {bits} bits");
        }
    }

    #[test]
    fn compressed_formats_give_the_tone_that_went_in() {
        for (name, bytes) in TONES {
            let sound = decode(bytes, LIMITS).unwrap();
            assert_eq!((sound.container, sound.rate, sound.channels, sound.truncated), (name, 22_050, 2, false));
            // MP3 adds up to three blocks of silence, as long as no tag tells where the sound begins.
            assert!((sound.pcm.seconds() - 0.5).abs() < 0.08, "{name}: {} s", sound.pcm.seconds());
            let middle = &sound.pcm.samples()[2_000..6_000];
            assert!((Level::of(middle).rms_dbfs + 9.03).abs() < 0.5, "{name}: {:?}", Level::of(middle));
            let crossings = middle.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
            assert!((109..=111).contains(&crossings), "{name}: {crossings} periods in a quarter of a second");
        }
    }

    #[test]
    fn a_file_cut_short_gives_what_is_there_and_says_so() {
        let whole = wav_16(1, 16_000, &[1_000; 16_000]);
        let sound = decode(&whole[..44 + 8_001], LIMITS).unwrap();
        assert_eq!((sound.pcm.samples().len(), sound.truncated), (4_000, true));
        let sound = decode(&TONES[0].1[..TONES[0].1.len() / 2], LIMITS).unwrap();
        assert!(sound.truncated && sound.pcm.seconds() > 0.1);
    }

    #[test]
    fn channels_in_opposite_phase_are_heard() {
        let stereo: Vec<i16> = (0..8_000).flat_map(|n| [(n % 100) * 100, -(n % 100) * 100]).collect();
        assert!(Level::of(decode(&wav_16(2, 16_000, &stereo), LIMITS).unwrap().pcm.samples()).rms_dbfs > -20.0);
    }

    #[test]
    fn six_channels_at_192_khz_become_mono_at_16() {
        let sound = decode(&wav_16(6, 192_000, &[8_000; 6 * 19_200]), LIMITS).unwrap();
        assert_eq!((sound.pcm.samples().len(), sound.rate, sound.channels), (1_600, 192_000, 6));
    }

    #[test]
    fn float_samples_beyond_full_scale_are_clipped() {
        let loud: Vec<u8> = [3.0_f32, -1e30].repeat(50).iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let sound = decode(&wav(FLOAT, 32, 1, 16_000, &loud), LIMITS).unwrap();
        assert_eq!(sound.pcm.samples()[..2], [1.0, -1.0]);
    }

    #[test]
    fn what_cannot_be_heard_is_refused_in_one_sentence() {
        check_refused(&[], "the sound file is empty (0 bytes); record it again");
        check_refused(
            b"{\"error\": \"not found\"}",
            "found a text file where a sound file was expected; send WAV, FLAC, MP3, Ogg Vorbis or Opus",
        );
        check_refused(&wav_16(1, 16_000, &[]), "the WAV file has a header but no sound in it; record it again");
        check_refused(&wav_16(1, 16_000, &[0; 9])[..30], "the WAV file has a header but no sound in it; record it again");
        check_refused(
            &wav_16(1, 0, &[0; 100]),
            "the sound claims 0 samples a second; expected 1000 to 384000; export it again at 16000 or 48000",
        );
        check_refused(&wav_16(0, 16_000, &[0; 100]), "the sound claims 0 channels; expected 1 to 32; export it again as mono");
        let nan: Vec<u8> = [0.0_f32, f32::NAN].repeat(800).iter().flat_map(|sample| sample.to_le_bytes()).collect();
        check_refused(
            &wav(FLOAT, 32, 1, 1_000, &nan),
            "the sound holds a sample that is no finite number, 0.001 s from its start; export it again as 16-bit PCM",
        );
        check_refused(
            &wav_16(1, 1_000, &[0; 10_001]),
            "the sound lasts longer than 10 s; send a shorter one, or raise audio.file_seconds_max",
        );
        check_refused(
            &vec![0; (1 << 20) + 1],
            "the sound file is larger than 1048576 bytes; send a shorter one, or raise audio.file_bytes_max",
        );
        check_refused(
            &wav(0x55, 16, 1, 16_000, &[0; 100]),
            "the WAV file holds sound in a coding that is not supported (unsupported feature: wav: unsupported wave format); \
             export it as 16-bit PCM WAV",
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = decode_file(Path::new("/nowhere/question.wav"), LIMITS).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/question.wav cannot be read (No such file"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_damage_to_a_file_makes_the_decoder_panic(
            file in 0_usize..6,
            cut in 0.0_f64..=1.0,
            damage in prop::collection::vec((0.0_f64..1.0, any::<u8>()), 0..8),
            header_damage in prop::collection::vec((0_usize..64, any::<u8>()), 0..3),
        ) {
            let mut bytes = match file {
                0..3 => TONES[file].1.to_vec(),
                3 => wav_16(2, 44_100, &[1_000; 3_000]),
                4 => wav(FLOAT, 32, 1, 8_000, &[7; 4_000]),
                _ => wav(MU_LAW, 8, 1, 8_000, &[99; 4_000]),
            };
            let length = bytes.len();
            damage.into_iter().for_each(|(at, byte)| bytes[(at * length as f64) as usize] = byte);
            header_damage.into_iter().for_each(|(at, byte)| bytes[at] = byte);
            bytes.truncate((cut * length as f64) as usize);
            if let Ok(sound) = decode(&bytes, LIMITS) {
                prop_assert!(!sound.pcm.samples().is_empty() && sound.pcm.seconds() <= 10.1);
            }
        }
    }
}
