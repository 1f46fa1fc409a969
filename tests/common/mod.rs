//! What several promises need: the models as `make setup` provides them, the shop that ships, a desk over both.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, OnceLock};

use kioskd::config::{Config, open_desk, open_runtime};
use kioskd::domain::Moment;
use kioskd::onnx::OnnxRuntime;
use kioskd::turn::{Desk, FixedClock};
use kioskd::weights::{Manifest, VerifiedFile};

/// A path of the repository.
pub fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

pub fn manifest() -> Manifest {
    Manifest::read(&path("models")).expect("models/manifest.toml")
}

/// A model as it was fetched. A test that needs one fails where it is missing: nothing is skipped in silence.
pub fn model(name: &str) -> VerifiedFile {
    manifest().verify(name).unwrap_or_else(|error| panic!("{error}"))
}

pub fn runtime() -> OnnxRuntime {
    open_runtime(&manifest()).expect("ONNX Runtime")
}

/// The settings that ship, with a data folder of its own and what was learnt from the shop's sentences shared by all tests.
pub fn config(data: &Path) -> Config {
    let mut config = Config::read(&path("config/kiosk.toml")).expect("config/kiosk.toml");
    let learned = learned();
    std::fs::create_dir_all(data.join("learned")).expect("a folder");
    for entry in std::fs::read_dir(learned).expect("what was learnt").filter_map(Result::ok) {
        std::fs::copy(entry.path(), data.join("learned").join(entry.file_name())).expect("copies");
    }
    config.paths.data = data.to_owned();
    config
}

/// The sentences of the shop are encoded once for all test programs: it takes ten seconds.
fn learned() -> &'static Path {
    static LEARNED: OnceLock<PathBuf> = OnceLock::new();
    LEARNED.get_or_init(|| {
        let data = path("target/test-data");
        let mut config = Config::read(&path("config/kiosk.toml")).expect("config/kiosk.toml");
        config.paths.data = data.clone();
        let files = kioskd::config::ShopFiles::read(&config.paths.shop).expect("the shop's files");
        kioskd::config::open_language(&config, &manifest(), &files, &|_, _| ()).expect("the language model");
        data.join("learned")
    })
}

/// A Wednesday, a quarter past ten.
pub const MOMENT: Moment = Moment { weekday: 2, minutes: 615 };

/// The whole desk with real models, over a log of its own. The clock stands still.
pub fn desk(data: &Path) -> Desk {
    let clock = FixedClock { unix_ms: 1_800_000_000_000, moment: MOMENT };
    open_desk(&config(data), Arc::new(clock), &|_, _| ()).expect("a desk")
}

/// Runs the program, with a data folder of its own that has learnt already.
pub fn kioskd(data: &Path, arguments: &[&str]) -> Output {
    command(data, arguments).output().expect("the program runs")
}

pub fn command(data: &Path, arguments: &[&str]) -> Command {
    drop(config(data));
    let mut command = Command::new(env!("CARGO_BIN_EXE_kioskd"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("--data-dir").arg(data).args(arguments);
    command
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The lines of an `index.jsonl`.
pub fn index(relative: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path(relative)).unwrap_or_else(|e| panic!("{relative}: {e}"));
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{relative}: {e}: {line}"))).collect()
}

/// Words in lower case, without marks: "gluten-free?" and "gluten free" are the same.
pub fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric() && c != '\'');
    parts.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}
