use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::WeightsError;

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// Speech to text, in whisper.cpp's ggml format.
    Whisper,
    /// Sentence encoder.
    TextEncoder,
    /// Voice activity.
    VoiceActivity,
    /// Whether the speaker is done.
    EndOfTurn,
    /// Product photos.
    PhotoClassifier,
    /// Enrolled views of the products.
    Gallery,
    /// A shared library.
    Runtime,
    /// Low-rank changes to another model.
    Adapter,
    /// Words to numbers.
    Tokenizer,
    /// Sentiment of a sentence.
    Sentiment,
    /// What a person will do.
    Behavior,
}

/// A file on Hugging Face.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hub {
    /// Owner and name.
    pub repository: String,
    /// The commit, so that the file never changes under its checksum.
    pub revision: String,
    /// The file in it.
    pub file: String,
}

/// One line of the list.
#[derive(Debug, Clone, Deserialize)]
pub struct ModelEntry {
    /// The name by which config and command line call it.
    pub name: String,
    /// What it is for.
    pub kind: ModelKind,
    /// The file, relative to the folder of the manifest.
    pub file: PathBuf,
    /// Its length, where the publisher says it.
    pub bytes: Option<u64>,
    /// Its checksum, lower-case hexadecimal.
    pub sha256: String,
    /// Its licence.
    pub licence: String,
    /// What it is, in a sentence.
    pub about: String,
    /// Whether `make setup` provides it.
    #[serde(default)]
    pub setup: bool,
    /// The platform it runs on; absent for data.
    pub platform: Option<String>,
    /// Whisper only: safe on windows as short as the utterance.
    #[serde(default)]
    pub short_window: bool,
    /// Whisper only: the languages it hears.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Where `kioskd models pull` finds it.
    pub hub: Option<Hub>,
    /// Present for files that are tracked beside the code.
    pub repository: Option<toml::Table>,
}

#[derive(Deserialize)]
struct File {
    model: Vec<ModelEntry>,
}

/// The list of models and the folder they lie in.
#[derive(Debug, Clone)]
pub struct Manifest {
    folder: PathBuf,
    entries: Vec<ModelEntry>,
}

impl Manifest {
    /// Reads `manifest.toml` in the folder of the models.
    pub fn read(folder: &Path) -> Result<Self, WeightsError> {
        let path = folder.join("manifest.toml");
        let fail = |reason: String| WeightsError::Manifest { path: path.clone(), reason };
        let text = std::fs::read_to_string(&path).map_err(|e| fail(e.to_string()))?;
        Self::parse(folder, &text).map_err(fail)
    }

    /// The same from text; the folder is where the files are looked for.
    pub fn parse(folder: &Path, text: &str) -> Result<Self, String> {
        let entries = toml::from_str::<File>(text).map_err(|e| e.to_string().trim_end().to_owned())?.model;
        for (at, entry) in entries.iter().enumerate() {
            if entries[..at].iter().any(|other| other.name == entry.name) {
                return Err(format!("the model {:?} is listed twice", entry.name));
            }
            let plain = entry.file.components().all(|part| matches!(part, std::path::Component::Normal(_)));
            if !plain {
                return Err(format!("the file {} of {:?} must lie below the folder of the models", entry.file.display(), entry.name));
            }
            let is_checksum = entry.sha256.len() == 64 && entry.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            if !is_checksum {
                return Err(format!("the sha256 of {:?} is not 64 lower-case hexadecimal digits", entry.name));
            }
        }
        Ok(Self { folder: folder.to_owned(), entries })
    }

    /// All lines.
    pub fn entries(&self) -> &[ModelEntry] {
        &self.entries
    }

    /// The line of this name.
    pub fn entry(&self, name: &str) -> Result<&ModelEntry, WeightsError> {
        self.entries.iter().find(|e| e.name == name).ok_or_else(|| WeightsError::Unlisted { name: name.to_owned() })
    }

    /// Where the file of an entry lies or would lie.
    pub fn path(&self, entry: &ModelEntry) -> PathBuf {
        self.folder.join(&entry.file)
    }
}

impl ModelEntry {
    /// What a person runs to get the file.
    pub fn remedy(&self) -> String {
        match (&self.hub, &self.repository) {
            (Some(_), _) => format!("kioskd models pull {}", self.name),
            (None, Some(_)) => "git checkout -- models".to_owned(),
            (None, None) if self.setup => "make setup".to_owned(),
            (None, None) if self.name == "base-f16" => "make setup-base".to_owned(),
            (None, None) => "make setup-all-whisper".to_owned(),
        }
    }

    /// Whether it runs on this machine.
    pub fn fits_platform(&self) -> bool {
        let here = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        self.platform.as_ref().is_none_or(|platform| *platform == here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, file: &str, sha256: &str) -> String {
        format!("[[model]]\nname = {name:?}\nkind = \"whisper\"\nfile = {file:?}\nsha256 = {sha256:?}\nlicence = \"MIT\"\nabout = \"x\"\n")
    }

    #[track_caller]
    fn check(text: &str, complaint: &str) {
        let error = Manifest::parse(Path::new("models"), text).expect_err("accepted");
        assert!(error.contains(complaint), "{error}");
    }

    #[test]
    fn a_list_that_could_mislead_is_refused() {
        let sha = "a".repeat(64);
        check(&(entry("a", "x", &sha) + &entry("a", "y", &sha)), "listed twice");
        check(&entry("a", "../x", &sha), "below the folder");
        check(&entry("a", "/etc/x", &sha), "below the folder");
        check(&entry("a", "x", "A1"), "64 lower-case");
    }
}
