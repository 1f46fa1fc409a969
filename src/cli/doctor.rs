use std::path::Path;

use serde_json::json;

use super::{Failure, Place, open};
use crate::audio;
use crate::config::{Config, ShopFiles, open_runtime};
use crate::weights::{Manifest, ModelEntry, ModelKind};

/// Free space below which the log is in danger, in bytes.
const FREE_BYTES_MIN: u64 = 500 << 20;

/// Check all that the desk stands on, and say what to do.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print one JSON object a check
    #[arg(long)]
    json: bool,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    /// The desk works without it.
    Note,
    /// The desk does not work.
    Bad,
}

struct Check {
    name: &'static str,
    verdict: Verdict,
    finding: String,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    let config = open::config(place)?;
    let mut checks = vec![processor()];
    checks.push(shop(&config));
    match open::manifest(&config) {
        Ok(manifest) => {
            checks.push(runtime(&manifest));
            checks.extend(models(&manifest, &config));
            checks.push(whisper(&manifest, &config));
        }
        Err(error) => checks.push(Check { name: "models", verdict: Verdict::Bad, finding: error.to_string() }),
    }
    checks.extend([disk(&config), microphone(&config), camera(), gpu()]);
    for check in &checks {
        let word = match check.verdict {
            Verdict::Good => "ok",
            Verdict::Note => "note",
            Verdict::Bad => "BAD",
        };
        if arguments.json {
            open::print_json(&json!({ "check": check.name, "verdict": word.to_lowercase(), "finding": check.finding }))?;
        } else {
            open::print_line(&format!("{word:>5}  {:<12} {}", check.name, check.finding))?;
        }
    }
    match checks.iter().filter(|check| check.verdict == Verdict::Bad).count() {
        0 => Ok(()),
        bad => Err(Failure::Job(format!("{bad} checks failed; each line above says what to do"))),
    }
}

fn check(name: &'static str, outcome: Result<String, String>, otherwise: Verdict) -> Check {
    match outcome {
        Ok(finding) => Check { name, verdict: Verdict::Good, finding },
        Err(finding) => Check { name, verdict: otherwise, finding },
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn processor() -> Check {
    let features = whisper_rs::print_system_info();
    let fast: Vec<&str> =
        ["AVX2 = 1", "AVX512 = 1", "FMA = 1", "F16C = 1", "NEON = 1"].into_iter().filter(|f| features.contains(f)).collect();
    let names = fast.iter().map(|f| f.trim_end_matches(" = 1")).collect::<Vec<_>>().join(", ");
    let finding = format!("{} cores, {}; whisper.cpp was built with {names}", cores(), std::env::consts::ARCH);
    let slow = "whisper.cpp was built without vector instructions and is many times slower; build again as .cargo/config.toml says";
    check("processor", if fast.is_empty() { Err(slow.to_owned()) } else { Ok(finding) }, Verdict::Note)
}

fn shop(config: &Config) -> Check {
    let outcome = ShopFiles::read(&config.paths.shop).map(|files| {
        format!("{} products, {} intents in {}", files.catalog.products().len(), files.intents.len(), config.paths.shop.display())
    });
    check("shop", outcome.map_err(|problems| problems.join("; ")), Verdict::Bad)
}

fn runtime(manifest: &Manifest) -> Check {
    let outcome = open_runtime(manifest).map(|_| "loads, 1.17 or newer".to_owned()).map_err(|e| e.to_string());
    check("onnxruntime", outcome, Verdict::Bad)
}

/// Every model that `make setup` or the repository should have provided, and those that the settings name.
fn models(manifest: &Manifest, config: &Config) -> Vec<Check> {
    let named = [&config.speech.model, &config.vision.model, &config.vision.gallery];
    let wanted = |entry: &&ModelEntry| {
        let kept = entry.setup && entry.fits_platform() || entry.repository.is_some() || named.contains(&&entry.name);
        kept && entry.kind != ModelKind::Runtime
    };
    let outcome = |entry: &ModelEntry| match manifest.verify(&entry.name) {
        Ok(_) => Ok(format!("{}: there, checksum right", entry.name)),
        Err(error) => Err(error.to_string()),
    };
    let unlisted = named.into_iter().filter_map(|name| manifest.entry(name).err()).map(|error| Err(error.to_string()));
    let listed = manifest.entries().iter().filter(wanted).map(outcome);
    listed.chain(unlisted).map(|outcome| check("model", outcome, Verdict::Bad)).collect()
}

/// Which Whisper this machine should run. Measured on one of two cores, for a request of 2.9 s (`kioskd transcribe --model NAME --json`):
/// `tiny.en` with its adapter 0.35 s with everything around it, `base` with its floor of 512 units 1.2 to 1.5 s; larger ones need a GPU
/// or more cores.
fn whisper(manifest: &Manifest, config: &Config) -> Check {
    let (best, why) = match (config.language_is_english(), cores()) {
        (true, ..=3) => ("tiny.en-short", "English on few cores: the only one that answers within 0.4 s"),
        (true, _) => ("tiny.en-short", "English: the fastest; with more cores base-f16 is an alternative for hard accents"),
        (false, _) => ("base-f16", "the smallest that hears many languages"),
    };
    let chosen = &config.speech.model;
    let here = manifest.verify(best).is_ok();
    if chosen == best {
        return check("whisper", Ok(format!("{chosen}, which is what this machine should run ({why})")), Verdict::Note);
    }
    let remedy =
        if here { format!("set speech.model = \"{best}\"") } else { format!("`make setup-base`, then set speech.model = \"{best}\"") };
    check("whisper", Err(format!("the settings choose {chosen}; this machine would run {best} best ({why}): {remedy}")), Verdict::Note)
}

fn disk(config: &Config) -> Check {
    let folder = &config.paths.data;
    let writable = std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder).map(|_| ()));
    let outcome = match (writable, free_bytes(folder)) {
        (Err(error), _) => Err(format!("{} cannot be written ({error}); choose another folder in paths.data", folder.display())),
        (Ok(()), Some(free)) if free < FREE_BYTES_MIN => {
            Err(format!("{} has {} MB free; make room, the session log needs some", folder.display(), free >> 20))
        }
        (Ok(()), free) => Ok(format!("{} can be written, {} MB free", folder.display(), free.map_or(0, |f| f >> 20))),
    };
    check("disk", outcome, Verdict::Bad)
}

#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail * stat.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

fn microphone(config: &Config) -> Check {
    let none = "none was found; `kioskd listen` needs one (plug it in, and put this user into the group \"audio\"), the service does not";
    let outcome = match audio::devices() {
        Err(error) => Err(error.to_string()),
        Ok(devices) => {
            let usable: Vec<_> = devices.iter().filter(|d| d.abilities.is_ok()).collect();
            let chosen = config.audio.device.as_ref().map(|wanted| usable.iter().any(|d| d.id == *wanted || d.name == *wanted));
            match (usable.first(), chosen) {
                (None, _) => Err(none.to_owned()),
                (_, Some(false)) => Err("the one in audio.device is not there; `kioskd devices` lists those that are".to_owned()),
                (Some(first), _) => Ok(format!("{} ({} in all)", first.name, usable.len())),
            }
        }
    };
    check("microphone", outcome, Verdict::Note)
}

fn camera() -> Check {
    let found = std::fs::read_dir("/dev").into_iter().flatten().filter_map(Result::ok);
    let cameras: Vec<String> =
        found.map(|e| e.file_name().to_string_lossy().into_owned()).filter(|name| name.starts_with("video")).collect();
    let none = "none on this machine; the kiosk's page uses the camera of the browser that shows it, files work too";
    check("camera", if cameras.is_empty() { Err(none.to_owned()) } else { Ok(format!("/dev/{}", cameras.join(", /dev/"))) }, Verdict::Note)
}

fn gpu() -> Check {
    let built = cfg!(feature = "cuda");
    let driver = Path::new("/proc/driver/nvidia/version").exists() || Path::new("/dev/nvhost-gpu").exists();
    let finding = match (built, driver) {
        (true, true) => Ok("NVIDIA driver found, built with feature \"cuda\"".to_owned()),
        (true, false) => {
            Err("built with feature \"cuda\", but no NVIDIA driver is loaded; install it or build without the feature".to_owned())
        }
        (false, true) => Err("an NVIDIA GPU is there and not used; `cargo build --release --features cuda` uses it".to_owned()),
        (false, false) => Ok("none, and none is needed".to_owned()),
    };
    check("gpu", finding, Verdict::Note)
}
