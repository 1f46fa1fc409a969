use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::{Failure, Place, open, progress};
use crate::audio;
use crate::config::{Config, open_hearing, open_runtime};
use crate::domain::Heard;
use crate::speech::{Request, Window};
use crate::turn::{HeardSound, Hearing};
use crate::wire::TranscriptJson;

/// Write down what is said in sound files.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd transcribe audio_fixtures/how-much.heart.flac
  kioskd transcribe audio_fixtures/*.flac --json")]
pub(super) struct Arguments {
    /// WAV, FLAC, MP3, Ogg Vorbis or Opus
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    recogniser: Recogniser,
    /// Print one JSON object a file
    #[arg(long)]
    json: bool,
}

/// Which recogniser listens, and how much of its window it uses.
#[derive(Debug, clap::Args)]
pub(super) struct Recogniser {
    /// Use the whole window of 30 s, as whisper.cpp does by default
    #[arg(long)]
    full_window: bool,
    /// Another model of models/manifest.toml than the settings'
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

impl Recogniser {
    pub(super) fn window(&self) -> Window {
        if self.full_window { Window::Full } else { Window::Utterance }
    }

    /// The settings with the model that was asked for.
    pub(super) fn settings(&self, mut config: Config) -> Config {
        if let Some(model) = &self.model {
            config.speech.model.clone_from(model);
        }
        config
    }
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    let config = arguments.recogniser.settings(open::config(place)?);
    let window = arguments.recogniser.window();
    let mut hearing = hearing(&config)?;
    each_file(&arguments.files, "transcribing", arguments.json, |file, bar| {
        let (heard, timing) = transcribe(file, &mut hearing, &config, window)?;
        bar.suspend(|| show(file, &heard, timing, arguments.json))
    })
}

/// Works on one file after the other; one that cannot be read is told and does not keep the others from being read.
pub(super) fn each_file(
    files: &[PathBuf],
    doing: &'static str,
    is_json: bool,
    mut work: impl FnMut(&Path, &ProgressBar) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let bar = progress::bar(files.len() as u64, doing);
    let mut failed = 0;
    for file in files {
        match work(file, &bar) {
            Ok(()) => {}
            Err(Failure::Input(error)) => {
                failed += 1;
                bar.suspend(|| complain(file, &error, is_json))?;
            }
            Err(error) => return Err(error),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    match failed {
        0 => Ok(()),
        _ => Err(Failure::Input(format!("{failed} of {} files could not be read; see above", files.len()))),
    }
}

/// Voice detector and recogniser alone: no language, no photos, no log.
pub(super) fn hearing(config: &Config) -> Result<Hearing, Failure> {
    let manifest = open::manifest(config)?;
    Ok(open_hearing(config, &manifest, &open_runtime(&manifest)?)?)
}

/// Milliseconds of sound, and of work on it.
#[derive(Debug, Clone, Copy)]
struct Timing {
    audio_ms: f64,
    ms: f64,
}

fn transcribe(file: &Path, hearing: &mut Hearing, config: &Config, window: Window) -> Result<(HeardSound, Timing), Failure> {
    let begun = Instant::now();
    let sound = audio::decode_file(file, config.audio.file_limits()).map_err(|e| Failure::Input(e.to_string()))?;
    let heard = hearing.hear(&sound.pcm, &Request { window, ..Request::default() }).map_err(|e| Failure::Job(e.to_string()))?;
    let audio_ms = sound.pcm.duration().as_secs_f64() * 1_000.0;
    Ok((heard, Timing { audio_ms, ms: begun.elapsed().as_secs_f64() * 1_000.0 }))
}

fn show(file: &Path, sound: &HeardSound, timing: Timing, is_json: bool) -> Result<(), Failure> {
    if !is_json {
        let text = match &sound.heard {
            Heard::Words(transcript) => transcript.text.as_str(),
            Heard::Silence => "(nothing was said)",
        };
        return open::print_line(&format!("{}: {text}", file.display()));
    }
    let mut object = json!({ "file": file.display().to_string() });
    if let (Value::Object(object), Ok(Value::Object(words))) = (&mut object, serde_json::to_value(TranscriptJson::of_heard(&sound.heard))) {
        object.extend(words);
        let rounded = |ms: f64| json!((ms * 10.0).round() / 10.0);
        object.insert("audio_ms".to_owned(), rounded(timing.audio_ms));
        object.insert("ms".to_owned(), rounded(timing.ms));
    }
    open::print_json(&object)
}

/// A file that cannot be read does not keep the others from being read.
pub(super) fn complain(file: &Path, error: &str, is_json: bool) -> Result<(), Failure> {
    eprintln!("kioskd: {error}");
    if is_json { open::print_json(&json!({ "file": file.display().to_string(), "error": error })) } else { Ok(()) }
}
