use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::SpeechError;

/// "ggml" as whisper.cpp writes it.
const MAGIC: u32 = 0x6767_6d6c;

/// The dimensions at the head of a ggml file.
///
/// whisper.cpp trusts them: a vocabulary of two billion aborts the process and a million layers hang it. So they are read and
/// compared with the sizes that OpenAI has published before the library sees the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelHeader {
    /// Tokens; 51,864 for English, 51,865 or 51,866 for many languages.
    pub vocabulary: u32,
    /// Width of the encoder and decoder.
    pub width: u32,
    /// Layers of the encoder.
    pub encoder_layers: u32,
    /// Layers of the decoder.
    pub decoder_layers: u32,
    /// Mel bands: 80, or 128 from large-v3 on.
    pub mel_bands: u32,
}

impl ModelHeader {
    /// Reads and checks the first 48 bytes.
    pub fn read(path: &Path) -> Result<Self, SpeechError> {
        let bad = |reason: String| SpeechError::BadModel { path: path.to_owned(), reason };
        let mut bytes = [0u8; 48];
        let mut file = File::open(path).map_err(|e| bad(e.to_string()))?;
        file.read_exact(&mut bytes).map_err(|_| bad("it has fewer than 48 bytes".to_owned()))?;
        Self::parse(&bytes).map_err(bad)
    }

    fn parse(bytes: &[u8; 48]) -> Result<Self, String> {
        let word = |at: usize| u32::from_le_bytes([bytes[4 * at], bytes[4 * at + 1], bytes[4 * at + 2], bytes[4 * at + 3]]);
        if word(0) != MAGIC {
            return Err(format!("it begins with {:#010x} instead of {MAGIC:#010x}", word(0)));
        }
        // vocabulary, audio context, width, heads, layers; text context, width, heads, layers; mel bands, type.
        let header = Self { vocabulary: word(1), width: word(3), encoder_layers: word(5), decoder_layers: word(9), mel_bands: word(10) };
        let published = [(384, 4), (512, 6), (768, 12), (1024, 24), (1280, 32)];
        let known = (51_864..=51_866).contains(&header.vocabulary)
            && word(2) == 1500
            && published.contains(&(header.width, header.encoder_layers))
            && word(7) == header.width
            && word(6) == 448
            && (1..=header.encoder_layers).contains(&header.decoder_layers)
            && word(4) == header.width / 64
            && word(8) == header.width / 64
            && matches!(header.mel_bands, 80 | 128);
        if known { Ok(header) } else { Err(format!("its dimensions are none that OpenAI has published ({header:?})")) }
    }

    /// Whether it hears English only.
    pub fn is_english_only(&self) -> bool {
        self.vocabulary == 51_864
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny_en() -> [u32; 12] {
        [MAGIC, 51_864, 1500, 384, 6, 4, 448, 384, 6, 4, 80, 1]
    }

    fn parse(words: [u32; 12]) -> Result<ModelHeader, String> {
        let mut bytes = [0u8; 48];
        bytes.chunks_exact_mut(4).zip(words).for_each(|(chunk, word)| chunk.copy_from_slice(&word.to_le_bytes()));
        ModelHeader::parse(&bytes)
    }

    #[test]
    fn the_published_sizes_pass() {
        assert!(parse(tiny_en()).expect("tiny.en").is_english_only());
        assert!(!parse([MAGIC, 51_866, 1500, 1280, 20, 32, 448, 1280, 20, 4, 128, 1]).expect("turbo").is_english_only());
    }

    #[test]
    fn dimensions_that_would_hang_or_abort_the_library_are_refused() {
        for (at, value) in [(0, 7), (1, 2_000_000_000), (5, 1_000_000), (9, 1_000_000), (4, 1_000_000), (8, 67_108_870), (10, 0)] {
            let mut words = tiny_en();
            words[at] = value;
            assert!(parse(words).is_err(), "word {at} = {value}");
        }
    }
}
