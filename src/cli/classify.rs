use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};

use super::{Failure, Place, open, transcribe};
use crate::config::{Config, ShopFiles, open_runtime, open_seeing};
use crate::domain::{Sighting, Verdict};
use crate::vision::{Classifier, Gallery, decode};
use crate::wire::SightingJson;

/// Name the products on photos.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  kioskd classify tests/photos/*.jpg --json")]
pub(super) struct Arguments {
    /// JPEG, PNG or WebP
    #[arg(required = true, value_name = "PHOTO")]
    photos: Vec<PathBuf>,
    /// Print one JSON object a photo
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    let config = open::config(place)?;
    let (mut classifier, gallery) = seeing(&config)?;
    let mut failed = 0;
    for photo in &arguments.photos {
        match sight(photo, &mut classifier, &gallery, &config) {
            Ok((sighting, ms)) => show(photo, &sighting, ms, arguments.json)?,
            Err(Failure::Input(error)) => {
                failed += 1;
                transcribe::complain(photo, &error, arguments.json)?;
            }
            Err(error) => return Err(error),
        }
    }
    match failed {
        0 => Ok(()),
        _ => Err(Failure::Input(format!("{failed} of {} photos could not be read; see above", arguments.photos.len()))),
    }
}

/// Classifier and gallery alone.
pub(super) fn seeing(config: &Config) -> Result<(Classifier, Gallery), Failure> {
    let files = ShopFiles::read(&config.paths.shop).map_err(|problems| Failure::Input(problems.join("\n")))?;
    let manifest = open::manifest(config)?;
    Ok(open_seeing(config, &manifest, &open_runtime(&manifest)?, &files.catalog)?)
}

fn sight(photo: &Path, classifier: &mut Classifier, gallery: &Gallery, config: &Config) -> Result<(Sighting, f64), Failure> {
    let bytes = open::read(photo)?;
    let begun = Instant::now();
    let crop = decode(&bytes, &config.vision).map_err(|e| Failure::Input(format!("{}: {e}", photo.display())))?;
    let sighting = classifier.sight(&crop, gallery).map_err(|e| Failure::Job(e.to_string()))?;
    Ok((sighting, begun.elapsed().as_secs_f64() * 1_000.0))
}

fn show(photo: &Path, sighting: &Sighting, ms: f64, is_json: bool) -> Result<(), Failure> {
    let Some(best) = sighting.top.first() else { return Ok(()) };
    if !is_json {
        let verdict = if sighting.verdict == Verdict::Known { "" } else { "unknown, nearest " };
        let advice = sighting.advice.map_or(String::new(), |a| format!("  ({})", a.sentence()));
        return open::print_line(&format!("{}: {verdict}{} {:.0}%{advice}", photo.display(), best.label, 100.0 * best.probability.get()));
    }
    let mut object = json!({ "file": photo.display().to_string() });
    if let (Value::Object(object), Ok(Value::Object(seen))) = (&mut object, serde_json::to_value(SightingJson::of(sighting))) {
        object.extend(seen);
        object.insert("ms".to_owned(), json!((ms * 10.0).round() / 10.0));
    }
    open::print_json(&object)
}
