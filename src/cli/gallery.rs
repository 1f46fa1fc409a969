use std::path::PathBuf;

use super::{Failure, Place, evaluate, open, progress};
use crate::config::{ShopFiles, open_runtime, photo_labels};
use crate::vision::{Classifier, GalleryBuilder, decode, read_classes};

/// The enrolled views that tell known products from unknown ones.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Enrol labelled photos, and set the threshold on others
    #[command(after_help = "Example:
  kioskd gallery build --dir photos --list photos/train.txt --calibrate photos/val.txt --out models/gallery/grocery.safetensors")]
    Build {
        /// The paths in the lists are relative to this folder
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Photos to enrol: lines `path, class_id, coarse_id`
        #[arg(long, value_name = "FILE")]
        list: PathBuf,
        /// Photos of known products on which the threshold is set: 95% of them stay known
        #[arg(long, value_name = "FILE")]
        calibrate: PathBuf,
        /// Blur the calibration photos by this, in pixels of the 224 that the network sees. A classifier that has learnt from them is
        /// surer of them than of any new photo; the blur that brings its accuracy down to that on new photos makes up for it
        #[arg(long, value_name = "SIGMA", default_value_t = 0.0)]
        blur: f32,
        /// Where the gallery is written
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

pub(super) fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let Command::Build { dir, list, calibrate, blur, out } = command;
    if !(0.0..=20.0).contains(&blur) {
        return Err(Failure::Input(format!("--blur is {blur}; expected 0 to 20")));
    }
    let config = open::config(place)?;
    let files = ShopFiles::read(&config.paths.shop).map_err(|problems| Failure::Input(problems.join("\n")))?;
    let manifest = open::manifest(&config)?;
    let job = |e: &dyn std::fmt::Display| Failure::Job(e.to_string());
    let file = manifest.verify(&config.vision.model).map_err(|e| job(&e))?;
    let classes = read_classes(&file.path().with_file_name("classes.csv")).map_err(|e| job(&e))?;
    let labels = photo_labels(&classes, &files.catalog);
    let mut classifier = Classifier::load(&open_runtime(&manifest)?, &file, config.vision.threads, labels).map_err(|e| job(&e))?;
    let (enrolled, known) = (evaluate::read_list(&dir, &list, classes.len())?, evaluate::read_list(&dir, &calibrate, classes.len())?);
    let bar = progress::bar((enrolled.len() + known.len()) as u64, "enrolling");
    let mut read = |path: &PathBuf, blur: f32| {
        bar.inc(1);
        let crop = decode(&open::read(path)?, &config.vision).map_err(|e| Failure::Input(format!("{}: {e}", path.display())))?;
        classifier.read(&crop.blurred(blur)).map_err(|e| job(&e))
    };
    let mut builder = GalleryBuilder::default();
    for photo in &enrolled {
        builder.enrol(photo.class_id, &read(&photo.path, 0.0)?.embedding);
    }
    let (mut judged, mut right) = (Vec::new(), 0);
    for photo in &known {
        let reading = read(&photo.path, blur)?;
        let best = (0..classes.len()).max_by(|&a, &b| reading.probabilities[a].total_cmp(&reading.probabilities[b])).unwrap_or(0);
        right += u32::from(best == photo.class_id);
        judged.push((best, reading.probabilities[best], reading.embedding));
    }
    bar.finish_and_clear();
    builder.build().calibrated(&judged).save(&out).map_err(|e| job(&e))?;
    let accuracy = 100.0 * f64::from(right) / known.len() as f64;
    open::print_line(&format!(
        "{}: {} photos enrolled, threshold set on {} ({accuracy:.1}% named rightly)",
        out.display(),
        enrolled.len(),
        known.len()
    ))
}
