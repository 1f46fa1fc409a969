//! What the operator and the shop wrote: `kiosk.toml` and the shop's files, read, checked all at once, and built into a desk.
//!
//! Each area's settings are a struct beside its code; here they are only gathered. Unknown keys are refused, since a misspelt key must
//! not quietly mean the default. Nothing below this folder knows where a value came from.

mod assemble;
mod shop_files;

pub use assemble::{
    AssembleError, ENCODER_FILES, Learned, grammars, open_desk, open_dialogue, open_hearing, open_language, open_lessons, open_runtime,
    open_seeing, photo_labels,
};
pub use shop_files::{GrammarTexts, ShopFiles};

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::audio::AudioConfig;
use crate::behavior::BehaviorConfig;
use crate::bridge::BridgeConfig;
use crate::dialogue::DialogueConfig;
use crate::language::LanguageConfig;
use crate::recommend::RecommendConfig;
use crate::speech::SpeechConfig;
use crate::turn::DeskConfig;
use crate::vision::VisionConfig;

/// Where files are. Relative to the folder of `kiosk.toml` in the file, absolute or relative to the working directory here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Paths {
    /// The shop's files.
    pub shop: PathBuf,
    /// The models.
    pub models: PathBuf,
    /// The log and what was learnt.
    pub data: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self { shop: PathBuf::from("."), models: PathBuf::from("../models"), data: PathBuf::from("../var") }
    }
}

/// How the service is reached.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: String,
    /// A larger request is refused, in bytes.
    pub body_bytes_max: usize,
    /// Requests worked on at once.
    pub requests_max: usize,
    /// A request that takes longer is given up, in milliseconds.
    pub request_ms_max: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8080".to_owned(), body_bytes_max: 80 << 20, requests_max: 32, request_ms_max: 90_000 }
    }
}

impl ServerConfig {
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.listen.parse::<std::net::SocketAddr>().is_err() {
            problems.push(format!("server.listen is {:?}; expected an address and a port such as \"127.0.0.1:8080\"", self.listen));
        }
        if !(1 << 10..=1 << 30).contains(&self.body_bytes_max) {
            problems.push(format!("server.body_bytes_max is {}; expected 1024 to 1073741824", self.body_bytes_max));
        }
        if !(1..=1024).contains(&self.requests_max) {
            problems.push(format!("server.requests_max is {}; expected 1 to 1024", self.requests_max));
        }
        if !(100..=3_600_000).contains(&self.request_ms_max) {
            problems.push(format!("server.request_ms_max is {}; expected 100 to 3600000", self.request_ms_max));
        }
        problems
    }
}

/// All of `kiosk.toml`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where files are.
    pub paths: Paths,
    /// Where sound comes from and how it is cut.
    pub audio: AudioConfig,
    /// How speech is recognised.
    pub speech: SpeechConfig,
    /// How photos are read.
    pub vision: VisionConfig,
    /// How sentences are understood.
    pub language: LanguageConfig,
    /// How behaviour is learnt, and what is done about what the model says.
    pub behavior: BehaviorConfig,
    /// How conversations are led.
    pub dialogue: DialogueConfig,
    /// How much offers learn and try out.
    pub recommend: RecommendConfig,
    /// A language model for open questions.
    pub bridge: BridgeConfig,
    /// How turns are run.
    pub turn: DeskConfig,
    /// How the service is reached.
    pub server: ServerConfig,
}

/// Why the config cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is none.
    #[error("no kiosk.toml was found (looked for {looked_for}); run kioskd in its own folder, or name the file with --config")]
    NotFound {
        /// The places.
        looked_for: String,
    },
    /// It cannot be read.
    #[error("{} cannot be used: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It can be read, but makes no sense.
    #[error("{}", problems.join("\n"))]
    Problems {
        /// All that is wrong, a sentence each.
        problems: Vec<String>,
    },
}

impl Config {
    /// Looks for `config/kiosk.toml` here and above the program, as it lies in a checkout or an installation.
    pub fn find() -> Result<PathBuf, ConfigError> {
        let program = std::env::current_exe().ok().and_then(|path| path.canonicalize().ok());
        let above = program.iter().flat_map(|path| path.ancestors().skip(1)).map(|folder| folder.join("config/kiosk.toml"));
        let places: Vec<PathBuf> = std::iter::once(PathBuf::from("config/kiosk.toml")).chain(above).collect();
        places.iter().find(|path| path.is_file()).cloned().ok_or_else(|| ConfigError::NotFound {
            looked_for: places.first().map(|p| p.display().to_string()).unwrap_or_default() + " and the folders above the program",
        })
    }

    /// Reads and checks a file; its relative paths are made relative to the working directory.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |reason: String| ConfigError::Unreadable { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|e| unreadable(e.to_string()))?;
        let mut config: Self = toml::from_str(&text).map_err(|e| unreadable(e.to_string().trim_end().to_owned()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for place in [&mut config.paths.shop, &mut config.paths.models, &mut config.paths.data] {
            *place = folder.join(&*place);
        }
        match config.problems() {
            problems if problems.is_empty() => Ok(config),
            problems => {
                let problems = problems.into_iter().map(|p| format!("{}: {p}", path.display())).collect();
                Err(ConfigError::Problems { problems })
            }
        }
    }

    /// Whether people speak English to it.
    pub fn language_is_english(&self) -> bool {
        self.speech.languages.first().is_none_or(|code| code == "en")
    }

    /// All that is wrong with the values, of all areas.
    pub fn problems(&self) -> Vec<String> {
        let audio = self.audio.check().into_iter().map(|problem| format!("audio.{problem}")).collect();
        let areas = [
            audio,
            self.speech.problems(),
            self.vision.problems(),
            self.language.problems(),
            self.behavior.problems(),
            self.dialogue.problems(),
            self.recommend.problems(),
            self.bridge.problems(),
            self.turn.problems(),
            self.server.problems(),
            self.thread_problems(),
        ];
        areas.into_iter().flatten().collect()
    }

    /// whisper.cpp's threads wait for each other spinning: more of them than cores makes recognition many times slower, not faster.
    fn thread_problems(&self) -> Vec<String> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let too_many = |key: &str, threads: usize| {
            (threads > cores).then(|| format!("{key} is {threads}, but this machine has {cores} cores; expected at most {cores}"))
        };
        let of_speech = self.speech.threads * self.speech.recognisers();
        let problems = [
            too_many("speech.threads", self.speech.threads),
            too_many("speech.recognisers times speech.threads", of_speech).filter(|_| self.speech.threads <= cores),
            too_many("vision.threads", self.vision.threads),
        ];
        let together = self.speech.threads + self.vision.threads;
        // One more than the cores is allowed: a photo takes 10 ms, and a machine with one core must work too.
        let sum = (together > cores + 1).then(|| {
            format!("speech.threads and vision.threads are {together} together, but this machine has {cores} cores; make them fewer")
        });
        problems.into_iter().chain([sum]).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_ships_shows_every_default() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/kiosk.toml")).expect("config/kiosk.toml");
        let shipped: Config = toml::from_str(&text).expect("parses");
        assert_eq!(shipped, Config::default());
        let keys = text.lines().filter(|line| line.contains(" = ")).count();
        // Counted by hand against the structs: a new key must be shown in the file too.
        assert_eq!(keys, 57, "config/kiosk.toml shows every key once");
    }

    #[test]
    fn a_misspelt_key_is_refused_and_all_problems_come_at_once() {
        assert!(toml::from_str::<Config>("[speech]\nmodle = \"x\"").expect_err("accepted").to_string().contains("modle"));
        let config: Config = toml::from_str("[speech]\nthreads = 0\n[server]\nlisten = \"x\"\n[turn]\nqueue = 0").expect("parses");
        assert_eq!(config.problems().len(), 3, "{:?}", config.problems());
    }
}
