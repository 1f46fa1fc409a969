use super::wav::is_wav;

/// The file formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// RIFF WAVE.
    Wav,
    /// FLAC in its own container.
    Flac,
    /// MPEG audio, with or without ID3 tags in front.
    Mp3,
    /// Ogg; what is inside is seen later.
    Ogg,
}

/// What else is sent by mistake, by its first bytes. The order matters: the first match names it.
const OTHERS: [(&[u8], usize, &str); 14] = [
    (b"ftyp", 4, "an MP4 or M4A file"),
    (b"\x1a\x45\xdf\xa3", 0, "a WebM or Matroska file"),
    (b"FORM", 0, "an AIFF file"),
    (b"caff", 0, "a Core Audio file"),
    (b"#!AMR", 0, "an AMR file"),
    (b"\x30\x26\xb2\x75", 0, "a Windows Media file"),
    (b"\xff\xd8\xff", 0, "a JPEG picture"),
    (b"\x89PNG", 0, "a PNG picture"),
    (b"GIF8", 0, "a GIF picture"),
    (b"RIFF", 0, "a RIFF file that is no WAV (perhaps a WebP picture or an AVI film)"),
    (b"%PDF", 0, "a PDF document"),
    (b"PK\x03\x04", 0, "a ZIP archive"),
    (b"\x1f\x8b", 0, "a gzip archive"),
    (b"version https://git-lfs", 0, "a Git LFS pointer (run `git lfs pull`)"),
];

impl Container {
    /// Knows a sound file by its first bytes, or says what they look like instead.
    pub fn recognise(bytes: &[u8]) -> Result<Self, &'static str> {
        match bytes {
            _ if is_wav(bytes) => Ok(Self::Wav),
            [b'f', b'L', b'a', b'C', ..] => Ok(Self::Flac),
            [b'O', b'g', b'g', b'S', ..] => Ok(Self::Ogg),
            [b'I', b'D', b'3', ..] => Ok(Self::Mp3),
            _ if is_mpeg_layer_3(bytes) => Ok(Self::Mp3),
            _ => Err(describe(bytes)),
        }
    }

    /// The name people use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wav => "WAV",
            Self::Flac => "FLAC",
            Self::Mp3 => "MP3",
            Self::Ogg => "Ogg",
        }
    }
}

/// The header of an MPEG audio frame: 11 bits of ones, then a version that is not the reserved one, and layer 3.
///
/// # Source
/// ISO/IEC 11172-3 (1993), 2.4.1.3.
fn is_mpeg_layer_3(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 0x18 != 0x08 && second & 0x06 == 0x02)
}

fn describe(bytes: &[u8]) -> &'static str {
    let known = OTHERS.iter().find(|(mark, at, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
    let start = &bytes[..bytes.len().min(64)];
    match known {
        Some((_, _, name)) => name,
        None if start.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) => "a text file",
        None if start.iter().all(|byte| *byte == 0) => "a file of zeros",
        None => "bytes of an unknown format",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_format() {
        for (bytes, container) in [
            (&b"RIFF\x24\0\0\0WAVEfmt "[..], Container::Wav),
            (b"fLaC\0\0\0\x22", Container::Flac),
            (b"OggS\0\x02", Container::Ogg),
            (b"ID3\x04\0", Container::Mp3),
            (b"\xff\xfb\x90\x64", Container::Mp3),
        ] {
            assert_eq!(Container::recognise(bytes), Ok(container));
        }
    }

    #[test]
    fn what_is_no_sound_is_called_by_its_name() {
        for (bytes, name) in [
            (&b"\xff\xd8\xff\xe0\0\x10JFIF"[..], "a JPEG picture"),
            (b"RIFF\x24\0\0\0WEBPVP8 ", "a RIFF file that is no WAV (perhaps a WebP picture or an AVI film)"),
            (b"\0\0\0\x20ftypM4A ", "an MP4 or M4A file"),
            (b"hello, this is no sound", "a text file"),
            (&[0; 100], "a file of zeros"),
            (b"\x01\x02\x03", "bytes of an unknown format"),
        ] {
            assert_eq!(Container::recognise(bytes), Err(name));
        }
    }
}
