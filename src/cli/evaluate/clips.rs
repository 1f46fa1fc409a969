use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::{Failure, open};

/// A recording with what is said in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clip {
    /// The sound file.
    pub(super) audio: PathBuf,
    /// What is said; empty where nobody speaks.
    pub(super) text: String,
    /// A name in it that is to be understood, as that of a product.
    pub(super) name: Option<String>,
    /// Line of the manifest, from 1.
    pub(super) line: usize,
}

/// A line of the manifest; other keys are left alone.
#[derive(Deserialize)]
struct Row {
    audio: PathBuf,
    text: String,
    name: Option<String>,
}

/// Reads lines `{"audio": "yes.wav", "text": "yes"}`, some with a `"name"`, the paths relative to the manifest. Bad lines and missing files are told with their
/// line before anything is heard.
pub(super) fn read_clips(manifest: &Path) -> Result<Vec<Clip>, Failure> {
    let content = open::read(manifest)?;
    let text = String::from_utf8(content).map_err(|_| Failure::Input(format!("{} is not text", manifest.display())))?;
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let clips: Result<Vec<Clip>, Failure> = lines.map(|(at, line)| read_clip(manifest, folder, at + 1, line)).collect();
    match clips? {
        clips if clips.is_empty() => Err(Failure::Input(format!("{} lists no recording", manifest.display()))),
        clips => Ok(clips),
    }
}

fn read_clip(manifest: &Path, folder: &Path, line: usize, row: &str) -> Result<Clip, Failure> {
    let wrong = |reason: String| Failure::Input(format!("{}, line {line}: {reason}", manifest.display()));
    let row: Row = serde_json::from_str(row)
        .map_err(|e| wrong(format!("{e}; expected an object such as {{\"audio\": \"yes.wav\", \"text\": \"yes\"}}")))?;
    let audio = folder.join(row.audio);
    if !audio.is_file() {
        return Err(wrong(format!("{} is not there; paths are relative to the manifest", audio.display())));
    }
    Ok(Clip { audio, text: row.text, name: row.name, line })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(manifest: &str, expected: &str) {
        let room = tempfile::tempdir().unwrap();
        std::fs::write(room.path().join("yes.wav"), "").unwrap();
        let path = room.path().join("clips.jsonl");
        std::fs::write(&path, manifest).unwrap();
        match read_clips(&path) {
            Err(Failure::Input(error)) => assert!(error.contains(expected), "{error}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bad_line_is_told_with_its_file_and_number() {
        refused("{\"audio\": \"yes.wav\", \"text\": \"\"}\n\nnonsense", "clips.jsonl, line 3: ");
        refused("{\"audio\": \"yes.wav\"}", "missing field `text`");
        refused("{\"audio\": \"no.wav\", \"text\": \"no\"}", "clips.jsonl, line 1: ");
        refused("{\"audio\": \"no.wav\", \"text\": \"no\"}", "no.wav is not there");
        refused("\n", "lists no recording");
    }

    #[test]
    fn a_manifest_may_hold_more_than_is_needed_and_texts_may_be_empty() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("clips.jsonl");
        std::fs::write(room.path().join("a.wav"), "").unwrap();
        std::fs::write(&path, "{\"audio\": \"a.wav\", \"text\": \"\", \"speaker\": 7}\n").unwrap();
        assert_eq!(read_clips(&path).unwrap(), [Clip { audio: room.path().join("a.wav"), text: String::new(), name: None, line: 1 }]);
    }
}
