use std::borrow::Cow;

/// What a WAV file's header says, and the file with a header that tells the truth.
///
/// # Source
/// Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0" (1991), chapter "RIFF".
#[derive(Debug, PartialEq)]
pub struct Wav<'a> {
    /// The file; a copy where a length had to be corrected, as the decoder trusts it and would drop the end.
    pub bytes: Cow<'a, [u8]>,
    /// Sound promised by the header is not there.
    pub truncated: bool,
    /// Channels, from the `fmt ` chunk.
    pub channels: u16,
    /// Samples a second, from the `fmt ` chunk.
    pub rate: u32,
}

/// From this length on, a `data` chunk means "until the end of the file": programs that write into a pipe cannot go back and fill in
/// the real one. ffmpeg leaves 2^32 - 1; sox leaves a little less than 2^31.
const LENGTH_UNKNOWN: usize = 0x7fff_0000;

/// Chunk headers: four letters, and a length as u32 in little-endian order.
const CHUNK_HEADER: usize = 8;

/// Chunks that may follow an empty `data` chunk. Anything else behind a length of 0 is sound from a recorder that was switched off.
const CHUNKS_AFTER_DATA: [&[u8]; 7] = [b"LIST", b"id3 ", b"ID3 ", b"fact", b"cue ", b"bext", b"PEAK"];

/// True for the first bytes of a WAV file.
pub fn is_wav(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WAVE")
}

impl<'a> Wav<'a> {
    /// Reads the header of a file for which [`is_wav`] holds. None where the format or the sound is missing.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut format = None;
        let mut at = 12;
        // Each turn moves on by at least a chunk header.
        loop {
            let name = bytes.get(at..at + 4)?;
            let length = u32_at(bytes, at + 4)? as usize;
            let body = at + CHUNK_HEADER;
            match name {
                b"fmt " => format = Some((u16_at(bytes, body + 2)?, u32_at(bytes, body + 4)?)),
                b"data" => {
                    let (channels, rate) = format?;
                    let (bytes, truncated) = with_true_lengths(bytes, body, length);
                    return Some(Self { bytes, truncated, channels, rate });
                }
                _ => {}
            }
            // Bodies are padded to an even length.
            at = body.checked_add(length)?.checked_add(length % 2)?;
        }
    }
}

/// Corrects the lengths of the file and of its sound, which begins at `body` and is said to have `promised` bytes. Also tells whether
/// sound is missing.
fn with_true_lengths(bytes: &[u8], body: usize, promised: usize) -> (Cow<'_, [u8]>, bool) {
    let there = bytes.len() - body;
    let unfinished = promised == 0 && there > 0 && !CHUNKS_AFTER_DATA.iter().any(|name| bytes[body..].starts_with(name));
    let length = if unfinished { there } else { promised.min(there) };
    let parent_holds_it = u32_at(bytes, 4).is_some_and(|parent| parent as usize >= body + length - CHUNK_HEADER);
    if length == promised && parent_holds_it {
        return (Cow::Borrowed(bytes), false);
    }
    let mut mended = bytes.to_vec();
    let parent = bytes.len() - CHUNK_HEADER;
    mended[4..8].copy_from_slice(&(parent as u32).to_le_bytes());
    mended[body - 4..body].copy_from_slice(&(length as u32).to_le_bytes());
    (Cow::Owned(mended), promised > there && promised < LENGTH_UNKNOWN)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 16 kHz mono file of 16-bit silence, whose two lengths are what the test says.
    fn file(parent: u32, promised: u32, sound: &[u8]) -> Vec<u8> {
        let mut bytes = b"RIFF----WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data----".to_vec();
        bytes[4..8].copy_from_slice(&parent.to_le_bytes());
        bytes[40..44].copy_from_slice(&promised.to_le_bytes());
        bytes.extend_from_slice(sound);
        bytes
    }

    #[track_caller]
    fn check(parent: u32, promised: u32, sound: &[u8], length: u32, truncated: bool) {
        let bytes = file(parent, promised, sound);
        let wav = Wav::read(&bytes).unwrap();
        assert_eq!((wav.rate, wav.channels, wav.truncated), (16_000, 1, truncated));
        assert_eq!(u32_at(&wav.bytes, 40), Some(length));
    }

    #[test]
    fn an_honest_header_is_left_alone() {
        let bytes = file(40, 4, &[0; 4]);
        assert!(matches!(Wav::read(&bytes).unwrap().bytes, Cow::Borrowed(_)));
    }

    #[test]
    fn a_file_cut_short_is_known_as_such() {
        check(1_036, 1_000, &[0; 300], 300, true);
    }

    #[test]
    fn a_length_that_a_pipe_left_open_means_the_rest_of_the_file() {
        check(u32::MAX, u32::MAX, &[0; 300], 300, false);
        check(0x7fff_ffff, 0x7fff_ffdb, &[0; 300], 300, false);
    }

    #[test]
    fn a_recorder_switched_off_before_it_wrote_its_lengths_loses_nothing() {
        check(0, 0, &[1; 300], 300, false);
    }

    #[test]
    fn notes_behind_an_empty_sound_are_not_taken_for_sound() {
        check(48, 0, b"LIST\x04\0\0\0INFO", 0, false);
    }

    #[test]
    fn a_header_cut_anywhere_is_no_panic() {
        let bytes = file(340, 300, &[0; 300]);
        for length in 0..bytes.len() {
            assert_eq!(Wav::read(&bytes[..length]).is_some(), length >= 44, "{length}");
        }
    }
}
